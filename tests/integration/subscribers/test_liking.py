"""What readers say of papers: noted once, the last word counting, and what those papers are that nobody has shown us."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from support.arxiv import Arxiv, Paper
from support.website import Website

from digest.clock import SteppedClock
from digest.errors import UsageError
from digest.flows import liking, subscribe
from digest.papers.model import Sighting, Work
from digest.sources.arxiv.api import ArxivApi, ArxivApiSettings
from digest.sources.base import Collected, Errand
from digest.sources.web import Web
from digest.store import events, papers, ratings, subscribers
from digest.store.engine import Store
from digest.subscribers.address import EmailAddress
from digest.subscribers.library import Like, read
from digest.subscribers.model import MAX_RATED, SignUp, Subscriber

NOW = datetime(2026, 4, 28, 6, tzinfo=UTC)
ANN = EmailAddress("ann@example.org")


@pytest.fixture
def ann(store: Store) -> Subscriber:
    return subscribe.subscribe(store, NOW, SignUp(ANN), confirmed=True, public_url=None, source="a test").subscriber


def rated(store: Store, kind: str = "liked") -> list[str]:
    with store.read() as connection:
        known = subscribers.by_address(connection, ANN)
        assert known is not None
        wanted = subscribers.interests(connection, [known.id], NOW + timedelta(days=99)).get(known.id, ())
    return [one.value for one in wanted if one.kind == kind]


def likes(*ids: str) -> list[Like]:
    return [Like((id_,)) for id_ in ids]


def test_the_last_word_counts_and_leaves_an_event(store: Store, ann: Subscriber) -> None:
    assert liking.rate(store, NOW, ann.id, "arxiv:2301.00001", "more", by="a test")
    assert not liking.rate(store, NOW, ann.id, "arxiv:2301.00001", "more", by="a test")
    assert liking.rate(store, NOW, ann.id, "arxiv:2301.00001", "less", by="a test")
    assert (rated(store), rated(store, "disliked")) == ([], ["arxiv:2301.00001"])
    assert liking.rate(store, NOW, ann.id, "arxiv:2301.00001", "neither", by="a test")
    assert not liking.rate(store, NOW, ann.id, "arxiv:2301.00001", "neither", by="a test")
    with store.read() as connection:
        said = [one.details for one in events.history(connection, ann.id) if one.kind == "rated"]
    assert said == [{verdict: ["arxiv:2301.00001"], "by": "a test"} for verdict in ("more", "less", "neither")]


def test_whoever_rates_one_too_many_loses_the_oldest(store: Store, ann: Subscriber) -> None:
    liking.like_all(store, NOW, ANN, likes(*(f"arxiv:2301.{n:05}" for n in range(MAX_RATED))), by="a test")
    liking.rate(store, NOW, ann.id, "arxiv:2302.00001", "less", by="a test")
    assert len(rated(store)) == MAX_RATED - 1
    assert rated(store)[0] == "arxiv:2301.00001"
    assert rated(store, "disliked") == ["arxiv:2302.00001"]


def test_a_list_is_liked_besides_what_was_and_only_as_far_as_there_is_room(store: Store, ann: Subscriber) -> None:
    liking.rate(store, NOW, ann.id, "arxiv:2301.00000", "less", by="a test")
    first = liking.like_all(store, NOW, ANN, likes("arxiv:2301.00000", "arxiv:2301.00001"), by="a test")
    assert (first.new, first.already, first.too_many) == (2, 0, 0)
    many = likes(*(f"arxiv:2301.{n:05}" for n in range(MAX_RATED + 7)))
    second = liking.like_all(store, NOW, ANN, many, by="a test")
    assert (second.new, second.already, second.too_many) == (MAX_RATED - 2, 2, 7)
    assert len(rated(store)) == MAX_RATED
    assert rated(store, "disliked") == []


def test_nobody_likes_who_is_no_subscriber(store: Store) -> None:
    with pytest.raises(UsageError, match=r"ann@example\.org is no subscriber"):
        liking.like_all(store, NOW, ANN, likes("arxiv:2301.00001"), by="a test")


def test_a_paper_is_liked_by_the_id_that_is_known_here(store: Store, ann: Subscriber) -> None:
    with store.write() as connection:
        papers.record(connection, [Sighting("test", NOW, Work("In print"), ("doi:10.1000/x",))])
    done = liking.like_all(store, NOW, ANN, [Like(("arxiv:2301.00001", "doi:10.1000/x"))], by="a test")
    assert done.new == 1
    assert rated(store) == ["doi:10.1000/x"]


def test_what_bibtex_tells_is_kept_until_a_source_tells_better(store: Store, ann: Subscriber) -> None:
    library = read("@misc{k, eprint={2301.00001}, title={On Graphs}, abstract={They are large.}}")
    liking.like_all(store, NOW, ANN, library.likes, by="a test")
    with store.write() as connection:
        assert ratings.works_of(connection, ["arxiv:2301.00001"])["arxiv:2301.00001"].abstract == "They are large."
        papers.record(connection, [Sighting("test", NOW, Work("On graphs, at last"), ("arxiv:2301.00001",))])
        assert ratings.works_of(connection, ["arxiv:2301.00001"])["arxiv:2301.00001"].title == "On graphs, at last"


@pytest.fixture
def arxiv() -> Iterator[Arxiv]:
    with Website() as site:
        yield Arxiv(site, [Paper(f"2604.{21_000 + n}") for n in range(20)], shown=NOW.date(), built=NOW.date())


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(sleep=lambda _: None) as one:
        yield one


def look_up(store: Store, web: Web, arxiv: Arxiv, limit: int = 200) -> int:
    source = ArxivApi(ArxivApiSettings(url=f"{arxiv.site.url}/api/query", limit=limit))
    return liking.look_up(store, SteppedClock(NOW), web, source)


def test_what_nobody_knows_is_looked_up_once(store: Store, ann: Subscriber, arxiv: Arxiv, web: Web) -> None:
    unknown = ("arxiv:2604.21001", "arxiv:0808.05394", "doi:10.1000/x")
    liking.like_all(store, NOW, ANN, likes(*unknown), by="a test")
    assert look_up(store, web, arxiv) == 1
    assert [params["id_list"] for params in arxiv.questions("api")] == ["0808.05394,2604.21001"]
    with store.read() as connection:
        assert ratings.works_of(connection, unknown)["arxiv:2604.21001"].categories == ("cs.AI", "cs.LG")
        assert papers.find(connection, unknown) == []
    assert look_up(store, web, arxiv) == 0
    assert len(arxiv.questions("api")) == 1


def test_what_a_source_or_a_file_has_told_is_not_looked_up(store: Store, ann: Subscriber, arxiv: Arxiv, web: Web) -> None:
    with store.write() as connection:
        papers.record(connection, [Sighting("test", NOW, Work("Known"), ("arxiv:2604.21001",))])
    given = [Like(("arxiv:2604.21001",)), Like(("arxiv:2604.21002",), Work("From a file"))]
    liking.like_all(store, NOW, ANN, given, by="a test")
    liking.rate(store, NOW, ann.id, "arxiv:2604.21003", "more", by="a test")
    liking.rate(store, NOW, ann.id, "arxiv:2604.21003", "neither", by="a test")
    assert look_up(store, web, arxiv) == 0
    assert arxiv.asked == []


def test_an_answer_over_which_the_parser_trips_is_asked_for_again(
    store: Store, ann: Subscriber, arxiv: Arxiv, web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    class Tripping(ArxivApi):
        def collect(self, errand: Errand) -> Collected:
            raise RecursionError(f"too deep, of {errand.known[0].ids[0]}")

    liking.like_all(store, NOW, ANN, likes("arxiv:2604.21001"), by="a test")
    assert liking.look_up(store, SteppedClock(NOW), web, Tripping(ArxivApiSettings())) == 0
    fault = "internal error: RecursionError('too deep, of arxiv:2604.21001')"
    assert f"{fault}; please report it" in caplog.text
    assert f"papers that readers like were not looked up: {fault}" in caplog.text
    assert look_up(store, web, arxiv) == 1


def test_no_more_are_looked_up_at_once_than_the_source_allows(store: Store, ann: Subscriber, arxiv: Arxiv, web: Web) -> None:
    liking.like_all(store, NOW, ANN, likes(*(f"arxiv:2604.{21_000 + n}" for n in range(20))), by="a test")
    assert [look_up(store, web, arxiv, limit=15), look_up(store, web, arxiv, limit=15)] == [15, 5]


def test_a_server_that_is_dead_costs_nothing(store: Store, ann: Subscriber, arxiv: Arxiv, web: Web) -> None:
    liking.like_all(store, NOW, ANN, likes("arxiv:2604.21001"), by="a test")
    source = ArxivApi(ArxivApiSettings(url="http://127.0.0.1:9/api/query"))
    assert liking.look_up(store, SteppedClock(NOW), web, source) == 0
    assert look_up(store, web, arxiv) == 1
