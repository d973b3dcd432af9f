"""Whether the program does what it is there for: the database answers in the schema that is expected, and today's edition is
there."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from digest.edition.calendar import Schedule
from digest.errors import DigestError
from digest.store import overview, schema
from digest.store.engine import Store

GRACE = timedelta(hours=1)
"""An edition is frozen when its sources have answered, or have had their time, and cron may come by in ten minutes."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Health:
    """`checks`: by name, what is wrong in words that anybody may read; empty where all is well."""

    checks: Mapping[str, str]

    @property
    def ready(self) -> bool:
        return not any(self.checks.values())


def look(store: Store, schedule: Schedule, now: datetime) -> Health:
    """How things are now. Never raises what the database does."""
    try:
        with store.read() as connection:
            found, newest = overview.schema_version(connection), overview.newest(connection, "daily", now)
    except DigestError as error:
        log.warning("not ready: %s", error)
        return Health({"database": "it does not answer"})
    return judge(schedule, now, found, newest and newest.date)


def judge(schedule: Schedule, now: datetime, found: str | None, newest: date | None) -> Health:
    """What to say of a database that answers.

    Args:
        schedule: when editions are due.
        now: the time.
        found: the schema that the database has.
        newest: the date of the newest daily edition.
    """
    wrong = "" if found == schema.HEAD else f"it has schema {found}, this program needs {schema.HEAD}"
    return Health({"database": "", "schema": wrong, "edition": _late(schedule, now, newest)})


def _late(schedule: Schedule, now: datetime, newest: date | None) -> str:
    due = schedule.edition_for(now - GRACE, "daily")
    if newest is not None and newest >= due:
        return ""
    if newest is None and due < schedule.date_at(now):
        return ""  # a new site waits for its first hour
    since = schedule.freezing_of(due)
    return f"the edition of {due} was due at {since:%Y-%m-%d %H:%M}Z, the newest is {f'of {newest}' if newest else 'none'}"
