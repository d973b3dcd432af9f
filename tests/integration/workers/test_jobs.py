"""Jobs are a nudge and no more: lost, doubled, stuck or marked done too early, they cost no mail."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
from contract.databases import Cluster
from sqlalchemy import create_engine, event, text
from support.gate import Gate
from support.hugging_face import HuggingFace
from support.operator import Operator
from support.sink import Sink
from support.site import MONDAY, Site
from support.waiting import until

from digest.clock import SystemClock
from digest.errors import ConfigurationError, ServerUnavailable
from digest.scheduling import jobs, takeover
from digest.scheduling.notify import Notifier
from digest.scheduling.worker import Worker
from digest.store.turns import take_turn

Due = Callable[[int], list[str]]
Work = Callable[..., None]


def ask(site: Site, statement: str, **values: Any) -> Any:
    with site.app.store.write() as connection:
        done = connection.execute(text(statement), values)
        return done.scalar() if done.returns_rows else None


def submitted(site: Site) -> bool:
    return set(site.states().values()) == {"submitted"}


def test_mails_are_mailed_though_every_job_is_lost(shared: Site, due: Due, sink: Sink, work_until: Work) -> None:
    addresses = due(60)

    def all_out() -> bool:
        if len(sink.accepted) < 40:
            ask(shared, "DELETE FROM procrastinate_jobs WHERE status = 'todo'")
        return submitted(shared)

    work_until(shared, all_out, number=2)
    assert sink.recipients == addresses


def test_jobs_of_workers_that_died_are_done_by_others_and_one_that_waits_anyhow_is_dropped(
    shared: Site, work_until: Work
) -> None:
    dead = (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, status)"
        " VALUES ('mail', 'mail', :lock, 'doing') RETURNING id"
    )
    stuck = [ask(shared, dead, lock=lock) for lock in ("mail 0", "mail 1")]
    ask(
        shared,
        "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('mail', 'mail', 0, NULL, 'mail 0', '{}', now() + interval '1 h')"
        "::procrastinate_job_to_defer_v1])",
    )
    left = "SELECT count(*) FROM procrastinate_jobs WHERE id = ANY(:ids)"
    work_until(shared, lambda: ask(shared, left, ids=stuck) == 0)
    assert ask(shared, "SELECT count(*) FROM procrastinate_jobs WHERE scheduled_at > now()") == 1


def test_sources_are_asked_and_an_edition_is_frozen_once_however_many_workers_there_are(
    make_shared: Callable[..., Site], hugging_face: HuggingFace, sink: Sink, work_until: Work
) -> None:
    hugging_face.list(MONDAY.date(), [1, 2, 3], votes=900)
    site = make_shared(sources__huggingface__enabled=True, sources__huggingface__url=hugging_face.url)
    site.subscribe("ann@example.org")
    site.at(MONDAY - timedelta(seconds=2))
    site.subscribe("bob@example.org")
    work_until(site, lambda: len(sink.accepted) == 2, number=3)
    assert sink.recipients == ["ann@example.org", "bob@example.org"]
    asked = [request for request in hugging_face.requests if str(MONDAY.date()) in str(request)]
    assert len(asked) == len(set(map(str, asked)))


def test_a_mail_server_that_is_away_is_complained_of_once_and_mailed_to_when_it_is_back(
    shared: Site, due: Due, sink: Sink, work_until: Work, caplog: pytest.LogCaptureFixture
) -> None:
    due(1)
    refused: list[str] = []

    def away(*_: object) -> str | None:
        if len(refused) < 3:
            refused.append("421 4.3.2 come back later")
            return refused[-1]
        return None

    sink.on["CONNECT"] = away
    work_until(shared, lambda: submitted(shared))
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert "come back later" in errors[0]


def test_a_database_that_goes_away_for_a_moment_ends_no_worker(shared: Site, due: Due, sink: Sink, work_until: Work) -> None:
    addresses = due(60)
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    def cut_once(*_: object) -> None:
        if len(sink.accepted) == 10:
            ask(shared, cut)

    def ended() -> bool:
        try:
            return set(shared.states().values()) in ({"submitted"}, {"submitted", "in_doubt"})
        except ServerUnavailable:
            return False  # our own connection was cut as well

    sink.on["RCPT"] = cut_once
    work_until(shared, ended)
    assert len(sink.recipients) == len(set(sink.recipients))
    assert {address for address, state in shared.states().items() if state == "submitted"} <= set(sink.recipients)
    assert sorted(shared.states()) == addresses


def test_a_database_that_goes_away_whenever_it_is_looked_what_is_due_ends_no_worker(
    shared: Site, due: Due, sink: Sink, work_until: Work
) -> None:
    addresses = due(1)
    cut: list[int] = []

    @event.listens_for(shared.app.store.engine, "before_cursor_execute")
    def cut_some(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "count(" in statement and len(cut) < 20:
            cut.append(connection.connection.dbapi_connection.info.backend_pid)
            ask(shared, "SELECT pg_terminate_backend(:pid)", pid=cut[-1])

    def ended() -> bool:
        return len(cut) == 20 and submitted(shared)

    work_until(shared, ended)
    assert sink.recipients == addresses


def test_who_waits_for_long_while_an_edition_is_queued_is_not_given_up_for_dead(shared: Site, due: Due, sink: Sink) -> None:
    addresses = due(5)
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
    with ThreadPoolExecutor(1) as beside:
        with shared.app.store.write() as connection:
            take_turn(connection, "queue an edition")
            delivering = beside.submit(shared.deliver)
            until(lambda: ask(shared, waits) == 1, "who waits for his turn")
            takeover.free_mails(shared.app.store, MONDAY + timedelta(minutes=5))
        delivering.result(30)
    assert sink.recipients == addresses


def test_what_nobody_foresaw_ends_a_worker_and_is_no_failed_job(shared: Site) -> None:
    shared.app.clock = SystemClock(MONDAY)
    broken = replace(shared.app.plan, ranking=None)  # type: ignore[arg-type]
    worker = Worker(broken, shared.app.settings.database_url, Notifier({}))
    with pytest.raises(AttributeError):
        asyncio.run(asyncio.wait_for(worker.run(), 60))


def test_a_daemon_beside_workers_does_no_harm(
    shared: Site, due: Due, settings: dict[str, object], sink: Sink, work_until: Work
) -> None:
    addresses = due(60)
    given = {name: str(value) for name, value in settings.items()}
    with Operator(shared.home, sink.url, **given) as operator:
        operator.start("daemon", "--no-web", now=MONDAY)
        assert sink.wait_for(1, 30)
        work_until(shared, lambda: submitted(shared))
    assert sink.recipients == addresses


def test_the_status_tells_which_worker_holds_what_and_how_many_jobs_there_are(
    shared: Site, due: Due, settings: dict[str, object], sink: Sink, work_until: Work
) -> None:
    due(30)
    given = {name: str(value) for name, value in settings.items()}
    seen: list[Any] = []
    sink.on["CONTENT"] = gate = Gate()

    def looked() -> bool:
        if sink.commands("DATA") and not seen:
            seen[:] = operator.run("status", "--json", now=MONDAY).json, operator.run("status", now=MONDAY).out
            gate.opened.set()
        return submitted(shared)

    with Operator(shared.home, sink.url, **given) as operator:
        work_until(shared, looked)
    found, text_ = seen
    (worker,) = found["workers"]
    assert worker["claimed"] > 0
    assert worker["submitting"] > 0
    assert found["jobs"]["doing"] >= 1
    assert f"process {worker['pid']} since Mon 2026-03-02 06:00Z" in text_
    assert f"{worker['submitting']} on the wire\n" in text_
    assert "\njobs           " in text_


@pytest.mark.parametrize(("ahead", "words"), [(70, "70 s ahead of"), (-90, "90 s behind"), (1, None)])
def test_doctor_tells_of_a_machine_whose_clock_is_not_the_servers(
    database: str, tmp_path: Path, sink: Sink, monkeypatch: pytest.MonkeyPatch, ahead: int, words: str | None
) -> None:
    class Wall(datetime):
        """The clock of this machine."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(seconds=ahead)

    monkeypatch.setattr("digest.clock.datetime", Wall)
    with Operator(tmp_path, sink.url, database__url=database) as operator:
        checks = operator.call("doctor", "--json", now=MONDAY).json["checks"]
    found = [one for one in checks if one["check"] == "clock"]
    assert [one["grade"] for one in found] == (["warn"] if words else [])
    assert all(f"this machine's clock is {words} the database server's" in one["what"] for one in found)


