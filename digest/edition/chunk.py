"""One edition, some readers: their scores, lists and picks, worked out together."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digest.edition.model import Edition, How, Pick, Section
from digest.edition.stage import Stage
from digest.edition.taste import Taste
from digest.ranking.matching import Places
from digest.ranking.meaning import Meaning, mixed
from digest.ranking.profile import Facet
from digest.ranking.scoring import MOST, Shorts
from digest.ranking.select import EXPLORE, Choice, Wishes, choose
from digest.ranking.shortlist import Flags, Floats, Ints, Lists, first, nearest, ordered

NEAR = 1.5
"""Standard deviations above the average paper from which on a paper matches a facet at all."""
FULL = 4.0
"""Standard deviations that make a match of full strength, unless the edition's nearest paper has more: then that one does."""
NEAR_BEST = 0.4
"""Nor does a paper match that has less of what the edition's nearest paper has: one word of a phrase is not the phrase."""
COSINE = 0.15
"""Nor one with a smaller cosine with all that a topic means: on a day without it, the nearest papers have one word of it."""
STRENGTH: dict[How, float] = {"author": 1.0, "keyword": 1.0, "topic": 1.0, "category": 0.6}
"""Of an exact match; a category is broad."""
OWN_TRENDING = 0.15
"""How much trending counts among the papers that are near to a facet."""
TRENDING_OWN = 0.2
"""How much being near to a facet counts among the trending papers of a reader whose facets decide everything."""
FINE = 2.0**-10
"""What 1 of a score is worth where it is not for the words to say."""

_NO_TERMS, _NO_WEIGHTS = np.zeros(0, np.int32), np.zeros(0, np.float32)

Ids = Collection[int] | NDArray[np.int64]


@dataclass(slots=True)
class Own:
    """One of a reader's own lists: a facet, or all his exact interests together; `exact` tells where they are."""

    reader: int
    weight: float
    facet: Facet | None
    exact: tuple[tuple[How, str, Places], ...]
    has_floor: bool = False
    """Whether a match needs a cosine, whatever the edition's other papers have."""


