"""The tortures in small: `make torture` and `make scale` run them in full."""

from pathlib import Path

from torture.collecting import QUERIES
from torture.collecting import measure as collect
from torture.kills import torture


def test_nobody_is_missed_and_nobody_gets_an_unlisted_copy_when_the_mailer_is_killed(tmp_path: Path) -> None:
    result = torture(tmp_path, readers=200, kills=3, seed=2)
    assert result.kills >= 2, "all may be mailed before the last one"
    assert result.missing == []
    assert result.repeated_unlisted == []
    assert result.repeated_differently == []
    assert result.most_copies <= 2
    assert result.integrity == "ok"
    assert set(result.states) <= {"submitted", "held"}
    assert result.kept


def test_a_day_is_collected_into_a_database_of_many_days_and_searched(tmp_path: Path) -> None:
    measured = collect(tmp_path, number=300, readings=3, size=40)
    assert (measured.new, measured.known, measured.readings, measured.problems) == (20, 20, 160, 0)
    assert measured.candidates == 320
    found = {query: number for query, (number, _) in measured.searches.items()}
    assert found.keys() == set(QUERIES)
    assert (found["learning"], found["2401.10007"]) == (20, 1)
