"""What the web keeps: issues for everybody, sign-ups to be settled, allowances of visitors."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from contract.world import LONG_AGO, NOW, TODAY, World, sighting

from digest.allowance import Allowance
from digest.edition.model import Pick
from digest.store import allowances, editions, issues, papers, sign_ups
from digest.store.engine import Store
from digest.store.issues import Issue
from digest.subscribers.address import EmailAddress

DAY = timedelta(days=1)


def some_papers(world: World, *keys: str) -> list[int]:
    world.record(*(sighting(f"On {key}", key) for key in keys))
    return [world.paper(key).id for key in keys]


def newest(world: World) -> Issue | None:
    with world.store.read() as connection:
        return issues.newest(connection, NOW)


def choose(world: World, number: int, *picks: Pick) -> None:
    with world.store.write() as connection:
        issues.store_picks(connection, number, picks)


def test_an_issue_shows_what_was_chosen_under_the_keys_of_today(world: World) -> None:
    one, two, three = some_papers(world, "arxiv:2601.00001", "arxiv:2601.00002", "doi:10.1000/3")
    number = world.edition(papers=[one, two, three])
    choose(world, number, Pick(three, "card"), Pick(one, "also"))
    issue = newest(world)
    assert issue is not None
    assert [(shown.key, shown.section, shown.entry.rank) for shown in issue.shown] == [
        ("doi:10.1000/3", "card", 3),
        ("arxiv:2601.00001", "also", 1),
    ]


def test_the_best_papers_of_an_edition_come_in_order_of_rank(world: World) -> None:
    ids = some_papers(world, "arxiv:2601.00001", "arxiv:2601.00002", "arxiv:2601.00003")
    number = world.edition(papers=ids)
    with world.store.read() as connection:
        best = editions.best(connection, number, 2)
        assert [work.title for work in best] == [entry.work.title for entry in editions.load(connection, number).entries[:2]]
        assert editions.best(connection, number + 1, 2) == []


def test_what_was_chosen_once_stands(world: World) -> None:
    one, two = some_papers(world, "arxiv:2601.00001", "arxiv:2601.00002")
    number = world.edition(papers=[one, two])
    choose(world, number, Pick(two, "card"))
    choose(world, number, Pick(one, "card"))
    issue = newest(world)
    assert issue is not None
    assert [shown.entry.paper_id for shown in issue.shown] == [two]


def test_an_edition_without_an_issue_shows_its_best(world: World) -> None:
    ids = some_papers(world, *(f"arxiv:2601.{n:05}" for n in range(1, 13)))
    world.edition(papers=ids)
    issue = newest(world)
    assert issue is not None
    assert [shown.entry.paper_id for shown in issue.shown] == ids[:10]


def test_a_paper_that_is_hidden_is_left_out(world: World) -> None:
    one, two = some_papers(world, "arxiv:2601.00001", "arxiv:2601.00002")
    choose(world, world.edition(papers=[one, two]), Pick(one, "card"), Pick(two, "card"))
    with world.store.write() as connection:
        papers.set_hidden(connection, one, NOW)
    issue = newest(world)
    assert issue is not None
    assert [shown.entry.paper_id for shown in issue.shown] == [two]


def test_the_newest_issue_is_the_last_daily_one_with_something_to_show(world: World) -> None:
    assert newest(world) is None
    (one,) = some_papers(world, "arxiv:2601.00001")
    world.edition(TODAY - 2 * DAY, papers=[one])
    world.edition(TODAY - DAY, papers=[], empty_because="nothing new")
    world.edition(TODAY, "weekly", papers=[one])
    issue = newest(world)
    assert issue is not None
    assert issue.date == TODAY - 2 * DAY


def test_the_archive_lists_editions_the_latest_first_and_knows_their_neighbours(world: World) -> None:
    (one,) = some_papers(world, "arxiv:2601.00001")
    for days in range(5):
        world.edition(TODAY - days * DAY, papers=[] if days == 2 else [one], empty_because="none" if days == 2 else "")
    with world.store.read() as connection:
        listed = issues.listed(connection)
        assert [row.date for row in listed] == [TODAY - days * DAY for days in (0, 1, 3, 4)]
        assert [row.date for row in issues.listed(connection, before=TODAY - DAY, limit=1)] == [TODAY - 3 * DAY]
        assert issues.beside(connection, TODAY - DAY, "daily") == (TODAY - 3 * DAY, TODAY)
        assert issues.beside(connection, TODAY, "daily") == (TODAY - DAY, None)


def test_it_is_known_what_issues_have_shown_and_which_are_lacking(world: World) -> None:
    one, two = some_papers(world, "arxiv:2601.00001", "arxiv:2601.00002")
    first, second = world.edition(TODAY - DAY, papers=[one, two]), world.edition(papers=[one, two])
    choose(world, first, Pick(two, "card"))
    with world.store.read() as connection:
        assert issues.lacking(connection, LONG_AGO) == [second]
        assert issues.shown_since(connection, LONG_AGO, "daily") == {two}
        assert issues.shown_since(connection, LONG_AGO, "weekly") == set()


def test_a_sign_up_is_taken_once(store: Store) -> None:
    addresses = [EmailAddress(f"reader{n}@example.org") for n in range(3)]
    with store.write() as connection:
        for address in addresses:
            sign_ups.note(connection, address, {"topics": ["graphs"]}, "192.0.2.0/24", NOW)
    with store.write() as connection:
        first = sign_ups.take(connection, 2)
    with store.write() as connection:
        rest = sign_ups.take(connection, 2)
        assert sign_ups.take(connection, 2) == []
    assert [row.address for row in first + rest] == [address.text for address in addresses]
    assert (first[0].wishes, first[0].origin, first[0].asked_at) == ({"topics": ["graphs"]}, "192.0.2.0/24", NOW)


def test_an_allowance_is_used_up_and_comes_back(store: Store) -> None:
    hourly = {"somebody": (Allowance(2, timedelta(hours=1)),), "all": (Allowance(3, timedelta(hours=1)),)}
    others = {"somebody else": hourly["somebody"], "all": hourly["all"]}

    def spend(wanted: dict[str, tuple[Allowance, ...]], minutes: int) -> bool:
        with store.write() as connection:
            return allowances.spend(connection, wanted, NOW + timedelta(minutes=minutes))

    assert [spend(hourly, 0) for _ in range(3)] == [True, True, False]
    assert [spend(others, 0) for _ in range(2)] == [True, False]
    assert spend(hourly, 31)
    with store.write() as connection:
        assert allowances.prune(connection, NOW + timedelta(days=1)) == 3


def test_of_many_who_use_it_for_the_first_time_at_once_only_as_many_pass_as_may(store: Store) -> None:
    at_once = 8
    twice, begin = (Allowance(2, timedelta(hours=1)),), Barrier(at_once)

    def spend(keys: Sequence[str]) -> bool:
        begin.wait()
        with store.write() as connection:
            return allowances.spend(connection, dict.fromkeys(keys, twice), NOW)

    with ThreadPoolExecutor(at_once) as threads:
        for number in range(10):
            # Half of them name the two in the other order, and none waits for ever.
            keys = [(f"one {number}", f"other {number}"), (f"other {number}", f"one {number}")]
            assert sum(threads.map(spend, keys * (at_once // 2))) == 2
