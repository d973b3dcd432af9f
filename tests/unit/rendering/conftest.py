"""A small invented edition and those who read it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from digest.edition.model import Edition, Entry, How, Pick, Section
from digest.papers.model import Work
from digest.ranking.model import Term
from digest.rendering.digest_mail import DigestRenderer
from digest.rendering.environment import Environments
from digest.rendering.model import Pages, Reader, Rendered
from digest.rendering.settings import SiteSettings

DAY = date(2026, 11, 22)
PAGES = Pages("https://papers.example.org/u/", "https://papers.example.org/f/", "https://papers.example.org/p/ask/")

EntryMaker = Callable[..., Entry]
EditionMaker = Callable[..., Edition]


@pytest.fixture(scope="session")
def environments() -> Environments:
    return Environments()


@pytest.fixture
def site() -> SiteSettings:
    return SiteSettings(name="Trending Papers", postal_address="Paper Society, 1 Example Street, 12345 Berlin")


@pytest.fixture
def reader() -> Reader:
    return Reader(
        address="ann@example.org",
        name="Ann",
        confirmed_on=date(2026, 11, 3),
        token="AbCdEfGhIjKlMnOpQrStUv",
        rating="48210-AbCdEfGhIjKlMnOpQrStUv",
    )


@pytest.fixture(scope="session")
def entry() -> EntryMaker:
    """Make an entry; what is not given is that of an ordinary, well-known paper."""

    def make(number: int = 1, **given: Any) -> Entry:
        work: dict[str, Any] = {
            "title": f"Spherical flow matching beats latent diffusion, part {number}",
            "abstract": "Diffusion is slow. We propose to project latents onto spheres. This halves the cost.",
            "authors": ("Tuna Meral", "Kaan Oktay", "Hidir Yesiltepe", "Adil Akan"),
            "categories": ("cs.CV", "cs.LG"),
            "organization": "Virginia Tech",
            "listed_on": DAY,
            "links": {
                "page": f"https://huggingface.co/papers/2611.{number:05}",
                "arxiv": f"https://arxiv.org/abs/2611.{number:05}",
                "pdf": f"https://arxiv.org/pdf/2611.{number:05}",
                "code": f"https://github.com/example/flow-{number}",
            },
        }
        frozen: dict[str, Any] = {
            "former_ids": frozenset(),
            "rank": number,
            "score": 1 / number,
            "terms": (
                Term("votes", 128, 0.8, "128 upvotes"),
                Term("growth", 180, 1.2, "+90 upvotes in 12 h"),
                Term("stars", None, 0.3, ""),
            ),
            "first_seen_on": DAY,
            "numbers": {"votes": 128, "comments": 14, "stars": 1234},
        }
        for name, value in given.items():
            (frozen if name in frozen else work)[name] = value
        return Entry(paper_id=number, work=Work(**work), **frozen)

    return make


@pytest.fixture(scope="session")
def edition(entry: EntryMaker) -> EditionMaker:
    """Make an edition of these entries, or of so many ordinary ones."""

    def make(entries: int | list[Entry] = 30, **given: Any) -> Edition:
        made = [entry(n) for n in range(1, entries + 1)] if isinstance(entries, int) else entries
        fields: dict[str, Any] = {
            "number": 1,
            "date": DAY,
            "cadence": "daily",
            "frozen_at": datetime(2026, 11, 22, 6, tzinfo=UTC),
            **given,
        }
        return Edition(entries=tuple(made), **fields)

    return make


@pytest.fixture
def rendered(site: SiteSettings, environments: Environments, edition: EditionMaker, reader: Reader) -> Callable[..., Rendered]:
    """Render an edition for a reader: its first papers as cards, the next ones as lines."""

    def render(
        entries: int | list[Entry] = 30,
        *,
        cards: int = 10,
        also: int = 10,
        to: Reader = reader,
        matched: str = "",
        how: How = "topic",
        language: str = "",
        **given: Any,
    ) -> Rendered:
        made = edition(entries, **given)
        sections: list[Section] = ["card" if place < cards else "also" for place in range(cards + also)]
        speaks: How = how if matched or how != "topic" else ""
        picks = [Pick(one.paper_id, section, speaks, matched) for one, section in zip(made.entries, sections, strict=False)]
        return DigestRenderer(site, environments, made, PAGES, language).render(picks, to)

    return render
