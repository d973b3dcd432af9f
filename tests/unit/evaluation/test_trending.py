from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from unit.evaluation.invented import DAYS, paper_id, write

from digest.errors import BadInput
from digest.evaluation import fit, trending
from digest.evaluation.model import Result
from digest.ranking.prior import Prior


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("lists"))


@pytest.fixture(scope="module")
def model(folder: Path) -> Prior:
    return fit.fit(fit.read(folder))


@pytest.fixture(scope="module")
def results(folder: Path) -> list[Result]:
    return trending.results(folder, quiet)


def quiet(_done: int, _of: int) -> None:
    pass


def line(task: str, number: int, day: int = 0, **state: Any) -> dict[str, Any]:
    at = f"{DAYS[day]}T08:00:00Z"
    asked = {"task": task, "query": "one", "now": at, "snapshot": at, "paper_id": paper_id(day, number)}
    return asked | {"upvotes": 0.0, "comments": 1.0, "stars": 0.0} | state


def scored(folder: Path, lines: list[dict[str, Any]], model: Prior) -> dict[tuple[str, str, str], float]:
    return {(one.task, one.query, one.paper_id): one.score for one in trending.score(folder, lines, quiet, model)}


def in_order(folder: Path, lines: list[dict[str, Any]], model: Prior) -> list[str]:
    found = scored(folder, lines, model)
    return [paper_id for _, _, paper_id in sorted(found, key=lambda key: -found[key])]


def test_before_any_vote_the_text_decides(folder: Path, model: Prior) -> None:
    lines = [line("cold", number, snapshot=str(DAYS[0])) for number in (2, 0, 1)]
    assert in_order(folder, lines, model) == [paper_id(0, number) for number in (0, 1, 2)]


def test_many_votes_outdo_the_text(folder: Path, model: Prior) -> None:
    lines = [line("morning", 0, upvotes=2.0), line("morning", 2, upvotes=80.0)]
    assert in_order(folder, lines, model) == [paper_id(0, 2), paper_id(0, 0)]


def test_a_paper_of_a_pool_counts_as_of_its_own_morning(folder: Path, model: Prior) -> None:
    lines = [line("pool5", 0, day, upvotes=9.0, now=f"{DAYS[4]}T08:00:00Z") for day in (0, 4)]
    assert scored(folder, lines, model)["pool5", "one", paper_id(0, 0)] == pytest.approx(
        scored(folder, lines[:1], model)["pool5", "one", paper_id(0, 0)]
    )


def test_the_editor_is_asked_by_his_taste(folder: Path, model: Prior) -> None:
    lines = [line("editor", 0, upvotes=50.0), line("editor", 1, upvotes=5.0), line("editor", 2, upvotes=5.0)]
    assert in_order(folder, lines, model)[0] == paper_id(0, 1)


def test_neither_order_nor_another_task_nor_votes_of_the_folder_are_a_signal(
    folder: Path, model: Prior, tmp_path: Path
) -> None:
    lines = [line("morning", number, upvotes=float(number)) for number in range(6)]
    others = [line("early", number, upvotes=900.0) for number in range(6)]
    blind = write(tmp_path, votes=False, picks=False)
    alone = scored(folder, lines, model)
    assert scored(folder, lines[::-1], model) == alone
    assert scored(blind, lines, model) == alone
    mixed = scored(folder, others + lines, model)
    assert {key: score for key, score in mixed.items() if key[0] == "morning"} == alone


def test_a_moment_is_the_same_in_every_zone(folder: Path, model: Prior) -> None:
    there = f"{DAYS[0] + timedelta(days=1)}T01:00:00+09:00"
    here = scored(folder, [line("morning", 0, upvotes=5.0, snapshot=f"{DAYS[0]}T16:00:00Z")], model)
    assert scored(folder, [line("morning", 0, upvotes=5.0, snapshot=there)], model) == here


