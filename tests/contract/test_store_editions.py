from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from contract.world import HOUR, NOW, TODAY, World, entry, sighting, together
from sqlalchemy import func, select

from digest.edition.model import Edition, Pick
from digest.papers.model import Work
from digest.ranking.vocabulary import fit
from digest.store import editions, issues, papers
from digest.store.schema import edition_entry
from digest.subscribers.model import Cadence

DAY = timedelta(days=1)


def freeze(world: World, *of: int, cadence: Cadence = "daily", because: str = "") -> tuple[Edition, bool]:
    with world.store.write() as connection:
        return editions.freeze(
            connection,
            on=TODAY,
            cadence=cadence,
            frozen_at=NOW,
            entries=[entry(paper, rank) for rank, paper in enumerate(of, 1)],
            missing_sources=["Hugging Face", "arXiv"],
            empty_because=because,
        )


def test_what_was_frozen_is_what_is_loaded(world: World) -> None:
    frozen, new = freeze(world, 7, 3, 9)
    assert new
    assert frozen == Edition(
        number=frozen.number,
        date=TODAY,
        cadence="daily",
        frozen_at=NOW,
        entries=(entry(7, 1), entry(3, 2), entry(9, 3)),
        missing_sources=("Hugging Face", "arXiv"),
    )
    assert world.load(frozen.number) == frozen


def test_the_rows_of_an_edition_are_kept_while_it_is_mailed(world: World) -> None:
    fitted = fit([entry(paper).work for paper in (1, 2)])
    rows = fitted.rows([entry(1).work, entry(2).work])
    with world.store.write() as connection:
        frozen, _ = editions.freeze(
            connection, on=TODAY, cadence="daily", frozen_at=NOW, entries=[entry(1, 1), entry(2, 2)], rows=rows
        )
        found = editions.rows(connection, frozen.number)
        assert found.shape == rows.shape
        assert (found != rows).nnz == 0
        assert editions.prune_rows(connection, NOW + editions.ROWS_KEPT - DAY) == 0
        assert editions.prune_rows(connection, NOW + editions.ROWS_KEPT + DAY) == 1
        assert editions.rows(connection, frozen.number) is None


def test_old_editions_repeat_no_abstract_that_no_issue_shows(world: World) -> None:
    world.record(*(sighting(f"Paper {n}", f"arxiv:2601.0000{n}", abstract="We show it again.") for n in (1, 2)))
    first, second = (paper.id for paper in world.papers())
    gone = first + second + 1
    plain = replace(entry(gone + 1, 4), work=Work("No abstract"))
    with world.store.write() as connection:
        frozen, _ = editions.freeze(
            connection,
            on=TODAY,
            cadence="daily",
            frozen_at=NOW,
            entries=[entry(first, 1), entry(second, 2), entry(gone, 3), plain],
        )
        issues.store_picks(connection, frozen.number, [Pick(first, "card")])
        assert editions.forget_abstracts(connection, NOW + editions.ABSTRACTS_KEPT - DAY) == 0
        assert [editions.forget_abstracts(connection, NOW + editions.ABSTRACTS_KEPT + DAY) for _ in range(2)] == [2, 0]
    found = world.load(frozen.number).entries
    assert [one.work.abstract for one in found] == ["We show it.", "We show it again.", "", ""]
    same = [replace(one, work=replace(one.work, abstract="")) for one in frozen.entries]
    assert [replace(one, work=replace(one.work, abstract="")) for one in found] == same


def test_an_edition_that_was_frozen_without_rows_has_none(world: World) -> None:
    frozen, _ = freeze(world, 1)
    with world.store.read() as connection:
        assert editions.rows(connection, frozen.number) is None


def test_freezing_again_changes_nothing(world: World) -> None:
    first, _ = freeze(world, 1, 2)
    again, new = freeze(world, 5, 6, 7, because="nothing left")
    assert (again, new) == (first, False)
    with world.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(edition_entry)).scalar_one() == 2


def test_of_many_who_freeze_at_once_one_does_and_all_see_what_he_froze(world: World) -> None:
    ready = Barrier(4)

    def publish(paper: int) -> tuple[Edition, bool]:
        ready.wait(30)
        return freeze(world, paper)

    found = together(*[lambda n=n: publish(n) for n in range(1, 5)])
    assert sorted(new for _, new in found) == [False, False, False, True]
    assert all(issue == found[0][0] for issue, _ in found)
    (only,) = found[0][0].entries
    assert only.paper_id == next(issue.entries[0].paper_id for issue, new in found if new)


