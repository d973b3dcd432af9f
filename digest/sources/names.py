"""Authors as they are written in one text, told apart; and a name that begins with the family's, the way readers say it."""

import re

from digest.papers.text import MAX_AUTHORS, MAX_NAME, clean

_AND = re.compile(r",? (?:and|&) ", re.IGNORECASE)
_INITIALS = re.compile(r"(?:[^\W\d_]\.?[ -]?){1,5}")
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|ph\.?d|m\.?d)\.?", re.IGNORECASE)
_OTHERS = re.compile(r"(?:and )?(?:et al|others)\.?", re.IGNORECASE)


def given_first(name: str) -> str:
    """A name with its family name last.

    >>> given_first("Gomez Cuautle, D. D.")
    'D. D. Gomez Cuautle'
    """
    family, *more = [part for part in (part.strip() for part in name.split(",")) if part] or [""]
    suffixes = [part for part in more if _SUFFIX.fullmatch(part)]
    return " ".join([*(part for part in more if part not in suffixes), family, *suffixes])


def split_names(text: str) -> tuple[str, ...]:
    """The authors of one text in their order, cleaned, without repeats.

    >>> split_names("Gomez Cuautle, D. D.; Rossi, A. R.")
    ('D. D. Gomez Cuautle', 'A. R. Rossi')
    >>> split_names("Jane Doe, Max Roe, Jr. and Ann Poe")
    ('Jane Doe', 'Max Roe Jr.', 'Ann Poe')
    >>> split_names("Doe, Jane and Roe, Max")
    ('Jane Doe', 'Max Roe')
    """
    text = clean(text, 2 * MAX_AUTHORS * MAX_NAME)
    if ";" in text:
        names = [given_first(part) for part in text.split(";")]
    else:
        wholes = _AND.split(text)
        if all(whole.count(",") == 1 for whole in wholes) and any(_is_family_first(whole) for whole in wholes):
            names = [given_first(whole) for whole in wholes]
        else:
            names = _of_list([part.strip() for whole in wholes for part in whole.split(",") if part.strip()])
    cleaned = (clean(name, MAX_NAME) for name in names if not _OTHERS.fullmatch(name.strip()))
    return tuple(dict.fromkeys(name for name in cleaned if name))[:MAX_AUTHORS]


def _is_family_first(whole: str) -> bool:
    """Whether `Doe, Jane` is one author; `Jane Doe, Max Roe` are two."""
    family, _, given = (part.strip() for part in whole.partition(","))
    # Scripts without capitals have no blanks in their names either, and no initials: there, a comma parts two authors.
    if len(family) < 2 or family.lower() == family.upper():
        return False
    return _is_initials(given) or len([word for word in family.split() if not word.islower()]) == 1


def _is_initials(text: str) -> bool:
    return text.lower() != text == text.upper() and _INITIALS.fullmatch(text) is not None


def _of_list(parts: list[str]) -> list[str]:
    """Names from what stands between commas: `Doe, J., Roe, M.` are two, and a suffix is none."""
    names: list[str] = []
    for part in parts:
        if names and _SUFFIX.fullmatch(part):
            names[-1] = f"{names[-1]} {part}"
        else:
            names.append(part)
    pairs = list(zip(names[::2], names[1::2], strict=False))
    if len(names) % 2 == 0 and pairs and all(_is_initials(given) for _, given in pairs):
        return [f"{given} {family}" for family, given in pairs]
    return names
