"""A whole invented site in a folder of its own: papers, an edition that is due, readers with their tastes and memories."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digest.bench.papers import arxiv_id, invented
from digest.clock import SteppedClock
from digest.edition.compose import MAX_ENTRIES
from digest.flows import learning
from digest.flows.publish import publish
from digest.flows.subscribe import consent_of
from digest.papers.model import Reading, Sighting, Work
from digest.settings import load
from digest.store import crowd, enrolment, papers
from digest.subscribers import seen
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import Interest, Preferences, SignUp
from digest.wiring import App

NOW = datetime(2026, 3, 3, 6, tzinfo=UTC)
"""When the edition is due, on a day without a weekly one: the clock of a bench starts here."""
DAY = timedelta(days=1)
OLDER = 1000
"""Papers besides the candidates, which readers like."""
MODELS = 100
"""Different readers at most; all others are copies of them under another address."""
REMEMBERED = 14
"""Mails that a reader remembers, of as many papers as he gets now."""
DOMAINS = 1000


@dataclass(frozen=True, slots=True)
class Scene:
    """What a bench is of."""

    readers: int
    picks: int = 15
    candidates: int = MAX_ENTRIES
    domain: str = ""
    """Where all readers live; empty: at a thousand domains under example.org."""

    def address(self, number: int) -> str:
        """The address of the n-th reader, from 0."""
        return f"reader{number}@{self.domain or f'd{number % DOMAINS}.example.org'}"


def settle(home: Path, settings: dict[str, object]) -> None:
    """Write the settings of a site into its home."""
    home.mkdir(parents=True, exist_ok=True)
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in settings.items()]
    file = home / "digest.toml"
    file.touch(mode=0o600)
    file.write_text("".join(lines), encoding="utf-8")


def furnish(home: Path, scene: Scene, done: Callable[[int], None] = lambda _n: None) -> None:
    """Make the database of a site, up to the mails that are due at `NOW`. What each reader wants is learned beforehand, as a
    daemon does when the mails of the day before are out. `done` is told how many readers there are."""
    app = App(load(home=home, environ={}), SteppedClock(NOW - DAY))
    try:
        app.upgrade_store()
        draw = np.random.default_rng(1)
        subjects, works = invented(draw, OLDER + scene.candidates)
        with app.store.write() as connection:
            papers.record(connection, _sightings(draw, works))
        sign_ups = [
            SignUp(EmailAddress(scene.address(number)), preferences=Preferences(), interests=_wishes(draw, works, subjects))
            for number in range(min(scene.readers, MODELS, 10 + scene.readers // 100))
        ]
        with app.store.write() as connection:
            consent = consent_of("a bench", NOW - DAY, confirmed=True)
            ids = enrolment.enrol(connection, [(one, None) for one in sign_ups], consent, NOW - DAY)
        (published,) = publish(app.store, app.schedule, app.settings.ranking, app.settings.sources, NOW, NOW.date())
        version = published.edition.vocabulary
        assert version is not None, "there are papers to fit a vocabulary on"
        learning.learn_profiles(app.store, NOW, version)
        crowd.remember(app.store, {number: _memory(draw, scene) for number in ids.values()})
        crowd.multiply(app.store, scene.readers, scene.address, done)
    finally:
        app.close()
    done(scene.readers)


def _sightings(draw: np.random.Generator, works: list[Work]) -> list[Sighting]:
    """The older ones a month ago, then the candidates over ten days, of whom a sixth was voted for."""
    sightings = []
    for number, work in enumerate(works):
        key = f"arxiv:{arxiv_id(number)}"
        if number < OLDER:
            sightings.append(Sighting("bench", NOW - 30 * DAY, work, (key,)))
            continue
        at = NOW - DAY * (1 + 10 * (len(works) - number) / len(works))
        votes = (Reading("bench", "votes", int(draw.lognormal(1.5, 1.3)), NOW - DAY),) if number % 6 == 0 else ()
        sightings.append(Sighting("bench", at, work, (key,), votes))
    return sightings


def _wishes(draw: np.random.Generator, works: list[Work], subjects: NDArray[np.int64]) -> tuple[Interest, ...]:
    """One or two topics, or one or two papers that he likes, or one of each."""
    subject = int(draw.integers(subjects.max() + 1))
    liked = draw.choice(np.flatnonzero(subjects[:OLDER] == subject), 2).tolist()
    topics = [Interest("topic", " ".join(works[one].title.split()[:2])) for one in liked]
    likes = [Interest("liked", f"arxiv:{arxiv_id(one)}") for one in liked]
    kinds = (topics[:1], topics, likes[:1], likes, [topics[0], likes[1]])
    return tuple(dict.fromkeys(kinds[int(draw.integers(len(kinds)))]))


def _memory(draw: np.random.Generator, scene: Scene) -> str:
    """What he got on the days before: of the last ten days, papers that are candidates still."""
    segments = []
    for day in range(REMEMBERED, 0, -1):
        first, last = (1, OLDER) if day > 10 else (OLDER + 1, OLDER + scene.candidates // 4)
        got = draw.integers(first, last + 1, scene.picks)
        segments.append(seen.segment((NOW - day * DAY).date(), sorted(set(got.tolist()))))
    return "".join(segments)
