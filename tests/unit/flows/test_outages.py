from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.flows.outages import Alarm, News, Outage, news_of
from digest.sources.base import Brings, Collected, Errand, Verdict

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
ANSWERED = START - timedelta(hours=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ALARM = Alarm("ann@example.org", DAY, Path("/srv/digest/answers/invented"))


@dataclass
class Invented:
    name: str = "invented"
    title: str = "Invented"
    brings: Brings = "papers"
    turn: str = "invented"
    enabled: bool = True

    def collect(self, errand: Errand) -> Collected:
        raise NotImplementedError


def after(lasted: timedelta, verdict: Verdict = "failed", source: Invented | None = None) -> News | None:
    """What is told of a run, the first bad one of the outage having been so long ago and the last one an hour."""
    outage = Outage(START, START + lasted - HOUR, ANSWERED)
    return news_of(source or Invented(), verdict, "it answered 503", START + lasted, outage, ALARM)


def told(news: News | None) -> str:
    assert news is not None
    return str(news.content)


def test_nothing_is_told_before_the_threshold() -> None:
    assert news_of(Invented(), "failed", "503", START, None, ALARM) is None
    assert after(DAY - timedelta(seconds=1)) is None
    assert after(DAY) is not None


@pytest.mark.parametrize("verdict", ["failed", "stale"])
def test_the_mail_says_what_is_missing_since_when_and_what_to_do(verdict: Verdict) -> None:
    said = told(after(DAY, verdict))
    assert "Invented is missing since Mon 2026-03-02 06:00Z" in said
    assert "['last good answer', 'Mon 2026-03-02 05:00Z']" in said
    assert f"{verdict}: it answered 503" in said
    assert "digest collect invented" in said
    assert "/srv/digest/answers/invented" in said


def test_a_source_that_never_answered_is_told_as_such() -> None:
    assert "'never'" in told(news_of(Invented(), "failed", "503", START + DAY, Outage(START, START), ALARM))


def test_the_same_is_said_once_a_week_however_often_it_fails() -> None:
    keys = [news.key for hours in range(24 * 30) if (news := after(hours * HOUR))]
    assert [keys.count(key) for key in dict.fromkeys(keys)] == [7 * 24] * 4 + [24]
    assert all(len(key) <= 80 for key in keys)


def test_when_it_is_back_after_an_alarm_that_is_told_once() -> None:
    outage = Outage(START, START + DAY, ANSWERED)
    first = news_of(Invented(), "fresh", "", START + DAY + HOUR, outage, ALARM)
    assert "Invented is back" in told(first)
    assert news_of(Invented(), "fresh", "", START + DAY + 2 * HOUR, None, ALARM) is None


def test_when_it_is_back_before_anybody_was_told_nothing_is_told() -> None:
    off = Outage(START, START + HOUR, ANSWERED)
    assert news_of(Invented(), "quiet", "", START + 3 * DAY, off, ALARM) is None


def test_nobody_waits_for_the_papers_of_a_source_of_attention() -> None:
    assert after(30 * DAY, source=Invented(brings="attention")) is None


def test_a_title_that_does_not_tell_the_name_is_given_both() -> None:
    assert "arXiv (arxiv_rss) is missing" in told(after(DAY, source=Invented("arxiv_rss", "arXiv")))
    assert "Hugging Face is missing" in told(after(DAY, source=Invented("huggingface", "Hugging Face")))


def test_a_source_of_the_operators_own_has_a_key_that_fits() -> None:
    news = after(100 * DAY, source=Invented("feed:" + "x" * 35, "x"))
    assert news is not None
    assert len(news.key + "-back") <= 80
