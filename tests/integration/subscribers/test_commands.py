import csv
import io
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from digest.cli import run


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Digest = Callable[..., Ran]


@pytest.fixture
def digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Digest:
    """Calls `digest` with its state in an empty folder."""
    for name in list(os.environ):
        if name.startswith("DIGEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DIGEST_HOME", str(tmp_path))
    monkeypatch.setenv("DIGEST_SITE__PUBLIC_URL", "https://papers.example.org")

    def call(*arguments: str, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = run([*arguments, "--now", "2026-11-22T12:00:00Z"])
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return call


def emails(digest: Digest, *options: str) -> list[str]:
    return [row["email"] for row in digest("subscribers", "list", "--json", *options).json["subscribers"]]


def test_who_is_added_is_listed_with_all_he_chose(digest: Digest) -> None:
    choice = (
        "--zone",
        "Europe/Berlin",
        "--hour",
        "8",
        "--days",
        "mon,tue",
        "--cadence",
        "daily",
        "--size",
        "5",
        "--share",
        "0.8",
    )
    added = digest(
        "subscribers", "add", "Ann@Example.org", "--confirmed", "--topic", "graphs", "--topic", "robots",
        "--keyword", "CRISPR", "--author", "Doe, Jane", "--category", "cs.cl, q-bio.NC", "--mute", "survey",
        "--like", "2301.00001v2", "--like", "https://doi.org/10.1000/X", "--name", "Ann Lee", *choice,
    )  # fmt: skip
    assert (added.code, added.out) == (0, "")
    assert added.err == "2 papers liked\nAnn@example.org is subscribed.\n"
    assert digest("subscribers", "list", "--json").json == {
        "subscribers": [
            {
                "email": "Ann@example.org",
                "state": "active",
                "name": "Ann Lee",
                "topics": ["graphs", "robots"],
                "keywords": ["CRISPR"],
                "authors": ["Jane Doe"],
                "categories": ["cs.CL", "q-bio.NC"],
                "mutes": ["survey"],
                "likes": ["arxiv:2301.00001", "doi:10.1000/x"],
                "dislikes": [],
                "zone": "Europe/Berlin",
                "hour": "08:00",
                "days": ["mon", "tue"],
                "cadence": "daily",
                "size": 5,
                "share": 0.8,
                "language": None,
                "created_at": digest("subscribers", "show", "ann@example.org", "--json").json["created_at"],
                "confirmed_at": digest("subscribers", "show", "ann@example.org", "--json").json["confirmed_at"],
                "paused_until": None,
                "next_due_at": "2026-11-23T07:00:00Z",
            }
        ]
    }


def test_a_list_for_people_shows_everybody_and_the_totals(digest: Digest) -> None:
    digest("subscribers", "add", "ann@example.org", "--confirmed")
    digest("subscribers", "add", "bob@example.org")
    listed = digest("subscribers", "list")
    assert "ann@example.org" in listed.out
    assert listed.err == "2 shown; in all: 1 active, 1 pending\n"


def test_lists_can_be_narrowed(digest: Digest) -> None:
    digest("subscribers", "add", "ann@example.org", "--confirmed")
    digest("subscribers", "add", "bob@example.org")
    assert emails(digest) == ["ann@example.org", "bob@example.org"]
    assert emails(digest, "--state", "pending") == ["bob@example.org"]
    assert emails(digest, "--limit", "1") == ["ann@example.org"]
    assert emails(digest, "--search", "BOB") == ["bob@example.org"]
    assert digest("subscribers", "list", "--state", "happy").code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("subscribers", "add", "nobody"), 65, "'nobody' is not an email address"),
        (("subscribers", "add", "a@example.org", "--zone", "Europe/Berln"), 65, "did you mean Europe/Berlin"),
        (("subscribers", "add", "a@example.org", "--hour", "25"), 65, "write it like 8 or 07:30"),
        (("subscribers", "show", "a@example.org"), 2, "a@example.org is no subscriber"),
        (("subscribers", "erase", "a@example.org", "--yes"), 2, "a@example.org is no subscriber"),
        (("subscribers", "import", "/nowhere/readers.csv", "--confirmed"), 2, "cannot read /nowhere/readers.csv"),
        (("subscribers", "pause", "a@example.org", "--until", "soon"), 2, "is not a date"),
        (("subscribers", "pause", "a@example.org", "--until", "2026-12-01", "--for", "3d"), 2, "give one of them"),
        (("subscribers", "add", "a@example.org", "--category", "!!"), 65, "write it like cs.CL, cs or q-bio.NC"),
        (("subscribers", "add", "a@example.org", *(f"--topic=t{n}" for n in range(51))), 65, "more than 50"),
        (("subscribers", "add", "a@example.org", "--like", "the one about graphs"), 2, "cannot read the one about graphs"),
        (("subscribers", "set", "a@example.org", "--like", "2301.00001"), 2, "a@example.org is no subscriber"),
        (("subscribers", "rate", "a@example.org", "2301.00001", "more"), 2, "a@example.org is no subscriber"),
        (("subscribers", "rate", "a@example.org", "2301.00001", "most"), 2, "one of more, less, neither"),
        (("suppressions", "add", "nobody"), 65, "is not an email address"),
    ],
)
def test_a_mistake_ends_in_what_and_how_to_mend_it(digest: Digest, arguments: tuple[str, ...], code: int, said: str) -> None:
    ran = digest(*arguments)
    assert ran.code == code
    assert ran.err.startswith("error: ")
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""


