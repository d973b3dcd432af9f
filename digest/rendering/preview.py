"""What the page of a preview shows: an issue with what one person's interests say for each paper."""

from collections.abc import Callable, Sequence
from datetime import date

from digest.edition.model import Entry, Pick
from digest.rendering.cards import paper_view
from digest.rendering.issue import REASONS_SHOWN, IssueView, StoryView
from digest.rendering.reasons import personal
from digest.rendering.words import on_weekday


def preview_view(
    on: date, shown: Sequence[tuple[str, Entry, Pick]], *, weekly: bool, path_of: Callable[[str], str]
) -> IssueView:
    """Args:
    on: the date of the edition that it would be.
    shown: key, entry and pick of each paper, cards first.
    weekly: whether it would be the edition of a week.
    path_of: the path of the page of a paper, by its key.
    """
    stories = tuple(_story(entry, pick, on, place, path_of(key)) for place, (key, entry, pick) in enumerate(shown, start=1))
    cards = sum(pick.section == "card" for _, _, pick in shown)
    return IssueView(on_weekday(on), on.isoformat(), weekly, "", stories[:cards], stories[cards:], ())


def _story(entry: Entry, pick: Pick, on: date, place: int, path: str) -> StoryView:
    paper, his = paper_view(entry, on), personal(pick.how, pick.matched)
    said = [one for one in (his, *paper.reasons[: REASONS_SHOWN - bool(his)]) if one]
    return StoryView(place, path, paper, "; ".join(said) or paper.otherwise)
