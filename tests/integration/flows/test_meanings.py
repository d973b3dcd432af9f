"""A model reads what is new when mails are out, and readers' profiles get their meaning; a real model of a few words."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from support.invented import sighting
from support.site import Site
from support.tiny_model import tiny_model

from digest.flows.meanings import AT_ONCE, LIKES, Lens, of_entries, read_papers
from digest.papers.model import Work
from digest.ranking.profile import Facet, Profile
from digest.semantic import Encoder
from digest.store import meanings, papers, turns

WINDOW = timedelta(days=14)
KINDS = ("cats", "cars", "birds")
WORDS = {"cats": (1, 0, 0), "cars": (0, 1, 0), "birds": (0, 0, 1)}


@pytest.fixture
def site(site: Site) -> Site:
    """One whose papers have left the window."""
    site.later(days=20)
    return site


@pytest.fixture
def encoder(tmp_path: Path) -> Encoder:
    return Encoder(tiny_model(tmp_path / "model", WORDS))


def collect(site: Site, count: int) -> list[int]:
    """Papers about cats, cars and birds in turn; returns their numbers."""
    works = [Work(f"Paper {n}", f"It is about {KINDS[n % 3]}.") for n in range(count)]
    with site.app.store.write() as connection:
        papers.record(connection, [sighting(n, site.now, work=work) for n, work in enumerate(works)])
    with site.app.store.read() as connection:
        found = papers.find(connection, [f"arxiv:2603.{20000 + n}" for n in range(count)])
    return [paper.id for paper in sorted(found, key=lambda paper: paper.key)]


def after(looks: int) -> Callable[[], bool]:
    """Stops at this look."""
    left = [looks]

    def stop() -> bool:
        left[0] -= 1
        return left[0] < 0

    return stop


def read(site: Site, encoder: Encoder, looks: int = 1000) -> int:
    return read_papers(site.app.store, encoder, site.now, WINDOW, after(looks))


def test_all_papers_of_the_window_are_read_once(site: Site, encoder: Encoder) -> None:
    ids = collect(site, AT_ONCE + 20)
    assert read(site, encoder) == AT_ONCE + 20
    assert read(site, encoder) == 0
    with site.app.store.read() as connection:
        vectors = meanings.of(connection, encoder.model, ids)
    assert [vectors[one].tolist() for one in ids[:3]] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_it_stops_when_it_is_told_to_and_goes_on_another_time(site: Site, encoder: Encoder) -> None:
    collect(site, AT_ONCE + 20)
    assert read(site, encoder, looks=0) == 0
    assert read(site, encoder, looks=1) == AT_ONCE
    assert read(site, encoder) == 20


def test_while_another_process_reads_nothing_is_read_twice(site: Site, encoder: Encoder) -> None:
    collect(site, 10)
    with turns.alone(site.app.store, "read papers", 0):
        assert read(site, encoder) == 0
    assert read(site, encoder) == 10


def test_another_model_reads_everything_anew_and_what_the_former_read_is_forgotten(
    site: Site, encoder: Encoder, tmp_path: Path
) -> None:
    ids = collect(site, 5)
    read(site, encoder)
    other = Encoder(tiny_model(tmp_path / "other", {"cats": (0, 1), "cars": (1, 0)}))
    assert read(site, other) == 5
    with site.app.store.read() as connection:
        assert meanings.of(connection, encoder.model, ids) == {}
        assert meanings.of(connection, other.model, ids)[ids[0]].tolist() == [0, 1]


def test_entries_are_compared_with_an_average_paper_and_those_not_read_are_zero(site: Site, encoder: Encoder) -> None:
    ids = collect(site, 60)
    assert of_entries(site.app.store, encoder.model, ids) is None
    read(site, encoder)
    found = of_entries(site.app.store, encoder.model, [ids[0], 9999, ids[1]])
    assert found is not None
    assert found == pytest.approx(np.array([[2, -1, -1], [0, 0, 0], [-1, 2, -1]]) / 3, abs=1e-3)


def facet(kind: str, label: str, term: int) -> Facet:
    return Facet(kind, label, 0.5, np.array([term], np.int32), np.ones(1, np.float32))  # type: ignore[arg-type]


def test_a_lens_shows_what_topics_and_likes_mean_those_too_that_are_not_stored(site: Site, encoder: Encoder) -> None:
    assert Lens.open(site.app.store, encoder) is None
    collect(site, 60)
    read(site, encoder)
    lens = Lens.open(site.app.store, encoder)
    assert lens is not None
    assert lens.model == encoder.model
    profile = Profile((facet("topic", "birds", 0), facet("liked", "of wheels", 1)))
    stored = np.array([0, 1, 0], np.float32)
    works = [Work("Cars"), Work("As stored"), Work("More", "About cars")]
    found = lens.deepen(profile, np.eye(3, dtype=np.float32), works, [None, stored, None])
    assert found.meaning is not None
    assert found.meaning.directions.argmax(axis=1).tolist() == [2, 1]
    assert found.meaning.directions[1, 0] < 0


def test_of_a_long_library_no_more_is_read_than_tells_what_it_is(site: Site, encoder: Encoder) -> None:
    collect(site, 60)
    read(site, encoder)
    lens = Lens.open(site.app.store, encoder)
    assert lens is not None
    works = [Work("Cars")] * LIKES + [Work("Birds")] * LIKES
    rows = np.ones((len(works), 1), np.float32)
    found = lens.deepen(Profile((facet("liked", "cars", 0),)), rows, works, [None] * len(works))
    assert found.meaning is not None
    assert found.meaning.directions.argmax() == 1
    assert found.meaning.directions[0, 2] < 0
