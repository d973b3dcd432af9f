"""`digest collect`, and what `status` and `doctor` say of sources: what an operator sees."""

import json
import os
import pty
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from support.hugging_face import HuggingFace
from support.operator import Operator
from support.site import MONDAY, Site
from support.waiting import until

from digest.store.turns import alone

TODAY = MONDAY.date()


@pytest.fixture
def asking(operator: Operator, hugging_face: HuggingFace) -> Operator:
    """Somebody whose Hugging Face has three papers of today."""
    hugging_face.list(TODAY, [1, 2, 3])
    operator.set(sources__huggingface__enabled="true", sources__huggingface__url=hugging_face.url)
    return operator


def write(path: Path, *lines: object) -> str:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return str(path)


def test_what_a_source_brought_is_a_line_with_its_verdict_and_what_that_goes_by(asking: Operator) -> None:
    done = asking.call("collect", now=MONDAY)
    assert (done.code, done.err) == (0, "")
    assert done.out == ("huggingface: 3 new papers, 0 known, 6 new readings (fresh: the list of 2026-03-02 has 3 papers)\n")


def test_the_same_as_json(asking: Operator) -> None:
    (brought,) = asking.call("collect", "huggingface", "--json", now=MONDAY).json["collected"]
    assert brought == {
        "source": "huggingface",
        "verdict": "fresh",
        "evidence": "the list of 2026-03-02 has 3 papers",
        "new": 3,
        "known": 0,
        "readings": 6,
        "retracted": 0,
        "passed_over": {},
        "unusable": 0,
        "problems": [],
        "error": "",
    }


def test_a_dry_run_asks_and_stores_nothing(asking: Operator, hugging_face: HuggingFace) -> None:
    before = asking.call("papers", "list", "--json").json
    done = asking.call("collect", "--dry-run", now=MONDAY)
    assert "3 new papers" in done.out
    assert done.err == "Dry run: nothing was stored.\n"
    assert hugging_face.requests
    assert asking.call("papers", "list", "--json").json == before
    assert asking.call("status", "--json", now=MONDAY).json["sources"][0]["verdict"] is None
    assert not (asking.home / "answers").exists()


def test_a_dry_run_of_a_file_counts_what_is_new_and_what_is_known(operator: Operator, tmp_path: Path) -> None:
    file = write(
        tmp_path / "papers.jsonl",
        {"title": "Known", "arxiv_id": "2603.10001"},
        {"title": "New", "arxiv_id": "2603.30001"},
        "not json",
    )
    done = operator.call("collect", "--dry-run", "--json", "--file", file, now=MONDAY)
    (brought,) = done.json["collected"]
    assert (done.json["dry_run"], brought["new"], brought["known"], brought["unusable"]) == (True, 1, 1, 1)
    assert operator.call("papers", "show", "2603.30001").code == 2


def test_the_readings_of_a_file_bear_the_time_that_the_command_was_told(operator: Operator, tmp_path: Path) -> None:
    file = write(tmp_path / "papers.jsonl", {"title": "A paper", "arxiv_id": "2603.30001", "votes": 4})
    assert operator.call("collect", "--file", file, now=MONDAY).code == 0
    (reading,) = operator.call("papers", "show", "2603.30001", "--json").json["readings"]
    assert reading["taken_at"] == "2026-03-02T06:00:00Z"


def test_a_file_is_no_answer_of_the_source_that_it_was_saved_from(asking: Operator, tmp_path: Path) -> None:
    file = write(tmp_path / "saved.json", [{"paper": {"id": "2603.30001", "title": "A paper", "upvotes": 4}}])
    (brought,) = asking.call("collect", "--json", "--file", file, now=MONDAY).json["collected"]
    assert (brought["source"], brought["new"]) == ("huggingface", 1)
    assert asking.call("status", "--json", now=MONDAY).json["sources"][0]["verdict"] is None