def test_an_unknown_task_a_missing_count_and_an_unknown_paper_are_scored(folder: Path, model: Prior) -> None:
    unknown = line("evening", 0) | {
        "paper_id": "2509.99999",
        "upvotes": None,
        "comments": "many",
        "snapshot": None,
        "now": None,
    }
    found = scored(folder, [line("evening", 0, upvotes=3.0), unknown], model)
    assert set(found) == {("evening", "one", paper_id(0, 0)), ("evening", "one", "2509.99999")}


def test_a_line_that_asks_for_no_paper_is_passed_over(folder: Path, model: Prior) -> None:
    assert scored(folder, [{"task": "early", "query": "one"}, {}], model) == {}


def test_the_parameters_of_the_program_score_too(folder: Path) -> None:
    lines = [line("early", number, upvotes=float(number)) for number in range(4)]
    found = list(trending.score(folder, lines, quiet))
    assert max(found, key=lambda one: one.score).paper_id == paper_id(0, 3)


def test_a_folder_without_lists_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        list(trending.score(tmp_path, [line("early", 0)], quiet))


def test_results_stand_beside_plain_orders_and_say_that_they_are_fitted_without_the_week(results: list[Result]) -> None:
    methods: dict[str, set[str]] = defaultdict(set)
    for one in results:
        methods[one.task].add(one.method)
    assert set(methods) == set(trending.TASKS)
    ours = "trending, refitted without the week"
    plain = {"raw votes", "newest", "gravity", "comments", "random"}
    assert methods["early"] == {ours, f"{ours} - raw votes"} | plain
    assert methods["cold"] == {ours, "random"}


def test_no_pool_is_judged_by_parameters_that_were_fitted_to_a_part_of_it(folder: Path) -> None:
    data = fit.read(folder)
    weeks = [fit.week(day) for day in DAYS[::5]]
    models, _ = trending._models(data, {weeks[1]: weeks[0]}, quiet, None)
    pools = [query for query in trending._queries(data) if query.task == "pool5" and fit.week(query.day) == weeks[1]]
    listed = {fit.week(date.fromisoformat(line["snapshot"][:10])) for pool in pools for line in pool.lines}
    assert listed == {weeks[0], weeks[1]}
    assert models[weeks[1]].about["without"] == f"{weeks[0]} {weeks[1]}"
    assert models[weeks[1]].about["from"] == DAYS[10].isoformat()


def test_results_are_better_than_chance_and_than_votes_that_say_nothing(results: list[Result]) -> None:
    mean = {(one.task, one.method): one.metrics for one in results}
    ours = "trending, refitted without the week"
    assert mean["cold", ours]["nDCG@5"].low > mean["cold", "random"]["nDCG@5"].high
    assert mean["early", f"{ours} - raw votes"]["nDCG@5"].low > 0
    assert mean["editor", ours]["recall@20"].mean > mean["editor", "random"]["recall@20"].mean


def test_a_folder_with_votes_for_few_papers_is_judged_by_the_parameters_of_the_program(tmp_path: Path) -> None:
    folder = write(tmp_path, picks=False)
    rows = (folder / "hf_trajectories.csv").read_text().splitlines()
    kept = [row for row in rows if row.startswith(("date", str(DAYS[0])))]
    (folder / "hf_trajectories.csv").write_text("\n".join(kept))
    found = trending.results(folder, quiet)
    assert {one.task for one in found} == {"early", "morning", "cold"}
    assert found[0].method == "trending, as fitted elsewhere"


def test_without_later_votes_there_is_nothing_to_judge_by(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no lists with later votes"):
        trending.results(write(tmp_path, votes=False), quiet)


def test_a_given_model_is_judged_as_it_is(folder: Path, model: Prior) -> None:
    told: list[tuple[int, int]] = []
    found = trending.results(folder, lambda done, of: told.append((done, of)), model)
    assert found[0].method == "trending"
    assert told == []
