"""Scores and results of interests on a small invented folder of the same shape as the protocol's."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digest.errors import BadInput
from digest.evaluation.corpus import together
from digest.evaluation.interests import results, score
from digest.evaluation.words import works

OF = {
    "robots": "robot arm grasp manipulation gripper joint torque motion".split(),
    "music": "music melody audio singing instrument rhythm chord song".split(),
    "law": "court contract legal statute judge clause verdict appeal".split(),
}


def text(field: str, number: int) -> dict[str, str]:
    own = OF[field]
    words = [own[(number * 3 + k) % len(own)] for k in range(5)]
    return {"title": f"The {words[0]} and the {words[1]}", "abstract": f"A method for {' '.join(words)} with good results."}


def row(field: str, number: int, role: str, liked: bool) -> dict[str, Any]:
    return {"list": "x", "role": role, "liked": liked, "id": f"{field}.{number}", **text(field, number)}


def write(path: Path, rows: Iterable[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(one) + "\n" for one in rows).encode()
    path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)


def topic_list(field: str) -> list[dict[str, Any]]:
    others = [other for other in OF if other != field]
    return [
        *(row(field, number, "profile", True) for number in range(20)),
        *(row(other, number, "background", False) for other in others for number in range(40)),
        *(row(field, number, "candidate", True) for number in range(20, 30)),
        *(row(other, number, "candidate", False) for other in others for number in range(40, 60)),
    ]


def researcher(user: str, own: str, other: str) -> dict[str, Any]:
    return {
        "user": user,
        "profile": [{"paper_id": f"{user}{n}", **text(own, n)} for n in range(6)],
        "rated": [
            {"paper_id": f"{user}r{n}", "rating": 5 if field == own else 1, **text(field, 20 + n)}
            for n, field in enumerate([own, other] * 3)
        ],
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for field in ("robots", "music"):
        write(tmp_path / "curated_lists" / f"{field}.jsonl.gz", topic_list(field))
    people = [researcher("u1", "robots", "law"), researcher("u2", "law", "music")]
    write(tmp_path / "reviewer_expertise" / "users.jsonl", people)
    base = tmp_path / "citeulike_t"
    write(base / "users.jsonl", [{"user": "d1", "profile": [0, 1, 2, 3], "test": [4, 5]}])
    # Items 0 to 9 are of robots, others of music.
    (base / "vocabulary.txt").write_text("\n".join([*OF["robots"], *OF["music"]]) + "\n")
    items = [[(n * 3 + k) % 8 + (0 if n < 10 else 8) for k in range(4)] for n in range(30)]
    lines = "".join(f"{len(item)} " + " ".join(f"{word}:2" for word in item) + "\n" for item in items)
    (base / "items_bow.dat.gz").write_bytes(gzip.compress(lines.encode()))
    return tmp_path


def quiet(done: int, total: int) -> None:
    assert 0 <= done <= total


def scored(folder: Path, *lines: dict[str, Any]) -> dict[tuple[str, str], dict[str, float]]:
    found: dict[tuple[str, str], dict[str, float]] = {}
    for one in score(folder, lines, quiet):
        found.setdefault((one.task, one.query), {})[one.paper_id] = one.score
    return found


def curated(field: str, **more: object) -> dict[str, Any]:
    ids = [one["id"] for one in topic_list(field) if one["role"] == "candidate"]
    return {"task": "curated", "query": field, "file": f"curated_lists/{field}.jsonl.gz", "candidates": ids} | more


def best(scores: dict[str, float], count: int) -> set[str]:
    return set(sorted(scores, key=lambda id_: -scores[id_])[:count])


def test_the_newer_papers_of_a_topic_list_come_first(folder: Path) -> None:
    found = scored(folder, curated("robots"), curated("music"))
    assert found.keys() == {("curated", "robots"), ("curated", "music")}
    for field in ("robots", "music"):
        assert len(found["curated", field]) == 50
        assert best(found["curated", field], 10) == {f"{field}.{n}" for n in range(20, 30)}


def test_with_fifteen_likes_the_others_of_the_profile_are_not_looked_at(folder: Path) -> None:
    few = curated("robots", task="curated15", query="robots#0", profile=[f"robots.{n}" for n in range(3)])
    all_ = curated("robots", task="curated15", query="robots#1", profile=[f"robots.{n}" for n in range(20)])
    found = scored(folder, few, all_, curated("robots"))
    assert found["curated15", "robots#0"] != found["curated15", "robots#1"]
    assert found["curated15", "robots#1"] == found["curated", "robots"]


def test_only_candidates_that_are_asked_about_and_known_get_scores(folder: Path) -> None:
    found = scored(folder, curated("robots", candidates=["robots.21", "law.41", "unknown", "robots.21"]))
    assert found["curated", "robots"].keys() == {"robots.21", "law.41"}


def test_a_researcher_knows_best_what_is_like_his_own_papers(folder: Path) -> None:
    found = scored(folder, {"task": "expertise", "query": "u1", "candidates": [f"u1r{n}" for n in range(6)]})
    assert best(found["expertise", "u1"], 3) == {"u1r0", "u1r2", "u1r4"}


def test_a_library_is_completed_from_words_in_no_order(folder: Path) -> None:
    line = {"task": "citeulike", "query": "d1", "profile": ["0", "1", "2", "3"], "candidates": "all items not in profile"}
    found = scored(folder, line)["citeulike", "d1"]
    assert found.keys() == {str(n) for n in range(4, 30)}
    assert best(found, 6) == {str(n) for n in range(4, 10)}


def test_truth_is_not_looked_at(folder: Path, tmp_path: Path) -> None:
    lines = [curated("robots"), {"task": "expertise", "query": "u1", "candidates": [f"u1r{n}" for n in range(6)]}]
    before = scored(folder, *lines)
    blind = [{key: value for key, value in one.items() if key != "liked"} for one in topic_list("robots")]
    write(folder / "curated_lists" / "robots.jsonl.gz", blind)
    people = [researcher("u1", "robots", "law"), researcher("u2", "law", "music")]
    for one in people:
        one["rated"] = [{key: value for key, value in paper.items() if key != "rating"} for paper in one["rated"]]
    write(folder / "reviewer_expertise" / "users.jsonl", people)
    assert scored(folder, *lines) == before


def test_the_order_of_a_list_is_no_signal_though_its_background_is_too_large(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.evaluation.corpus.MAX_BACKGROUND", 20)
    few = curated("robots", task="curated15", query="robots#0", profile=[f"robots.{n}" for n in range(3)])
    before = scored(folder, few)
    write(folder / "curated_lists" / "robots.jsonl.gz", topic_list("robots")[::-1])
    after = scored(folder, few)["curated15", "robots#0"]
    assert after == pytest.approx(before["curated15", "robots#0"], abs=1e-4)


@pytest.mark.parametrize(
    "line",
    [
        {"task": "early", "query": "2026-01-12", "paper_id": "2601.00001"},
        {"task": "curated", "query": "x", "file": "curated_lists/none.jsonl.gz", "candidates": ["a"]},
        {"task": "curated", "query": "x", "file": "../../etc/passwd", "candidates": ["a"]},
        {"task": "expertise", "query": "nobody", "candidates": ["a"]},
        {"query": "x"},
    ],
)
def test_what_nobody_knows_of_gets_no_score(folder: Path, line: dict[str, Any]) -> None:
    assert scored(folder, line) == {}


@pytest.mark.parametrize("line", [{"task": "expertise", "query": "u1"}, {"task": "citeulike", "query": "d1", "profile": [1]}])
def test_a_folder_without_these_files_has_no_scores(tmp_path: Path, line: dict[str, Any]) -> None:
    assert scored(tmp_path, line) == {}


@pytest.mark.parametrize("broken", [b"{", b"[]\n", gzip.compress(b'{"id": 1}\n', mtime=0)[:-9]])
def test_a_broken_file_is_named(folder: Path, broken: bytes) -> None:
    path = folder / "curated_lists" / "robots.jsonl.gz"
    path.write_bytes(broken if broken[:2] == b"\x1f\x8b" else gzip.compress(broken, mtime=0))
    with pytest.raises(BadInput, match="robots"):
        scored(folder, curated("robots"))


@pytest.mark.parametrize("broken", ["2 999:1\n", "1 a:b\n", "1 1\n"])
def test_broken_items_are_named(folder: Path, broken: str) -> None:
    (folder / "citeulike_t" / "items_bow.dat.gz").write_bytes(gzip.compress(broken.encode()))
    with pytest.raises(BadInput, match="items_bow"):
        scored(folder, {"task": "citeulike", "query": "d1", "profile": [0]})


def test_rows_that_say_nothing_do_no_harm(folder: Path) -> None:
    path = folder / "curated_lists" / "robots.jsonl.gz"
    odd = [{}, {"id": "a"}, {"id": None, "role": "candidate"}, {"id": "b", "role": "candidate", "title": 7, "abstract": None}]
    write(path, [*odd, *topic_list("robots")])
    assert len(scored(folder, curated("robots"))["curated", "robots"]) == 50


def test_numbers_beyond_all_measure_do_no_harm(folder: Path) -> None:
    people = [researcher("u1", "robots", "law"), researcher("u2", "law", "music")]
    people[0]["rated"][0]["rating"] = 10**400
    people[0]["rated"][1]["rating"] = -(10**400)
    write(folder / "reviewer_expertise" / "users.jsonl", people)
    items = folder / "citeulike_t" / "items_bow.dat.gz"
    items.write_bytes(gzip.compress(gzip.decompress(items.read_bytes()).replace(b":2", b":2" + b"0" * 400, 1)))
    for one in results(folder, quiet):
        assert all(np.isfinite([metric.mean, metric.low, metric.high]).all() for metric in one.metrics.values()), one


def test_results_measure_every_task_beside_plain_methods(folder: Path) -> None:
    found = {(one.task, one.method): one for one in results(folder, quiet)}
    tasks = dict.fromkeys(task for task, _ in found)
    assert list(tasks) == [
        "curated, all likes",
        *(f"curated, {n} likes" for n in (15, 5, 3, 1)),
        "curated, its name as a topic",
        "two interests",
        "expertise",
        "citeulike",
    ]
    assert found["curated, all likes", "digest"].queries == 2
    assert found["curated, all likes", "digest"].metrics["AUC"].mean == 1
    assert found["expertise", "digest"].metrics["pairwise"].mean == 1
    assert {"digest", "ridge, every word", "tf-idf mean cosine"} == {
        method for task, method in found if task == "curated, all likes"
    }


def test_without_truth_there_are_no_results(tmp_path: Path) -> None:
    blind = [{key: value for key, value in one.items() if key != "liked"} for one in topic_list("robots")]
    write(tmp_path / "curated_lists" / "robots.jsonl.gz", blind)
    assert results(tmp_path, quiet) == []


def test_facets_take_turns_by_their_shares() -> None:
    by_facet = np.array([[9, 8, 7, 6, 0, 0], [0, 0, 0, 0, 5, 4]], np.float32)
    order = np.argsort(-together(by_facet, np.array([2 / 3, 1 / 3])), kind="stable").tolist()
    assert order == [0, 4, 1, 2, 5, 3]


def test_one_facet_keeps_its_scores() -> None:
    assert together(np.array([[0.5, -1.0]], np.float32), np.array([1.0])).tolist() == [0.5, -1.0]


def test_words_are_read_from_any_json_once_a_paper(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl.gz", [{"title": "One", "summary": "Text"}, {"title": "Two", "abstract": "Text"}])
    write(tmp_path / "b.jsonl", [{"paper": {"title": "one", "abstract": "Text"}}, {"title": "No text"}])
    (tmp_path / "c.json").write_text(json.dumps([{"paper": {"title": "Three", "summary": "Text"}}]))
    assert [work.title for work in works(tmp_path)] == ["One", "Two", "Three"]


def test_of_two_interests_a_paper_that_both_lists_have_is_asked_for_once(tmp_path: Path) -> None:
    numbers = range(20, 75)
    for field, other in (("robots", "music"), ("music", "robots")):
        shared = (row(other, number, "candidate", False) for number in (*range(20), *numbers))
        own = (row(field, number, "candidate", True) for number in numbers)
        listed = [one for one in topic_list(field) if one["role"] != "candidate"]
        write(tmp_path / "curated_lists" / f"{field}.jsonl.gz", [*listed, *shared, *own])
    found = next(one for one in results(tmp_path, quiet) if (one.task, one.method) == ("two interests", "digest"))
    assert found.queries == 10
    # Both have 55 papers, and about half of the first hundred places.
    assert found.metrics["recall@100, smaller"].mean > 0.8
    assert found.metrics["recall@100, larger"].mean > 0.8
