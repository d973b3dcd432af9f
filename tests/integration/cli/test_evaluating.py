"""`digest evaluate` on small folders: scores for another judge, figures of our own, and what is said of one that is none."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.operator import Operator

FIRST = date(2026, 1, 5)
DAYS, PAPERS = 5, 9
WORDS = ("graph", "quantum", "protein", "speech", "robot", "galaxy", "climate", "vision", "poetry")


@pytest.fixture
def nobody(empty_home: Path) -> Operator:
    """Somebody who has neither settings nor a database."""
    alone = Operator(empty_home / "none", "smtp://127.0.0.1:1")
    alone.forget("site__public_url", "site__secret_key", "email__from", "smtp__url")
    return alone


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five days of nine papers: votes in the morning, and three times as many a day later."""
    lists = tmp_path / "data" / "hf_daily" / "morning"
    lists.mkdir(parents=True)
    rows = ["date,paper_id,snapshot_time,lag_hours,upvotes,comments,stars,source"]
    for day, on in enumerate(FIRST + timedelta(days=n) for n in range(DAYS)):
        papers = [_paper(day, number) for number in range(PAPERS)]
        (lists / f"{on}.json").write_text(json.dumps([{"paper": paper} for paper in papers]))
        for number, paper in enumerate(papers):
            rows.append(f"{on},{paper['id']},{on}T07:50:00Z,7.8,{number + 1},0,,A")
            rows.append(f"{on},{paper['id']},{on + timedelta(days=1)}T03:00:00Z,27.0,{3 * (number + 1)},1,,C")
    (tmp_path / "data" / "hf_trajectories.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "data"


def _paper(day: int, number: int) -> dict[str, Any]:
    return {
        "id": f"2601.{100 * day + number:05}",
        "title": f"A {WORDS[number]} study of day {day}",
        "summary": f"We look at the {WORDS[number]} again.",
        "authors": [{"name": "Ann Author"}],
        "publishedAt": f"2026-01-0{3 + day}T00:00:00.000Z",
    }


def asked(folder: Path, *more: dict[str, Any]) -> Path:
    """The queries of one morning."""
    lines = [
        {
            "task": "morning",
            "query": "2026-01-05",
            "now": "2026-01-05T07:50:00Z",
            "paper_id": f"2601.{number:05}",
            "snapshot": "2026-01-05T07:50:00Z",
            "upvotes": 10 * number,
            "comments": 0,
            "stars": 0,
        }
        for number in range(PAPERS)
    ]
    path = folder.parent / "q.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, *more]))
    return path


def test_every_paper_of_every_query_gets_a_score_without_a_database_or_settings(nobody: Operator, folder: Path) -> None:
    scores = folder.parent / "s.jsonl"
    line = ("evaluate", "trending", str(folder), "--queries", str(asked(folder)), "--scores", str(scores))
    done = nobody.call(*line)
    assert (done.code, done.out) == (0, ""), done.err
    assert done.err.startswith("9 scores for 1 query of 1 task in ")
    given = [json.loads(line) for line in scores.read_text().splitlines()]
    assert {(one["task"], one["query"]) for one in given} == {("morning", "2026-01-05")}
    best_first = [one["paper_id"] for one in sorted(given, key=lambda one: -one["score"])]
    assert best_first == [f"2601.{number:05}" for number in reversed(range(PAPERS))]
    assert not nobody.home.exists()
    said = nobody.call(*line, "--json").json
    assert said == {"scores": str(scores), "written": 9, "tasks": {"morning": {"queries": 1, "scores": 9}}}


def test_scores_come_without_votes_in_the_folder_and_owe_them_nothing(nobody: Operator, folder: Path) -> None:
    with_votes, without = folder.parent / "with.jsonl", folder.parent / "without.jsonl"
    line = ("evaluate", "trending", str(folder), "--queries", str(asked(folder)), "--scores")
    assert nobody.call(*line, str(with_votes)).code == 0
    (folder / "hf_trajectories.csv").unlink()
    assert nobody.call(*line, str(without)).code == 0
    assert without.read_text() == with_votes.read_text()


def test_candidates_that_the_folder_does_not_have_are_counted(nobody: Operator, tmp_path: Path) -> None:
    rows = [
        {"id": f"{role}.{number}", "role": role, "title": f"A {word} study", "abstract": f"We look at the {word}."}
        for role in ("profile", "background", "candidate")
        for number, word in enumerate(WORDS)
    ]
    (tmp_path / "curated_lists").mkdir()
    (tmp_path / "curated_lists" / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    query = {"task": "curated", "query": "own", "file": "curated_lists/own.jsonl"}
    path, scores = tmp_path / "q.jsonl", tmp_path / "s.jsonl"
    path.write_text(json.dumps(query | {"candidates": ["candidate.0", "candidate.1", "nobody's", "background.0"]}))
    done = nobody.call("evaluate", "interests", str(tmp_path), "--queries", str(path), "--scores", str(scores))
    assert (done.code, len(scores.read_text().splitlines())) == (0, 2), done.err
    assert done.err.startswith("no score for 2 candidates of the task curated: not in the folder as candidates\n")


def test_without_queries_each_task_has_our_figures_beside_the_plain_ones(nobody: Operator, folder: Path) -> None:
    said = nobody.call("evaluate", "trending", str(folder), "--json").json
    (morning,) = [one for one in said["tasks"] if one["task"] == "morning"]
    figures = {one["method"]: one for one in morning["methods"]}
    assert len(figures) > 2
    raw = figures["raw votes"]["metrics"]["nDCG@5"]
    assert (figures["raw votes"]["queries"], raw) == (DAYS, {"mean": 1.0, "low": 1.0, "high": 1.0})
    assert any(name.endswith(" - raw votes") for name in figures)
    shown = nobody.call("evaluate", "trending", str(folder))
    assert shown.code == 0
    assert "morning: 5 queries" in shown.out
    assert "1.000 [1.000, 1.000]" in shown.out
    assert "95% bootstrap" in shown.err


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("evaluate trending {folder}/none", 65, "there is no folder"),
        ("evaluate trending {empty}", 65, "hf_daily/*/*.json"),
        ("evaluate interests {empty}", 65, "curated_lists/*.jsonl*"),
        ("evaluate interests {folder}", 65, "nothing to evaluate"),
        ("evaluate trending {folder} --queries {queries}", 2, "--queries and --scores go together"),
        ("evaluate trending {folder} --scores {folder}/s", 2, "--queries and --scores go together"),
        ("evaluate trending {folder} --queries {queries} --scores {folder}", 2, "is a folder"),
        ("evaluate trending {folder} --queries {queries} --scores {folder}/none/s", 2, "there is no folder"),
        ("evaluate trending {folder} --queries {folder}/none --scores {folder}/s", 2, "there is no file"),
        ("evaluate trending {folder} --queries {bad} --scores {folder}/s", 65, "line 2: `task` is missing"),
        ("evaluate trending", 2, "DIR"),
        ("evaluate everything {folder}", 2, "everything"),
    ],
)
def test_what_cannot_be_evaluated_is_told_with_what_is_wanted(
    nobody: Operator, folder: Path, tmp_path: Path, line: str, code: int, words: str
) -> None:
    empty, bad = tmp_path / "empty", tmp_path / "bad.jsonl"
    empty.mkdir(exist_ok=True)
    bad.write_text('{"task": "morning", "query": "q"}\n{"query": "q"}\n')
    names = {"folder": folder, "empty": empty, "queries": asked(folder), "bad": bad}
    done = nobody.call(*line.format(**names).split())
    assert (done.code, done.out) == (code, ""), done.err
    assert words in done.err
    assert "Traceback" not in done.err
    assert not (folder / "s").exists()


def test_a_bad_line_leaves_the_scores_of_before_as_they_were(nobody: Operator, folder: Path) -> None:
    scores = folder.parent / "s.jsonl"
    scores.write_text("before")
    queries = asked(folder, {"task": "morning", "query": "q", "upvotes": -1})
    done = nobody.call("evaluate", "trending", str(folder), "--queries", str(queries), "--scores", str(scores))
    assert done.code == 65
    assert "line 10: `upvotes` is not a number from 0" in done.err
    assert scores.read_text() == "before"
