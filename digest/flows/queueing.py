"""Who is due gets a row: the first half of delivering. Due-ness is stored data and a function of the time, nothing else."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from digest.edition.calendar import Schedule, latest_due, next_due
from digest.store import deliveries, editions, ledger, subscribers
from digest.store.engine import Store
from digest.subscribers.model import Cadence

READERS_AT_ONCE = 1000
LOOK_BACK = timedelta(days=16)
"""How old an edition can be that a due time of today belongs to: a weekly one, and a week of grace."""


def queue_due(store: Store, schedule: Schedule, now: datetime) -> int:
    """Queue a row for every reader who is due; returns how many are new."""
    with store.read() as connection:
        frozen = editions.frozen(connection, since=now - LOOK_BACK, until=now)
    queued = 0
    for row in frozen:
        if row.queued_at is None and not row.empty_because:
            with store.write() as connection:
                queued += deliveries.enqueue_for_all(connection, row, now)
    issues: dict[tuple[date, Cadence], editions.EditionRow] = {(row.date, row.cadence): row for row in frozen}
    last_id = 0
    while True:
        with store.write() as connection:
            due = deliveries.readers_due(connection, now, after_id=last_id, limit=READERS_AT_ONCE)
            if not due:
                return queued
            last_id = due[-1].subscriber_id
            rows, moves = _handle(due, issues, schedule, now)
            queued += deliveries.enqueue(connection, rows, now)
            deliveries.move_due(connection, moves)


def _handle(
    due: list[deliveries.Due], issues: Mapping[tuple[date, Cadence], editions.EditionRow], schedule: Schedule, now: datetime
) -> tuple[list[tuple[int, int, datetime]], list[tuple[int, datetime, datetime | None]]]:
    """The rows to queue, and the readers whose due time is handled, with the next one."""
    rows: list[tuple[int, int, datetime]] = []
    moves: list[tuple[int, datetime, datetime | None]] = []
    known: dict[tuple[object, ...], tuple[datetime, datetime | None, date]] = {}
    for one in due:
        # Readers share zones and hours: the calendar is asked once for each.
        key = (one.zone, one.hour, one.days, one.cadence, one.next_due_at)
        if key not in known:
            preferences = subscribers.preferences_from(one.zone, one.hour, one.days, one.cadence)
            due_at = latest_due(preferences, one.next_due_at, now)
            known[key] = due_at, next_due(preferences, now), schedule.edition_for(due_at, one.cadence)
        due_at, next_at, on = known[key]
        issue = issues.get((on, one.cadence))
        if issue is not None and not issue.empty_because:
            rows.append((issue.id, one.subscriber_id, due_at))
        if issue is not None or now - due_at > schedule.catch_up:
            moves.append((one.subscriber_id, one.next_due_at, next_at))
    return rows, moves


def next_mail(store: Store) -> datetime | None:
    """When the next mail is due: before now where one waits for somebody to mail it, or for the mail server."""
    with store.read() as connection:
        times = (ledger.earliest_open(connection), subscribers.earliest_due(connection))
    return min((at for at in times if at), default=None)


def next_edition(store: Store, schedule: Schedule, now: datetime) -> datetime | None:
    """When the next edition is due to be frozen; None when one is due already and is not frozen yet."""
    with store.read() as connection:
        if not all(editions.exists(connection, on, cadence) for on, cadence in schedule.due_editions(now)):
            return None
        following = schedule.next_freezing(now)
        while editions.exists(connection, schedule.date_at(following), "daily"):
            following = schedule.next_freezing(following)
        return following
