"""`digest subscribers`: who reads, what each chose, and what happened to him."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from digest.cli.common import AsJson, DryRun, Yes, application, confirm, emit_json, moment, table, talk

if TYPE_CHECKING:
    from digest.wiring import App

Address = Annotated[str, typer.Argument(help="The email address.", metavar="ADDRESS")]
Confirmed = Annotated[bool, typer.Option("--confirmed", help="They asked for it, I know: mail no confirmation and no welcome.")]
Topics = Annotated[list[str] | None, typer.Option("--topic", help="What he wants to read about; may be given again.")]
Keywords = Annotated[list[str] | None, typer.Option("--keyword", help="A word that must stand in a paper; may be given again.")]
Zone = Annotated[str | None, typer.Option("--zone", help="His time zone, such as Europe/Berlin.")]
Hour = Annotated[str | None, typer.Option("--hour", help="When he gets his mail, such as 8 or 07:30; none: with the edition.")]
Days = Annotated[str | None, typer.Option("--days", help="On which days, such as mon,tue or mon-fri or daily.")]
CadenceOf = Annotated[str | None, typer.Option("--cadence", help="daily or weekly.")]
Size = Annotated[str | None, typer.Option("--size", help="Cards in a mail, 1 to 25; default: as ranking.size says.")]
Share = Annotated[str | None, typer.Option("--share", help="How much his interests decide, 0 to 1.")]
Name = Annotated[str | None, typer.Option("--name", help="How he is called.")]


def register(parent: typer.Typer) -> None:
    from digest.cli.subscriber_lists import export, import_, list_

    group = typer.Typer(no_args_is_help=True)
    for command in (add, list_, show, set_, confirm_, pause, resume, unsubscribe, erase, import_, export, history):
        group.command(command.__name__.rstrip("_"))(command)
    parent.add_typer(group, name="subscribers", help="Readers: add, show, change, pause, erase, import, export.")


def add(
    context: typer.Context,
    address: Address,
    confirmed: Confirmed = False,
    topics: Topics = None,
    keywords: Keywords = None,
    zone: Zone = None,
    hour: Hour = None,
    days: Days = None,
    cadence: CadenceOf = None,
    size: Size = None,
    share: Share = None,
    name: Name = None,
    as_json: AsJson = False,
) -> None:
    """Sign somebody up. He is mailed a confirmation first, unless --confirmed."""
    from digest.flows.subscribe import subscribe
    from digest.subscribers.address import EmailAddress
    from digest.subscribers.model import MAX_INTERESTS, Preferences, SignUp

    wanted = (*_interests("topic", topics), *_interests("keyword", keywords))
    _limited(len(wanted), MAX_INTERESTS)
    sign_up = SignUp(
        EmailAddress.parse(address),
        _name(name) or "",
        Preferences(**_preferences(zone, hour, days, cadence, size, share)),
        wanted,
    )
    with application(context) as app:
        now = moment(app)
        if not confirmed:
            app.settings.require("site.public_url")
        url = app.settings.site.public_url
        done = subscribe(app.store, now, sign_up, confirmed=confirmed, public_url=url, source="the operator's command line")
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
    zone: Zone = None,
    hour: Hour = None,
    days: Days = None,
    cadence: CadenceOf = None,
    size: Size = None,
    share: Share = None,
    name: Name = None,
    as_json: AsJson = False,
) -> None:
    """Change what a reader chose. Topics given here take the place of those he had; so do keywords."""
    from digest.flows.subscribe import change
    from digest.subscribers.address import EmailAddress
    from digest.subscribers.model import MAX_INTERESTS, Interest, InterestKind

    interests: dict[InterestKind, tuple[Interest, ...]] = {}
    if topics or no_topics:
        interests["topic"] = _interests("topic", None if no_topics else topics)
    if keywords or no_keywords:
        interests["keyword"] = _interests("keyword", None if no_keywords else keywords)
    _limited(sum(map(len, interests.values())), MAX_INTERESTS)
    wish = _preferences(zone, hour, days, cadence, size, share)
    with application(context) as app:
        now = moment(app)
        mail = EmailAddress.parse(address)
        reader = change(app.store, now, mail, name=_name(name), preferences=wish, interests=interests)
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
    zone: str | None, hour: str | None, days: str | None, cadence: str | None, size: str | None, share: str | None
) -> dict[str, Any]:
    """The fields of `Preferences` that were given."""
    from digest.subscribers import model

    chosen: dict[str, Any] = {}
    if zone is not None:
        chosen["zone"] = model.parse_zone(zone)
    if hour is not None:
        chosen["hour"] = None if hour.strip().lower() == "none" else model.parse_hour(hour)
    if days is not None:
        chosen["days"] = model.parse_days(days)
    if cadence is not None:
        chosen["cadence"] = model.parse_cadence(cadence)
    if size is not None:
        chosen["size"] = None if size.strip().lower() == "default" else model.parse_size(size)
    if share is not None:
        chosen["share"] = model.parse_share(share)
    return chosen


def _interests(kind: Any, words: list[str] | None) -> tuple[Any, ...]:
    from digest.subscribers.model import parse_interest

    return tuple(dict.fromkeys(parse_interest(kind, word) for word in words or ()))


def _limited(count: int, limit: int) -> None:
    from digest.errors import UsageError

    if count > limit:
        raise UsageError(f"{count} topics and keywords are more than a reader may have", fix=f"give at most {limit}")


def _name(name: str | None) -> str | None:
    from digest.papers.text import clean
    from digest.subscribers.model import MAX_NAME

    return None if name is None else clean(name, MAX_NAME)
