"""What the page of a preview shows: an issue with what one person's interests say for each paper."""

from collections.abc import Callable, Sequence
from datetime import date

from digest.edition.model import Entry, Pick
from digest.rendering.issue import IssueView, story_view
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
    stories = tuple(
        story_view(entry, on, place, path_of(key), personal(pick.how, pick.matched))
        for place, (key, entry, pick) in enumerate(shown, start=1)
    )
    cards = sum(pick.section == "card" for _, _, pick in shown)
    return IssueView(on_weekday(on), on.isoformat(), weekly, "", stories[:cards], stories[cards:], ())
