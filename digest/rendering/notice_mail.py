"""Renders the mails that are no edition: confirm, welcome, preferences, paused, goodbye, and the operator's report."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from digest.papers.text import clean
from digest.rendering.digest_mail import site_view
from digest.rendering.environment import Environments
from digest.rendering.model import Rendered, Site, Values
from digest.rendering.subject import cut
from digest.rendering.tongue import ENGLISH, Tongue
from digest.rendering.words import at_hour, on
from digest.subscribers.language import LANGUAGES

MAX_VALUE = 2000
MAX_SUBJECT = 100

_REQUIRED = {
    "confirm": ("confirm_url",),
    "welcome": (),
    "preferences": ("access_url",),
    "paused": (),
    "goodbye": (),
    "operator": ("subject",),
}
_OPTIONAL: dict[str, object] = {
    "address": "",
    "advice": "",
    "asked_at": "",
    "asked_from": "",
    "asked_on": "",
    "facts": (),
    "first_digest": "",
    "first_zone": "",
    "lines": (),
    "name": "",
    "preferences_url": "",
    "subscribe_url": "",
    "topics": (),
    "undo_url": "",
    "unsubscribe_url": "",
    "until": "",
    "valid_until": "",
}
KINDS = tuple(_REQUIRED)
_OF_A_STRANGER = ("confirm_url", "address", "valid_until", "asked_on", "asked_at", "asked_from")


def render_notice(kind: str, values: Values, site: Site, environments: Environments) -> Rendered:
    """A single mail.

    Args:
        kind: one of `KINDS`, which is also its folder below `templates/email`.
        values: what its words are about, each optional unless said otherwise. `confirm`: confirm_url (required), address,
            valid_until (a date), asked_on (a date), asked_at (`14:05`) and asked_from (the site's host), and nothing else that
            a visitor wrote. `welcome`: name, address, first_digest (a date with its hour), first_zone (if that is to be told),
            topics, unsubscribe_url, preferences_url. `preferences`: access_url
            (required), address, valid_until (`14:05 (UTC)`). `paused`: address, until (a date), undo_url. `goodbye`: name,
            address, undo_url, subscribe_url. `operator`: subject (required), lines (paragraphs), facts (pairs), advice (a
            command). Others reach the template too, for an operator's own one. `language` is that of the words, else they are
            in the site's; the operator's report is in English.
        site: whose mail it is.
        environments: where its templates are.

    Raises:
        ValueError: there is no such kind, or a required value is missing.
        ConfigurationError: a template of the operator's is broken.
    """
    if kind not in _REQUIRED:
        raise ValueError(f"there is no notice {kind!r}")
    given = {name: _plain(value) for name, value in values.items()}
    if missing := [name for name in _REQUIRED[kind] if not given.get(name)]:
        raise ValueError(f"a {kind} mail needs {', '.join(missing)}")
    if kind == "confirm":
        # Anybody can have this mail sent to anybody: it carries no words of his.
        given = {name: given[name] for name in _OF_A_STRANGER if name in given}
    tongue = environments.tongue(notice_language(kind, values, site))
    words: dict[str, object] = {**_OPTIONAL, **given, "site": site_view(site, tongue), "headline": given.get("subject", "")}
    words |= {name: _day(str(words[name]), tongue) for name in ("asked_on", "valid_until", "until")}
    words["first_digest"] = _hour(str(words["first_digest"]), str(words["first_zone"]), tongue)
    words["subject"] = ""
    words["subject"] = cut(environments.line(f"email/{kind}/subject.txt", words, tongue), MAX_SUBJECT)
    return Rendered(
        subject=str(words["subject"]),
        text=environments.text(f"email/{kind}/body.txt", words, tongue),
        html=environments.html(f"email/{kind}/body.html", words, tongue),
    )


def notice_language(kind: str, values: Values, site: Site) -> str:
    """The code of the language that such a mail is in; arguments as of `render_notice`."""
    wanted = str(values.get("language") or site.language)
    return wanted if kind != "operator" and wanted in LANGUAGES else ENGLISH.code


def _day(text: str, tongue: Tongue) -> str:
    try:
        return on(date.fromisoformat(text), tongue)
    except ValueError:
        return text


def _hour(text: str, zone: str, tongue: Tongue) -> str:
    try:
        return at_hour(datetime.fromisoformat(text), zone, tongue)
    except ValueError:
        return text


def _plain(value: object) -> object:
    """A value as templates may see it: cleaned text, or tuples of it."""
    if isinstance(value, str):
        return clean(value, MAX_VALUE)
    if isinstance(value, Mapping):
        return tuple((_plain(key), _plain(item)) for key, item in value.items())
    if isinstance(value, Sequence):
        return tuple(_plain(item) for item in value)
    return "" if value is None else clean(str(value), MAX_VALUE)
