import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from contract.databases import Postgresql, Sqlite
from contract.world import World, sighting
from sqlalchemy import inspect, text

from digest.errors import ConfigurationError
from digest.store import migrate, schema
from digest.store.engine import Store, create, sqlite_path

MIGRATIONS = Path(migrate.__file__).parent / "migrations"

UPGRADE = """
import sys
from digest.errors import DigestError
from digest.store import migrate
try:
    migrate.upgrade(sys.argv[1])
except DigestError as error:
    sys.exit(error.exit_code)
"""


def declare(url: str, version: str) -> None:
    """Have a database say that its schema is this one."""
    engine = create(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    engine.dispose()


@pytest.fixture
def migrated(databases: Sqlite | Postgresql) -> str:
    """The address of a database that was brought to the current schema here, and that a test may spoil."""
    url: str = databases.empty()
    assert migrate.upgrade(url) == schema.HEAD
    return url


def test_the_migrations_together_make_the_schema(migrated: str) -> None:
    engine = create(migrated)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, schema.metadata) == []
        assert context.get_current_revision() == schema.HEAD
    engine.dispose()


def test_numbers_that_others_may_remember_are_never_given_again() -> None:
    kept = {table.name for table in schema.metadata.sorted_tables if table.dialect_options["sqlite"]["autoincrement"]}
    assert kept == {"subscriber", "delivery", "notice", "worker"}


def test_the_migrations_make_the_same_tables_on_sqlite_as_the_schema_to_the_letter(sqlite: Sqlite) -> None:
    migrated, declared = sqlite.empty(), sqlite.empty()
    migrate.upgrade(migrated)
    engine = create(declared)
    schema.metadata.create_all(engine)
    engine.dispose()
    found = []
    for url in (migrated, declared):
        engine = create(url)
        with engine.connect() as connection:
            query = text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'")
            found.append({row.name: sorted(row.sql.replace(",", " ").split()) for row in connection.execute(query)})
        engine.dispose()
    assert found[0] == found[1]


def test_the_program_knows_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_every_migration_is_named_by_its_number() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    assert all(Path(script.path).name.startswith(f"{script.revision}_") for script in scripts)


def test_upgrading_again_changes_nothing(migrated: str) -> None:
    store = Store.open(migrated)
    world = World(store)
    world.record(sighting("Sparse attention", "arxiv:2511.04321"))
    assert migrate.upgrade(migrated) == schema.HEAD
    assert world.paper("arxiv:2511.04321").id == 1
    store.close()


def test_two_that_upgrade_at_once_do_no_harm(databases: Sqlite | Postgresql) -> None:
    url = databases.empty()
    # Alembic's context is one for a process.
    running = [subprocess.Popen([sys.executable, "-W", "error", "-c", UPGRADE, url]) for _ in range(3)]
    ended = sorted(process.wait(60) for process in running)
    # SQLite does not wait when a new file is given its journal.
    assert ended[0] == 0
    assert set(ended) <= ({0, 75} if isinstance(databases, Sqlite) else {0})
    Store.open(url).close()


def test_an_older_schema_is_refused_with_the_command_that_mends_it(migrated: str) -> None:
    declare(migrated, "0000")
    with pytest.raises(ConfigurationError, match=f"schema 0000, this program needs {schema.HEAD}") as refused:
        Store.open(migrated)
    assert refused.value.exit_code == 78
    assert "digest db upgrade" in refused.value.fix


def test_a_newer_schema_is_refused_by_opening_and_by_upgrading(migrated: str) -> None:
    declare(migrated, "9999")
    for act in (Store.open, migrate.upgrade):
        with pytest.raises(ConfigurationError, match="schema 9999, which is newer") as refused:
            act(migrated)
        assert refused.value.exit_code == 78
        assert "newer program" in refused.value.fix
    assert Store.schema_of(migrated) == "9999"


def test_a_database_without_our_tables_is_none_of_ours(databases: Sqlite | Postgresql) -> None:
    url = databases.empty()
    assert Store.schema_of(url) is None
    with pytest.raises(ConfigurationError, match="there is no digest database") as refused:
        Store.open(url)
    assert "digest db upgrade" in refused.value.fix


def test_opening_a_database_that_is_not_there_makes_no_file(sqlite: Sqlite) -> None:
    url = sqlite.empty()
    path = sqlite_path(url)
    assert path is not None
    with pytest.raises(ConfigurationError, match="there is no digest database"):
        Store.open(url)
    assert list(path.parent.glob("digest*")) == []


def test_upgrading_makes_the_folder_of_the_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state' / 'deep' / 'digest.db'}"
    migrate.upgrade(url)
    Store.open(url).close()


def test_a_migration_that_fails_leaves_the_database_as_it_was(databases: Sqlite | Postgresql) -> None:
    url = databases.empty()
    engine = create(url)
    with engine.begin() as connection:
        # Some table of that name is there already.
        connection.execute(text("CREATE TABLE reading (x INTEGER)"))
    with pytest.raises(Exception, match="already exists"):
        migrate.upgrade(url)
    assert inspect(engine).get_table_names() == ["reading"]
    engine.dispose()
