"""The languages in which mails are written, and which of them somebody reads best."""

import re
from collections.abc import Mapping

from digest.errors import BadInput

LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}
"""Each by its own name, under its code (ISO 639-1)."""
MAX_RANGES = 20
"""Of a header that are looked at; browsers send a handful."""
_RANGE = re.compile(r"([a-z]{1,8}|\*)(?:-[a-z0-9]{1,8})*(?:\s*;\s*q=([01](?:\.[0-9]{0,3})?))?", re.IGNORECASE | re.ASCII)


def parse_language(text: str) -> str:
    """The code of a language, from it or from the language's name. Raises BadInput for any other."""
    wanted = text.strip().casefold()
    for code, name in LANGUAGES.items():
        if wanted in (code, name.casefold()):
            return code
    raise BadInput(f"{text[:20]!r} is not a language of the mails", fix=f"one of {', '.join(LANGUAGES)}")


def best_fit(accepted: str) -> str:
    """The one of our languages that an Accept-Language header likes best (RFC 9110 12.5.4); empty where it names none.

    What cannot be read is passed over. A region says nothing about which of ours to take, nor does `*`.

    >>> best_fit("pt-BR, de-AT;q=0.7, en;q=0.3"), best_fit("ja, *;q=0.5"), best_fit("fr;q=0, es;q=0.1")
    ('de', '', 'es')
    """
    liked: dict[str, float] = {}
    for part in accepted.split(",")[:MAX_RANGES]:
        if (found := _RANGE.fullmatch(part.strip())) and found[1].lower() in LANGUAGES:
            liked.setdefault(found[1].lower(), float(found[2] or 1))
    best = max(liked, key=lambda code: liked[code], default="")
    return best if best and liked[best] > 0 else ""
