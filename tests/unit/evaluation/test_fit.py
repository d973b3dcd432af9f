import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from unit.evaluation.invented import DAYS, write

from digest.errors import BadInput
from digest.evaluation import fit
from digest.papers.model import Work
from digest.ranking.prior import Prior

LOVED = Work("Agents that plan", "We write about agents that plan.", links={"code": "https://example.org"})
PLAIN = Work("A survey of trees", "We write about a survey of trees.")
CHOSEN = Work("Retrieval of pages", "We write about retrieval of pages.")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> fit.Data:
    return fit.read(write(tmp_path_factory.mktemp("lists")))


@pytest.fixture(scope="module")
def fitted(data: fit.Data) -> Prior:
    return fit.fit(data)


def test_what_earned_votes_is_expected_to_do_so_again(fitted: Prior) -> None:
    loved, plain = fitted.expected([LOVED, PLAIN])[0]
    assert loved > 30
    assert plain < 15


def test_what_the_editor_chose_is_liked_more_than_what_was_voted_for(fitted: Prior) -> None:
    chosen, loved, plain = fitted.expected([CHOSEN, LOVED, PLAIN])[1]
    assert chosen > loved
    assert chosen > plain


def test_votes_of_the_morning_grow_fourfold_and_those_of_the_next_day_no_more(fitted: Prior) -> None:
    assert fitted.growth.factor(8) == pytest.approx(4, abs=1)
    assert fitted.growth.factor(26) == fitted.growth.factor(1000) == 1
    factors = [fitted.growth.factor(hours) for hours in (0, 1, 3, 6, 8, 12, 24, 48)]
    assert factors == sorted(factors, reverse=True)


def test_the_same_folder_gives_the_same_file(data: fit.Data, fitted: Prior) -> None:
    assert fit.fit(data).to_json() == fitted.to_json()


def test_a_file_reads_back_as_it_was_written(fitted: Prior) -> None:
    again = Prior.from_json(fitted.to_json())
    assert again.to_json() == fitted.to_json()
    assert again.expected([LOVED])[0][0] == fitted.expected([LOVED])[0][0]


def test_no_author_stands_in_the_file(fitted: Prior) -> None:
    assert "author 1" not in fitted.to_json().casefold()


def test_a_week_that_is_left_out_leaves_no_trace(data: fit.Data, fitted: Prior) -> None:
    without = fit.fit(data, without_weeks=[fit.week(DAYS[0])])
    assert without.about["papers"] == fitted.about["papers"] - 60
    assert without.about["from"] == DAYS[5].isoformat()


def test_nothing_later_than_a_day_is_looked_at(data: fit.Data) -> None:
    until = fit.fit(data, until=DAYS[10])
    assert until.about["to"] == DAYS[9].isoformat()
    assert until.about["picks"] == 6


def test_without_an_editor_nothing_is_of_his_kind(tmp_path: Path) -> None:
    prior = fit.fit(fit.read(write(tmp_path, picks=False)))
    assert prior.expected([CHOSEN])[1][0] <= -20


def test_a_folder_without_votes_cannot_be_fitted_to(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="too few papers"):
        fit.fit(fit.read(write(tmp_path, votes=False)))
    with pytest.raises(BadInput, match="no daily lists"):
        fit.read(tmp_path / "hf_daily")


def test_one_kind_without_lists_leaves_the_others(tmp_path: Path) -> None:
    folder = write(tmp_path)
    before = fit.read(folder)
    (folder / "hf_daily" / "early").mkdir()
    assert fit.read(folder).works == before.works


def test_the_script_writes_the_file_or_says_why_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "lists")
    out = tmp_path / "trending.json"
    last = (DAYS[-1] + timedelta(days=1)).isoformat()
    assert fit.main([str(folder), "--out", str(out), "--until", last]) == 0
    assert json.loads(out.read_text())["about"]["papers"] > 100
    assert fit.main([str(tmp_path / "nothing"), "--out", str(out)]) == 1
    assert "has no daily lists" in capsys.readouterr().err


def test_a_week_is_named_as_iso_has_it() -> None:
    assert fit.week(date(2025, 12, 29)) == "2026-W01"