def test_the_daily_and_the_weekly_edition_of_a_date_are_two(world: World) -> None:
    daily, new = freeze(world, 1)
    weekly, also_new = freeze(world, 2, cadence="weekly")
    assert new
    assert also_new
    assert daily.number != weekly.number
    with world.store.read() as connection:
        assert editions.find(connection, TODAY, "weekly") == weekly
        assert editions.find(connection, TODAY - DAY, "daily") is None


def test_an_empty_edition_says_why(world: World) -> None:
    frozen, _ = freeze(world, because="no paper was seen in the last 14 days")
    assert (frozen.entries, frozen.empty_because) == ((), "no paper was seen in the last 14 days")


def test_a_frozen_entry_stays_though_its_paper_changes(world: World) -> None:
    world.record(sighting("Sparse attention", "arxiv:2511.04321"))
    paper = world.paper("arxiv:2511.04321")
    with world.store.write() as connection:
        frozen = replace(entry(paper.id), work=paper.work)
        issue, _ = editions.freeze(connection, on=TODAY, cadence="daily", frozen_at=NOW, entries=[frozen])
    world.record(
        sighting(
            "Another title", "arxiv:2511.04321", at=NOW + HOUR, abstract="Much longer.", readings={"votes": 9}, keywords=("k",)
        )
    )
    assert world.paper("arxiv:2511.04321").work != paper.work
    assert world.load(issue.number).entries == (frozen,)


@pytest.mark.parametrize("frozen_is_older", [True, False])
def test_a_merge_after_freezing_shows_among_the_former_ids(world: World, frozen_is_older: bool) -> None:
    world.record(sighting("A", "arxiv:2511.04321"), sighting("B", "doi:10.1234/a"), sighting("C", "doi:10.1234/c"))
    older, newer = world.paper("arxiv:2511.04321").id, world.paper("doi:10.1234/a").id
    frozen, kin = (older, newer) if frozen_is_older else (newer, older)
    issue = world.edition(papers=[frozen, world.paper("doi:10.1234/c").id])
    world.record(sighting("A", "arxiv:2511.04321", "doi:10.1234/a"))
    first, second = world.load(issue).entries
    assert first.paper_id == frozen
    assert first.former_ids == {kin}
    assert second.former_ids == frozenset()


def test_a_paper_that_is_hidden_after_a_merge_is_known_under_the_number_that_was_frozen(world: World) -> None:
    world.record(sighting("A", "arxiv:2511.04321"), sighting("B", "doi:10.1234/a"))
    newer = world.paper("doi:10.1234/a").id
    issue = world.load(world.edition(papers=[newer]))
    world.record(sighting("A", "arxiv:2511.04321", "doi:10.1234/a"))
    with world.store.write() as connection:
        papers.set_hidden(connection, world.paper("doi:10.1234/a").id, NOW)
    with world.store.read() as connection:
        assert papers.hidden_among(connection, [one.paper_id for one in issue.entries]) == {newer}


def test_editions_are_found_by_when_they_were_frozen(world: World) -> None:
    days = [world.edition(TODAY - n * DAY, frozen_at=NOW - n * DAY) for n in range(4)]
    with world.store.read() as connection:
        found = editions.frozen(connection, since=NOW - 3 * DAY, until=NOW - DAY)
        assert [row.id for row in found] == [days[2], days[1]]
        latest = editions.latest(connection, NOW - DAY)
        assert latest is not None
        assert latest.id == days[1]
        assert editions.latest(connection, NOW - 9 * DAY) is None


def test_an_edition_is_reported_once(world: World) -> None:
    one, other = world.edition(TODAY - DAY), world.edition(TODAY)
    times = {"since": NOW - 7 * DAY, "until": NOW}
    with world.store.write() as connection:
        assert [row.id for row in editions.unreported(connection, **times)] == [one, other]
        assert [row.id for row in editions.unreported(connection, since=NOW - DAY, until=NOW)] == [other]
        editions.set_reported(connection, one, NOW)
        assert [row.id for row in editions.unreported(connection, **times)] == [other]
