"""Is what arXiv shows what is due? Decided from the calendar, the newest id, and two routes that check each other.

The date at which a feed was built proves nothing: a feed can be built anew every night and hold the day before's papers. So
a feed counts as that of a day if its entries are dated so *and* its newest id is greater than the newest known. What is due
and not there is asked for by the second route; only if that does not have it either, it is late.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from digest.sources.arxiv.calendar import feeds_due, may_be_missed, next_due, submitted_since, today
from digest.sources.arxiv.entries import is_newer
from digest.sources.base import Past, Verdict

FAR_BACK = timedelta(days=14)
"""After a long absence, older papers are not asked for: they are nobody's news. (`--since` asks for any.)"""
FEW = 10
"""Of categories that had less than this many papers on a day, a day without any is nothing unusual."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is known before anything is asked, and what has become due since.

    `covered` is the last day that is done with, `proven` the last of which the papers were seen: where papers are few, a day
    can be done with on the word of both routes that it had none. `papers` is how many the feed taken last had.
    """

    now: datetime
    covered: date | None
    proven: date | None
    newest: str
    papers: int
    days: tuple[date, ...]
    next: date | None

    @property
    def last(self) -> date | None:
        return self.days[-1] if self.days else None

    @property
    def since(self) -> date:
        """From which day on the second route is to be asked: records bear the date of their last change."""
        first = self.proven or (self.last or today(self.now)) - timedelta(days=1)
        return max(first, today(self.now) - FAR_BACK)


@dataclass(frozen=True, slots=True)
class Feed:
    """What the feed showed: the date and the newest id of what it announces, and how many papers that is."""

    day: date | None = None
    """Of the latest entry, whatever its kind; None where there is none."""
    newest: str = ""
    papers: int = 0
    built: date | None = None
    cut: str = ""
    """Why entries may be missing at its end; empty if none are."""


@dataclass(frozen=True, slots=True)
class Harvest:
    """What the second route showed: the newest id of what is new, how many papers are newer than those known, and when the last
    of them was submitted."""

    newest: str = ""
    papers: int = 0
    submitted: datetime | None = None
    fault: str = ""
    """Why records are missing; empty if none are."""
    had: bool = True
    """Whether anything was had at all."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, what it goes by, and what the next run goes on from."""

    verdict: Verdict
    evidence: str
    covered: date | None
    proven: date | None
    papers: int

    @property
    def cursor(self) -> dict[str, str]:
        days = {"covered": self.covered, "proven": self.proven}
        return {name: day.isoformat() for name, day in days.items() if day} | {"papers": str(self.papers)}


def what_is_due(past: Past, now: datetime, no_mailing: frozenset[date]) -> Due:
    """What has become due since the last run that answered."""
    covered = _day(past.cursor, "covered")
    proven = _day(past.cursor, "proven") or covered
    days = tuple(feeds_due(covered, now, no_mailing))
    return Due(now, covered, proven, past.newest, int(past.cursor.get("papers", "0")), days, next_due(now, no_mailing))


def _day(cursor: Mapping[str, str], name: str) -> date | None:
    return date.fromisoformat(cursor[name]) if name in cursor else None


def why_ask(due: Due, feed: Feed | None) -> str:
    """Why the second route must be asked, too; empty if it need not. `feed` is None where it could not be had."""
    if feed is None:
        return "the feed could not be had" if due.last else ""
    if due.last and (feed.day is None or feed.day < due.last):
        return f"the feed {_dated(feed)}, and that of {due.last} is due"
    if due.last and not is_newer(feed.newest, due.newest):
        return f"the feed is dated {feed.day} and has nothing newer than {_bare(due.newest) or 'what is known'}"
    if not _has_more(due, feed):
        return ""
    if due.proven and feed.day and not _is_first_since_proof(due, feed.day):
        return f"papers announced between {due.proven} and {feed.day} may be missing"
    return feed.cut


def judge(due: Due, feed: Feed | None, harvest: Harvest | None = None) -> Judgement:
    """What the feed and, where it was asked, the second route prove. None stands for what was not had."""
    why = why_ask(due, feed)
    if feed and feed.day and _has_more(due, feed) and (due.last is None or feed.day >= due.last):
        what = f"the feed of {feed.day} has {_papers(feed.papers)}, up to {_bare(feed.newest)}"
        if not why:
            return _proven(feed.day, what, feed.papers)
        return _judge_completed(due, feed, feed.day, harvest, f"{what}; {why}")
    if due.last is None:
        return _nothing_due(due)
    if harvest is None or harvest.fault:
        broke_off = feed is None or (harvest is not None and harvest.had)
        return _as_before("failed" if broke_off else "stale", f"{why}; OAI-PMH {_fault(harvest)}", due)
    if _proves(harvest, due):
        return _proven(due.last, f"{_state(feed)}; taken from OAI-PMH: {_found(harvest)}", _usual(harvest, due))
    what = f"{why}; OAI-PMH has nothing newer either"
    if is_newer(harvest.newest, due.newest):
        what = f"{why}; OAI-PMH has {_found(harvest)}, none of that day"
    if feed and due.papers < FEW and _is_of(feed, due.last):
        return _without_proof(f"{what}, as may be where papers are few", harvest, due, feed.papers)
    return _as_before("stale" if feed else "failed", what, due)


