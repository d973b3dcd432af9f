"""Whatever a person can cause ends in one clear line, the fix, and the right exit code; never in a traceback."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from support.operator import Done, Operator
from support.sink import Sink, free_port
from support.site import MONDAY, Site


def is_clear(done: Done, code: int, *words: str) -> bool:
    """Whether a command ended with this code, one error with these words and a fix, and no data."""
    lines = done.err.splitlines()
    assert done.code == code, done.err
    assert done.out == ""
    assert "Traceback" not in done.err
    assert [line.startswith("error: ") for line in lines].count(True) == 1
    assert lines[0].startswith("error: ")
    assert lines[1].startswith("  fix: "), "an error without a fix"
    missing = [word for word in words if word not in done.err]
    assert not missing, done.err
    return True


class _Nothing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is inherited
        """Nothing: what the program says is to be heard."""


@pytest.fixture
def dead_source() -> Iterator[str]:
    """The address of a web server that has nothing."""
    with HTTPServer(("127.0.0.1", 0), _Nothing) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["collect", "huggingfase"], 2, ["there is no source 'huggingfase'", "The sources are huggingface"]),
        (["collect", "--file", "p.jsonl", "--format", "odd"], 2, ["there is no format 'odd'", "page, jsonl, hf"]),
        (["publish", "--date", "tomorrow"], 2, ["'tomorrow' is not a date", "2026-11-22"]),
        (["run", "--date", "2026-13-01"], 2, ["'2026-13-01' is not a date"]),
        (["publish", "--date", "2062-11-22"], 2, ["the day of edition 2062-11-22 is still to come", "today is 20"]),
        (["run", "--date", "2062-11-22"], 2, ["the day of edition 2062-11-22 is still to come", "today is 20"]),
        (["rank", "--date", "22.11.2026"], 2, ["is not a date"]),
        (["preview", "--for", "nobody@example.org"], 2, ["nobody@example.org is not a subscriber", "subscribers list"]),
        (["status", "--now", "noon"], 2, ["'noon' is not a time", "2026-11-22T21:00:00Z"]),
        (["status", "--now"], 2, ["--now needs a time"]),
        (["run", "--now", "0001-01-01T00:00:00Z"], 2, ["'0001-01-01T00:00:00Z' is too far away"]),
        (["run", "--now", "9999-12-31T23:59:59Z"], 2, ["'9999-12-31T23:59:59Z' is too far away"]),
        (["subscribers", "pause", "ann@example.org", "--for", "999999d" * 9], 2, ["is not a length of time"]),
        (["papers", "show", "2603.99999"], 2, ["there is no paper 2603.99999", "digest papers search"]),
        (["deliveries", "list", "--state", "lost"], 2, ["there is no state 'lost'", "the states are queued"]),
        (["deliveries", "show", "77"], 2, ["there is no delivery 77"]),
        (["deliveries", "retry", "77"], 2, ["delivery 77"]),
        (["deliveries", "resolve", "77", "submitted"], 2, ["delivery 77 is neither in doubt"]),
        (["deliveries", "show", "9" * 20], 2, [f"there is no delivery {'9' * 20}"]),
        (["deliveries", "retry", "9" * 20], 2, [f"there is no delivery {'9' * 20}"]),
        (["deliveries", "resolve", "9" * 20, "submitted"], 2, [f"there is no delivery {'9' * 20}"]),
        (["papers", "pin", "9" * 20], 2, [f"there is no paper {'9' * 20}"]),
        (["deliver", "--only", "nobody"], 65, ["'nobody' is not an email address", "ann@example.org"]),
        (["subscribers", "add", "ann@", "--confirmed"], 65, ["is not an email address"]),
        (["subscribers", "add", "ann@example.org", "--zone", "Mars/Base"], 65, ["Mars/Base", "Europe/Berlin"]),
        (["subscribers", "add", "ann@example.org", "--hour", "25"], 65, ["25"]),
        (["subscribers", "show", "nobody@example.org"], 2, ["nobody@example.org is no subscriber"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and value and not value[0].startswith("'") else None,
)
def test_a_wrong_argument_is_named_with_its_fix(operator: Operator, arguments: list[str], code: int, words: list[str]) -> None:
    assert is_clear(operator.call(*arguments), code, *words)


def test_a_file_that_is_not_there_is_named(operator: Operator, tmp_path: Path) -> None:
    done = operator.call("collect", "--file", str(tmp_path / "none.jsonl"))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: there is no file {tmp_path / 'none.jsonl'}\n")
    done = operator.call("subscribers", "import", str(tmp_path / "none.csv"), "--confirmed")
    assert done.code == 2
    assert "none.csv" in done.err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("papers.jsonl", b"not json\n"),
        ("papers.jsonl", b"\x00\xff\xfe"),
        ("papers.json", b'[{"paper": 3}]'),
        ("papers.json", b"[["),
        ("page.txt", b""),
    ],
)
def test_a_malformed_file_of_papers_ends_with_65_and_stores_nothing(
    operator: Operator, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    before = operator.call("papers", "list", "--json").json
    done = operator.call("collect", "--file", str(tmp_path / name))
    assert is_clear(done, 65, str(tmp_path / name))
    assert operator.call("papers", "list", "--json").json == before


@pytest.mark.parametrize(("name", "content"), [("papers.csv", "title,authors\n"), ("papers.json", '{"papers": 3}')])
def test_a_file_whose_format_nobody_can_tell_asks_for_it(operator: Operator, tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert is_clear(operator.call("collect", "--file", str(tmp_path / name)), 2, name, "--format")


def test_a_malformed_file_of_readers_ends_with_65(operator: Operator, tmp_path: Path) -> None:
    (tmp_path / "readers.csv").write_bytes(b"name,zone\nAnn,UTC\n")
    done = operator.call("subscribers", "import", str(tmp_path / "readers.csv"), "--confirmed")
    assert done.code == 65
    assert "email" in done.err
    assert "Traceback" not in done.err


def test_a_file_that_is_partly_bad_is_taken_in_and_its_bad_lines_are_told(operator: Operator, tmp_path: Path) -> None:
    (tmp_path / "papers.jsonl").write_text('{"title": "A good one"}\nnot json\n{"abstract": "no title"}\n')
    done = operator.call("collect", "--file", str(tmp_path / "papers.jsonl"), "--json")
    assert done.code == 0
    (brought,) = done.json["collected"]
    assert (brought["new"], [problem["line"] for problem in brought["problems"]]) == (1, [2, 3])


def test_somebody_who_is_a_subscriber_already_is_no_error(operator: Operator) -> None:
    operator.call("subscribers", "add", "ann@example.org", "--confirmed")
    done = operator.call("subscribers", "add", "Ann@Example.org", "--confirmed")
    assert done.code == 0
    assert "is a subscriber already (active)" in done.err
    assert len(operator.call("subscribers", "list", "--json").json["subscribers"]) == 1


def test_all_missing_settings_are_named_at_once(operator: Operator) -> None:
    operator.forget("site__public_url", "email__from", "smtp__url")
    done = operator.call("run")
    assert is_clear(done, 78, "not set: site.public_url, email.from, smtp.url", "digest init", "[smtp]: url =")


def test_an_unknown_setting_is_an_error_with_a_suggestion(operator: Operator, home: Path) -> None:
    (home / "digest.toml").write_text('[smtp]\nulr = "smtp://localhost"\n')
    assert is_clear(operator.call("status"), 78, "smtp.ulr", "smtp.url", "line 2")


def test_an_unknown_variable_is_an_error_too(operator: Operator) -> None:
    operator.set(smpt__url="smtp://localhost")
    assert is_clear(operator.call("status"), 78, "DIGEST_SMPT__URL", "DIGEST_SMTP__URL")


def test_a_mail_server_that_is_no_address_is_named_without_its_password(operator: Operator) -> None:
    operator.set(smtp__url="smtp://ann:hunter2@mail.example.org")
    done = operator.call("deliver")
    assert is_clear(done, 78, "smtp.url", "smtp+starttls://")
    assert "hunter2" not in done.err


@pytest.mark.parametrize(
    ("schema", "words"), [("0000", ["digest db upgrade"]), ("9999", ["newer than this program's", "run the newer program"])]
)
@pytest.mark.parametrize("command", ["status", "deliver", "run", "daemon"])
def test_a_database_of_another_version_ends_with_78(
    operator: Operator, home: Path, command: str, schema: str, words: list[str]
) -> None:
    with closing(sqlite3.connect(home / "digest.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (schema,))
    assert is_clear(operator.call(command), 78, f"schema {schema}", *words)


def test_a_newer_database_is_not_upgraded(operator: Operator, home: Path) -> None:
    with closing(sqlite3.connect(home / "digest.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert is_clear(operator.call("db", "upgrade"), 78, "newer than this program's")


def test_a_database_that_is_lost_is_not_made_anew(operator: Operator, home: Path) -> None:
    (home / "digest.toml").touch()
    (home / "digest.db").unlink()
    assert is_clear(operator.call("deliver"), 78, "there is no digest database", "digest db upgrade")
    assert not (home / "digest.db").exists()


def test_a_file_that_is_no_database_is_named(operator: Operator, home: Path) -> None:
    (home / "digest.db").write_bytes(b"This is a letter to my mother. " * 100)
    assert is_clear(operator.call("status"), 78, "is not a database", "digest db restore")


def test_a_database_that_another_process_holds_ends_with_75(operator: Operator, home: Path) -> None:
    operator.set(database__url="sqlite:///digest.db?timeout=0.05")
    with closing(sqlite3.connect(home / "digest.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        done = operator.call("subscribers", "add", "ann@example.org", "--confirmed")
    assert is_clear(done, 75, "is locked by another process", "try again")
    assert operator.call("subscribers", "add", "ann@example.org", "--confirmed").code == 0


def test_a_database_that_may_only_be_read_ends_with_77_and_can_still_be_looked_at(
    operator: Operator, home: Path, make_read_only: Callable[[Path], None]
) -> None:
    make_read_only(home / "digest.db")
    done = operator.call("subscribers", "add", "ann@example.org", "--confirmed")
    assert is_clear(done, 77, "cannot be written", "owner and mode")
    assert operator.call("papers", "list", "--json").code == 0


def test_a_mail_server_that_is_not_there_ends_with_69_and_loses_nothing(operator: Operator, site: Site, sink: Sink) -> None:
    addresses = site.readers(3)
    site.publish()
    operator.set(smtp__url=f"smtp://127.0.0.1:{free_port()}")
    assert is_clear(operator.call("deliver", now=MONDAY), 69, "is not to be had", "smtp.url")
    operator.set(smtp__url=sink.url)
    assert operator.call("deliver", now=MONDAY).code == 0
    assert sink.recipients == addresses


def test_a_source_that_is_dead_ends_collect_with_69_and_run_with_0(
    operator: Operator, site: Site, sink: Sink, dead_source: str
) -> None:
    site.readers(1)
    operator.set(sources__huggingface__enabled="true", sources__huggingface__url=dead_source)
    done = operator.call("collect", now=MONDAY - timedelta(hours=1))
    assert done.code == 69
    assert "error: no source answered" in done.err
    done = operator.call("run", now=MONDAY)
    assert done.code == 0
    assert "huggingface: failed" in done.err
    (mail,) = sink.accepted
    assert b"could not be read today" in mail.content


def test_some_mails_that_failed_end_with_3(operator: Operator, site: Site, sink: Sink) -> None:
    site.readers(3)
    site.publish()
    sink.on["RCPT"] = lambda _session, recipient: "550 5.1.1 nobody" if recipient == "reader1@example.org" else None
    done = operator.call("deliver", now=MONDAY)
    assert (done.code, done.out, done.err) == (3, "1 rejected, 2 submitted\n", "")


def test_a_process_of_its_own_says_the_same(operator: Operator) -> None:
    operator.forget("smtp__url")
    assert is_clear(operator.run("deliver"), 78, "not set: smtp.url")


def test_a_port_that_is_taken_ends_the_web_part_with_75(operator: Operator, sink: Sink) -> None:
    operator.set(web__bind=f"127.0.0.1:{sink.port}")
    assert is_clear(operator.run("web"), 75, "cannot listen", "web.bind")


def test_a_backup_of_no_database_is_refused_and_makes_none(tmp_path: Path) -> None:
    with Operator(tmp_path / "elsewhere", "smtp://127.0.0.1:9") as operator:
        assert is_clear(operator.call("db", "backup", str(tmp_path / "copy.db")), 2, "there is no database at", "DIGEST_HOME")
    assert list(tmp_path.iterdir()) == []