def test_a_saved_answer_without_papers_is_no_error(operator: Operator, tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text("[]")
    done = operator.call("collect", "--file", str(tmp_path / "empty.json"), now=MONDAY)
    assert (done.code, done.out) == (0, "file: 0 new papers, 0 known, 0 new readings (quiet)\n")


def test_lists_since_a_day_are_asked_for(asking: Operator, hugging_face: HuggingFace) -> None:
    assert asking.call("collect", "--since", "2026-02-27", now=MONDAY).code == 0
    assert sorted(path.split("date=")[1][:10] for path in hugging_face.paths) == [
        "2026-02-27",
        "2026-02-28",
        "2026-03-01",
        "2026-03-02",
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("collect --since tomorrow", ["'tomorrow' is not a date"]),
        ("collect --since 2026-03-03", ["2026-03-03 is still to come"]),
        ("collect --since 2026-03-01 --file papers.jsonl", ["--file goes neither with sources nor with --since"]),
        (
            "collect huggingfase",
            ["there is no source 'huggingfase'", "did you mean huggingface? The sources are "],
        ),
    ],
)
def test_what_cannot_be_meant_is_an_error(asking: Operator, hugging_face: HuggingFace, line: str, words: list[str]) -> None:
    done = asking.call(*line.split(), now=MONDAY)
    assert (done.code, done.out) == (2, "")
    assert all(word in done.err for word in words)
    assert hugging_face.requests == []


def test_a_person_is_told_the_first_problems_and_a_program_more(operator: Operator, tmp_path: Path) -> None:
    file = write(tmp_path / "papers.jsonl", {"title": "A paper"}, *["not json"] * 1500)
    done = operator.call("collect", "--file", file, now=MONDAY)
    assert done.err.count("not json") <= done.err.count("\n") == 21
    assert done.err.splitlines()[-1] == "file: and 1,480 more (--json lists them)"
    assert "1,500 problems" in done.out
    (brought,) = operator.call("collect", "--json", "--file", file, now=MONDAY).json["collected"]
    assert (brought["unusable"], len(brought["problems"])) == (1500, 1000)


def test_a_source_that_does_not_answer_ends_with_69_and_says_why(asking: Operator, hugging_face: HuggingFace) -> None:
    hugging_face.status = 404
    done = asking.call("collect", now=MONDAY)
    assert (done.code, done.out) == (69, "")
    assert "huggingface: failed: Hugging Face was asked for the papers of 2026-03-02: it answered 404" in done.err
    assert "Traceback" not in done.err


def test_a_source_that_another_process_is_asking_ends_with_75(asking: Operator, site: Site, hugging_face: HuggingFace) -> None:
    asking.set(sources__budget="1s")
    with alone(site.app.store, "asking huggingface", 0):
        done = asking.call("collect", now=MONDAY)
    assert done.code == 75
    assert "error: another process is asking Hugging Face" in done.err
    assert hugging_face.requests == []


def test_at_a_terminal_each_source_has_a_line_that_tells_how_far_it_is(asking: Operator, hugging_face: HuggingFace) -> None:
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "digest", "collect", "--now", MONDAY.isoformat()],
        env=asking.environ | {"TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=follower,
    ) as process:
        os.close(follower)
        drawn = b""
        try:
            while piece := os.read(leader, 4096):
                drawn += piece
        except OSError:  # the other end is closed
            pass
        assert process.stdout is not None
        out = process.stdout.read().decode()
    os.close(leader)
    assert process.returncode == 0
    assert b"huggingface" in drawn
    assert b"of 15" in drawn or b"fresh, 3 papers" in drawn
    assert "\x1b" not in out
    assert out.startswith("huggingface: 3 new papers")


def test_somebody_who_will_not_wait_any_longer_is_let_go_at_once(asking: Operator, hugging_face: HuggingFace) -> None:
    hugging_face.open.clear()
    process = asking.start("collect", now=MONDAY)
    until(lambda: hugging_face.requests)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=15)
    assert (process.returncode, out, err) == (130, "", "stopped\n")
    hugging_face.open.set()
    assert asking.call("status", "--json", now=MONDAY).json["sources"][0]["verdict"] is None


def test_a_run_tells_what_its_sources_brought(asking: Operator) -> None:
    done = asking.call("run", now=MONDAY)
    assert done.out.startswith("huggingface: 3 new papers, 0 known, 6 new readings (fresh: ")
    (brought,) = asking.call("run", "--json", now=MONDAY + timedelta(hours=2)).json["collected"]
    assert (brought["source"], brought["known"]) == ("huggingface", 3)


