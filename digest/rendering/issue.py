"""What pages show of an issue: the same words as in mails, without what is one reader's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from digest.edition.model import Entry, Section
from digest.rendering.cards import paper_view
from digest.rendering.model import PaperView
from digest.rendering.wording import notes
from digest.rendering.words import on_weekday

REASONS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class StoryView:
    """A paper as a page shows it."""

    place: int
    path: str
    """Of our own page about it."""
    paper: PaperView
    why: str
    """What speaks for it: somebody's interests, if it is a preview, and the ranking."""


@dataclass(frozen=True, slots=True)
class IssueView:
    """One edition as a page shows it."""

    date: str
    """`Saturday, 22 November 2026`."""
    iso: str
    weekly: bool
    path: str
    """Of its own page."""
    cards: tuple[StoryView, ...]
    also: tuple[StoryView, ...]
    notes: tuple[str, ...]


def story_view(entry: Entry, on: date, place: int, path: str, his: str = "") -> StoryView:
    """One entry of the edition of a day. `his`: what one person's interests say for it; empty where they say nothing."""
    paper = paper_view(entry, on)
    said = ([his] if his else []) + list(paper.reasons)
    return StoryView(place, path, paper, "; ".join(said[:REASONS_SHOWN]) or paper.otherwise)


def issue_view(
    on: date,
    shown: Sequence[tuple[str, Entry, Section]],
    missing_sources: Sequence[str],
    *,
    weekly: bool,
    path: str,
    path_of: Callable[[str], str],
) -> IssueView:
    """Args:
    on: its date.
    shown: key, entry and section of each paper, cards first.
    missing_sources: by title, those that could not be read.
    weekly: whether it is the edition of a week.
    path: of its own page.
    path_of: the path of the page of a paper, by its key.
    """
    stories = [story_view(entry, on, place, path_of(key)) for place, (key, entry, _) in enumerate(shown, start=1)]
    cards = sum(section == "card" for _, _, section in shown)
    return IssueView(
        date=on_weekday(on),
        iso=on.isoformat(),
        weekly=weekly,
        path=path,
        cards=tuple(stories[:cards]),
        also=tuple(stories[cards:]),
        notes=notes(missing_sources),
    )