def test_a_confirmation_without_a_public_address_ends_with_78(digest: Digest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIGEST_SITE__PUBLIC_URL")
    ran = digest("subscribers", "add", "ann@example.org")
    assert ran.code == 78
    assert "site.public_url" in ran.err
    assert digest("subscribers", "add", "ann@example.org", "--confirmed").code == 0


def test_adding_twice_is_no_error_and_changes_nothing(digest: Digest) -> None:
    digest("subscribers", "add", "ann@example.org", "--confirmed", "--hour", "8")
    again = digest("subscribers", "add", "ANN@example.org", "--confirmed", "--hour", "9")
    assert again.code == 0
    assert "already" in again.err
    assert digest("subscribers", "show", "ann@example.org", "--json").json["hour"] == "08:00"


def test_set_changes_what_is_named_and_only_that(digest: Digest) -> None:
    digest("subscribers", "add", "ann@example.org", "--confirmed", "--topic=graphs", "--keyword=x1", "--hour=8", "--size=5")
    digest("subscribers", "set", "ann@example.org", "--topic", "robots", "--hour", "none", "--size", "default")
    row = digest("subscribers", "show", "ann@example.org", "--json").json
    assert (row["topics"], row["keywords"], row["hour"], row["size"]) == (["robots"], ["x1"], None, None)
    digest("subscribers", "set", "ann@example.org", "--no-topics", "--days", "weekdays")
    row = digest("subscribers", "show", "ann@example.org", "--json").json
    assert (row["topics"], row["keywords"], row["days"]) == ([], ["x1"], ["mon", "tue", "wed", "thu", "fri"])
    assert row["language"] is None
    for given, kept in (("Deutsch", "de"), ("fr", "fr"), ("default", None)):
        digest("subscribers", "set", "ann@example.org", "--language", given)
        assert digest("subscribers", "show", "ann@example.org", "--json").json["language"] == kept
    wrong = digest("subscribers", "set", "ann@example.org", "--language", "kl")
    assert (wrong.code, "one of en, de, fr, es" in wrong.err) == (65, True)


def test_interests_of_a_kind_are_replaced_and_the_others_stay(digest: Digest) -> None:
    kinds = ("--author=Jane Doe", "--category=cs", "--mute=survey", "--topic=graphs")
    digest("subscribers", "add", "ann@example.org", "--confirmed", *kinds)
    digest("subscribers", "set", "ann@example.org", "--author", "Kaan Oktay", "--no-mutes")
    row = digest("subscribers", "show", "ann@example.org", "--json").json
    assert (row["authors"], row["categories"], row["mutes"], row["topics"]) == (["Kaan Oktay"], ["cs"], [], ["graphs"])
    digest("subscribers", "set", "ann@example.org", "--no-authors", "--no-categories")
    row = digest("subscribers", "show", "ann@example.org", "--json").json
    assert (row["authors"], row["categories"]) == ([], [])


def test_interests_are_limited_whenever_they_were_stated(digest: Digest) -> None:
    digest("subscribers", "add", "ann@example.org", "--confirmed", *(f"--topic=topic {n}" for n in range(50)))
    refused = digest("subscribers", "set", "ann@example.org", "--keyword", "one more")
    assert refused.code == 65
    assert "more than 50 interests" in refused.err
    assert digest("subscribers", "set", "ann@example.org", "--topic", "graphs", "--keyword", "one more").code == 0


BIBTEX = (
    "@misc{a, title={Graphs}, eprint={2301.00001}}\nsomething else\n10.1000/x\n@book{b, title={A Book}, author={Doe, Jane}}\n"
)


def test_a_library_is_liked_and_what_cannot_be_read_is_told(digest: Digest, tmp_path: Path) -> None:
    (tmp_path / "papers.bib").write_text(BIBTEX)
    digest("subscribers", "add", "ann@example.org", "--confirmed", "--like", "2302.00002")
    ran = digest("subscribers", "set", "ann@example.org", "--like", str(tmp_path / "papers.bib"), "--like", "2302.00002")
    assert ran.code == 0
    assert "line 2: no arXiv id, no DOI and no entry of BibTeX: something else" in ran.err
    assert "3 papers liked; 1 already" in ran.err
    liked = ["arxiv:2302.00002", "arxiv:2301.00001", "doi:10.1000/x", "title:a book|doe"]
    assert digest("subscribers", "show", "ann@example.org", "--json").json["likes"] == liked
    assert "4 likes" in digest("subscribers", "list").out
    digest("subscribers", "set", "ann@example.org", "--no-likes")
    assert digest("subscribers", "show", "ann@example.org", "--json").json["likes"] == []


def test_a_library_may_come_through_a_pipe(digest: Digest) -> None:
    ran = digest("subscribers", "add", "ann@example.org", "--confirmed", "--like", "-", stdin=BIBTEX.encode() + b"\xff\xfe\n")
    assert ran.code == 0
    assert "3 papers liked" in ran.err


def test_a_library_of_nothing_ends_with_65_and_adds_nobody(digest: Digest, tmp_path: Path) -> None:
    (tmp_path / "novel.txt").write_text("Call me Ishmael.\n" * 20)
    ran = digest("subscribers", "add", "ann@example.org", "--confirmed", "--like", str(tmp_path / "novel.txt"))
    assert ran.code == 65
    assert "and 10 more that cannot be read" in ran.err
    assert emails(digest) == []


def test_a_reader_is_rated_for_and_the_last_word_counts(digest: Digest) -> None:
    digest("subscribers", "add", "ann@example.org", "--confirmed")
    ran = digest("subscribers", "rate", "ann@example.org", "https://arxiv.org/abs/2301.00001", "more", "--json")
    assert ran.json == {
        "email": "ann@example.org",
        "paper": "arxiv:2301.00001",
        "title": None,
        "verdict": "more",
        "new": True,
    }
    digest("subscribers", "rate", "ann@example.org", "2301.00001", "less")
    row = digest("subscribers", "show", "ann@example.org", "--json").json
    assert (row["likes"], row["dislikes"]) == ([], ["arxiv:2301.00001"])
    assert digest("subscribers", "rate", "ann@example.org", "2301.00001", "less", "--json").json["new"] is False
    digest("subscribers", "rate", "ann@example.org", "2301.00001", "neither")
    assert digest("subscribers", "show", "ann@example.org", "--json").json["dislikes"] == []
    rated = [
        one for one in digest("subscribers", "history", "ann@example.org", "--json").json["events"] if one["kind"] == "rated"
    ]
    assert [next(iter(one["details"])) for one in rated] == ["more", "less", "neither"]


def test_a_reader_s_life_is_told_by_his_history(digest: Digest) -> None:
    digest("subscribers", "add", "ann@example.org")
    assert digest("subscribers", "confirm", "ann@example.org").err == "ann@example.org is active\n"
    assert "2026-12-06 12:00Z" in digest("subscribers", "pause", "ann@example.org", "--for", "14d").err
    digest("subscribers", "resume", "ann@example.org")
    digest("subscribers", "unsubscribe", "ann@example.org")
    kinds = [event["kind"] for event in digest("subscribers", "history", "ann@example.org", "--json").json["events"]]
    assert kinds == ["subscribed", "confirmed", "paused", "resumed", "unsubscribed"]
    assert "unsubscribed" in digest("subscribers", "history", "ann@example.org").out


def test_a_pause_until_a_day_ends_as_that_day_begins_where_he_lives(digest: Digest) -> None:
    digest("subscribers", "add", "ann@example.org", "--confirmed", "--zone", "Asia/Tokyo")
    digest("subscribers", "pause", "ann@example.org", "--until", "2026-12-01")
    assert digest("subscribers", "show", "ann@example.org", "--json").json["paused_until"] == "2026-11-30T15:00:00Z"


def test_erasing_asks_somebody_or_is_told_yes(digest: Digest) -> None:
    digest("subscribers", "add", "ann@example.org", "--confirmed")
    refused = digest("subscribers", "erase", "ann@example.org")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert digest("subscribers", "erase", "ann@example.org", "--dry-run").code == 0
    assert emails(digest) == ["ann@example.org"]
    assert digest("subscribers", "erase", "ann@example.org", "--yes").code == 0
    assert emails(digest) == []
    assert digest("suppressions", "list", "--json").json["suppressions"][0]["reason"] == "erased"


def test_a_suppressed_address_cannot_be_added_until_it_is_allowed(digest: Digest) -> None:
    digest("subscribers", "add", "ann@example.org", "--confirmed")
    assert digest("suppressions", "add", "ann@example.org", "--reason", "asked by telephone").code == 0
    assert digest("subscribers", "show", "ann@example.org", "--json").json["state"] == "unsubscribed"
    refused = digest("subscribers", "add", "ann@example.org", "--confirmed")
    assert refused.code == 77
    assert "digest suppressions remove ann@example.org" in refused.err
    assert digest("suppressions", "remove", "ann@example.org").code == 2
    assert digest("suppressions", "remove", "ann@example.org", "--yes").code == 0
    assert digest("suppressions", "list", "--json").json == {"suppressions": []}
    assert digest("subscribers", "add", "ann@example.org", "--confirmed").code == 0
    assert emails(digest, "--state", "active") == ["ann@example.org"]


def test_who_complained_is_not_said_to_be_free_to_sign_up_again(digest: Digest) -> None:
    digest("subscribers", "add", "ann@example.org", "--confirmed")
    digest("suppressions", "add", "ann@example.org", "--reason", "complaint")
    told = digest("suppressions", "remove", "ann@example.org", "--yes").err
    assert "ann@example.org has complained, and stays complained; to forget that too: digest subscribers erase" in told
    assert digest("subscribers", "add", "ann@example.org", "--confirmed").code == 77


def test_the_suppression_list_shows_no_address_and_can_be_asked_for_one(digest: Digest) -> None:
    digest("suppressions", "add", "ann@example.org", "--reason", "complaint")
    listed = digest("suppressions", "list", "--json")
    assert "ann" not in listed.out
    (entry,) = listed.json["suppressions"]
    assert (entry["reason"], len(entry["hash"])) == ("complaint", 64)
    assert digest("suppressions", "list", "--address", "Ann@example.org", "--json").json["suppressions"] == [entry]
    assert digest("suppressions", "list", "--address", "bob@example.org", "--json").json["suppressions"] == []
    assert digest("suppressions", "list", "--address", "bob@example.org").err == "bob@example.org is not suppressed\n"


def test_an_operator_may_add_what_the_form_would_not_and_is_warned(digest: Digest) -> None:
    odd = digest("subscribers", "add", "ann@аpple.com", "--confirmed")
    assert odd.code == 0
    assert odd.err.startswith("warning: the domain xn--pple-43d.com reads 'аpple', which mixes letters of several alphabets")
    role = digest("subscribers", "add", "papers-request@example.org", "--confirmed")
    assert role.code == 0
    assert role.err.startswith("warning: behind papers-request@example.org there is a duty or a program")
    assert "warning" not in digest("subscribers", "add", "info@example.org", "--confirmed").err
    assert emails(digest) == ["ann@xn--pple-43d.com", "papers-request@example.org", "info@example.org"]
    assert digest("subscribers", "erase", "ann@аpple.com", "--yes").code == 0


def test_an_import_passes_over_domains_that_can_be_taken_for_others(digest: Digest, tmp_path: Path) -> None:
    (tmp_path / "readers.csv").write_text("email\nann@аpple.com\nbob@пример.рф\n", encoding="utf-8")
    ran = digest("subscribers", "import", str(tmp_path / "readers.csv"), "--confirmed")
    assert "line 2: the domain xn--pple-43d.com reads" in ran.err
    assert emails(digest) == ["bob@xn--e1afmkfd.xn--p1ai"]


READERS = "email,name,phone\nann@example.org,Ann,1\nnobody,X,2\nbob@example.org,Bob,3\n"


def test_an_import_warns_of_addresses_behind_which_nobody_reads(digest: Digest) -> None:
    duties = "email\nann@example.org\nroot@example.org\nnoreply@example.org\n"
    told = (
        "warning: behind 2 of those added there is a duty or a program rather than a reader: "
        "root@example.org, noreply@example.org\n"
    )
    assert told in digest("subscribers", "import", "-", "--confirmed", "--dry-run", stdin=duties.encode()).err
    ran = digest("subscribers", "import", "-", "--confirmed", "--json", stdin=duties.encode())
    assert told in ran.err
    assert (json.loads(ran.out)["added"], json.loads(ran.out)["roles"]) == (3, 2)
    assert "warning" not in digest("subscribers", "import", "-", "--confirmed", stdin=duties.encode()).err


def test_an_import_reports_bad_lines_and_ends_well(digest: Digest, tmp_path: Path) -> None:
    (tmp_path / "readers.csv").write_text(READERS)
    ran = digest("subscribers", "import", str(tmp_path / "readers.csv"), "--confirmed")
    assert ran.code == 0
    assert "line 3: 'nobody' is not an email address" in ran.err
    assert "columns passed over: phone" in ran.err
    assert ran.err.endswith("Imported: 2 added; 1 bad lines\n")
    assert emails(digest) == ["ann@example.org", "bob@example.org"]


def test_an_import_reads_standard_input_and_reports_as_json(digest: Digest) -> None:
    ran = digest("subscribers", "import", "-", "--confirmed", "--json", stdin=READERS.encode())
    report = ran.json
    assert (report["added"], report["already"], report["interrupted"]) == (2, 0, False)
    assert [row["line"] for row in report["bad"]] == [3]
    assert report["unknown_columns"] == ["phone"]


def test_a_dry_run_of_an_import_adds_nobody(digest: Digest) -> None:
    ran = digest("subscribers", "import", "-", "--confirmed", "--dry-run", stdin=READERS.encode())
    assert "Would import: 2 added" in ran.err
    assert emails(digest) == []


@pytest.mark.parametrize("text", [b"", b"name\nAnn\n", b"email\nnobody\n", b"\xff\xfee\0m\0a\0i\0l\0\n\0"])
def test_an_import_of_nothing_usable_ends_with_65(digest: Digest, text: bytes) -> None:
    ran = digest("subscribers", "import", "-", "--confirmed", stdin=text)
    assert ran.code == 65
    assert "fix:" in ran.err


def test_what_is_exported_can_be_imported(digest: Digest, tmp_path: Path) -> None:
    digest("subscribers", "add", "+ann@example.org", "--confirmed", "--name", "=1+1", "--topic", "graphs", "--hour", "7:30")
    digest(
        "subscribers", "set", "+ann@example.org", "--author=Doe, Jane", "--category=cs.CL", "--mute=@home", "--like=10.1000/a;b"
    )
    digest("subscribers", "rate", "+ann@example.org", "2301.00001", "less")
    digest("subscribers", "add", "bob@example.org", "--confirmed")
    digest("subscribers", "unsubscribe", "bob@example.org")
    out = tmp_path / "readers.csv"
    assert digest("subscribers", "export", "--out", str(out)).err == f"2 readers written to {out}\n"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    cells = [cell for row in csv.reader(io.StringIO(out.read_text())) for cell in row]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    assert digest("subscribers", "export", "--state", "active").out.count("example.org") == 1
    before = digest("subscribers", "show", "+ann@example.org", "--json").json
    digest("subscribers", "erase", "+ann@example.org", "--yes")
    digest("suppressions", "remove", "+ann@example.org", "--yes")
    ran = digest("subscribers", "import", str(out), "--confirmed")
    assert "1 added" in ran.err
    after = digest("subscribers", "show", "+ann@example.org", "--json").json
    same = ("email", "name", "topics", "authors", "categories", "mutes", "likes", "dislikes", "hour", "days", "zone")
    assert before["likes"] == ["doi:10.1000/a;b"]
    assert {key: after[key] for key in same} == {key: before[key] for key in same}


def test_text_from_a_file_holds_no_escape_codes_for_the_terminal(digest: Digest) -> None:
    ran = digest("subscribers", "import", "-", stdin=b"email,name\n\x1b[2Jx\x07,\x1b]0;t\x07Ann\nann@example.org,\x1b[31mAnn\n")
    assert "\x1b" not in ran.err
    assert "\x1b" not in digest("subscribers", "show", "ann@example.org").out


def test_an_import_that_is_stopped_says_how_far_it_got(tmp_path: Path) -> None:
    environ = {**os.environ, "DIGEST_HOME": str(tmp_path)}
    call = [sys.executable, "-m", "digest", "subscribers", "import", "-", "--confirmed"]
    with subprocess.Popen(
        call,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
        start_new_session=True,
        # Tests that run behind a shell have interrupts ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - it does nothing that could block
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        said: list[bytes] = []
        first_bad = threading.Event()

        def listen() -> None:
            assert process.stderr is not None
            for line in process.stderr:
                said.append(line)
                first_bad.set()

        listener = threading.Thread(target=listen)
        listener.start()
        process.stdin.write(b"email\n" + b"".join(b"r%d@example.org\n" % n for n in range(999)) + b"nobody\n")
        process.stdin.write(b"".join(b"s%d@example.org\n" % n for n in range(1000)))
        process.stdin.flush()
        assert first_bad.wait(60)
        process.send_signal(signal.SIGINT)
        listener.join(60)
        assert process.wait(60) == 130
    assert b"Run the same command again to go on" in b"".join(said)
    assert b"Traceback" not in b"".join(said)
