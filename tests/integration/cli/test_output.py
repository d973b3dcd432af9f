"""stdout is data and stderr is talk; with --json it is one object with the keys that tools rely on."""

import os
import shlex
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from support.operator import Operator
from support.sink import DROP, Sink
from support.site import MONDAY, Site

from digest.store import holding

DELIVERY_KEYS = {"email", "edition", "state", "attempts", "message_id", "in_doubt_at", "reply"}


def test_papers_have_their_keys_and_all_are_listed(operator: Operator) -> None:
    listed = operator.call("papers", "list", "--json").json
    assert set(listed) == {"papers"}
    assert len(listed["papers"]) == 60
    assert {"id", "arxiv_id", "title"} <= set(listed["papers"][0])
    assert listed["papers"][-1]["arxiv_id"].startswith("2603.1")
    assert len(operator.call("papers", "list", "--json", "--limit", "7").json["papers"]) == 7
    assert {row["title"] for row in operator.call("papers", "search", "galaxy", "--json").json["papers"]} == {
        f"A galaxy study, number {n}" for n in range(5, 60, 10)
    }


def test_subscribers_have_their_keys_and_all_are_listed(operator: Operator, site: Site) -> None:
    site.readers(130)
    listed = operator.call("subscribers", "list", "--json").json
    assert set(listed) == {"subscribers"}
    assert len(listed["subscribers"]) == 130
    assert {"email", "state"} <= set(listed["subscribers"][0])


def test_deliveries_have_their_keys_and_all_are_listed(operator: Operator, site: Site) -> None:
    site.readers(130)
    site.publish()
    site.deliver()
    listed = operator.call("deliveries", "list", "--json").json
    assert set(listed) == {"deliveries"}
    assert len(listed["deliveries"]) == 130
    row = listed["deliveries"][0]
    assert set(row) >= DELIVERY_KEYS
    assert (row["edition"], row["state"], row["attempts"]) == ("2026-03-02", "submitted", 1)
    assert (row["in_doubt_at"], row["reply"]) == (None, "250 2.0.0 taken")
    assert f"<{row['message_id']}>" == site.sink.by_recipient[row["email"]][0].message_id


def test_a_delivery_shows_its_picks_and_rank_told_them_before(operator: Operator, site: Site) -> None:
    site.readers(1)
    site.publish()
    told = operator.call("rank", "--for", "reader0@example.org", "--json", now=MONDAY).json["papers"]
    site.deliver()
    number = operator.call("deliveries", "list", "--json").json["deliveries"][0]["id"]
    picks = operator.call("deliveries", "show", str(number), "--json").json["picks"]
    assert [pick["section"] for pick in picks] == ["card"] * 3 + ["also"] * 2
    assert [pick["title"] for pick in picks] == [paper["title"] for paper in told]


def test_a_run_reports_what_it_did(operator: Operator, site: Site) -> None:
    site.readers(2)
    done = operator.call("run", "--json", now=MONDAY)
    assert set(done.json) == {"collected", "editions", "deliveries"}
    assert [edition["edition"] for edition in done.json["editions"]] == ["2026-03-02", "2026-03-02-weekly"]
    assert done.json["deliveries"]["states"] == {"submitted": 2}
    again = operator.call("run", "--json", now=MONDAY + timedelta(minutes=10)).json
    assert [edition["new"] for edition in again["editions"]] == [False, False]
    assert again["deliveries"]["states"] == {}


def test_a_dry_run_says_what_would_happen_and_does_nothing(operator: Operator, site: Site, sink: Sink) -> None:
    site.readers(2)
    said = operator.call("run", "--dry-run", "--json", now=MONDAY).json
    assert said == {
        "would_collect": [],
        "would_freeze": ["2026-03-02", "2026-03-02 (weekly)"],
        "due": {"queued": 0, "readers": 2},
    }
    assert operator.call("deliveries", "list", "--json", now=MONDAY).json == {"deliveries": []}
    assert sink.sessions == []


def test_a_dry_run_foretells_the_editions_of_the_day_that_it_is_told(operator: Operator, site: Site) -> None:
    early = MONDAY - timedelta(hours=20)
    foretold = [operator.call("run", "--dry-run", "--json", *told, now=early).json for told in ([], ["--date", "2026-03-02"])]
    assert [one["would_freeze"] for one in foretold] == [["2026-03-01"], ["2026-03-02", "2026-03-02 (weekly)"]]


