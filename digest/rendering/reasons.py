"""What a reader's interests say for a pick, in one line of his own words; and how the cards of a mail came about."""

from collections.abc import Sequence

from digest.edition.model import Pick
from digest.papers.text import MAX_NAME, clean
from digest.rendering.words import listing

_WORDS = {
    "topic": "close to your topic “{}”",
    "keyword": "has your keyword “{}”",
    "author": "by {}, whom you follow",
    "category": "in {}, which you follow",
    "liked": "like papers you liked: {}",
}
_OUTSIDE = "outside your interests"


def label(pick: Pick) -> str:
    """The word before the reasons."""
    return "Something else" if pick.how == "explore" else "Why"


def personal(pick: Pick) -> str:
    """Why this pick is here for this reader; empty where only the ranking speaks for it."""
    if pick.how == "explore":
        return _OUTSIDE
    matched = clean(pick.matched, MAX_NAME)
    if not matched:
        return "like papers you liked" if pick.how == "liked" else ""
    return _WORDS[pick.how].format(matched) if pick.how in _WORDS else ""


def method(cards: Sequence[Pick]) -> str:
    """`10 papers: 5 match your interests, 4 are trending, 1 is something else.`; empty where all are trending."""
    outside = sum(pick.how == "explore" for pick in cards)
    his = sum(pick.how != "" for pick in cards) - outside
    if not his and not outside:
        return ""
    trending = len(cards) - his - outside
    parts = [
        (his, "matches your interests", "match your interests"),
        (trending, "is trending", "are trending"),
        (outside, "is something else", "are something else"),
    ]
    words = [f"{number} {one if number == 1 else many}" for number, one, many in parts if number]
    return f"{len(cards)} {'paper' if len(cards) == 1 else 'papers'}: {listing(words)}."
