"""Where exact interests stand in an edition: keywords, authors, categories, topics word for word, and what is muted.

Each distinct interest is looked up once and shared by all readers.
"""

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain, count

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from digest.papers.identity import family_name, normalised_title, normalised_words
from digest.papers.model import Work
from digest.subscribers.model import InterestKind

Places = NDArray[np.int64]

ROOM = 8 * 2**20
"""Bytes that are kept of places, about: those of 20,000 interests that few papers have. When it is full, all are forgotten."""
EACH = 300
"""What an interest needs besides its places."""


class Matching:
    """The texts, authors and categories of an edition's works; places count in the order given, from 0.

    `survivor` is the place that stands for each, (works,): two may be one paper. None: each stands for itself.
    """

    def __init__(self, works: Sequence[Work], survivor: Places | None = None) -> None:
        self._survivor = np.arange(len(works)) if survivor is None else survivor
        self._texts: list[str] = []
        self._words = _Words(map(self._read, works))
        self._works = works
        self._known: dict[tuple[InterestKind, str], Places] = {}
        self._room = ROOM

    def _read(self, work: Work) -> Iterable[str]:
        """The words of a work, whose text is kept."""
        lines = "\n".join((work.title, work.abstract, *work.keywords)).splitlines()
        fields = [normalised_words(line) for line in lines]
        # Between two fields stands a blank more than between words, so that no phrase reaches from one into the next.
        self._texts.append(f" {'  '.join(map(' '.join, fields))} ")
        return chain.from_iterable(fields)

    @cached_property
    def _authors(self) -> Mapping[str, list[int]]:
        return _by_key((place, family_name(name)) for place, work in enumerate(self._works) for name in work.authors)

    @cached_property
    def _categories(self) -> Mapping[str, list[int]]:
        return _by_key((place, one.casefold()) for place, work in enumerate(self._works) for one in work.categories)

    @cached_property
    def _archives(self) -> Mapping[str, list[int]]:
        return _by_key(
            (place, one.casefold().partition(".")[0]) for place, work in enumerate(self._works) for one in work.categories
        )

    def places(self, kind: InterestKind, value: str) -> Places:
        """Where a keyword, an author, a category, a topic's very words or something muted is; none for what a reader liked."""
        found = self._known.get((kind, value))
        if found is None:
            found = self._survivor[np.array(sorted(self._look_up(kind, value)), np.int64)]
            needed = EACH + found.nbytes
            if self._room < needed:
                self._known.clear()
                self._room = ROOM
            self._room -= needed
            self._known[kind, value] = found
        return found

    def _look_up(self, kind: InterestKind, value: str) -> Iterable[int]:
        match kind:
            case "keyword" | "topic":
                return self._phrase(value)
            case "author":
                return self._author(value)
            case "category":
                return self._category(value)
            case "mute":
                return {*self._phrase(value), *self._author(value), *self._category(value)}
            case _:
                return ()

    def _phrase(self, value: str) -> Collection[int]:
        words = normalised_words(value)
        having = sorted(map(self._words.places, words), key=len)
        found = having[0].intersection(*having[1:]) if having else ()
        phrase = f" {' '.join(words)} "
        return found if len(words) < 2 else [place for place in found if phrase in self._texts[place]]

    def _author(self, value: str) -> list[int]:
        return [
            place
            for place in self._authors.get(family_name(value), ())
            if any(same_author(value, name) for name in self._works[place].authors)
        ]

    def _category(self, value: str) -> Sequence[int]:
        plain = value.strip().casefold().removesuffix(".*")
        return self._archives.get(plain) or self._categories.get(plain, [])


def same_author(one: str, other: str) -> bool:
    """Whether two names can be one person's: the family name is the same, and so is the first name as far as both tell it.

    `Ann Author`, `Author, A.` and `A. B. Author` are one; `Ann Author` and `Anna Author` are two. A name of one word is only
    itself: most who have a family name are others.
    """
    if normalised_title(one) == normalised_title(other):
        return True
    mine, his = _given(one), _given(other)
    if not mine or not his or family_name(one) != family_name(other):
        return False
    first, second = mine[0], his[0]
    if len(first) > 1 and len(second) > 1 and first != second:
        return False
    # Initials after the first must not contradict each other: J. B. Smith is not J. C. Smith.
    return first[0] == second[0] and all(a[0] == b[0] for a, b in zip(mine[1:], his[1:], strict=False))


def _given(name: str) -> list[str]:
    """The words of a name before the family name, or after its comma."""
    _, comma, after = name.partition(",")
    if comma:
        return normalised_title(after).split()
    words = normalised_title(name).split()
    family = family_name(name)
    return words[: len(words) - 1 - words[::-1].index(family)] if family in words else []


class _Words:
    """In which texts each word stands; as arrays, for sets of so many words take twice the time and the memory."""

    def __init__(self, texts: Iterable[Iterable[str]]) -> None:
        self._numbers: defaultdict[str, int] = defaultdict(count().__next__)
        every, ends = array("i"), [0]
        for words in texts:
            every.extend(map(self._numbers.__getitem__, words))
            ends.append(len(every))
        numbers, once = np.array(every, np.int32), np.ones(len(every), np.int8)
        self._by_word = sp.csr_array((once, numbers, ends), shape=(len(ends) - 1, len(self._numbers))).tocsc()

    def places(self, word: str) -> set[int]:
        """The texts that have it."""
        number = self._numbers.get(word)
        if number is None:
            return set()
        begin, end = self._by_word.indptr[number : number + 2]
        return set(self._by_word.indices[begin:end].tolist())


def _by_key(pairs: Iterable[tuple[int, str]]) -> Mapping[str, list[int]]:
    """Places by what stands there, each once, in order."""
    found: dict[str, dict[int, None]] = defaultdict(dict)
    for place, key in pairs:
        if key:
            found[key][place] = None
    return {key: list(places) for key, places in found.items()}
