"""How things stand: what is next, how the last edition went, what waits, and which sources answer."""

from datetime import datetime
from typing import Any

from digest.edition.calendar import Schedule
from digest.edition.model import edition_name
from digest.flows.queueing import next_edition, next_mail
from digest.sources.registry import sources_of
from digest.sources.settings import SourcesSettings
from digest.store import backlog, deliveries, editions, holding, ledger, pacing, runs, subscribers, workers
from digest.store.engine import Store


def look(store: Store, schedule: Schedule, sources: SourcesSettings, now: datetime) -> dict[str, Any]:
    """All of it by stable names, for people and for JSON."""
    following, mail_at = next_edition(store, schedule, now), next_mail(store)
    with store.read() as connection:
        last = editions.latest(connection, now)
        last_run = {run.source: run for run in runs.last(connection, now)}
        return {
            "next_edition_at": following,
            "next_mail_at": mail_at,
            "paused_since": holding.since(connection),
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
                for name, source in sources_of(sources).items()
                if source.enabled
            ],
            "workers": _workers(workers.listed(connection), backlog.held(connection)),
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
