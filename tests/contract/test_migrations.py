import json
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from contract.databases import Postgresql, Sqlite
from contract.world import World, sighting
from sqlalchemy import inspect, text

from digest.errors import ConfigurationError
from digest.store import editions, migrate, papers, runs, schema, subscribers
from digest.store.engine import Store, create, sqlite_path

MIGRATIONS = Path(migrate.__file__).parent / "migrations"

AT = "2026-11-22 06:00:00.000000"
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


def as_of(url: str, revision: str) -> None:
    """Make a database as the program did whose last migration was this one."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create(url)
    with engine.execution_options(writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    engine = create(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found


def both(databases: Sqlite | Postgresql) -> tuple[str, str]:
    """A database that the migrations made, and one that the schema made."""
    migrated, declared = databases.empty(), databases.empty()
    migrate.upgrade(migrated)
    engine = create(declared)
    schema.metadata.create_all(engine)
    engine.dispose()
    return migrated, declared


def not_full_text(name: str | None, kind: str, parents: Mapping[str, str | None]) -> bool:
    """The full text is no table of the schema, but another thing in each database; tests below hold it equal to the letter."""
    return not (kind == "table" and str(name).startswith("paper_text")) and name not in ("words", "ix_paper_words")


@pytest.fixture
def migrated(databases: Sqlite | Postgresql) -> str:
    """The address of a database that was brought to the current schema here, and that a test may spoil."""
    url: str = databases.empty()
    assert migrate.upgrade(url) == schema.HEAD
    return url


def test_the_migrations_together_make_the_schema(migrated: str) -> None:
    engine = create(migrated)
    with engine.connect() as connection:
        opts = {"compare_type": True, "compare_server_default": True, "include_name": not_full_text}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, schema.metadata) == []
        assert context.get_current_revision() == schema.HEAD
    engine.dispose()


def test_numbers_that_others_may_remember_are_never_given_again() -> None:
    kept = {table.name for table in schema.metadata.sorted_tables if table.dialect_options["sqlite"]["autoincrement"]}
    assert kept == {"subscriber", "delivery", "notice", "worker"}


def test_the_migrations_make_the_same_tables_on_sqlite_as_the_schema_to_the_letter(sqlite: Sqlite) -> None:
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'"
    # A table that was altered has the same words in another order; one that was made anew has its name in quotes.
    found = [{name: sorted(re.findall(r"\w+|[^\w\s,\"]", sql)) for name, sql in rows(url, query)} for url in both(sqlite)]
    assert found[0] == found[1]
    assert {"paper_text", "paper_text_added", "paper_text_removed", "paper_text_changed"} <= found[0].keys()


def test_the_migrations_make_the_same_tables_on_postgresql_as_the_schema_to_the_letter(postgresql: Postgresql) -> None:
    columns = """
        SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default, generation_expression
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'"""
    indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    functions = "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    constraints = """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'"""
    migrated, declared = both(postgresql)
    for query in (columns, indexes, functions, constraints):
        found = set(rows(migrated, query))
        assert found == set(rows(declared, query))
        assert found


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


def test_a_database_of_the_first_schema_keeps_its_papers_and_runs_and_is_searched_whole(databases: Sqlite | Postgresql) -> None:
    url = databases.empty()
    as_of(url, "0001")
    engine = create(url)
    with engine.execution_options(writes=True).begin() as connection:
        for key, title, author in (
            ("arxiv:2511.00001", "Sparse attention", "Zoë Doe"),
            ("doi:10.1/a", "Dense retrieval", "Lee"),
        ):
            connection.execute(
                text(
                    "INSERT INTO paper (key, title, normalised_title, abstract, authors, categories, keywords,"
                    " organization, summary, summary_by, links, first_seen_at)"
                    " VALUES (:key, :title, lower(:title), 'We showed it.', :authors, '[]', '[]', '', '', '', '{}', :at)"
                ),
                {"key": key, "title": title, "authors": json.dumps([author]), "at": AT},
            )
        connection.execute(
            text(
                "INSERT INTO source_run (source, started_at, finished_at, sightings, problems, newest, verdict, error)"
                " VALUES ('hf', :at, :at, 2, 0, 'arxiv:2511.00002', 'fresh', '')"
            ),
            {"at": AT},
        )
    engine.dispose()
    migrate.upgrade(url)
    store = Store.open(url)
    with store.read() as connection:
        assert [one.key for one in papers.search(connection, "zoe sparse")] == ["arxiv:2511.00001"]
        assert len(papers.search(connection, "showing")) == 2
        assert not any(one.retracted for one in papers.listed(connection))
        (run,) = runs.last(connection, datetime.fromisoformat(AT).replace(tzinfo=UTC))
        assert (run.verdict, run.newest, run.evidence, run.cursor, run.not_before) == (
            "fresh",
            "arxiv:2511.00002",
            "",
            {},
            None,
        )
    World(store).record(sighting("Dense retrieval in tiers", "arxiv:2511.00009"))
    with store.read() as connection:
        assert len(papers.search(connection, "dense")) == 2
    store.close()


def test_a_database_of_the_second_schema_keeps_its_readers_interests_and_editions(databases: Sqlite | Postgresql) -> None:
    url = databases.empty()
    as_of(url, "0002")
    engine = create(url)
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(
            text(
                "INSERT INTO subscriber (token, address, address_key, name, state, zone, days, cadence, language, created_at,"
                " consent, seen) VALUES ('t', 'ann@example.org', 'ann@example.org', '', 'active', 'UTC', 127, 'daily', 'en',"
                " :at, '{}', '')"
            ),
            {"at": AT},
        )
        for value, end in (("graphs", None), ("robots", AT)):
            connection.execute(
                text(
                    "INSERT INTO interest (subscriber_id, kind, value, weight, valid_from, valid_to)"
                    " VALUES (1, 'topic', :value, 1.0, :at, :end)"
                ),
                {"value": value, "at": AT, "end": end},
            )
        connection.execute(
            text(
                "INSERT INTO edition (date, cadence, frozen_at, empty_because, missing_sources)"
                " VALUES ('2026-11-22', 'daily', :at, '', '[]')"
            ),
            {"at": AT},
        )
    engine.dispose()
    migrate.upgrade(url)
    assert rows(url, "SELECT id, value, work FROM interest ORDER BY id") == [(1, "graphs", None), (2, "robots", None)]
    assert rows(url, "SELECT language FROM subscriber") == [("",)], "nobody chose it, so the site's is his"
    store = Store.open(url)
    at = datetime.fromisoformat(AT).replace(tzinfo=UTC)
    with store.write() as connection:
        assert [one.value for one in subscribers.interests(connection, [1], at)[1]] == ["graphs"]
        found = editions.find(connection, at.date(), "daily")
        assert found is not None
        assert found.vocabulary is None
        # What belongs to a reader still goes with him.
        subscribers.erase(connection, 1)
        assert connection.execute(text("SELECT count(*) FROM interest")).scalar_one() == 0
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
