"""What programs ask."""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from digest.resources import checkout
from digest.store import editions, runs, schema
from digest.wiring import App, open_app

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
URL = "https://papers.example.org"
HERE = {"Host": "127.0.0.1:8000"}
Ask = Callable[..., Any]
Serving = Callable[[App], AbstractContextManager[Ask]]


@pytest.fixture
def app(blank: Path) -> Any:
    """An application at eight in the morning, when today's edition is overdue."""
    opened = open_app(home=blank, now=NOW, environ={"DIGEST_SITE__PUBLIC_URL": URL, "DIGEST_SITE__CONTACT": "a@example.org"})
    yield opened
    opened.close()


def freeze(app: App, at: datetime = NOW - timedelta(hours=2)) -> None:
    with app.store.write() as connection:
        editions.freeze(connection, on=at.date(), cadence="daily", frozen_at=at, entries=(), empty_because="nothing new")


def test_the_program_is_ready_when_the_edition_of_today_is_there(app: App, web: Ask) -> None:
    freeze(app)
    answer = web("GET", "/readyz")
    assert (answer.status, answer.headers["content-type"], answer.headers["cache-control"]) == (
        200,
        "application/json",
        "no-store",
    )
    assert json.loads(answer.body) == {"ready": True, "checks": {"database": "ok", "schema": "ok", "edition": "ok"}}


def test_it_is_not_while_the_edition_is_late_and_says_why(web: Ask) -> None:
    answer = web("GET", "/readyz")
    assert answer.status == 503
    assert json.loads(answer.body)["checks"]["edition"].startswith("the edition of 2026-11-22 was due at 2026-11-22 06:00Z")


def test_it_is_not_when_another_program_has_changed_the_schema(app: App, web: Ask) -> None:
    freeze(app)
    with app.store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    answer = web("GET", "/readyz")
    assert answer.status == 503
    assert json.loads(answer.body)["checks"] == {
        "database": "ok",
        "schema": f"it has schema 9999, this program needs {schema.HEAD}",
        "edition": "ok",
    }


def test_it_is_not_without_its_database_and_tells_nobody_where_that_lies(app: App, web: Ask) -> None:
    with app.store.write() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    answer = web("GET", "/readyz")
    assert (answer.status, json.loads(answer.body)) == (
        503,
        {"ready": False, "checks": {"database": "it does not answer"}},
    )
    assert web("GET", "/healthz").status == 200


def numbers(body: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"^([^# ]\S*) (\S+)$", body, re.MULTILINE)}


def test_a_monitor_on_this_machine_is_told_numbers(app: App, web: Ask) -> None:
    freeze(app)
    with app.store.write() as connection:
        for name, verdict, hours in (("folder", "fresh", 3), ("folder", "failed", 1)):
            at = NOW - timedelta(hours=hours)
            runs.record(connection, source=name, started_at=at, finished_at=at, verdict=verdict)
    answer = web("GET", "/metrics", **HERE)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = numbers(answer.body)
    assert found['digest_ready{check="edition"}'] == 1
    assert found['digest_mails_open{state="queued"}'] == 0
    assert found["digest_mailing_paused"] == 0
    assert found['digest_subscribers{state="active"}'] == 0
    assert found['digest_edition_frozen_timestamp_seconds{cadence="daily"}'] == (NOW - timedelta(hours=2)).timestamp()
    assert not any("folder" in name for name in found), "a source that is not enabled is not measured"


def test_a_source_tells_its_verdict_and_when_it_last_answered_and_the_how_to_names_all_that_is_told(
    tmp_path: Path, serving: Serving
) -> None:
    environ = {
        "DIGEST_SITE__PUBLIC_URL": URL,
        "DIGEST_SOURCES__FOLDER__PATH": str(tmp_path),
        "DIGEST_SOURCES__FOLDER__ENABLED": "true",
    }
    opened = open_app(home=tmp_path, now=NOW, environ=environ)
    with opened.store.write() as connection:
        for verdict, hours in (("fresh", 3), ("failed", 1)):
            at = NOW - timedelta(hours=hours)
            runs.record(connection, source="folder", started_at=at, finished_at=at, verdict=verdict)
    freeze(opened)
    with serving(opened) as web:
        body = web("GET", "/metrics", **HERE).body
    opened.close()
    found = numbers(body)
    assert found['digest_source_verdict{source="folder",verdict="failed"}'] == 1
    assert found['digest_source_verdict{source="folder",verdict="fresh"}'] == 0
    assert found['digest_source_last_run_timestamp_seconds{source="folder"}'] == (NOW - timedelta(hours=1)).timestamp()
    assert found['digest_source_last_answer_timestamp_seconds{source="folder"}'] == (NOW - timedelta(hours=3)).timestamp()

    how_to = (checkout() or Path()) / "docs/how-to/watch.md"
    assert re.findall(r"^\| `(digest_\w+)` \|", how_to.read_text(), re.MULTILINE) == re.findall(
        r"^# HELP (\S+)", body, re.MULTILINE
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},  # by the name of the site
        {"Host": "localhost", "X_Forwarded_For": "198.51.100.7"},
        {"Host": "localhost", "X_Forwarded_For": "127.0.0.1"},
        {"Host": "localhost", "Forwarded": "for=198.51.100.7"},
        {"Host": "localhost", "Via": "1.1 proxy"},
        {"Host": "localhost", "X_Real_IP": "198.51.100.7"},
    ],
)
def test_nobody_gets_numbers_through_a_proxy(web: Ask, headers: dict[str, str]) -> None:
    answer = web("GET", "/metrics", **headers)
    assert answer.status == 404
    assert "digest_" not in answer.body


def test_search_engines_stay_away_from_what_belongs_to_one_reader(web: Ask) -> None:
    answer = web("GET", "/robots.txt")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.headers["cache-control"] == "public, max-age=86400"
    first, *rules = answer.body.splitlines()
    assert first == "User-agent: *"
    assert {"Disallow: /u/", "Disallow: /p/", "Disallow: /feed/for/", "Disallow: /search"} <= set(rules)
    kept_out = [rule.removeprefix("Disallow: ") for rule in rules]
    for public in ("/", "/archive/2026-11-22", "/papers/arxiv:2601.00001", "/feed.xml", "/privacy", "/how-ranking-works"):
        assert not any(public.startswith(path) for path in kept_out)


def test_whoever_finds_a_fault_learns_whom_to_write_to(web: Ask) -> None:
    answer = web("GET", "/.well-known/security.txt")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.body == (
        "Contact: mailto:a@example.org\n"
        "Expires: 2027-05-21T00:00:00Z\n"
        "Canonical: https://papers.example.org/.well-known/security.txt\n"
        "Preferred-Languages: en\n"
    )


@pytest.mark.parametrize(
    ("contact", "says"),
    [("", None), ("http://example.org/help", None), ("https://example.org/help", "Contact: https://example.org/help\n")],
)
def test_a_contact_is_an_address_or_a_page_by_https(tmp_path: Path, serving: Serving, contact: str, says: str | None) -> None:
    opened = open_app(home=tmp_path, environ={"DIGEST_SITE__PUBLIC_URL": URL, "DIGEST_SITE__CONTACT": contact})
    with serving(opened) as web:
        answer = web("GET", "/.well-known/security.txt")
    opened.close()
    assert answer.status == (200 if says else 404)
    assert (says or "There is no such page") in answer.body