class TestStatus:
    def lines(self, operator: Operator, **later: float) -> list[str]:
        out = operator.call("status", now=MONDAY + timedelta(**later)).out
        return [line.removeprefix("source         ") for line in out.splitlines() if line.startswith("source ")]

    def test_a_source_that_was_never_asked_is_said_to_be_so(self, asking: Operator) -> None:
        assert self.lines(asking) == ["huggingface: never asked"]

    def test_a_source_that_is_not_enabled_is_not_shown(self, operator: Operator) -> None:
        assert self.lines(operator) == []

    def test_a_source_that_answered_is_shown_with_its_proof(self, asking: Operator) -> None:
        asking.call("collect", now=MONDAY)
        assert self.lines(asking, minutes=1) == [
            "huggingface: fresh at Mon 2026-03-02 06:00Z, 3 papers: the list of 2026-03-02 has 3 papers"
        ]

    def test_one_that_failed_is_shown_with_the_cause_and_its_last_good_answer(
        self, asking: Operator, hugging_face: HuggingFace
    ) -> None:
        hugging_face.status = 404
        asking.call("collect", now=MONDAY)
        assert self.lines(asking, minutes=1)[0].endswith("it answered 404; it never answered")
        hugging_face.status = 200
        asking.call("collect", now=MONDAY + timedelta(hours=1))
        hugging_face.status = 404
        asking.call("collect", now=MONDAY + timedelta(hours=2))
        (line,) = self.lines(asking, hours=2, minutes=1)
        assert line.startswith("huggingface: failed at Mon 2026-03-02 08:00Z, 0 papers: Hugging Face was asked for")
        assert line.endswith("; last good answer Mon 2026-03-02 07:00Z")

    def test_programs_get_the_same_by_keys(self, asking: Operator) -> None:
        asking.call("collect", now=MONDAY)
        (source,) = asking.call("status", "--json", now=MONDAY + timedelta(minutes=1)).json["sources"]
        assert source["at"].startswith("2026-03-02T06:00:")
        assert source["answered_at"] == source["at"]
        assert {name: source[name] for name in source if name not in ("at", "answered_at")} == {
            "source": "huggingface",
            "verdict": "fresh",
            "sightings": 3,
            "newest": "arxiv:2603.00003",
            "error": None,
            "evidence": "the list of 2026-03-02 has 3 papers",
            "not_before": None,
        }


class TestDoctor:
    def findings(self, operator: Operator, **later: float) -> list[tuple[str, str, str]]:
        found = operator.call("doctor", "--json", now=MONDAY + timedelta(**later)).json["checks"]
        return [(one["grade"], one["what"], one["fix"] or "") for one in found if one["check"] == "sources"]

    def test_it_names_what_is_enabled_and_asks_nobody(self, asking: Operator, hugging_face: HuggingFace) -> None:
        assert self.findings(asking) == [("ok", "enabled: huggingface", "")]
        assert hugging_face.requests == []

    def test_it_warns_where_nothing_brings_papers(self, operator: Operator) -> None:
        ((grade, what, fix),) = self.findings(operator)
        assert (grade, what) == ("warn", "no source of papers is enabled")
        assert "digest collect --file" in fix

    def test_it_names_the_keys_that_a_source_lacks(self, asking: Operator) -> None:
        asking.set(sources__openalex__enabled="true", sources__github__enabled="true", sources__github__token="t" * 20)
        said = self.findings(asking)
        assert said[0][1] == "enabled: huggingface, openalex, github"
        assert [what.partition(" ")[0] for _, what, _ in said[1:]] == ["sources.openalex.key"]
        assert "DIGEST_SOURCES__OPENALEX__KEY" in said[1][2]

    def test_it_warns_of_a_source_that_is_missing(self, asking: Operator, hugging_face: HuggingFace) -> None:
        hugging_face.status = 404
        asking.call("collect", now=MONDAY)
        said = self.findings(asking, minutes=1)
        assert said[1][1].startswith("huggingface: failed at 2026-03-02 06:00Z: ")
        assert said[1][2] == "digest collect huggingface"


def test_a_paper_that_was_retracted_is_shown_as_such(operator: Operator, site: Site) -> None:
    from digest.store import papers

    with site.app.store.write() as connection:
        papers.retract(connection, ["arxiv:2603.10001"], MONDAY)
    assert "retracted: a source says" in operator.call("papers", "show", "2603.10001").out
    assert "retracted" not in operator.call("papers", "show", "2603.10002").out
    assert operator.call("papers", "show", "2603.10001", "--json").json["retracted"] is True


def test_the_shell_completes_the_names_of_sources(asking: Operator) -> None:
    words = {"_DIGEST_COMPLETE": "complete_bash", "COMP_WORDS": "digest collect hu", "COMP_CWORD": "2"}
    process = asking.start(environ=words)
    out, _ = process.communicate(timeout=60)
    assert out.split() == ["huggingface"]
