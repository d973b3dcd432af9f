"""`digest subscribers`: who reads, what each chose, and what happened to him."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digest.cli.common import AsJson, DryRun, Yes, application, confirm, emit_json, moment, table, talk
from digest.cli.likes import liked, pasted, rate

if TYPE_CHECKING:
    from digest.subscribers.model import Interest, InterestKind
    from digest.wiring import App

Address = Annotated[str, typer.Argument(help="The email address.", metavar="ADDRESS")]
Confirmed = Annotated[bool, typer.Option("--confirmed", help="They asked for it, I know: mail no confirmation and no welcome.")]
Topics = Annotated[list[str] | None, typer.Option("--topic", help="What he wants to read about; may be given again.")]
Keywords = Annotated[list[str] | None, typer.Option("--keyword", help="A word that must stand in a paper; may be given again.")]
Authors = Annotated[list[str] | None, typer.Option("--author", help="Whose papers he wants; may be given again.")]
Categories = Annotated[
    list[str] | None, typer.Option("--category", help="Such as cs.CL, or cs for all of them; may be given again.")
]
Mutes = Annotated[list[str] | None, typer.Option("--mute", help="A word, author or category to keep away; may be given again.")]
Likes = Annotated[
    list[str] | None,
    typer.Option(
        "--like",
        help="A paper that he likes: an arXiv id or DOI, or a file of them or of BibTeX; may be given again.",
        metavar="FILE|ID",
    ),
]
Zone = Annotated[str | None, typer.Option("--zone", help="His time zone, such as Europe/Berlin.")]
Hour = Annotated[str | None, typer.Option("--hour", help="When he gets his mail, such as 8 or 07:30; none: with the edition.")]
Days = Annotated[str | None, typer.Option("--days", help="On which days, such as mon,tue or mon-fri or daily.")]
CadenceOf = Annotated[str | None, typer.Option("--cadence", help="daily or weekly.")]
Size = Annotated[str | None, typer.Option("--size", help="Cards in a mail, 1 to 25; default: as ranking.size says.")]
Share = Annotated[str | None, typer.Option("--share", help="How much his interests decide, 0 to 1.")]
Language = Annotated[str | None, typer.Option("--language", help="Of his mails: en, de, fr or es; default: the site's.")]
Name = Annotated[str | None, typer.Option("--name", help="How he is called.")]


def register(parent: typer.Typer) -> None:
    from digest.cli.subscriber_lists import export, import_, list_

    group = typer.Typer(no_args_is_help=True)
    for command in (add, list_, show, set_, rate, confirm_, pause, resume, unsubscribe, erase, import_, export, history):
        group.command(command.__name__.rstrip("_"))(command)
    parent.add_typer(group, name="subscribers", help="Readers: add, show, change, pause, erase, import, export.")


def add(
    context: typer.Context,
    address: Address,
    confirmed: Confirmed = False,
    topics: Topics = None,
    keywords: Keywords = None,
    authors: Authors = None,
    categories: Categories = None,
    mutes: Mutes = None,
    likes: Likes = None,
    zone: Zone = None,
    hour: Hour = None,
    days: Days = None,
    cadence: CadenceOf = None,
    size: Size = None,
    share: Share = None,
    language: Language = None,
    name: Name = None,
    as_json: AsJson = False,
) -> None:
    """Sign somebody up. He is mailed a confirmation first, unless --confirmed."""
    from digest.flows.subscribe import subscribe
    from digest.subscribers.address import EmailAddress
    from digest.subscribers.lookalike import lookalike
    from digest.subscribers.model import Preferences, SignUp, limited
    from digest.subscribers.roles import is_role

    chosen = {"topic": topics, "keyword": keywords, "author": authors, "category": categories, "mute": mutes}
    wanted = limited([one for kind, words in chosen.items() for one in _interests(kind, words)])
    papers = pasted(likes)
    mail = EmailAddress.parse(address)
    if why := lookalike(mail.domain):
        talk(f"warning: {why}")
    if is_role(mail):
        talk(f"warning: behind {mail} there is a duty or a program rather than a reader; the public form would mail it nothing")
    sign_up = SignUp(
        mail,
        _name(name) or "",
        Preferences(**_preferences(zone, hour, days, cadence, size, share, language)),
        wanted,
    )
    with application(context) as app:
        now = moment(app)
        if not confirmed:
            app.settings.require("site.public_url")
        url = app.settings.site.public_url
        done = subscribe(app.store, now, sign_up, confirmed=confirmed, public_url=url, source="the operator's command line")
        if papers and done.what != "already":
            liked(app, now, done.subscriber.address, papers)
        if as_json:
            emit_json({"what": done.what, **_shown(app, done.subscriber.id)})
    talk(f"{done.subscriber.address} {_WORDS[done.what].format(state=done.subscriber.state)}")


_WORDS = {
    "active": "is subscribed.",
    "pending": "is pending: a confirmation goes out with the next digest deliver.",
    "waiting": "was mailed a confirmation in the last 24 hours; to do without: digest subscribers confirm",
    "already": "is a subscriber already ({state}), and stays as he is; to change him: digest subscribers set",
}


def show(context: typer.Context, address: Address, as_json: AsJson = False) -> None:
    """One reader: what he chose, and his state."""
    with application(context) as app:
        shown = _shown(app, _id(app, address))
    if as_json:
        emit_json(shown)
        return
    table(("", ""), [(key.replace("_", " "), _cell(value)) for key, value in shown.items() if value not in (None, "", [], {})])


def set_(
    context: typer.Context,
    address: Address,
    topics: Topics = None,
    no_topics: Annotated[bool, typer.Option("--no-topics", help="He wants no topics any more.")] = False,
    keywords: Keywords = None,
    no_keywords: Annotated[bool, typer.Option("--no-keywords", help="He wants no keywords any more.")] = False,
    authors: Authors = None,
    no_authors: Annotated[bool, typer.Option("--no-authors", help="He follows no authors any more.")] = False,
    categories: Categories = None,
    no_categories: Annotated[bool, typer.Option("--no-categories", help="He follows no categories any more.")] = False,
    mutes: Mutes = None,
    no_mutes: Annotated[bool, typer.Option("--no-mutes", help="Nothing is kept away from him any more.")] = False,
    likes: Likes = None,
    no_likes: Annotated[bool, typer.Option("--no-likes", help="What he said of papers is forgotten.")] = False,
    zone: Zone = None,
    hour: Hour = None,
    days: Days = None,
    cadence: CadenceOf = None,
    size: Size = None,
    share: Share = None,
    language: Language = None,
    name: Name = None,
    as_json: AsJson = False,
) -> None:
    """Change what a reader chose. Topics given here take the place of those he had; so do keywords, authors, categories and
    mutes. Papers are liked besides those that he rated before, unless --no-likes."""
    from digest.flows.subscribe import change
    from digest.subscribers.address import EmailAddress
    from digest.subscribers.model import Interest, InterestKind

    given: dict[InterestKind, tuple[list[str] | None, bool]] = {
        "topic": (topics, no_topics),
        "keyword": (keywords, no_keywords),
        "author": (authors, no_authors),
        "category": (categories, no_categories),
        "mute": (mutes, no_mutes),
    }
    interests: dict[InterestKind, tuple[Interest, ...]] = {
        kind: _interests(kind, None if none else words) for kind, (words, none) in given.items() if words or none
    }
    if no_likes:
        interests |= {"liked": (), "disliked": ()}
    papers = pasted(likes)
    wish = _preferences(zone, hour, days, cadence, size, share, language)
    with application(context) as app:
        now = moment(app)
        mail = EmailAddress.parse(address)
        _limited(app, address, interests)
        reader = change(app.store, now, mail, name=_name(name), preferences=wish, interests=interests)
        if papers:
            liked(app, now, mail, papers)
        if as_json:
            emit_json(_shown(app, reader.id))
    due = f"; next due {reader.next_due_at:%Y-%m-%d %H:%M}Z" if reader.next_due_at else ""
    talk(f"{reader.address} is set{due}")


def confirm_(context: typer.Context, address: Address) -> None:
    """Confirm for a reader who is pending; nothing is mailed."""
    from digest.flows.subscribe import confirm_address
    from digest.subscribers.address import EmailAddress

    with application(context) as app:
        now = moment(app)
        reader = confirm_address(app.store, now, EmailAddress.parse(address))
    talk(f"{reader.address} is {reader.state}")


def pause(
    context: typer.Context,
    address: Address,
    until: Annotated[
        str | None, typer.Option("--until", help="The first day on which he gets mail again.", metavar="DATE")
    ] = None,
    length: Annotated[str | None, typer.Option("--for", help="How long, such as 14d.", metavar="DURATION")] = None,
) -> None:
    """Mail a reader nothing for a while, or until he is resumed."""
    from datetime import time

    from digest.cli.views import parse_date
    from digest.clock import parse_duration
    from digest.edition.calendar import instant
    from digest.errors import UsageError
    from digest.flows import subscribe as flow
    from digest.store import subscribers as store
    from digest.subscribers.address import EmailAddress

    if until and length:
        raise UsageError("--until and --for are two ways to say the same", fix="give one of them")
    mail = EmailAddress.parse(address)
    with application(context) as app:
        now = moment(app)
        end = now + parse_duration(length) if length else None
        if (day := parse_date(until)) is not None:
            with app.store.read() as connection:
                known = store.by_address(connection, mail)
            end = instant(day, time(0), known.preferences.zone if known else "UTC")
        reader = flow.pause(app.store, now, mail, end)
    talk(f"{reader.address} is paused {f'until {end:%Y-%m-%d %H:%M}Z' if end else 'until: digest subscribers resume'}")


def resume(context: typer.Context, address: Address) -> None:
    """End a reader's pause."""
    from digest.flows import subscribe as flow
    from digest.subscribers.address import EmailAddress

    with application(context) as app:
        now = moment(app)
        reader = flow.resume(app.store, now, EmailAddress.parse(address))
    talk(f"{reader.address} is {reader.state}")