def test_the_ranking_names_the_terms_of_each_score(operator: Operator) -> None:
    ranked = operator.call("rank", "--json", "--top", "3", now=MONDAY).json
    assert ranked["candidates"] == 60
    assert [paper["place"] for paper in ranked["papers"]] == [1, 2, 3]
    first = ranked["papers"][0]
    assert sum(term["score"] for term in first["terms"]) == pytest.approx(first["score"])
    assert first["why"]


def test_status_tells_what_is_next_and_how_the_last_edition_went(operator: Operator, site: Site) -> None:
    site.readers(2)
    site.publish()
    site.deliver()
    status = operator.call("status", "--json", now=MONDAY).json
    assert status["next_edition_at"] == "2026-03-03T06:00:00Z"
    assert status["last_edition"]["deliveries"] in ({"submitted": 2}, {})
    assert status["subscribers"] == {"active": 2}
    assert status["queue"] == {}
    assert status["paused_since"] is None


def test_status_and_the_doctor_tell_of_mails_that_nobody_mails(operator: Operator, site: Site) -> None:
    site.subscribe("ann@example.org", hour="7")
    site.publish()
    early, late = MONDAY + timedelta(minutes=59), MONDAY + timedelta(hours=2, seconds=1)
    assert "next mail      Mon 2026-03-02 07:00Z" in operator.call("status", now=early).out
    assert "next mail      due since Mon 2026-03-02 07:00Z: digest run" in operator.call("status", now=late).out
    assert "mails are due since" not in operator.call("doctor", now=MONDAY + timedelta(hours=1, minutes=59)).out
    assert " warn  mails      mails are due since 2026-03-02 07:00Z" in operator.call("doctor", now=late).out
    site.later(hours=2)
    site.deliver()
    assert "due since" not in operator.call("status", now=late).out + operator.call("doctor", now=late).out


def test_status_says_since_when_digests_are_held_back(operator: Operator, site: Site) -> None:
    with site.app.store.write() as connection:
        holding.pause(connection, MONDAY, "ann")
    assert operator.call("status", "--json", now=MONDAY).json["paused_since"] == "2026-03-02T06:00:00Z"
    assert "held back since Mon 2026-03-02 06:00Z" in operator.call("status", now=MONDAY).out


def test_what_is_held_back_goes_out_when_it_is_released(operator: Operator, site: Site) -> None:
    site.readers(2)
    site.publish()
    for words in ("held back, since Mon 2026-03-02 06:00Z", "held back already, since Mon 2026-03-02 06:00Z"):
        assert words in operator.call("hold", now=MONDAY).err
    done = operator.call("deliver", now=MONDAY)
    assert "to let them go: digest release" in done.err
    assert "to let them go: digest release" in operator.call("status", now=MONDAY).out
    assert "digests are held back since 2026-03-02 06:00Z" in operator.call("doctor", now=MONDAY).out
    assert site.sink.accepted == []
    assert "go out again; they were held back since" in operator.call("release", now=MONDAY).err
    assert operator.call("release", now=MONDAY).err == "Digests go out; none was held back.\n"
    assert "held back" not in operator.call("deliver", now=MONDAY).err
    assert len(site.sink.accepted) == 2
    assert operator.call("doctor", now=MONDAY).out.count("held back") == 0


def test_the_clock_starts_at_now_wherever_it_stands_in_the_line(operator: Operator) -> None:
    moment = "2026-03-02T21:00:00Z"
    for line in (f"--now {moment} status --json", f"status --now={moment} --json", f"status --json --now {moment}"):
        assert operator.call(*shlex.split(line)).json["now"].startswith("2026-03-02T21:00:0"), line


def test_nothing_later_than_now_is_ranked_or_due_but_lists_show_it(operator: Operator, site: Site) -> None:
    site.readers(1)
    before = MONDAY - timedelta(days=1)
    assert operator.call("rank", "--json", now=before).json["candidates"] == 0
    assert operator.call("run", "--json", now=before).json["deliveries"]["states"] == {}
    assert len(operator.call("papers", "list", "--json", now=before).json["papers"]) == 60
    assert len(operator.call("subscribers", "list", "--json", now=before).json["subscribers"]) == 1


