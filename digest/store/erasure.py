"""What deleting leaves behind: SQLite keeps in its log what it has taken out of its file."""

from contextlib import closing

from digest.store.engine import Store


def scrub(store: Store) -> None:
    """Have what was deleted gone from the log too. Whoever reads an older state just now is waited for, a while."""
    if store.is_sqlite:
        with closing(store.engine.raw_connection()) as raw:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
