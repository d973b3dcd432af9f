"""Torture in small on PostgreSQL; `tests/e2e/test_torture.py` does the same on SQLite."""

from pathlib import Path

from contract.databases import Postgresql
from torture.kills import torture


def test_nobody_is_missed_and_nobody_gets_an_unlisted_copy_when_mailers_are_killed_and_stopped(
    postgresql: Postgresql, tmp_path: Path
) -> None:
    result = torture(tmp_path / "home", readers=180, kills=2, seed=2, stops=1, database=postgresql.current())
    assert result.kills + result.stops >= 2, "all may be mailed before the last one ends"
    assert result.missing == []
    assert result.repeated_unlisted == []
    assert result.kept
