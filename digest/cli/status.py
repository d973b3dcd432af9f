"""`digest status`: how things stand, in a page."""

from typing import TYPE_CHECKING, Any

import typer

from digest.cli.common import AsJson, application, counted, emit, emit_json, told

if TYPE_CHECKING:
    from digest.wiring import App


def register(parent: typer.Typer) -> None:
    parent.command()(status)


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """What is next, how the last edition went, what waits, and which sources answer."""
    with application(context) as app:
        found = _status(app)
    if as_json:
        emit_json(found)
        return
    subscribers = ", ".join(f"{number:,} {state}" for state, number in found["subscribers"].items()) or "none"
    queue = ", ".join(f"{number:,} {state}" for state, number in found["queue"].items()) or "empty"
    edition = found["last_edition"]
    emit(f"next edition   {told(found['next_edition_at']) if found['next_edition_at'] else 'due now: digest run'}")
    emit(f"next mail      {_next_mail(found)}")
    if found["paused_since"]:
        emit(f"paused         digests are held back since {told(found['paused_since'])}; to let them go: digest release")
    if edition is None:
        emit("last edition   none yet")
    else:
        went = ", ".join(f"{number:,} {state}" for state, number in edition["deliveries"].items()) or "no mails yet"
        emit(f"last edition   {edition['edition']}, {edition['papers']} candidates: {edition['empty_because'] or went}")
    emit(f"queue          {queue}")
    emit(f"subscribers    {subscribers}")
    for source in found["sources"]:
        emit(f"source         {source['source']}: {_source_line(source)}")
    for worker in found["workers"]:
        emit(f"worker         {_worker_line(worker)}")
    if found["jobs"] is not None:
        jobs = ", ".join(f"{number:,} {state}" for state, number in found["jobs"].items()) or "none"
        emit(f"jobs           {jobs}")
    for whom, rate in found["pace"].items():
        emit(f"pace           {whom}: {rate:,.3g} mails a second, which is what it was found to take")
    if found["queue"].get("held"):
        emit("held           mails in doubt twice wait for you: digest deliveries list --state held [--notices]")


def _status(app: "App") -> dict[str, Any]:
    from digest import __version__
    from digest.flows.status import look
    from digest.scheduling import jobs
    from digest.store.engine import shown

    now = app.clock.now()
    found = look(app.store, app.schedule, app.settings.sources, now)
    with app.store.read() as connection:
        waiting = jobs.counts(connection)
    database = shown(app.settings.database_url)
    return {"schema": 1, "version": __version__, "now": now, "database": database, **found, "jobs": waiting}


def _next_mail(found: dict[str, Any]) -> str:
    at = found["next_mail_at"]
    if at is None:
        return "with the next edition"
    if at > found["now"] or found["paused_since"]:
        return told(at)
    return f"due since {told(at)}: digest run"


def _worker_line(worker: dict[str, Any]) -> str:
    holds = f"{worker['claimed']:,} claimed, {worker['submitting']:,} on the wire"
    return (
        f"{worker['host']} process {worker['pid']} since {told(worker['started_at'])}, "
        f"last heard of at {told(worker['beat_at'])}: {holds if worker['claimed'] or worker['submitting'] else 'idle'}"
    )


def _source_line(source: dict[str, Any]) -> str:
    if source["verdict"] is None:
        return "never asked"
    said = source["error"] or source["evidence"]
    line = f"{source['verdict']} at {told(source['at'])}, {counted(source['sightings'], 'paper')}" + (
        f": {said}" if said else ""
    )
    if source["verdict"] in ("failed", "stale"):
        line += f"; last good answer {told(source['answered_at'])}" if source["answered_at"] else "; it never answered"
    if source["not_before"]:
        line += f"; it asks to be left alone until {told(source['not_before'])}"
    return line
