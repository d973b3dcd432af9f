"""The last answers of each source, as files."""

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.sources.web.answers import Answers
from digest.sources.web.question import Reply

URL = "https://api.example.org/papers?date=2026-03-02"
TAGGED = {"content-type": "application/json", "etag": 'W/"v1"', "last-modified": "Mon, 02 Mar 2026 05:00:00 GMT"}


class Ticking:
    """A clock that goes on by a minute each time it is looked at."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(minutes=1)
        return self.at


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return Answers(tmp_path / "answers", 5, now=Ticking())


def keep(answers: Answers, body: bytes = b"[1]", url: str = URL, **more: object) -> None:
    given = {"source": "example", "method": "GET", "kind": "json", "headers": TAGGED, "status": 200, "useful": True, **more}
    reply = Reply(url, given.pop("status"), given.pop("headers"), body)  # type: ignore[arg-type]
    answers.add(url=url, reply=reply, **given)  # type: ignore[arg-type]


def files(answers: Answers, source: str = "example") -> list[str]:
    return sorted(path.name for path in (answers.folder / source).iterdir())


def test_a_body_is_kept_as_it_is_beside_what_was_asked(answers: Answers) -> None:
    keep(answers, b'[{"a": 1}]\n')
    head_name, body_name = files(answers)
    assert body_name.removesuffix(".json") == head_name.removesuffix(".head")
    assert body_name.startswith("20260302T060100Z-")
    folder = answers.folder / "example"
    assert (folder / body_name).read_bytes() == b'[{"a": 1}]\n'
    head = json.loads((folder / head_name).read_text())
    assert (head["asked"], head["status"], head["useful"]) == (f"GET {URL} (json)", 200, True)
    assert head["headers"] == TAGGED
    assert head["at"] == "2026-03-02T06:01:00+00:00"


def test_nobody_else_may_read_them(answers: Answers) -> None:
    mask = os.umask(0)
    try:
        keep(answers)
    finally:
        os.umask(mask)
    folder = answers.folder / "example"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (answers.folder, folder)] == [0o700, 0o700]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_what_root_was_answered_belongs_to_whom_the_home_belongs_to(answers: Answers) -> None:
    """As by `sudo digest collect` beside a service that has a user of its own."""
    if os.geteuid() == 0:
        os.chown(answers.folder.parent, 65534, 65534)
    keep(answers)
    home = answers.folder.parent.stat()
    assert {(path.stat().st_uid, path.stat().st_gid) for path in answers.folder.rglob("*")} == {(home.st_uid, home.st_gid)}


def test_what_is_no_use_is_kept_to_be_looked_at_and_for_nothing_else(answers: Answers) -> None:
    keep(answers, b"<html>", useful=False)
    assert [name[-4:] for name in files(answers)] == ["head", ".txt"]
    assert answers.newest("example", URL, "json") is None


def test_the_newest_useful_answer_makes_the_next_question_conditional(answers: Answers) -> None:
    keep(answers, b"[1]", headers=TAGGED | {"etag": '"old"'})
    keep(answers, b"[2]")
    keep(answers, b"busy", status=503, useful=False)
    keep(answers, b"[3]", url=f"{URL}&p=1")
    kept = answers.newest("example", URL, "json")
    assert kept is not None
    assert kept.validators == {"if-none-match": 'W/"v1"', "if-modified-since": "Mon, 02 Mar 2026 05:00:00 GMT"}
    assert kept.kept_from == URL
    assert answers.body(kept) == b"[2]"


def test_a_question_of_another_kind_or_method_or_source_is_another_question(answers: Answers) -> None:
    keep(answers, method="POST")
    keep(answers, b"<a/>", kind="xml", url="https://api.example.org/x")
    assert answers.newest("example", URL, "json") is None
    assert answers.newest("example", "https://api.example.org/x", "json") is None
    assert answers.newest("other", "https://api.example.org/x", "xml") is None
    assert answers.newest("example", "https://api.example.org/x", "xml") is not None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"etag": ""},
        {"etag": "v1"},
        {"etag": '"a"b"'},
        {"etag": '"ü"'},
        {"etag": '"' + "x" * 300 + '"'},
        {"last-modified": "yesterday\r\nX: y"},
        {"last-modified": "1"},
    ],
)
def test_what_cannot_be_sent_back_makes_no_question_conditional(answers: Answers, headers: dict[str, str]) -> None:
    keep(answers, headers=headers)
    assert answers.newest("example", URL, "json") is None


def test_a_newer_answer_without_a_tag_replaces_an_older_one_with_one(answers: Answers) -> None:
    keep(answers)
    keep(answers, headers={})
    assert answers.newest("example", URL, "json") is None


def test_an_answer_that_was_cut_short_is_not_asked_to_be_confirmed(answers: Answers) -> None:
    keep(answers, b'[{"a": 1}, ')
    assert answers.newest("example", URL, "json") is None


def test_the_oldest_are_removed(answers: Answers) -> None:
    for number in range(8):
        keep(answers, b"[%d]" % number, url=f"{URL}&p={number}")
    bodies = sorted(path.read_bytes() for path in (answers.folder / "example").glob("*.json"))
    assert bodies == [b"[3]", b"[4]", b"[5]", b"[6]", b"[7]"]
    assert len(files(answers)) == 10


def test_one_that_was_confirmed_counts_as_the_newest(answers: Answers) -> None:
    keep(answers, b"[0]")
    for number in range(1, 5):
        keep(answers, b"[%d]" % number, url=f"{URL}&p={number}")
    kept = answers.newest("example", URL, "json")
    assert kept is not None
    assert answers.body(kept) == b"[0]"
    keep(answers, b"[5]", url=f"{URL}&p=5")
    bodies = sorted(path.read_bytes() for path in (answers.folder / "example").glob("*.json"))
    assert bodies == [b"[0]", b"[2]", b"[3]", b"[4]", b"[5]"]


def test_all_bodies_of_a_source_together_have_a_limit(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.sources.web.answers.MAX_BYTES", 1000)
    for number in range(4):
        keep(answers, b"[%398d]" % number, url=f"{URL}&p={number}")
    assert len(files(answers)) == 4
    keep(answers, b"[%3000d]" % 9)
    assert len(files(answers)) == 2


def test_one_source_never_costs_another_its_answers(answers: Answers) -> None:
    for source in ("a", "feed:nature", "feed:../../etc", "..", ""):
        for number in range(6):
            keep(answers, url=f"{URL}&p={number}", source=source)
    assert sorted(path.name for path in answers.folder.iterdir()) == ["-", "--", "a", "feed-------etc", "feed-nature"]
    assert {len(list(folder.iterdir())) for folder in answers.folder.iterdir()} == {10}
    assert [path.name for path in answers.folder.parent.iterdir()] == ["answers"]


def test_where_none_are_to_be_kept_there_are_none(answers: Answers, tmp_path: Path) -> None:
    keep(answers)
    none = Answers(answers.folder, 0)
    assert none.newest("example", URL, "json") is None
    keep(none)
    assert files(answers) == []
    keep(Answers(tmp_path / "never", 0))
    assert not (tmp_path / "never").exists()


def spoil_body(head: Path, body: Path) -> None:
    body.write_bytes(b"[9]")


def remove_body(head: Path, body: Path) -> None:
    body.unlink()


@pytest.mark.parametrize("spoil", [spoil_body, remove_body])
def test_a_body_that_is_gone_or_damaged_is_not_handed_out(answers: Answers, spoil: object) -> None:
    keep(answers)
    kept = answers.newest("example", URL, "json")
    assert kept is not None
    spoil(kept.head, kept.body)  # type: ignore[operator]
    assert answers.body(kept) is None


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"asked": 1}',
        b'{"useful": true, "whole": true, "headers": []}',
    ],
)
def test_a_damaged_head_is_passed_over(answers: Answers, head: bytes) -> None:
    keep(answers)
    (path,) = (answers.folder / "example").glob("*.head")
    path.write_bytes(head)
    assert answers.newest("example", URL, "json") is None


def test_two_questions_of_one_number_are_not_taken_for_each_other(answers: Answers) -> None:
    keep(answers)
    (path,) = (answers.folder / "example").glob("*.head")
    path.write_text(path.read_text().replace("date=2026-03-02", "date=2026-03-03"))
    assert answers.newest("example", URL, "json") is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "headers": st.one_of(
                st.none(), st.dictionaries(st.sampled_from(["etag", "last-modified"]), st.text() | st.integers())
            ),
            "body": st.one_of(st.none(), st.text(), st.just("../../secret")),
            "crc32": st.one_of(st.none(), st.integers(), st.text()),
            "from": st.one_of(st.none(), st.text()),
            "whole": st.booleans(),
        },
    )
)
def test_whatever_a_head_says_no_file_outside_is_handed_out(answers: Answers, changes: dict[str, object]) -> None:
    keep(answers)
    (answers.folder.parent / "secret").write_bytes(b"[1]")
    for path in (answers.folder / "example").glob("*.head"):
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    kept = answers.newest("example", URL, "json")
    if kept is not None:
        assert kept.body.parent == answers.folder / "example"
        assert all(value.isascii() and value.isprintable() for value in kept.validators.values())
        assert answers.body(kept) in (b"[1]", None)


@pytest.fixture
def useless_disks(tmp_path: Path) -> list[Path]:
    """Places where no file can be written, whoever asks."""
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    return [in_the_way, in_the_way / "below", Path("/dev/full"), Path("/proc/answers")]


def test_a_disk_that_takes_nothing_is_no_error(useless_disks: list[Path]) -> None:
    for place in useless_disks:
        answers = Answers(place, 5)
        keep(answers)
        assert answers.newest("example", URL, "json") is None


def test_a_file_in_the_way_of_an_answer_is_no_error(answers: Answers) -> None:
    keep(answers)
    for path in list((answers.folder / "example").iterdir()):
        path.unlink()
    (answers.folder / "example").rmdir()
    (answers.folder / "example").write_text("in the way")
    keep(answers)
    assert answers.newest("example", URL, "json") is None
