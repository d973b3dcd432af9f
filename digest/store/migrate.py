"""Brings a database to the schema of this program."""

from pathlib import Path

from digest.errors import ConfigurationError, NotPermitted
from digest.store import schema
from digest.store.engine import create, explained, sqlite_path
from digest.store.turns import take_turn


def upgrade(url: str) -> str:
    """Create the database or bring it to the current schema, all or nothing; returns the schema's name.

    Raises:
        ConfigurationError: the address is wrong, or the schema is newer than this program's.
        NotPermitted: the file or its folder cannot be made.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext

    engine = create(url)
    path = sqlite_path(url)
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NotPermitted(f"the folder {path.parent} cannot be made: {error.strerror}", fix="check database.url") from None
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    try:
        with explained(url), engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                take_turn(connection, "upgrade")
                found = MigrationContext.configure(connection).get_current_revision()
                if found is not None and found > schema.HEAD:
                    raise ConfigurationError(
                        f"the database has schema {found}, which is newer than this program's {schema.HEAD}",
                        fix="run the newer program",
                    )
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
    finally:
        engine.dispose()
    return schema.HEAD
