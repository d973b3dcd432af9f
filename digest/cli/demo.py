"""`digest demo`: the whole thing, offline, in seconds: a day of four readers on a clock that is walked through it."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digest import loop
from digest.cli.common import AsJson, Call, emit, emit_json, me, near, talk

if TYPE_CHECKING:
    from digest.edition.model import Edition
    from digest.wiring import App

DAY = timedelta(days=1)
SHOWN = 10


@dataclass(slots=True)
class Mailed:
    """One mail of the demo."""

    at: datetime
    to: str
    subject: str
    cards: int
    file: Path


@dataclass(slots=True)
class Day:
    """What the demo did."""

    edition: "Edition"
    new: bool
    mailed: list[Mailed] = field(default_factory=list)


def register(parent: typer.Typer) -> None:
    parent.command()(demo)


def demo(
    context: typer.Context,
    dir_: Annotated[Path | None, typer.Option("--dir", help="Where it keeps its database and the mails.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show the HTML preview in the browser.")] = False,
    as_json: AsJson = False,
) -> None:
    """Live one day offline: collect the seed papers, freeze an edition, and mail four readers at their hours."""
    from digest.errors import NotPermitted, UsageError
    from digest.settings import home_directory

    folder = (dir_ or home_directory() / "demo").resolve()
    if (folder / "digest.toml").exists() or (folder / ".env").exists():
        raise UsageError(f"{folder} is the home of a real digest", fix="choose an empty folder: digest demo --dir D")
    inbox = folder / "inbox"
    today = ((context.find_object(Call) or Call()).now or datetime.now(UTC)).date()
    try:
        inbox.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotPermitted(f"{folder} cannot be made: {error.strerror}", fix="choose another: digest demo --dir D") from None
    day = _live(folder, inbox, today)
    if day.edition.empty_because:
        # Two weeks after its papers were first seen, a demo has no news any more: it starts again.
        _forget(folder)
        day = _live(folder, inbox, today)
    preview = folder / "preview.html"
    _write_preview(folder, day.edition, preview)
    if as_json:
        emit_json(_as_json(day, preview, inbox))
    else:
        _tell(day, preview, inbox)
    if open_:
        typer.launch(str(preview))


def _live(folder: Path, inbox: Path, today: date) -> Day:
    from digest.clock import SteppedClock
    from digest.flows import run as flow
    from digest.smtp.catcher import catching

    with ExitStack() as stack:
        url = stack.enter_context(catching(inbox))
        clock = SteppedClock(datetime.combine(today, time(), UTC))
        app = _app(folder, url, clock)
        stack.callback(app.close)
        _seed(app)
        clock.set(app.schedule.freezing_of(today))
        (published,) = (one for one in flow.publish(app.plan) if one.edition.cadence == "daily")
        day = Day(published.edition, published.new)
        for moment in _moments(app, clock.now()):
            clock.set(moment)
            known = set(inbox.glob("*.eml"))
            loop.run(flow.send_out(app.plan))
            day.mailed += [_mailed(path, moment) for path in sorted(set(inbox.glob("*.eml")) - known)]
        return day


def _app(folder: Path, smtp_url: str, clock: Any) -> "App":
    """The application as it is, but for a database and a mail server of its own, and no network."""
    from digest.settings import load
    from digest.wiring import App

    folder.mkdir(parents=True, exist_ok=True)
    overrides = {
        "database.url": "sqlite:///digest.db",
        "site.public_url": "http://localhost:8000",
        "site.name": "Trending Papers",
        "email.from": "Trending Papers <digest@example.org>",
        "smtp.url": smtp_url,
        "smtp.connections": 2,
        "sources.huggingface.enabled": False,
        "sources.folder.enabled": False,
    }
    app = App(load(home=folder, environ={}, overrides=overrides), clock)
    app.upgrade_store()
    return app


def _seed(app: "App") -> None:
    from digest.flows.collect import collect_file
    from digest.flows.importing import Import, Tally
    from digest.resources import resource
    from digest.subscribers.csv import Sheet

    collect_file(app.store, app.clock.now(), resource("seeds/trending-papers-page.txt"), "page")
    with resource("seeds/subscribers.csv").open("rb") as file:
        sheet = Sheet(file)
        Import(app.store, app.clock.now(), confirmed=True, public_url=None, source="the demo").run(
            sheet, Tally(), lambda bad: talk(f"{bad}")
        )


def _moments(app: "App", start: datetime) -> list[datetime]:
    """When readers are due in the 24 hours from the freezing."""
    from digest.edition.calendar import next_due
    from digest.store import subscribers

    with app.store.read() as connection:
        readers = [one.subscriber for one in subscribers.listing(connection, start, state="active")]
    due = {next_due(reader.preferences, start) for reader in readers}
    return sorted(at for at in due if at is not None and at < start + DAY)


def _mailed(path: Path, at: datetime) -> Mailed:
    import email
    import email.policy
    import re

    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    html = message.get_body(("html",))
    cards = len(re.findall(r"<h2\b", html.get_content())) if html else 0
    return Mailed(at, str(message["To"]), str(message["Subject"]), cards, path)


def _write_preview(folder: Path, edition: "Edition", target: Path) -> None:
    from digest.clock import SystemClock
    from digest.flows import drafts, messages

    app = _app(folder, "smtp://127.0.0.1:1", SystemClock())
    try:
        picks = drafts.for_reader(app.store, edition.frozen_at, edition, app.usual, app.selection, None)
        rendered = messages.preview(app.settings.site, app.environments, edition, picks, None)
    finally:
        app.close()
    target.write_text(rendered.html, encoding="utf-8")


def _forget(folder: Path) -> None:
    for path in folder.glob("digest.db*"):
        path.unlink()


def _as_json(day: Day, preview: Path, inbox: Path) -> dict[str, Any]:
    from digest.cli.views import entry_json
    from digest.edition.model import Pick

    return {
        "edition": day.edition.name,
        "new": day.new,
        "papers": [entry_json(entry, Pick(entry.paper_id, "card"), entry.rank) for entry in day.edition.entries[:SHOWN]],
        "mails": [{"at": one.at, "to": one.to, "subject": one.subject, "file": str(one.file)} for one in day.mailed],
        "inbox": str(inbox),
        "preview": str(preview),
    }


def _tell(day: Day, preview: Path, inbox: Path) -> None:
    from digest.cli.common import table
    from digest.cli.views import one_line
    from digest.edition.model import Pick

    edition = day.edition
    emit(f"Edition of {edition.date:%A, %d %B %Y}: {len(edition.entries)} papers ranked for everybody, the first {SHOWN}:")
    table(
        ("", "score", "paper", "why"),
        [
            (entry.rank, f"{entry.score:.2f}", entry.work.title, one_line(entry, Pick(entry.paper_id, "card")))
            for entry in edition.entries[:SHOWN]
        ],
    )
    if day.mailed:
        emit("Submitted to the built-in mail server, each at his hour, each by his interests:")
        table(("at", "to", "subject"), [(f"{one.at:%d %b %H:%M}Z", one.to, one.subject) for one in day.mailed])
    else:
        emit("Nothing to mail: everybody already has today's edition.\n")
    emit(f"Mails     {near(inbox)}/*.eml")
    emit(f"Preview   {near(preview)}")
    emit("\nGo on with:")
    for command, what in (
        ("init", "your own site: address, mail server, zone"),
        ("subscribers add you@example.org --confirmed", "your first reader"),
        ("run", "collect, publish and deliver what is due"),
    ):
        emit(f"  {me()} {command:45} {what}")