class Chunk:
    """The readers of a chunk, by number from 0; `rows` are all their own lists, one reader's side by side."""

    def __init__(self, stage: Stage, readers: Sequence[tuple[Taste, Ids]], barred: Flags, length: int) -> None:
        self._stage, self._field, self._readers, self._length = stage, stage.field, readers, length
        self.barred: Flags = np.repeat(barred[None, :], len(readers), axis=0)
        self.rows: list[Own] = []
        self._meanings: list[tuple[Meaning, int]] = []
        had, places = self._field.seen([seen for _, seen in readers])
        self.barred.reshape(-1)[had * len(barred) + places] = True
        for reader, (taste, _) in enumerate(readers):
            self._add(reader, taste)
        self.owner: Ints = np.array([row.reader for row in self.rows], np.int64)
        # The rows at which each reader who has any begins.
        self._begins = np.flatnonzero(np.append(True, np.diff(self.owner) > 0)) if self.rows else self.owner
        self._score()
        self._list()
        self._choose()

    def _add(self, reader: int, taste: Taste) -> None:
        """A reader's own lists, and what he muted."""
        matching = self._stage.matching
        facets = taste.profile.facets if self._stage.scorer is not None and taste.share > 0 else ()
        labels = [facet.label for facet in facets]
        stated: list[str] = []
        exact: list[tuple[How, str, Places]] = []
        for interest in taste.interests:
            kind, value = interest.kind, interest.value
            if kind == "mute":
                self.barred[reader, matching.places(kind, value)] = True
            elif kind == "topic" and value in labels:
                stated.append(value)
            elif kind in STRENGTH and taste.share > 0:
                places = matching.places(kind, value)
                if len(places):
                    exact.append((kind, value, places))
        lists = len(facets) + bool(exact)
        if exact:
            exact.sort(key=lambda one: -STRENGTH[one[0]])
            self.rows.append(Own(reader, 1 / lists, None, tuple(exact)))
        meaning = taste.profile.meaning
        if facets and meaning is not None:
            self._meanings.append((meaning, len(self.rows)))
        for facet in facets:
            literal: tuple[tuple[How, str, Places], ...] = ()
            if facet.kind == "topic" and len(places := matching.places("topic", facet.label)):
                literal = (("topic", facet.label, places),)
            # What several topics were merged into is far from each, and what a model says is no cosine of words.
            has_floor = meaning is None and facet.label in stated
            self.rows.append(Own(reader, facet.share * len(facets) / lists, facet, literal, has_floor))

    def _score(self) -> None:
        """Whole numbers, and what they mean: standard deviations are `bias + unit * scores`."""
        self.bias: Floats = np.array([row.facet.bias if row.facet else 0.0 for row in self.rows], np.float32)
        if self._stage.scorer is None:
            self.scores: Shorts = np.zeros((len(self.rows), len(self._field.entries)), np.int16)
            self.unit: Floats = np.full(len(self.rows), FINE, np.float32)
            norms: Floats = np.zeros(len(self.rows), np.float32)
        else:
            terms = [row.facet.terms if row.facet else _NO_TERMS for row in self.rows]
            weights = [row.facet.weights if row.facet else _NO_WEIGHTS for row in self.rows]
            # Of a paper that has a topic's very words, the score is set: it must be within reach.
            self.scores, self.unit, norms = self._stage.scorer.scores(terms, weights, np.maximum(FULL + 1 - self.bias, 1))
        floor = np.where([row.has_floor for row in self.rows], self.bias + np.float32(COSINE) * norms, np.float32(0))
        self._mean()
        best = self.scores.max(axis=1) if self.scores.size else np.zeros(len(self.rows), np.int16)
        self.full: Floats = np.maximum(np.maximum(np.float32(FULL), self.bias + self.unit * best), floor)
        """Standard deviations that make a match of full strength in each row."""
        self.near: Floats = np.maximum(np.maximum(np.float32(NEAR), np.float32(NEAR_BEST) * self.full), floor)
        """And those from which on there is a match."""
        exact = [(number, row) for number, row in enumerate(self.rows) if row.exact]
        self.unit[[number for number, row in exact if row.facet is None]] = FINE
        found = [(number, how, places) for number, row in exact for how, _, places in row.exact]
        if found:
            rows = np.array([number for number, _, _ in found])
            wanted = self.full[rows] * np.array([STRENGTH[how] for _, how, _ in found])
            least = np.minimum(np.ceil((wanted - self.bias[rows]) / self.unit[rows]), MOST).astype(np.int16)
            lengths = [len(places) for _, _, places in found]
            at = np.repeat(rows * self.scores.shape[1], lengths) + np.concatenate([places for _, _, places in found])
            np.maximum.at(self.scores.reshape(-1), at, np.repeat(least, lengths))

    def _mean(self) -> None:
        """Put what papers mean beside what their words say, for those readers and entries of whom that is known."""
        meanings = self._stage.meanings
        known = [
            (meaning, begin)
            for meaning, begin in self._meanings
            # A meaning of another model than the entries' says nothing.
            if meanings is not None and meaning.directions.shape[1:] == meanings.shape[1:]
        ]
        if meanings is None or not known:
            return
        rows = np.concatenate([begin + np.arange(len(meaning.words)) for meaning, begin in known])
        words = np.concatenate([meaning.words for meaning, _ in known])
        directions = np.concatenate([meaning.directions for meaning, _ in known])
        found = mixed(self.bias[rows, None] + self.unit[rows, None] * self.scores[rows], meanings, words, directions)
        self.scores[rows] = np.clip(np.rint(found / np.float32(FINE)), -MOST, MOST)
        self.bias[rows], self.unit[rows] = 0, FINE

    def deviations(self, rows: Ints, places: Ints | Shorts) -> Floats:
        """The scores of rows at places, (rows, any), in standard deviations."""
        scores = self.scores.reshape(-1).take(rows[:, None] * self.scores.shape[1] + places, mode="clip")
        found: Floats = self.bias[rows, None] + self.unit[rows, None] * scores
        return found

    def strengths(self, rows: Ints, places: Ints | Shorts) -> Floats:
        """The same as strength from 0 to 1; 0 where a paper is no match or a place is -1."""
        deviations = self.deviations(rows, places)
        matches = (deviations >= self.near[rows, None]) & (places >= 0)
        return np.where(matches, np.clip(deviations / self.full[rows, None], 0, 1), np.float32(0))

    def _list(self) -> None:
        self._share: Floats = np.array([taste.share for taste, _ in self._readers], np.float32)
        least = np.ceil((self.near - self.bias) / self.unit)
        all_rows = np.arange(len(self.rows))
        places = nearest(self.scores, least, self.barred, self.owner, self._length)
        part = np.full(len(self.rows), 1 - OWN_TRENDING, np.float32)
        own = ordered(places, self.strengths(all_rows, places), self._field.trending, part)
        places = first(self._field.trends, self.barred, self._length)
        near = np.zeros(places.shape, np.float32)
        if self.rows:
            strengths = self.strengths(all_rows, places[self.owner])
            near[self.owner[self._begins]] = np.maximum.reduceat(strengths, self._begins)
        trending = ordered(places, near, self._field.trending, np.float32(TRENDING_OWN) * self._share)
        self.lists: Lists = trending + own

    def _choose(self) -> None:
        tastes = [taste for taste, _ in self._readers]
        cards = np.array([taste.cards for taste in tastes], np.int64)
        has_own = np.bincount(self.owner, minlength=len(tastes)) > 0
        explore = np.where(has_own & (cards >= 4 * self._stage.options.explore), self._stage.options.explore, 0)
        self.wishes = Wishes(
            share=self._share,
            cards=cards,
            also=np.array([taste.also for taste in tastes], np.int64),
            explore=explore,
            draw=_drawn(self._stage.edition, np.array([taste.seed for taste in tastes], np.int64)),
            lists=self.lists,
            owner=self.owner,
            weight=np.array([row.weight for row in self.rows], np.float32),
        )
        self.choice: Choice = choose(self.wishes, self._stage.alike, self._pinned(), self._stage.options.diversity)

    def _pinned(self) -> Ints:
        """The places that the operator put first, for each reader those that he may get."""
        pinned = self._field.pinned
        places = np.where(self.barred[:, :pinned], pinned, np.arange(pinned))
        places.sort(axis=1)
        return np.where(places == pinned, -1, places)

    def picks(self) -> list[tuple[Pick, ...]]:
        """What each reader gets."""
        best = self._best().tolist()
        entries, plain = self._field.entries, self._field.plain
        result = []
        for (taste, _), places, slots, rows in zip(
            self._readers, self.choice.places.tolist(), self.choice.slots.tolist(), best, strict=True
        ):
            picks: list[Pick] = []
            section: Section = "card"
            for place, slot, row in zip(places, slots, rows, strict=True):
                if place < 0:
                    break
                if len(picks) == taste.cards:
                    section = "also"
                if slot == EXPLORE:
                    picks.append(Pick(entries[place].paper_id, section, "explore"))
                elif row < 0:
                    picks.append(plain[section][place])
                else:
                    own = self.rows[row].facet
                    how, matched = (own.kind, own.label) if own is not None else self._why(row, place)
                    picks.append(Pick(entries[place].paper_id, section, how, matched))
            result.append(tuple(picks))
        return result

    def _best(self) -> Ints:
        """For each pick the row that it is nearest to, -1 if it is near to none, (readers, picks)."""
        best = np.full(self.choice.places.shape, -1, np.int64)
        if self.rows and best.size:
            near = self.strengths(np.arange(len(self.rows)), self.choice.places[self.owner])
            key = (np.rint(near * 2**20).astype(np.int64) << 32) - np.arange(len(self.rows))[:, None]
            highest = np.maximum.reduceat(key, self._begins)
            best[self.owner[self._begins]] = np.where(highest > 0, -highest & (2**32 - 1), -1)
        return best

    def _why(self, row: int, place: int) -> tuple[How, str]:
        """The first of a reader's exact interests that made a paper near, the strongest being first."""
        return next((how, value) for how, value, places in self.rows[row].exact if place in places)


def _drawn(edition: Edition, seeds: Ints) -> NDArray[np.uint64]:
    """A number for each reader, the same whenever this edition is made (SplitMix64: Steele, Lea and Flood, 2014)."""
    number = seeds.astype(np.uint64) + np.uint64(edition.date.toordinal() << 1 | (edition.cadence == "weekly"))
    number *= np.uint64(0x9E3779B97F4A7C15)
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))
