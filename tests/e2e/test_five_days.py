"""Five days in a row over the seeds, as cron would have it: a mail each day for everybody, and no paper twice."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.operator import Operator
from support.sink import Sink

from digest.resources import resource

FIRST = datetime(2026, 3, 2, 21, tzinfo=UTC)
EVENINGS = [FIRST + day * timedelta(days=1) for day in range(5)]
SEEDED = ["gen@example.org", "nora@example.org", "priya@example.org", "quinn@example.org"]
DAILY = sorted([*SEEDED, "plain@example.org", "topical@example.org"])
WEEKLY = "weekly@example.org"


@pytest.fixture
def week(empty_home: Path, sink: Sink) -> Operator:
    """The seed papers and readers, and some readers who did not choose an hour."""
    operator = Operator(empty_home, sink.url, ranking__size="10", ranking__also="10")
    before = FIRST - timedelta(hours=18)
    for line in (
        ["db", "upgrade"],
        ["collect", "--file", str(resource("seeds/trending-papers-page.txt"))],
        ["subscribers", "import", str(resource("seeds/subscribers.csv")), "--confirmed"],
        ["subscribers", "add", "plain@example.org", "--confirmed"],
        ["subscribers", "add", "topical@example.org", "--confirmed", "--topic", "graph neural networks"],
        ["subscribers", "add", WEEKLY, "--confirmed", "--cadence", "weekly"],
    ):
        done = operator.call(*line, now=before)
        assert done.code == 0, done.err
    return operator


def test_everybody_gets_a_mail_each_day_and_no_paper_twice(week: Operator, sink: Sink) -> None:
    for evening in EVENINGS:
        before = len(sink.accepted)
        done = week.call("run", now=evening)
        assert done.code == 0, done.err
        today = sorted(one.recipient for one in sink.accepted[before:])
        assert today == (sorted([*DAILY, WEEKLY]) if evening.weekday() == 0 else DAILY)
        again = week.call("run", "--json", now=evening + timedelta(minutes=10))
        assert again.json["deliveries"]["states"] == {}
        assert len(sink.accepted) == before + len(today)

    rows = [_shown(week, row["id"]) for row in week.call("deliveries", "list", "--json").json["deliveries"]]
    assert len(rows) == len(DAILY) * 5 + 1
    for reader in DAILY:
        his = sorted((row for row in rows if row["email"] == reader), key=lambda row: str(row["edition"]))
        assert [row["edition"] for row in his] == [f"{evening:%Y-%m-%d}" for evening in EVENINGS]
        got = [pick["id"] for row in his for pick in row["picks"]]
        assert len(got) == len(set(got))
        assert all(len(row["picks"]) >= 15 for row in his)
        _the_mails_say_the_same(sink, his)


def _the_mails_say_the_same(sink: Sink, rows: list[dict[str, Any]]) -> None:
    """Each mail has the titles of its own picks, and of no other day's."""
    texts = {one.message_id: _words(one.message.get_body(("plain",))) for one in sink.by_recipient[rows[0]["email"]]}
    titles = {row["message_id"]: [" ".join(pick["title"].split()) for pick in row["picks"]] for row in rows}
    for name, text in ((name, texts[f"<{name}>"]) for name in titles):
        for other, listed in titles.items():
            for title in listed:
                if not re.search(r"[$\\{}~^]|--", title):  # TeX is set as it should be read
                    assert (re.search(rf"\d\. {re.escape(title)}( |$)", text) is not None) == (other == name), title


def _shown(operator: Operator, number: int) -> dict[str, Any]:
    shown: dict[str, Any] = operator.call("deliveries", "show", str(number), "--json").json
    return shown


def _words(part: Any) -> str:
    return " ".join(part.get_content().split())
