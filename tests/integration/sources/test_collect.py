"""The sources over real connections and real files."""

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from digest.errors import ServerUnavailable
from digest.sources.base import Collected
from digest.sources.http import open_client
from digest.sources.huggingface import fetch
from digest.sources.registry import SOURCES
from digest.sources.settings import SourcesSettings

NOW = datetime(2026, 11, 22, 7, 50, tzinfo=UTC)
WRITTEN = datetime(2026, 11, 21, 12, tzinfo=UTC)
ABSTRACT = "We show that invented networks learn invented things, and measure it on nothing at all. " * 5


def hf_list(*ids: str, votes: int = 3) -> bytes:
    return json.dumps(
        [{"paper": {"id": id_, "title": f"Net {id_}", "upvotes": votes}, "numComments": 0} for id_ in ids]
    ).encode()


def ask_hugging_face(site: Any) -> Collected:
    settings = SourcesSettings.model_validate({"huggingface": {"url": site.url}})
    return SOURCES["huggingface"].collect(settings, NOW, sleep=lambda _: None)


def test_a_day_is_asked_for_by_its_date(site: Any) -> None:
    site.will_answer({"body": hf_list("2611.00001")})
    with open_client() as client:
        assert fetch(client, site.url, date(2026, 1, 5), sleep=lambda _: None) == hf_list("2611.00001")
    assert site.paths == ["/api/daily_papers?date=2026-01-05&limit=100"]


def test_hugging_face_brings_the_lists_of_today_and_yesterday(site: Any) -> None:
    site.will_answer({"body": hf_list("2611.00003", "2611.00002")}, {"body": hf_list("2611.00001")})
    collected = ask_hugging_face(site)
    assert [path.split("date=")[1][:10] for path in site.paths] == ["2026-11-22", "2026-11-21"]
    assert [sighting.ids[0] for sighting in collected.parsed.sightings] == [
        "arxiv:2611.00003",
        "arxiv:2611.00002",
        "arxiv:2611.00001",
    ]
    assert (collected.verdict, collected.newest) == ("fresh", "arxiv:2611.00003")


def test_a_paper_on_both_lists_is_brought_once_with_todays_counts(site: Any) -> None:
    site.will_answer({"body": hf_list("2611.00001", votes=9)}, {"body": hf_list("2611.00001", votes=8)})
    (sighting,) = ask_hugging_face(site).parsed.sightings
    assert sighting.readings[0].value == 9


def test_a_day_without_papers_is_quiet(site: Any) -> None:
    site.will_answer({"body": b"[]"}, {"body": hf_list("2611.00001")})
    assert ask_hugging_face(site).verdict == "quiet"


def test_a_dead_server_is_named_with_the_cause(site: Any) -> None:
    site.will_answer({"status": 503})
    with pytest.raises(ServerUnavailable, match="Hugging Face was asked for the papers of 2026-11-22: it answered 503"):
        ask_hugging_face(site)


def test_an_error_page_that_calls_itself_json_is_a_dead_server(site: Any) -> None:
    site.will_answer({"body": b"<html>busy</html>"})
    with pytest.raises(ServerUnavailable, match=r"Hugging Face .* a web page"):
        ask_hugging_face(site)


def test_yesterdays_list_alone_is_kept_and_the_run_has_failed(site: Any) -> None:
    site.will_answer({"status": 404}, {"body": hf_list("2611.00001")})
    collected = ask_hugging_face(site)
    assert (collected.verdict, len(collected.parsed.sightings)) == ("failed", 1)
    assert "404" in collected.parsed.problems[0].what


def test_todays_list_is_fresh_though_yesterdays_could_not_be_had(site: Any) -> None:
    site.will_answer({"body": hf_list("2611.00001")}, {"status": 404})
    collected = ask_hugging_face(site)
    assert (collected.verdict, len(collected.parsed.problems)) == ("fresh", 1)


def read_folder(folder: Path, now: datetime = NOW) -> Collected:
    settings = SourcesSettings.model_validate({"folder": {"enabled": True, "path": str(folder)}})
    return SOURCES["folder"].collect(settings, now, sleep=lambda _: None)


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
    with pytest.raises(ServerUnavailable, match="no folder is set"):
        SOURCES["folder"].collect(SourcesSettings(), NOW, sleep=lambda _: None)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServerUnavailable, match="nowhere") as caught:
        read_folder(tmp_path / "nowhere")
    assert "sources.folder.path" in caught.value.fix
