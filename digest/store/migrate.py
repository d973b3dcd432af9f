"""Brings a database to the schema of this program."""

from pathlib import Path

from digest.errors import ConfigurationError
from digest.store import schema
from digest.store.engine import create, explained, sqlite_path


def upgrade(url: str) -> str:
    """Create the database or bring it to the current schema, all or nothing; returns the schema's name.

    Raises:
        ConfigurationError: the schema is newer than this program's.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext

    path = sqlite_path(url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = create(url)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with explained(url), engine.connect() as connection:
        connection = connection.execution_options(writes=True)
        with connection.begin():
            found = MigrationContext.configure(connection).get_current_revision()
            if found is not None and found > schema.HEAD:
                raise ConfigurationError(
                    f"the database has schema {found}, which is newer than this program's {schema.HEAD}",
                    fix="run the newer program",
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    engine.dispose()
    return schema.HEAD
