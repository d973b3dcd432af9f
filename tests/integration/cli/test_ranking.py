"""What `digest rank` shows: every term of every paper, or what one reader would get."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from support.operator import Operator
from support.site import MONDAY, Site


@pytest.fixture
def with_votes(operator: Operator, tmp_path: Path) -> Operator:
    """Some of the papers have been voted for."""
    votes = tmp_path / "votes.jsonl"
    lines = ({"title": f"A graph study, number {n}", "arxiv_id": f"2603.{10000 + n}", "votes": 90 - n} for n in (0, 10, 20))
    votes.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert operator.call("collect", "--file", str(votes), now=MONDAY - timedelta(minutes=30)).code == 0
    return operator


def test_a_score_is_the_sum_of_its_terms_and_all_are_there(with_votes: Operator) -> None:
    shown = with_votes.call("rank", "--json", "--top", "60", now=MONDAY).json
    assert (shown["edition"], shown["frozen_at"], shown["candidates"], len(shown["papers"])) == ("2026-03-02", None, 60, 60)
    for paper in shown["papers"]:
        assert paper["score"] == pytest.approx(sum(term["score"] for term in paper["terms"]), abs=1e-3)
    assert [paper["rank"] for paper in shown["papers"]] == list(range(1, 61))
    assert {paper["numbers"].get("votes") for paper in shown["papers"][:3]} == {90, 80, 70}


def test_a_frozen_edition_is_shown_as_it_was_frozen(with_votes: Operator, site: Site) -> None:
    site.publish()
    frozen = with_votes.call("rank", "--json", now=MONDAY).json
    with_votes.call("papers", "pin", "2603.10059", now=MONDAY)
    later = with_votes.call("rank", "--json", "--date", "2026-03-02", now=MONDAY + timedelta(days=3)).json
    assert later == frozen
    assert frozen["frozen_at"] == "2026-03-02T06:00:00Z"


def test_what_was_withdrawn_since_is_not_shown(with_votes: Operator, site: Site) -> None:
    site.publish()
    with_votes.call("papers", "hide", "2603.10000", now=MONDAY)
    shown = with_votes.call("rank", "--json", now=MONDAY).json
    assert "A graph study, number 0" not in [paper["title"] for paper in shown["papers"]]


def test_for_a_reader_it_shows_his_picks_with_their_section_and_what_matched(with_votes: Operator, site: Site) -> None:
    site.subscribe("ann@example.org", topics=["protein folding"])
    shown = with_votes.call("rank", "--for", "ann@example.org", "--json", now=MONDAY).json
    assert [paper["section"] for paper in shown["papers"]] == ["card"] * 3 + ["also"] * 2
    matched = [paper for paper in shown["papers"] if paper["how"] == "topic"]
    assert matched
    assert {paper["matched"] for paper in matched} == {"protein folding"}
    assert len(with_votes.call("rank", "--for", "ann@example.org", "--top", "9", "--json", now=MONDAY).json["papers"]) == 9


@pytest.mark.parametrize("line", ["rank", "rank --for ann@example.org", "rank --weekly --top 3"])
def test_people_see_ranks_scores_titles_and_reasons(with_votes: Operator, site: Site, line: str) -> None:
    site.subscribe("ann@example.org", topics=["protein folding"])
    done = with_votes.call(*line.split(), now=MONDAY)
    assert done.code == 0, done.err
    assert "A graph study, number 0" in done.out
    assert "in expected votes" in done.err
    assert max(map(len, done.out.splitlines())) <= 120


def test_a_reader_who_has_got_everything_is_shown_nothing_and_told_so(operator: Operator, site: Site) -> None:
    done = operator.call("rank", "--date", "2026-01-01", now=MONDAY - timedelta(days=60))
    assert (done.code, done.out) == (0, "")
    assert "no paper was seen" in done.err
