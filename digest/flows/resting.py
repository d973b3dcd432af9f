"""When is a source left alone? A function of its last run and the time."""

from datetime import datetime, timedelta

from digest.store.runs import SourceRun

AGAIN_AFTER = {"failed": timedelta(minutes=10), "stale": timedelta(minutes=30)}
"""How soon a source is asked again that does not have what is due, though what it has may be good for longer."""


def rests(run: SourceRun | None, now: datetime, fresh_for: timedelta) -> bool:
    """Whether a source whose last run this is needs no other one yet, if what it brought is good for `fresh_for`."""
    if run is None:
        return False
    if run.not_before is not None and now < run.not_before:
        return True
    age: timedelta = now - run.started_at
    return age < min(fresh_for, AGAIN_AFTER.get(run.verdict, fresh_for))
