"""Files of queries and scores."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import BadInput, NotPermitted, UsageError
from digest.evaluation import queries
from digest.evaluation.model import Score

EARLY = {
    "task": "early",
    "query": "2026-01-12",
    "now": "2026-01-12T03:00:00Z",
    "paper_id": "2601.00001",
    "upvotes": 3,
    "stars": 0.0,
}
LIST = {"task": "curated", "query": "agents", "file": "lists/agents.jsonl", "candidates": ["a", "b"], "odd": {"kept": [1]}}


def written(folder: Path, *lines: object, name: str = "q.jsonl") -> Path:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["q.jsonl", "q.jsonl.gz"])
def test_queries_are_read_in_their_order_and_what_nobody_knows_is_kept(tmp_path: Path, name: str) -> None:
    found = queries.read(written(tmp_path, EARLY, "", LIST, name=name))
    assert found == [EARLY, LIST]


def test_numbers_that_stand_for_ids_become_texts(tmp_path: Path) -> None:
    line = {"task": "library", "query": 17, "profile": [3, "4"], "candidates": "all items not in profile"}
    (found,) = queries.read(written(tmp_path, line))
    assert (found["query"], found["profile"], found["candidates"]) == ("17", ["3", "4"], "all items not in profile")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("[" * 100_000, "nested too deep"),
        ('{"task": "early", "query": "q", "upvotes": NaN}', "not JSON"),
        ('{"task": "early", "query": "q", "upvotes": 1e999}', "`upvotes` is not a number from 0"),
        ({**EARLY, "stars": -1}, "`stars` is not a number from 0"),
        ({**EARLY, "comments": True}, "`comments` is not a number from 0"),
        ({**EARLY, "task": None}, "`task` is missing"),
        ({"task": "early"}, "`query` is missing"),
        ({**EARLY, "query": ["q"]}, "`query` is not a text"),
        ({**EARLY, "paper_id": "x" * 201}, "`paper_id` is no name of anything"),
        ({**EARLY, "paper_id": "a\u202eb"}, "`paper_id` is no name of anything"),
        ({**LIST, "candidates": {"a": 1}}, "`candidates` is not a list"),
        ({**LIST, "profile": [1.5]}, "`profile` is not a text"),
    ],
)
def test_a_bad_line_ends_it_and_is_named(tmp_path: Path, line: object, words: str) -> None:
    path = written(tmp_path, EARLY, line)
    with pytest.raises(BadInput) as raised:
        queries.read(path)
    assert str(raised.value).startswith(f"{path}, line 2: ")
    assert words in str(raised.value)


def test_a_line_that_is_longer_than_any_query_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MAX_LINE", 100)
    with pytest.raises(BadInput, match="line 1: longer than"):
        queries.read(written(tmp_path, {**LIST, "candidates": ["x" * 90]}))


def test_a_file_of_too_many_lines_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MAX_LINES", 2)
    with pytest.raises(BadInput, match="more than 2 lines"):
        queries.read(written(tmp_path, EARLY, EARLY, EARLY))


def test_a_file_that_is_none_or_holds_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        queries.read(tmp_path / "q.jsonl")
    with pytest.raises(BadInput, match="holds no query"):
        queries.read(written(tmp_path, "", ""))
    cut = written(tmp_path, EARLY, name="q.jsonl.gz")
    cut.write_bytes(cut.read_bytes()[:-9])
    with pytest.raises(BadInput, match="not a whole gzip file"):
        queries.read(cut)
    cut.write_bytes(b"no gzip at all")
    with pytest.raises(BadInput, match="not a whole gzip file"):
        queries.read(cut)
    with pytest.raises(NotPermitted, match="cannot be read"):
        queries.read(tmp_path)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["task", "query", "upvotes", "candidates"]),
            st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers()),
        )
    )
)
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, lines: list[object]) -> None:
    path = written(tmp_path_factory.mktemp("any"), *lines)
    try:
        found = queries.read(path)
    except BadInput:
        return
    assert all(line["task"] and line["query"] for line in found)


def test_scores_are_what_a_judge_reads(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    assert queries.write(path, [Score("early", "2026-01-12", "2601.00001", 1.25), Score("cold", "d", "p", -3)]) == 2
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"task": "early", "query": "2026-01-12", "paper_id": "2601.00001", "score": 1.25},
        {"task": "cold", "query": "d", "paper_id": "p", "score": -3.0},
    ]


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -float("inf")])
def test_a_score_that_is_no_number_leaves_the_file_as_it_was(tmp_path: Path, score: float) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text("before")
    with pytest.raises(ValueError, match="the score of p for early q is"):
        queries.write(path, [Score("early", "q", "o", 1.0), Score("early", "q", "p", score)])
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_what_ends_in_the_middle_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    def some() -> Iterator[Score]:
        yield Score("early", "q", "p", 1.0)
        raise BadInput("no more")

    path = tmp_path / "s.jsonl"
    with pytest.raises(BadInput):
        queries.write(path, some())
    assert list(tmp_path.iterdir()) == []


def test_a_place_where_no_file_can_be_is_told_before_anything_is_computed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        queries.check_target(tmp_path)
    with pytest.raises(UsageError, match="there is no folder"):
        queries.check_target(tmp_path / "none" / "s.jsonl")
    queries.check_target(tmp_path / "s.jsonl")
