"""What mails are made with: templates, settings, program. Noted when it changes, so that a replay can say that it has.

A note is an event without a subscriber. What holds for a mail is the last one before its outcome.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from digest.store import events
from digest.store.schema import event

MADE_WITH = "mails made with"


def note(connection: Connection, now: datetime, making: Mapping[str, str]) -> None:
    """Write down what mails are made with from now on, unless that is what was noted last."""
    if noted(connection, now) != making:
        events.record(connection, MADE_WITH, None, now, making)


def noted(connection: Connection, at: datetime) -> Mapping[str, Any] | None:
    """What mails were made with at this time; None where nobody noted it."""
    query = select(event.c.details).where(event.c.subscriber_id.is_(None), event.c.kind == MADE_WITH, event.c.at <= at)
    # By number where times are equal: what was noted last holds.
    found = connection.execute(query.order_by(event.c.at.desc(), event.c.id.desc()).limit(1)).first()
    return None if found is None else dict(found.details)