def test_doctor_tells_of_a_user_who_may_read_and_not_write(database: str, tmp_path: Path, sink: Sink) -> None:
    with Operator(tmp_path, sink.url, database__url=f"{database}&options=-cdefault_transaction_read_only%3Don") as operator:
        done = operator.call("doctor", "--json", now=MONDAY)
    assert done.code == 77
    assert [one["fix"] for one in done.json["checks"] if one["grade"] == "fail"] == ["check the rights of its user"]


def test_the_tables_for_jobs_are_made_once_and_brought_to_what_the_package_needs(cluster: Cluster, tmp_path: Any) -> None:
    url = cluster.empty()
    with pytest.raises(ConfigurationError, match="not there"):
        jobs.require(url)
    assert jobs.upgrade(url)
    jobs.require(url)
    for number in (1, 2):
        (tmp_path / f"99.00.0{number}_01_more.sql").write_text(
            f"CREATE TABLE procrastinate_more{number} (percent text DEFAULT '%')"
        )
    for _ in range(2):
        assert jobs.upgrade(url, tmp_path)
    engine = create_engine(url)
    with engine.connect() as connection:
        assert jobs.counts(connection) == {}
        connection.exec_driver_sql("SELECT * FROM procrastinate_more1, procrastinate_more2")
        connection.exec_driver_sql("COMMENT ON TABLE procrastinate_jobs IS '01.00.00_01'")
        connection.commit()
        with pytest.raises(ConfigurationError, match="older than this program needs") as old:
            jobs.require(url)
        assert old.value.fix == "run: digest db upgrade"
        connection.exec_driver_sql("COMMENT ON TABLE procrastinate_jobs IS NULL")
        connection.commit()
    engine.dispose()
    with pytest.raises(ConfigurationError, match="were not made by this program"):
        jobs.upgrade(url)


def test_db_upgrade_makes_the_tables_for_jobs_as_well(cluster: Cluster, tmp_path: Any) -> None:
    with Operator(tmp_path, "smtp://127.0.0.1:1", database__url=cluster.empty()) as operator:
        done = operator.call("worker")
        assert (done.code, "fix: run: digest db upgrade" in done.err) == (78, True)
        for _ in range(2):
            assert operator.call("db", "upgrade").out.endswith(", with tables for workers\n")


def test_a_worker_on_sqlite_or_without_its_extra_says_what_to_do(
    operator: Operator, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = operator.call("worker")
    assert (done.code, "fix: set database.url to a PostgreSQL" in done.err) == (78, True)
    monkeypatch.setattr(jobs, "installed", lambda: False)
    operator.set(database__url=cluster.empty())
    assert operator.call("db", "upgrade").code == 0
    done = operator.call("worker")
    assert (done.code, "pip install '.[workers]'" in done.err) == (78, True)
