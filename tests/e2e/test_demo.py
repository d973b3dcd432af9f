"""`digest demo`: the whole thing offline, and quick the second time."""

import email
import email.policy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.operator import Operator

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
READERS = {"gen@example.org", "nora@example.org", "priya@example.org", "quinn@example.org"}


@pytest.fixture
def visitor(empty_home: Path) -> Operator:
    """Somebody who has set nothing at all."""
    made = Operator(empty_home, "")
    made.settings = {"DIGEST_HOME": str(empty_home)}
    return made


def test_the_demo_mails_four_readers_once_and_says_so_when_called_again(visitor: Operator, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    first = visitor.call("demo", "--dir", str(folder), now=NOON)
    assert first.code == 0, first.err
    mails = [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in (folder / "inbox").glob("*.eml")
    ]
    assert {str(mail["To"]) for mail in mails} == READERS
    assert len(mails) == 4
    assert len({str(mail["Subject"]) for mail in mails}) > 1
    assert "the first 10" in first.out
    assert "Preview" in first.out
    assert (folder / "preview.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert all(command in first.out for command in ("init", "subscribers add", "run"))

    second = visitor.call("demo", "--dir", str(folder), now=NOON)
    assert second.code == 0, second.err
    assert "everybody already has today's edition" in second.out
    assert len(list((folder / "inbox").glob("*.eml"))) == 4


def test_the_demo_of_the_next_day_mails_other_papers(visitor: Operator, tmp_path: Path) -> None:
    days = [visitor.call("demo", "--dir", str(tmp_path), "--json", now=NOON + timedelta(days=day)).json for day in (0, 1)]
    assert [len(day["mails"]) for day in days] == [4, 4]
    assert {mail["to"] for mail in days[0]["mails"]} == READERS
    by_day = [{mail["to"]: mail["subject"] for mail in day["mails"]} for day in days]
    assert all(by_day[0][reader] != by_day[1][reader] for reader in READERS)


def test_the_demo_touches_nothing_but_its_folder(visitor: Operator, empty_home: Path, tmp_path: Path) -> None:
    assert visitor.call("demo", "--dir", str(tmp_path / "demo"), now=NOON).code == 0
    assert list(empty_home.iterdir()) == []


def test_a_demo_two_weeks_later_begins_anew(visitor: Operator, tmp_path: Path) -> None:
    visitor.call("demo", "--dir", str(tmp_path), now=NOON)
    later = visitor.call("demo", "--dir", str(tmp_path), "--json", now=NOON + timedelta(days=20)).json
    assert len(later["mails"]) == 4
