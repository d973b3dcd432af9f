"""The two lines that decide whether a mail is opened: its subject and its preheader."""

from collections.abc import Callable, Sequence

from digest.papers.text import clean, shorten
from digest.rendering.tongue import ENGLISH, Tongue

MAX_SUBJECT = 60
MAX_PREHEADER = 90
_SHORTEST_TITLE = 24

# A line that is cut before its noun says less than one that is cut before its preposition.
_LOOSE_ENDS = frozenset(
    {"a", "an", "the", "of", "for", "with", "in", "on", "to", "from", "by", "and", "or", "via", "as", "at", "is"}
)


def subject_line(lead: str, others: int, tongue: Tongue = ENGLISH) -> str:
    """`Spherical flow matching beats latent diffusion + 9 more`: one line of at most 60 characters, cut at a word."""
    tail = " " + tongue.count("+ %(number)s more", "+ %(number)s more", others, number=others) if others > 0 else ""
    return cut(lead, MAX_SUBJECT - len(tail)) + tail


def cut(text: str, limit: int) -> str:
    """One line of at most `limit` characters, cut at a word that can stand last."""
    short = shorten(clean(text, 4 * limit), limit)
    if not short.endswith("…") or short.count(" ") < 2:
        return short
    words = short[:-1].split(" ")
    while len(words) > 2 and words[-1].lower() in _LOOSE_ENDS:
        words.pop()
    return " ".join(words).rstrip(" ,;:.-–—(") + "…"


def preheader(titles: Sequence[str], otherwise: str, cut: Callable[[str, int], str] = cut) -> str:
    """What mailboxes show behind the subject: the papers from the second on, or `otherwise` where there are none.

    `cut` may be one that remembers.
    """
    if not titles:
        return cut(otherwise, MAX_PREHEADER)
    line = cut(f"2. {titles[0]}", MAX_PREHEADER)
    for place, title in enumerate(titles[1:3], start=3):
        room = MAX_PREHEADER - len(line) - len(" · ")
        if room < _SHORTEST_TITLE or line.endswith("…"):
            break
        line = f"{line} · {cut(f'{place}. {title}', room)}"
    return line