@pytest.mark.parametrize(
    "line",
    [
        "status",
        "papers list --limit 3",
        "papers show 2603.10001",
        "papers search galaxy",
        "rank --top 3",
        "explain reader0@example.org 2603.10001",
        "publish",
        "deliver",
        "deliveries list",
        "deliveries show 1",
        "subscribers list",
        "suppressions list",
        "config show",
        "config check",
        "db current",
        "doctor",
        "preview --format text",
        "subscribers show reader0@example.org",
        "subscribers history reader0@example.org",
        "run",
    ],
)
def test_every_command_that_tells_something_tells_it_on_stdout(operator: Operator, site: Site, line: str) -> None:
    site.readers(1)
    site.publish()
    site.deliver()
    done = operator.call(*line.split(), now=MONDAY)
    assert done.code == 0, done.err
    assert done.out
    assert "\x1b" not in done.out
    if "--format" not in line:
        asked = operator.call(*line.split(), "--json", now=MONDAY)
        assert isinstance(asked.json, dict)


@pytest.mark.parametrize(
    "line",
    [
        "subscribers add ann@example.org --confirmed",
        "subscribers set reader0@example.org --hour 8",
        "subscribers pause reader0@example.org",
        "suppressions add bob@example.org",
        "papers hide 2603.10001",
        "papers pin 2603.10001",
    ],
)
def test_a_command_that_only_does_something_talks_on_stderr(operator: Operator, site: Site, line: str) -> None:
    site.readers(1)
    done = operator.call(*line.split(), now=MONDAY)
    assert (done.code, done.out) == (0, "")
    assert done.err


