"""What a reader's interests say for a pick, in one line of his own words; and how the cards of a mail came about."""

from digest.edition.model import How
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


def label(*, explore: bool) -> str:
    """The word before the reasons."""
    return "Something else" if explore else "Why"


def personal(how: How, matched: str) -> str:
    """Why a pick is here for this reader; empty where only the ranking speaks for it."""
    if how == "explore":
        return _OUTSIDE
    matched = clean(matched, MAX_NAME)
    if not matched:
        return "like papers you liked" if how == "liked" else ""
    return _WORDS[how].format(matched) if how in _WORDS else ""


def method(his: int, trending: int, outside: int) -> str:
    """`10 papers: 5 match your interests, 4 are trending and 1 is something else.`; empty where all are trending."""
    if not his and not outside:
        return ""
    parts = [
        (his, "matches your interests", "match your interests"),
        (trending, "is trending", "are trending"),
        (outside, "is something else", "are something else"),
    ]
    words = [f"{number} {one if number == 1 else many}" for number, one, many in parts if number]
    total = his + trending + outside
    return f"{total} {'paper' if total == 1 else 'papers'}: {listing(words)}."
