"""What deleting leaves behind: SQLite keeps old pages in its log and stale bytes in its file until it is told otherwise."""

from digest.store.engine import Store


def scrub(store: Store) -> None:
    """Have what was deleted gone from the files too, as far as nobody else is reading them just now."""
    if store.is_sqlite:
        with store.engine.connect() as connection:
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
