"""`digest run` and `digest deliver`."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from digest import loop
from digest.cli.common import AsJson, DryRun, Limit, application, emit, emit_json, progress, talk, told

if TYPE_CHECKING:
    from digest.flows.intake import Brought
    from digest.flows.terms import Report
    from digest.subscribers.address import EmailAddress
    from digest.wiring import App

SOME_FAILED = 3
T = TypeVar("T")


def register(parent: typer.Typer) -> None:
    parent.command()(run)
    parent.command()(deliver)


def run(
    context: typer.Context,
    date: Annotated[str | None, typer.Option("--date", help="Freeze the editions of this date now, whatever the hour.")] = None,
    dry_run: DryRun = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but what went wrong.")] = False,
    as_json: AsJson = False,
) -> None:
    """Collect, publish and deliver what is due now: for cron, as often as you like."""
    from digest.cli.collecting import brought_json, tell
    from digest.cli.publishing import edition_json, published_line
    from digest.cli.views import freezing_date
    from digest.cli.watching import watching
    from digest.flows import run as flow

    with application(context) as app:
        on = freezing_date(date, app.schedule, app.clock.now())
        if dry_run:
            _foretell(app, on, as_json=as_json)
            return
        plan = app.plan
        with watching() as watch:
            collected = flow.collect(plan, on, watch)
        published = flow.publish(plan, on)
        if not (as_json or quiet):
            for brought in collected:
                tell(brought)
            for one in published:
                emit(published_line(one))

        async def mail_then_look_up(stop: asyncio.Event) -> tuple["Report", list["Brought"]]:
            with progress("mails") as show:
                report = await flow.send_out(plan, stop, lambda now: show(now.states.total()))
            if stop.is_set():
                return report, []
            with watching() as watch:
                looked_up = await asyncio.to_thread(flow.collect_attention, plan, watch)
            await asyncio.to_thread(flow.learn, plan, stop.is_set)
            return report, looked_up

        report, looked_up = run_until_stopped(mail_then_look_up, plan.web.abandon)
        held = _held_since(app)
    if as_json:
        emit_json(
            {
                "collected": [brought_json(one) for one in [*collected, *looked_up]],
                "editions": [edition_json(one) for one in published],
                "deliveries": report_json(report),
            }
        )
    elif report.failed or not quiet:
        emit(report_line(report))
    if not (as_json or quiet):
        _say_if_held(held)
        for brought in looked_up:
            tell(brought)
    if report.failed:
        raise typer.Exit(SOME_FAILED)


def deliver(
    context: typer.Context,
    limit: Limit = None,
    only: Annotated[str | None, typer.Option("--only", help="Mails to this address alone.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Mail whoever is due; returns when nothing more is."""
    from digest.flows.deliver import deliver as flow
    from digest.subscribers.address import EmailAddress

    with application(context) as app:
        address = EmailAddress.parse(only) if only else None
        if dry_run:
            _foretell_mails(app, address, limit, as_json=as_json)
            return
        parts = (app.store, app.clock, app.imprint, app.relay, app.rules)
        with progress("mails") as show:
            report = run_until_stopped(
                lambda stop: flow(*parts, limit=limit, only=address, stop=stop, progress=lambda now: show(now.states.total()))
            )
        held = _held_since(app)
    if as_json:
        emit_json({"deliveries": report_json(report)})
    else:
        emit(report_line(report))
        _say_if_held(held)
    if report.failed:
        raise typer.Exit(SOME_FAILED)


def run_until_stopped(work: Callable[[asyncio.Event], Awaitable[T]], at_stop: Callable[[], None] = lambda: None) -> T:
    """Run until done; Ctrl-C, SIGTERM or the end of the terminal finishes the mails on the wire first, a second one ends it at
    once."""

    async def guarded() -> T:
        stop = asyncio.Event()

        def on_signal() -> None:
            if stop.is_set():
                raise KeyboardInterrupt
            stop.set()
            at_stop()
            talk("Stopping: the mails on the wire are finished first.")

        loop.when_told_to_end(on_signal)
        return await work(stop)

    return loop.run(guarded())


def report_line(report: "Report") -> str:
    """A run of delivering in a line; nothing to do says so."""
    states = ", ".join(f"{number:,} {state}" for state, number in sorted(report.states.items()))
    more = [
        f"{number:,} {what}"
        for number, what in (
            (report.late, "too late, skipped"),
            (report.newly_in_doubt, "in doubt after a crash"),
            (report.queued_again, "queued again after their doubt"),
            (report.newly_held, "held for you (digest deliveries list --state held)"),
        )
        if number
    ]
    return "; ".join([states or "nothing to mail: nobody is due now", *more])


def report_json(report: "Report") -> dict[str, Any]:
    return {
        "states": dict(sorted(report.states.items())),
        "queued": report.queued,
        "late": report.late,
        "in_doubt_after_crash": report.newly_in_doubt,
        "queued_after_doubt": report.queued_again,
        "held": report.newly_held,
    }


def _held_since(app: "App") -> datetime | None:
    from digest.store import holding

    with app.store.read() as connection:
        return holding.since(connection)


def _say_if_held(since: datetime | None) -> None:
    if since is not None:
        talk(f"Digests are held back since {told(since)}; to let them go: digest release")


def _foretell(app: "App", wanted: date | None, *, as_json: bool) -> None:
    from digest.sources.registry import sources_of
    from digest.store import deliveries, editions

    now = app.clock.now()
    sources = [source.name for source in sources_of(app.settings.sources).values() if source.enabled]
    with app.store.read() as connection:
        missing = [one for one in app.schedule.due_editions(now, wanted) if not editions.exists(connection, *one)]
        unfrozen = [on.isoformat() + ("" if cadence == "daily" else f" ({cadence})") for on, cadence in missing]
        due = deliveries.due_now(connection, now, missing)
    if as_json:
        emit_json({"would_collect": sources, "would_freeze": unfrozen, "due": due})
        return
    emit(f"would ask: {', '.join(sources) or 'no source'}")
    emit(f"would freeze: {', '.join(unfrozen) or 'no edition'}")
    _say_due(due)


def _foretell_mails(app: "App", only: "EmailAddress | None", limit: int | None, *, as_json: bool) -> None:
    from digest.store import deliveries

    with app.store.read() as connection:
        due = deliveries.due_now(connection, app.clock.now(), only=only)
    if limit is not None:
        queued = min(due["queued"], limit)
        due = {"queued": queued, "readers": min(due["readers"], limit - queued)}
    if as_json:
        emit_json({"due": due})
    else:
        _say_due(due)


def _say_due(due: dict[str, int]) -> None:
    emit(f"due: {due['queued']:,} mails queued, {due['readers']:,} readers besides who are due")
    talk("Dry run: nothing was done.")
