"""What a monitor is told: numbers of mails, readers, editions and sources. Never whose."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from digest.flows.health import Health
from digest.outbox.retry import State
from digest.sources.base import Verdict
from digest.store import backlog, deliveries, editions, holding, ledger, overview, runs, subscribers, workers
from digest.store.engine import Store
from digest.subscribers.model import CADENCES
from digest.subscribers.model import State as ReaderState

OPEN: tuple[State, ...] = ("queued", "claimed", "submitting", "in_doubt", "held", "parked")
MOST = 1_000_000
"""Where mails that wait are counted no further."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One number, and what it is of."""

    labels: tuple[tuple[str, str], ...]
    value: float


@dataclass(frozen=True, slots=True)
class Family:
    """Numbers of one name. All are gauges: they are read from the database, and what is old is forgotten there."""

    name: str
    help: str
    samples: tuple[Sample, ...]


def take(store: Store, health: Health, sources: Collection[str], now: datetime) -> list[Family]:
    """All that is measured, as it is now. `sources`: those that are enabled, by name. Raises what the database does."""
    with store.read() as connection:
        return [_health(health), *_mails(connection, now), *_editions(connection, now), *_sources(connection, sources, now)]


def _health(health: Health) -> Family:
    samples = ((_by(check=name), not wrong) for name, wrong in health.checks.items())
    return _family("digest_ready", "Whether a check of /readyz is passed.", samples)


def _mails(connection: Any, now: datetime) -> Iterator[Family]:
    waiting, readers = ledger.waiting(connection), subscribers.counts(connection)
    queue = ((_by(state=state), waiting.get(state, 0)) for state in OPEN)
    yield _family("digest_mails_open", "Mails that have not come to an end, by state.", queue)
    yield _one("digest_mails_due", "Mails that are queued and may go now.", backlog.due(connection, now, MOST))
    yield _one("digest_mailing_paused", "Whether the operator holds digests back.", holding.since(connection) is not None)
    counted = ((_by(state=state), readers.get(state, 0)) for state in get_args(ReaderState))
    yield _family("digest_subscribers", "Readers, by state.", counted)
    yield _one("digest_workers", "Processes that deliver just now.", len(workers.listed(connection)))


def _editions(connection: Any, now: datetime) -> Iterator[Family]:
    newest = {cadence: overview.newest(connection, cadence, now) for cadence in CADENCES}
    there = {cadence: row for cadence, row in newest.items() if row is not None}
    frozen = ((_by(cadence=cadence), row.frozen_at.timestamp()) for cadence, row in there.items())
    yield _family("digest_edition_frozen_timestamp_seconds", "When the newest edition was frozen.", frozen)
    papers = ((_by(cadence=cadence), editions.size(connection, row.id)) for cadence, row in there.items())
    yield _family("digest_edition_papers", "Papers that the newest edition chooses from.", papers)
    counts = {cadence: deliveries.counts(connection, row.id) for cadence, row in there.items()}
    mails = ((_by(cadence=one, state=state), counts[one].get(state, 0)) for one in counts for state in get_args(State))
    yield _family("digest_edition_mails", "Mails of the newest edition, by state.", mails)


def _sources(connection: Any, sources: Collection[str], now: datetime) -> Iterator[Family]:
    last = {run.source: run for run in runs.last(connection, now) if run.source in sources}
    answers = {name: runs.last_answer(connection, name, now) for name in sources}
    verdicts = ((_by(source=name, verdict=one), last[name].verdict == one) for name in last for one in get_args(Verdict))
    yield _family("digest_source_verdict", "How a source's last run ended.", verdicts)
    runs_at = ((_by(source=name), run.finished_at.timestamp()) for name, run in last.items())
    yield _family("digest_source_last_run_timestamp_seconds", "When a source was last asked.", runs_at)
    answered = ((_by(source=name), run.finished_at.timestamp()) for name, run in answers.items() if run is not None)
    yield _family("digest_source_last_answer_timestamp_seconds", "When a source last ended fresh or quiet.", answered)


def _by(**labels: str) -> tuple[tuple[str, str], ...]:
    return tuple(labels.items())


def _family(name: str, help_: str, samples: Iterator[tuple[tuple[tuple[str, str], ...], float]]) -> Family:
    return Family(name, help_, tuple(Sample(labels, float(value)) for labels, value in samples))


def _one(name: str, help_: str, value: float) -> Family:
    return Family(name, help_, (Sample((), float(value)),))
