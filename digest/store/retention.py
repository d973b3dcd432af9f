"""What is forgotten, and when: old notices with their addresses, picks that nothing asks for any more, sign-ups that nobody
confirmed, profiles and vocabularies that no edition of late was made with, the rows of editions that are mailed no more, what
old editions repeat of papers that no issue shows, old runs of sources and look-ups, and allowances that are whole again."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, null, select, update

from digest.outbox.retry import FINAL
from digest.store import allowances, editions, profiles, vocabularies
from digest.store.schema import delivery, edition, lookup, notice, source_run, subscriber

NOTICES = timedelta(days=7)
PICKS = timedelta(days=60)
"""Longer than any memory of a reader: what he got is known by `seen`."""
PENDING = timedelta(days=7)
"""After his confirmation's last day, somebody who did not use it is forgotten."""
SOURCE_RUNS = timedelta(days=90)
LOOKUPS = timedelta(days=60)
"""Longer than any paper that is looked up is in the window, so that none is asked about anew for being forgotten."""


def prune(connection: Connection, now: datetime) -> dict[str, int]:
    """Forget what is past its time; returns how many rows of each kind."""
    old_notice = notice.c.state.in_(FINAL) & (notice.c.updated_at < now - NOTICES)
    # Editions of a month are looked at, so that a day's pruning costs a day and not the history.
    old_editions = select(edition.c.id).where(
        edition.c.frozen_at < now - PICKS, edition.c.frozen_at > now - PICKS - timedelta(days=30)
    )
    old_picks = delivery.c.edition_id.in_(old_editions) & delivery.c.picks.is_not(None) & delivery.c.state.in_(FINAL)
    vocabulary = vocabularies.current(connection)
    unconfirmed = (subscriber.c.state == "pending") & (subscriber.c.confirmation_until < now - PENDING)
    return {
        "notices": connection.execute(delete(notice).where(old_notice)).rowcount,
        "picks": connection.execute(update(delivery).where(old_picks).values(picks=null())).rowcount,
        "pending": connection.execute(delete(subscriber).where(unconfirmed)).rowcount,
        "profiles": profiles.prune(connection, now, vocabulary.version) if vocabulary else 0,
        "vocabularies": vocabularies.prune(connection, now),
        "rows": editions.prune_rows(connection, now),
        "abstracts": editions.forget_abstracts(connection, now),
        "runs": connection.execute(delete(source_run).where(source_run.c.started_at < now - SOURCE_RUNS)).rowcount,
        "allowances": allowances.prune(connection, now),
        "lookups": connection.execute(delete(lookup).where(lookup.c.asked_at < now - LOOKUPS)).rowcount,
    }
