import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.settings.mask import masked


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("site.name", "Papers", "Papers"),
        ("site.secret_key", "x" * 40, "********"),
        ("smtp.password", "x", "********"),
        ("dkim.key", "x", "********"),
        ("sources.semantic_scholar.key", "x", "********"),
        ("sources.openalex.key", "x", "********"),
        ("sources.github.token", "x", "********"),
        ("sources.github.url", "https://api.example.org", "https://api.example.org"),
        ("smtp.url", "smtps://mx:465", "smtps://mx:465"),
        ("smtp.url", "smtps://ann@mx:465", "smtps://ann@mx:465"),
        ("smtp.url", "smtps://ann:pw@mx:465", "smtps://ann:********@mx:465"),
        ("smtp.url", "smtps://ann:p@w:x@mx", "smtps://ann:********@mx"),
        ("smtp.url", "smtps://a/b:pw@mx", "smtps://a/b:********@mx"),
        ("smtp.url", "a password put into the wrong place", "********"),
        ("database.url", "sqlite:////srv/digest.db", "sqlite:////srv/digest.db"),
        ("database.url", "postgresql://d:p/w@db/digest", "postgresql://d:********@db/digest"),
        (
            "database.url",
            "postgresql://db/digest?user=d&password=pw&x=1",
            "postgresql://db/digest?user=d&password=********&x=1",
        ),
        ("database.url", "postgresql://db/digest?sslpassword=pw", "postgresql://db/digest?sslpassword=********"),
    ],
)
def test_secrets_are_covered_and_the_rest_is_shown(key: str, value: str, shown: str) -> None:
    assert masked(key, value) == shown


@given(st.sampled_from(["smtp.url", "database.url"]), st.text(max_size=30), st.text(max_size=10))
def test_no_password_shows_however_it_is_written(key: str, before: str, after: str) -> None:
    password = "pvoqzkxwhyj"
    assert password not in masked(key, f"smtps://user:{before}{password}{after}@host")
