"""The signing key of a site whose operator has set none: made on first use, kept with the data that it protects."""

import secrets as random

from sqlalchemy import Connection, select

from digest.store.schema import secret
from digest.store.upsert import insert_new

SIGNING_KEY = "signing_key"


def signing_key(connection: Connection) -> str:
    """The key, made if there is none yet."""
    insert_new(connection, secret, [{"name": SIGNING_KEY, "value": random.token_urlsafe(36)}])
    return str(connection.execute(select(secret.c.value).where(secret.c.name == SIGNING_KEY)).scalar_one())
