import pytest

from digest.settings.keys import flat, known_keys, list_keys, nested, table_keys, unknown
from digest.settings.missing import variable


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("smtp.conections", "smtp.connections"),
        ("smpt.url", "smtp.url"),
        ("site.url", "site.public_url"),
        ("delivery.publish_at", "schedule.publish_at"),
        ("ranking.weights.vote", "ranking.weights.votes"),
    ],
)
def test_an_unknown_setting_is_answered_with_the_one_that_was_meant(written: str, meant: str) -> None:
    error = unknown(written, "somewhere", known_keys())
    assert error.exit_code == 78
    assert str(error) == f"unknown setting {written} in somewhere"
    if written != "site.url":
        assert error.fix == f"did you mean {meant}?"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("DIGEST_SMTP_URL", "DIGEST_SMTP__URL"),
        ("DIGEST_SITE__PUBLIC_ULR", "DIGEST_SITE__PUBLIC_URL"),
        ("DIGEST_FROM", "DIGEST_EMAIL__FROM"),
    ],
)
def test_a_misspelt_variable_is_answered_with_a_variable(written: str, meant: str) -> None:
    assert unknown(written, "the environment", map(variable, known_keys())).fix == f"did you mean {meant}?"


def test_a_name_like_no_other_is_answered_with_where_to_look() -> None:
    assert unknown("qqq", "somewhere", known_keys()).fix == "see what can be set: digest config show"


def test_tables_become_dotted_keys_and_tables_again() -> None:
    tables = {"smtp": {"connections": 2, "per_domain": {"gmail.com": 1}}, "ranking": {"weights": {"votes": 2}}}
    keys = dict(flat(tables))
    assert keys == {"smtp.connections": 2, "smtp.per_domain": {"gmail.com": 1}, "ranking.weights.votes": 2}
    assert nested(keys) == tables


def test_lists_tables_and_single_values_are_told_apart() -> None:
    assert {"sources.arxiv_rss.categories", "sources.arxiv_rss.no_mailing", "sources.biorxiv.categories"} <= list_keys()
    assert table_keys() == {"smtp.per_domain", "sources.feed.urls"}
    assert not list_keys() & table_keys()
    assert list_keys() | table_keys() < set(known_keys())


def test_settings_are_named_as_people_write_them() -> None:
    assert "email.from" in known_keys()
    assert "home" not in known_keys()
    assert len(set(known_keys())) == len(known_keys())
