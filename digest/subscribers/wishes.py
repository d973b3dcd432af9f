"""What somebody wants before he is a reader: choices and interests, as they are kept until he confirms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from digest.errors import BadInput
from digest.subscribers.model import (
    INTEREST_KINDS,
    PARSERS,
    Interest,
    Preferences,
    days_text,
    limited,
    parse_interests,
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody chose, and what he wants to read."""

    preferences: Preferences = field(default_factory=Preferences)
    interests: tuple[Interest, ...] = ()


def to_json(wishes: Wishes) -> dict[str, Any]:
    """Wishes as JSON: what was not chosen is left out, and the interests of a kind are a list."""
    chosen = wishes.preferences
    told: dict[str, Any] = {
        "zone": chosen.zone,
        "hour": chosen.hour and chosen.hour.strftime("%H:%M"),
        "days": days_text(chosen.days),
        "cadence": chosen.cadence,
        "size": chosen.size and str(chosen.size),
        "share": None if chosen.share is None else repr(chosen.share),
        "language": chosen.language,
    }
    told |= {kind: [one.value for one in wishes.interests if one.kind == kind] for kind in INTEREST_KINDS}
    return {name: value for name, value in told.items() if value}


def from_json(kept: Mapping[str, Any]) -> Wishes:
    """Wishes as `to_json` wrote them. What cannot be read, as an older program may have left it, counts as not chosen."""
    chosen = {name: value for name, read in PARSERS.items() for value in _values(read, [kept.get(name)])}
    named = [few for kind in INTEREST_KINDS for few in _values(partial(parse_interests, kind), kept.get(kind))]
    interests = [one for few in named for one in few]
    try:
        return Wishes(Preferences(**chosen), limited(interests))
    except BadInput:
        return Wishes(Preferences(**chosen))


def _values(read: Callable[[str], Any], texts: Any) -> list[Any]:
    """What is made of those texts that can be read."""
    found = []
    for text in texts if isinstance(texts, list) else ():
        try:
            found += [read(text)] if isinstance(text, str) else []
        except BadInput:
            continue
    return found
