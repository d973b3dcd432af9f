import tomllib
from io import StringIO

from dotenv.parser import parse_stream
from hypothesis import given
from hypothesis import strategies as st

from digest.settings.shown import toml_value
from digest.settings.write import dotenv_text, toml_text

any_text = st.text(st.characters(codec="utf-8"), max_size=60)
scalars = any_text | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)


@given(scalars | st.lists(scalars, max_size=4) | st.dictionaries(any_text, scalars, max_size=4))
def test_every_value_reads_back_from_toml_as_it_was(value: object) -> None:
    assert tomllib.loads(f"key = {toml_value(value)}") == {"key": value}


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=60))
def test_every_secret_reads_back_from_dotenv_as_it_was(secret: str) -> None:
    text = dotenv_text({"DIGEST_SMTP__PASSWORD": secret, "DIGEST_SITE__SECRET_KEY": "next"})
    read = {binding.key: binding.value for binding in parse_stream(StringIO(text)) if binding.key}
    assert read == {"DIGEST_SMTP__PASSWORD": secret, "DIGEST_SITE__SECRET_KEY": "next"}


def test_a_fresh_file_shows_what_is_not_set_as_a_comment() -> None:
    text = toml_text({"email.from": "a@example.org", "ranking.weights.votes": 2.0})
    assert tomllib.loads(text) == {
        "site": {},
        "email": {"from": "a@example.org"},
        "smtp": {},
        "schedule": {},
        "ranking": {"weights": {"votes": 2.0}},
    }
    assert '#public_url = "https://papers.example.org"' in text.splitlines()
