"""The signing key of a site whose operator has set none, and what tells which key the mails of late were signed with."""

import secrets as random
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from digest.edition.model import edition_name
from digest.store.schema import delivery, edition, secret, subscriber
from digest.store.upsert import insert_new

SIGNING_KEY = "signing_key"


class Named(NamedTuple):
    """A mail as its Message-ID was made: about the edition `what`, to the reader with the public id `whom`."""

    frozen_at: datetime
    what: str
    whom: str
    message_id: str


def signing_key(connection: Connection) -> str:
    """The database's own key, made on first use and kept with the data that it protects."""
    insert_new(connection, secret, [{"name": SIGNING_KEY, "value": random.token_urlsafe(36)}])
    return str(connection.execute(select(secret.c.value).where(secret.c.name == SIGNING_KEY)).scalar_one())


def named_mails(connection: Connection, since: datetime) -> list[Named]:
    """Two mails of each edition frozen since then, to its first and its last reader, the newest edition first.

    All would cost a look at every mail. Of an edition in the midst of which the key was changed, this may tell but one key.
    """
    mail = delivery.alias()
    named = (mail.c.edition_id == edition.c.id) & mail.c.message_id.is_not(None)
    ends = [select(end(mail.c.subscriber_id)).where(named).correlate(edition).scalar_subquery() for end in (func.min, func.max)]
    query = (
        select(edition.c.frozen_at, edition.c.date, edition.c.cadence, subscriber.c.token, delivery.c.message_id)
        .join_from(edition, delivery, (delivery.c.edition_id == edition.c.id) & delivery.c.subscriber_id.in_(ends))
        .join(subscriber, subscriber.c.id == delivery.c.subscriber_id)
        .where(edition.c.frozen_at >= since)
        .order_by(edition.c.frozen_at.desc(), delivery.c.id)
    )
    return [
        Named(frozen_at, edition_name(date, cadence), token, message_id)
        for frozen_at, date, cadence, token, message_id in connection.execute(query)
    ]
