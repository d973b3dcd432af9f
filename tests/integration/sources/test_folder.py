"""A folder of files that somebody dropped there."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.errors import ServerUnavailable
from digest.sources.base import Collected, Errand
from digest.sources.folder import Folder, FolderSettings
from digest.sources.web import Web

NOW = datetime(2026, 11, 22, 7, 50, tzinfo=UTC)
WRITTEN = datetime(2026, 11, 21, 12, tzinfo=UTC)
ABSTRACT = "We show that invented networks learn invented things, and measure it on nothing at all. " * 5
FEED = b"<rss version='2.0'><channel><item><title>A Net of a Feed</title></item></channel></rss>"
BIORXIV = {"doi": "10.1101/1", "title": "A Protein", "version": "1", "server": "bioRxiv"}


def hf_list(*ids: str, votes: int = 3) -> bytes:
    return json.dumps(
        [{"paper": {"id": id_, "title": f"Net {id_}", "upvotes": votes}, "numComments": 0} for id_ in ids]
    ).encode()


def read_folder(folder: Path, now: datetime = NOW) -> Collected:
    with Web() as web:
        return Folder(FolderSettings(enabled=True, path=str(folder))).collect(Errand(now, web))


def drop(folder: Path, name: str, content: str | bytes, written: datetime = WRITTEN) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (written.timestamp(), written.timestamp()))
    return path


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    drop(tmp_path, "c.txt", f"Third Net\n{ABSTRACT}")
    drop(tmp_path, "a.json", hf_list("2611.00001"))
    drop(tmp_path, "b.jsonl", '{"title": "Second Net", "votes": 2}', written=NOW)
    drop(tmp_path, "notes.md", "not ours")
    drop(tmp_path, ".half.txt", "unfinished")
    collected = read_folder(tmp_path)
    assert [sighting.work.title for sighting in collected.parsed.sightings] == ["Net 2611.00001", "Second Net", "Third Net"]
    assert [sighting.source for sighting in collected.parsed.sightings] == ["huggingface", "folder", "folder"]
    assert (collected.verdict, collected.newest, collected.parsed.problems) == ("fresh", "b.jsonl of 2026-11-22 07:50", ())


def test_reading_a_file_again_adds_no_reading(tmp_path: Path) -> None:
    drop(tmp_path, "a.jsonl", '{"title": "A Net", "votes": 2}')
    first, later = read_folder(tmp_path), read_folder(tmp_path, datetime(2026, 11, 23, tzinfo=UTC))
    assert first.parsed.sightings[0].readings == later.parsed.sightings[0].readings
    assert first.parsed.sightings[0].readings[0].taken_at == WRITTEN
    assert first.parsed.sightings[0].seen_at == NOW


def test_no_reading_is_of_the_future_whatever_the_files_date(tmp_path: Path) -> None:
    drop(tmp_path, "a.jsonl", '{"title": "A Net", "votes": 2}', written=datetime(2030, 1, 1, tzinfo=UTC))
    assert read_folder(tmp_path).parsed.sightings[0].readings[0].taken_at == NOW


def test_a_bad_file_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    drop(tmp_path, "a.json", b'[{"paper": {"id": "2611.0')
    drop(tmp_path, "b.txt", "<html></html>")
    drop(tmp_path, "c.jsonl", '{"title": "A Net"}\nnonsense')
    (tmp_path / "d.txt").mkdir()
    os.mkfifo(tmp_path / "e.txt")
    (tmp_path / "f.txt").symlink_to(tmp_path / "nowhere")
    with (tmp_path / "g.jsonl").open("wb") as file:
        file.truncate(17 * 2**20)
    collected = read_folder(tmp_path)
    assert [sighting.work.title for sighting in collected.parsed.sightings] == ["A Net"]
    assert [problem.what.split(":")[0] for problem in collected.parsed.problems] == [
        "a.json",
        "b.txt",
        "c.jsonl",
        "d.txt",
        "e.txt",
        "f.txt",
        "g.jsonl",
    ]
    assert [problem.line for problem in collected.parsed.problems if problem.line] == [2]


def test_a_file_that_grows_while_it_is_read_is_left_for_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = drop(tmp_path, "a.jsonl", '{"title": "A Net"}\n')
    look = os.fstat

    def look_and_let_the_writer_go_on(descriptor: int) -> os.stat_result:
        seen = look(descriptor)
        with path.open("a") as file:
            file.write('{"title": "Another Net"}\n')
        return seen

    monkeypatch.setattr(os, "fstat", look_and_let_the_writer_go_on)
    unfinished = read_folder(tmp_path)
    monkeypatch.undo()
    assert unfinished.parsed.sightings == ()
    assert unfinished.parsed.problems[0].what == "a.jsonl: it is still being written; the next run reads it"
    assert read_folder(tmp_path).parsed.sightings


def test_an_empty_folder_is_quiet(tmp_path: Path) -> None:
    assert read_folder(tmp_path).verdict == "quiet"


def test_a_folder_that_is_asked_for_by_name_but_not_set_is_not_the_current_one() -> None:
    with Web() as web, pytest.raises(ServerUnavailable, match="no folder is set"):
        Folder(FolderSettings()).collect(Errand(NOW, web))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServerUnavailable, match="nowhere") as caught:
        read_folder(tmp_path / "nowhere")
    assert "sources.folder.path" in caught.value.fix


def test_answers_of_other_sources_are_told_by_their_content(tmp_path: Path) -> None:
    drop(tmp_path, "a.json", json.dumps({"messages": [{"status": "ok"}], "collection": [BIORXIV, BIORXIV | {"version": "2"}]}))
    drop(tmp_path, "b.xml", FEED)
    drop(tmp_path, "c.rss", FEED.replace(b"of a Feed", b"of Another"))
    drop(tmp_path, "d.xml", "<svg/>")
    drop(tmp_path, "e.json", '{"error": "not found"}')
    collected = read_folder(tmp_path)
    assert [(sighting.source, sighting.work.title) for sighting in collected.parsed.sightings] == [
        ("biorxiv", "A Protein"),
        ("folder", "A Net of a Feed"),
        ("folder", "A Net of Another"),
    ]
    assert collected.parsed.passed_over == {"older versions": 1}
    assert [str(problem) for problem in collected.parsed.problems] == [
        "d.xml: its content does not tell its format",
        "e.json: its content does not tell its format",
    ]
    assert collected.evidence == "3 of 5 files were read"


def test_a_paper_that_a_file_says_was_withdrawn_is_retracted(tmp_path: Path) -> None:
    drop(tmp_path, "a.json", json.dumps({"collection": [BIORXIV | {"title": "WITHDRAWN: A Protein"}]}))
    assert read_folder(tmp_path).parsed.retracted == ("doi:10.1101/1",)


def test_progress_is_told_in_files(tmp_path: Path) -> None:
    drop(tmp_path, "a.xml", FEED)
    drop(tmp_path, "b.xml", FEED)
    told: list[tuple[int, int | None]] = []
    with Web() as web:
        source = Folder(FolderSettings(enabled=True, path=str(tmp_path)))
        source.collect(Errand(NOW, web, progress=lambda done, total: told.append((done, total))))
    assert told == [(0, 2), (1, 2), (2, 2)]