def unsubscribe(context: typer.Context, address: Address) -> None:
    """End a subscription; what waits for him is withdrawn, and one mail says goodbye."""
    from digest.flows import subscribe as flow
    from digest.subscribers.address import EmailAddress

    with application(context) as app:
        now = moment(app)
        reader = flow.unsubscribe(app.store, now, EmailAddress.parse(address))
    talk(f"{reader.address} is {reader.state}")


def erase(context: typer.Context, address: Address, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Forget a reader and everything with his address; its keyed hash stays suppressed."""
    from digest.flows import subscribe as flow
    from digest.subscribers.address import EmailAddress

    mail = EmailAddress.parse(address)
    with application(context) as app:
        now = moment(app)
        _id(app, address)
        if dry_run:
            talk(f"{mail} would be erased, with his deliveries, notices and history")
            return
        confirm(f"Erase {mail}, with deliveries, notices and history?", yes=yes)
        flow.erase(app.store, now, mail)
    talk(f"Erased. No list brings {mail.masked} back, unless you allow it: digest suppressions remove ADDRESS")


def history(context: typer.Context, address: Address, as_json: AsJson = False) -> None:
    """What happened to a reader, oldest first."""
    from digest.store import events

    with application(context) as app:
        number = _id(app, address)
        with app.store.read() as connection:
            found = events.history(connection, number)
    if as_json:
        rows = [{"at": event.at, "kind": event.kind, "details": event.details} for event in found]
        emit_json({"email": address, "events": rows})
        return
    table(("when", "what", "details"), [(f"{e.at:%Y-%m-%d %H:%M}Z", e.kind, _cell(e.details)) for e in found])


def _id(app: "App", address: str) -> int:
    from digest.errors import UsageError
    from digest.store import subscribers as store
    from digest.subscribers.address import EmailAddress

    mail = EmailAddress.parse(address)
    with app.store.read() as connection:
        known = store.by_address(connection, mail)
    if known is None:
        raise UsageError(f"{mail} is no subscriber", fix="list them: digest subscribers list")
    return known.id


def _shown(app: "App", number: int) -> dict[str, Any]:
    from digest.cli.subscriber_lists import subscriber_json
    from digest.store import subscribers as store

    with app.store.read() as connection:
        (reader,) = store.readers(connection, [number], app.clock.now())
    return subscriber_json(reader) | {"consent": reader.subscriber.consent}


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_cell(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return f"{value:%Y-%m-%d %H:%M}Z" if hasattr(value, "strftime") else str(value)


def _preferences(
    zone: str | None,
    hour: str | None,
    days: str | None,
    cadence: str | None,
    size: str | None,
    share: str | None,
    language: str | None,
) -> dict[str, Any]:
    """The fields of `Preferences` that were given."""
    from digest.subscribers.model import PARSERS

    given = {"zone": zone, "hour": hour, "days": days, "cadence": cadence, "size": size, "share": share, "language": language}
    unset = {("hour", "none"): None, ("size", "default"): None, ("language", "default"): ""}
    return {
        name: unset[word] if (word := (name, text.strip().lower())) in unset else PARSERS[name](text)
        for name, text in given.items()
        if text is not None
    }


def _interests(kind: Any, words: list[str] | None) -> tuple[Any, ...]:
    from digest.subscribers.model import parse_interests

    return tuple(dict.fromkeys(one for word in words or () for one in parse_interests(kind, word)))


def _limited(app: "App", address: str, changed: Mapping["InterestKind", Sequence["Interest"]]) -> None:
    """Raise BadInput if he would state more interests than a reader may have."""
    from digest.store import subscribers as store
    from digest.subscribers.model import STATED, limited

    number = _id(app, address)
    with app.store.read() as connection:
        standing = store.interests(connection, [number], app.clock.now()).get(number, ())
    kept = [one for one in standing if one.kind in STATED and one.kind not in changed]
    limited([*kept, *(one for wanted in changed.values() for one in wanted)])


def _name(name: str | None) -> str | None:
    from digest.papers.text import clean
    from digest.subscribers.model import MAX_NAME

    return None if name is None else clean(name, MAX_NAME)