def _judge_completed(due: Due, feed: Feed, day: date, harvest: Harvest | None, what: str) -> Judgement:
    """Of a feed that has more, and to which the second route had to add: a feed of many days' news may be dated too late."""
    if harvest is None or harvest.fault:
        return _as_before("failed", f"{what}, and OAI-PMH {_fault(harvest)}", due)
    goes_on_later = is_newer(feed.newest, harvest.newest)
    is_whole = not (feed.cut and goes_on_later)
    if is_whole and (_is_first_since_proof(due, day) or goes_on_later or _reaches(harvest, day)):
        return _proven(day, f"{what}: completed from OAI-PMH", feed.papers)
    what = f"{what}, and OAI-PMH does not prove that this is all"
    if due.last is None:
        return _as_before("fresh", what, due)
    if due.papers < FEW:
        return _without_proof(what, harvest, due, feed.papers)
    return _as_before("stale" if is_whole else "failed", what, due)


def judge_harvest(due: Due, harvest: Harvest | None) -> Judgement:
    """What OAI-PMH proves by itself; None where it was not asked, because nothing is due."""
    if harvest is None or due.last is None:
        return _nothing_due(due)
    if harvest.fault:
        return _as_before("failed", f"OAI-PMH {_fault(harvest)}", due)
    what = f"OAI-PMH has {_found(harvest)}"
    if _proves(harvest, due):
        return _proven(due.last, what, _usual(harvest, due))
    if due.papers < FEW:
        return _without_proof(f"{what}, none of {due.last}, as may be where papers are few", harvest, due, due.papers)
    return _as_before("stale", f"{what}, and those of {due.last} are due", due)


def with_back_fill(judged: Judgement, harvest: Harvest, filled: int, since: date) -> Judgement:
    """The same, when papers were asked for from `since` on besides, and so many were found."""
    if harvest.fault:
        return replace(judged, verdict="failed", evidence=f"{judged.evidence}; for the back-fill, OAI-PMH {_fault(harvest)}")
    came: Verdict = "fresh" if filled and judged.verdict == "quiet" else judged.verdict
    return replace(judged, verdict=came, evidence=f"{judged.evidence}; {_papers(filled)} filled in from {since} on")


def _proven(day: date, evidence: str, papers: int) -> Judgement:
    return Judgement("fresh", evidence, day, day, papers)


def _without_proof(evidence: str, harvest: Harvest, due: Due, papers: int) -> Judgement:
    """Done with for today; the next harvest begins where proof ended."""
    verdict: Verdict = "fresh" if is_newer(harvest.newest, due.newest) else "quiet"
    return Judgement(verdict, evidence, due.last, due.proven or due.since, papers)


def _as_before(verdict: Verdict, evidence: str, due: Due) -> Judgement:
    return Judgement(verdict, evidence, due.covered, due.proven, due.papers)


def _nothing_due(due: Due) -> Judgement:
    then = f"the next are due on {due.next:%A} {due.next}" if due.next else "none are due for weeks"
    if due.proven == today(due.now):
        return _as_before("fresh", f"the papers of {due.proven} are here; {then}", due)
    was = f"the last were those of {due.proven}; " if due.proven else ""
    return _as_before("quiet", f"no papers are due now; {was}{then}", due)


def _has_more(due: Due, feed: Feed) -> bool:
    """Whether the feed is later than what is covered, or has later papers of the same day."""
    return feed.day is not None and (due.covered is None or feed.day >= due.covered) and is_newer(feed.newest, due.newest)


def _proves(harvest: Harvest, due: Due) -> bool:
    """Whether what is newer is of the last day: this route may lag behind, too."""
    if due.last is None or not is_newer(harvest.newest, due.newest):
        return False
    return _is_first_since_proof(due, due.last) or _reaches(harvest, due.last)


def _is_first_since_proof(due: Due, day: date) -> bool:
    """Whether anything newer than what is known must be of this day."""
    return due.proven is not None and not may_be_missed(due.proven, day)


def _reaches(harvest: Harvest, day: date) -> bool:
    """Whether a paper is there that was submitted for this day."""
    return harvest.submitted is not None and harvest.submitted >= submitted_since(day)


def _usual(harvest: Harvest, due: Due) -> int:
    """How many papers a day has: of a harvest over several days nobody can tell; the very first is over two."""
    if due.last and _is_first_since_proof(due, due.last):
        return harvest.papers
    return due.papers if due.proven else harvest.papers // 2


def _is_of(feed: Feed, day: date) -> bool:
    """Whether a feed is dated so, though it has nothing new; of one without entries, the date of building must do."""
    dated = feed.day or feed.built
    return dated is not None and dated >= day


def _bare(id_: str) -> str:
    return id_.removeprefix("arxiv:")


def _papers(number: int) -> str:
    return "1 paper" if number == 1 else f"{number:,} papers"


def _found(harvest: Harvest) -> str:
    return _papers(harvest.papers) + (f", up to {_bare(harvest.newest)}" if harvest.newest else "")


def _dated(feed: Feed) -> str:
    return "is empty" if feed.day is None else f"is that of {feed.day}"


def _state(feed: Feed | None) -> str:
    if feed is None:
        return "the feed could not be had"
    return "the feed is stale" if feed.day else "the feed is empty"


def _fault(harvest: Harvest | None) -> str:
    if harvest is None:
        return "was not asked"
    return f"{'broke off' if harvest.had else 'could not be asked'}: {harvest.fault}"