def test_text_from_outside_brings_no_escape_codes_to_a_terminal(
    operator: Operator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("outside") / "papers.jsonl"
    file.write_text('{"title": "Red \\u001b[31malert\\u001b[0m", "arxiv_id": "2603.20000"}\n')
    operator.call("collect", "--file", str(file))
    for line in ("papers list", "papers show 2603.20000"):
        out = operator.call(*line.split()).out
        assert "alert" in out
        assert "\x1b" not in out


def test_a_mail_in_doubt_is_listed_shown_and_settled_by_the_operator(operator: Operator, site: Site) -> None:
    site.readers(1)
    site.publish()
    site.sink.on["CONTENT"] = lambda *_: DROP
    assert operator.call("deliver", now=MONDAY).code == 3
    (row,) = operator.call("deliveries", "list", "--state", "in_doubt", "--json").json["deliveries"]
    assert row["in_doubt_at"].startswith("2026-03-02T06:00:")
    number = str(row["id"])
    asked = operator.call("deliveries", "resolve", number, "queued")
    assert (asked.code, "--yes" in asked.err) == (2, True)
    assert operator.call("deliveries", "resolve", number, "submitted", now=MONDAY).code == 0
    shown = operator.call("deliveries", "show", number, "--json").json
    assert (shown["state"], shown["in_doubt_at"]) == ("submitted", row["in_doubt_at"])
    assert operator.call("deliver", now=MONDAY + timedelta(minutes=20)).code == 0
    assert site.sink.accepted == []


def test_a_rejected_mail_goes_again_at_the_operators_word(operator: Operator, site: Site) -> None:
    site.readers(1)
    site.publish()
    site.sink.on["RCPT"] = lambda *_: "554 5.7.1 not today"
    operator.call("deliver", now=MONDAY)
    del site.sink.on["RCPT"]
    assert operator.call("deliver", now=MONDAY).out.startswith("nothing to mail")
    assert operator.call("deliveries", "retry", "1", now=MONDAY).code == 0
    assert operator.call("deliver", now=MONDAY).out == "1 submitted\n"


def test_doctor_says_when_visitors_cannot_be_told_apart(operator: Operator) -> None:
    def warned() -> list[str]:
        return [one["fix"] for one in operator.call("doctor", "--json").json["checks"] if one["check"] == "web"]

    assert warned() == ['name the proxy there, as in web.trusted_proxies = ["127.0.0.1"]']
    operator.set(web__trusted_proxies="127.0.0.1")
    assert warned() == []
    operator.forget("web__trusted_proxies")
    operator.set(site__public_url="http://localhost:8000")
    assert warned() == []


def test_doctor_tries_the_words_of_every_language(operator: Operator, home: Path) -> None:
    catalogue = home / "templates" / "email" / "_languages" / "fr.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text('msgid "Welcome, %(name)s"\nmsgstr "Salut, %(nom)s"\n', encoding="utf-8")
    checks = operator.call("doctor", "--json").json["checks"]
    (said,) = (check for check in checks if check["check"] == "templates")
    assert said["grade"] == "fail"
    assert "fr.po: the text for 'Welcome, %(name)s' names other values" in said["what"]


def test_doctor_mails_a_test_and_says_what_the_server_said(operator: Operator, sink: Sink) -> None:
    done = operator.call("doctor", "--smtp", "--send-to", "ann@example.org", "--json")
    assert done.code == 0
    checks = {check["check"]: check for check in done.json["checks"]}
    assert checks["smtp"]["grade"] == checks["mail"]["grade"] == "ok"
    assert "250 2.0.0 taken" in checks["mail"]["what"]
    assert sink.recipients == ["ann@example.org"]
    assert operator.call("deliveries", "list", "--json").json == {"deliveries": []}


@pytest.mark.parametrize(
    ("phase", "answer", "words"),
    [
        ("CONNECT", "554 5.7.1 go away", "go away"),
        ("MAIL", "553 5.1.8 not yours", "does not let you send as digest@example.org"),
        ("RCPT", "550 5.7.1 relaying denied", "does not relay to that address"),
        ("CONTENT", "554 5.6.0 no", "554 5.6.0 no"),
    ],
)
def test_doctor_names_the_usual_cause_of_a_failure(operator: Operator, sink: Sink, phase: str, answer: str, words: str) -> None:
    sink.on[phase] = lambda *_: answer
    done = operator.call("doctor", "--send-to", "ann@example.org")
    assert done.code == 69
    assert " fail " in done.out
    assert words in done.out
    assert "Traceback" not in done.out + done.err


PRINTING = [
    "papers list --json",
    "papers list",
    "subscribers export",
    "config show",
    "--version",
    "--help",
    "papers list --help",
]


@pytest.mark.parametrize("line", PRINTING)
@pytest.mark.parametrize("buffered", [True, False])
def test_a_reader_of_the_output_may_go_away(operator: Operator, line: str, *, buffered: bool) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = _output_to(writing, operator, line, buffered=buffered)
    assert (done.returncode, "rror" in done.stderr) == (0, False)


@pytest.mark.parametrize("line", [*PRINTING, "init --yes --json"])
@pytest.mark.parametrize("buffered", [True, False])
def test_a_full_disk_is_told_and_not_taken_for_success(operator: Operator, line: str, *, buffered: bool) -> None:
    done = _output_to(os.open("/dev/full", os.O_WRONLY), operator, line, buffered=buffered)
    told = "error: cannot write standard output: No space left on device\n  fix: make room for it\n"
    assert (done.returncode, done.stderr.count("rror"), done.stderr.endswith(told)) == (75, 1, True)


@pytest.mark.parametrize("line", ["subscribers export", "preview"])
@pytest.mark.parametrize(
    ("file", "code", "told"),
    [
        ("/dev/full", 75, "error: the disk of /dev is full\n  fix: make room, then call this again\n"),
        ("/proc/cpuinfo/no", 77, "error: /proc/cpuinfo/no cannot be written: Not a directory\n  fix: check owner and mode "),
    ],
)
def test_a_file_that_cannot_be_written_is_told_and_no_success(
    operator: Operator, site: Site, line: str, file: str, code: int, told: str
) -> None:
    site.readers(1)
    done = operator.call(*line.split(), "--out", file, now=MONDAY)
    assert (done.code, told in done.err, "readers written" in done.err) == (code, True, False)


def test_mails_go_out_though_nobody_can_read_of_it(operator: Operator, site: Site) -> None:
    site.readers(2)
    line = f"run --now {MONDAY.isoformat()}"
    assert _output_to(os.open("/dev/full", os.O_WRONLY), operator, line, buffered=True).returncode == 75
    assert len(site.sink.by_recipient) == 2


def _output_to(target: int, operator: Operator, line: str, *, buffered: bool) -> "subprocess.CompletedProcess[str]":
    environ = operator.environ | {"PYTHONUNBUFFERED": "" if buffered else "1"}
    with open(target, "wb") as stdout:
        return subprocess.run(
            [sys.executable, "-m", "digest", *line.split()],
            env=environ,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )


def test_data_is_utf_8_whatever_the_terminal_speaks(operator: Operator) -> None:
    operator.call("subscribers", "add", "ann@example.org", "--confirmed", "--name", "Zoë 木")
    for command in (["export"], ["show", "ann@example.org", "--json"]):
        process = operator.start("subscribers", *command, environ={"PYTHONIOENCODING": "ascii"})
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert "Zoë 木" in out


def test_a_closed_stderr_fails_no_command(operator: Operator) -> None:
    line = f"{shlex.quote(sys.executable)} -m digest subscribers add ann@example.org --confirmed 2>&-"
    done = subprocess.run(["/bin/sh", "-c", line], env=operator.environ, stdout=subprocess.PIPE, check=False)
    assert (done.returncode, done.stdout) == (0, b"")
