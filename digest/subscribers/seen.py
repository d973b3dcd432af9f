"""A reader's memory of the papers he got: segments of text, one for each mail, so that remembering is appending.

A segment is `20779:12,15,99;`: the day (counted from 1970-01-01) and the ids of the papers. What cannot be read of it is
passed over: a reader who might get a paper twice is better off than one who gets no mail.
"""

from collections.abc import Iterable
from datetime import date

import numpy as np
from numpy.typing import NDArray

_ALPHABET = b"0123456789:,;"
_EPOCH = date(1970, 1, 1).toordinal()
_NOTHING = np.zeros(0, np.int64)
_GAPS = (",,", "-,")
"""What would be a number without digits."""
_LAST = date.max.toordinal() - _EPOCH


def segment(day: date, ids: Iterable[int]) -> str:
    """What to append for the papers of one mail; nothing for a mail without papers."""
    listed = ",".join(map(str, ids))
    return f"{day.toordinal() - _EPOCH}:{listed};" if listed else ""


def papers(text: str) -> NDArray[np.int64]:
    """The ids of all papers in a memory; beside them may stand numbers below 0, which are none."""
    if not text:
        return _NOTHING
    if not text.encode().translate(None, _ALPHABET):
        # Once for every mail, and so read as one list of numbers, in which days are below 0.
        listed = f"-{text.removesuffix(';').replace(':', ',').replace(';', ',-')},"
        if not any(gap in listed for gap in _GAPS):
            return np.fromstring(listed[:-1], np.int64, sep=",")
    words = (word for part in text.split(";") for word in part.partition(":")[2].split(","))
    return np.array([int(word) for word in words if _is_number(word)], np.int64)


def oldest(text: str) -> date | None:
    """The day of the first segment; None for a memory that is empty or tells none."""
    day = text.partition(":")[0]
    return date.fromordinal(_EPOCH + int(day)) if _is_number(day) and int(day) < _LAST else None


def prune(text: str, before: date) -> str:
    """The memory without what is older than a day, and without what tells no day."""
    first = before.toordinal() - _EPOCH
    kept = (part for part in text.split(";") if _is_number(day := part.partition(":")[0]) and int(day) >= first)
    return "".join(f"{part};" for part in kept)


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 19
