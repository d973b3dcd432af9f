"""The tortures in small: `make torture` and `make bench` run them in full."""

from pathlib import Path

from torture.kills import torture
from torture.throughput import measure


def test_nobody_is_missed_and_nobody_gets_an_unlisted_copy_when_the_mailer_is_killed(tmp_path: Path) -> None:
    result = torture(tmp_path, readers=150, kills=3, seed=2)
    assert result.kills == 3
    assert result.missing == []
    assert result.repeated_unlisted == []
    assert result.repeated_differently == []
    assert result.most_copies <= 2
    assert result.integrity == "ok"
    assert set(result.states) <= {"submitted", "held"}
    assert result.kept


def test_a_mail_costs_less_than_one_statement(tmp_path: Path) -> None:
    measured = measure(tmp_path, readers=200)
    assert measured.states == {"submitted": 200}
    assert measured.statements_per_mail < 1
