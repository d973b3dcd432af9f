"""`digest status`: how things stand, in a page."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from digest.cli.common import AsJson, application, counted, emit, emit_json

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
    emit(f"next edition   {_at(found['next_edition_at']) if found['next_edition_at'] else 'due now: digest run'}")
    emit(f"next mail      {_at(found['next_mail_at']) if found['next_mail_at'] else 'with the next edition'}")
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
    from digest.edition.model import edition_name
    from digest.flows.queueing import next_edition
    from digest.scheduling import jobs
    from digest.sources.registry import sources_of
    from digest.store import backlog, deliveries, editions, ledger, pacing, runs, subscribers, workers
    from digest.store.engine import shown

    now = app.clock.now()
    following = next_edition(app.store, app.schedule, now)
    with app.store.read() as connection:
        last = editions.latest(connection, now)
        last_run = {run.source: run for run in runs.last(connection, now)}
        mail_at = [at for at in (ledger.earliest_open(connection), subscribers.earliest_due(connection)) if at]
        return {
            "schema": 1,
            "version": __version__,
            "now": now,
            "database": shown(app.settings.database_url),
            "next_edition_at": following,
            "next_mail_at": min(mail_at, default=None),
            "last_edition": last
            and {
                "edition": edition_name(last.date, last.cadence),
                "frozen_at": last.frozen_at,
                "papers": editions.size(connection, last.id),
                "empty_because": last.empty_because or None,
                "deliveries": deliveries.counts(connection, last.id),
                "ever_in_doubt": deliveries.ever_in_doubt(connection, last.id),
            },
            "queue": ledger.waiting(connection),
            "subscribers": subscribers.counts(connection),
            "sources": [
                _source(name, last_run.get(name), runs.last_answer(connection, name, now))
                for name, source in sources_of(app.settings.sources).items()
                if source.enabled
            ],
            "workers": _workers(workers.listed(connection), backlog.held(connection)),
            "jobs": jobs.counts(connection),
            "pace": pacing.learned(connection),
        }


def _workers(rows: list[Any], held: dict[int, dict[str, int]]) -> list[dict[str, Any]]:
    """The processes that deliver, the longest there first: one may be entered again for what it does just now."""
    found: dict[tuple[str, int, int], dict[str, Any]] = {}
    for row in rows:
        one = found.setdefault(
            (row.host, row.pid, row.born),
            {"host": row.host, "pid": row.pid, "started_at": row.started_at, "beat_at": row.beat_at}
            | {"claimed": 0, "submitting": 0},
        )
        one["beat_at"] = max(one["beat_at"], row.beat_at)
        for state, number in held.get(row.id, {}).items():
            one[state] += number
    return list(found.values())


def _worker_line(worker: dict[str, Any]) -> str:
    holds = f"{worker['claimed']:,} claimed, {worker['submitting']:,} on the wire"
    return (
        f"{worker['host']} process {worker['pid']} since {_at(worker['started_at'])}, "
        f"last heard of at {_at(worker['beat_at'])}: {holds if worker['claimed'] or worker['submitting'] else 'idle'}"
    )


def _source(name: str, run: Any, answer: Any) -> dict[str, Any]:
    """A source, its last run, and the last one that ended well; None for what was never."""
    return {
        "source": name,
        "verdict": run and run.verdict,
        "at": run and run.finished_at,
        "sightings": run and run.sightings,
        "newest": (run and run.newest) or None,
        "error": (run and run.error) or None,
        "evidence": (run and run.evidence) or None,
        "answered_at": answer and answer.finished_at,
        "not_before": run and run.not_before,
    }


def _source_line(source: dict[str, Any]) -> str:
    if source["verdict"] is None:
        return "never asked"
    said = source["error"] or source["evidence"]
    line = f"{source['verdict']} at {_at(source['at'])}, {counted(source['sightings'], 'paper')}" + (
        f": {said}" if said else ""
    )
    if source["verdict"] in ("failed", "stale"):
        line += f"; last good answer {_at(source['answered_at'])}" if source["answered_at"] else "; it never answered"
    if source["not_before"]:
        line += f"; it asks to be left alone until {_at(source['not_before'])}"
    return line


def _at(moment: datetime) -> str:
    return f"{moment:%a %Y-%m-%d %H:%M}Z"
