"""Papers that an evaluation compares, and a reader among them: what is learned from his likes, as stored, and its scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from digest.evaluation.likes_folder import Entry
from digest.evaluation.meaning import Meanings, with_meaning
from digest.papers.model import Work
from digest.ranking.meaning import Background, Floats
from digest.ranking.profile import Profile, learn
from digest.ranking.rows import Rows
from digest.ranking.vocabulary import MAX_BACKGROUND, Vocabulary, fit, fit_bags
from digest.ranking.words import Documents
from digest.subscribers.model import Interest

Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Corpus:
    """Papers that are compared with each other, as rows of one vocabulary, whose background is some of them."""

    rows: Rows
    vocabulary: Vocabulary
    works: Sequence[Work] = ()
    meanings: Meanings | None = None
    vectors: Floats | None = None
    """What the papers mean, (papers, dimension)."""
    typical: Background | None = None

    @classmethod
    def of(cls, works: Sequence[Work], background: Places, meanings: Meanings | None = None) -> "Corpus":
        """Papers with texts; `background` are the places of those that stand for all others."""
        vocabulary = fit(works)
        rows = vocabulary.rows(works)
        if len(background):
            # Of too many those are taken that are spread over the alphabet, for the order of a file says nothing.
            in_order = sorted(background, key=lambda place: (works[place].title, works[place].abstract))
            chosen = np.array(in_order[:: -(-len(background) // MAX_BACKGROUND)])
            vocabulary = replace(vocabulary, background=rows[chosen])
        vectors = meanings.of(works) if meanings else None
        typical = Background.of(vectors[background]) if vectors is not None else None
        return cls(rows, vocabulary, works, meanings, vectors, typical)

    @classmethod
    def of_bags(cls, bags: Sequence[Mapping[str, int]]) -> "Corpus":
        """Papers of which only the words are known, in no order; other papers' words say nothing of them."""
        vocabulary = fit_bags(bags, 0, Documents(0, {}))
        return cls(vocabulary.weigh(bags), vocabulary)

    def profile(self, liked: Places, topics: Sequence[str] = ()) -> Profile:
        """What is learned from these papers and phrases, as it is read from its stored form."""
        wanted = [Interest("topic", topic) for topic in topics]
        found = learn(self.vocabulary, wanted, self.rows[liked], self.rows[:0])
        if self.meanings is not None and self.typical is not None:
            found = self.meanings.deepened(found, self.typical, self.rows[liked], [self.works[place] for place in liked])
        return Profile.from_bytes(found.to_bytes())

    def scores(self, profile: Profile, papers: Places) -> Floats:
        """One score for each of these papers, the facets of the profile taken together."""
        if not profile.facets:
            return np.zeros(len(papers), np.float32)
        rows = self.rows[papers]
        by_facet = np.array([rows[:, facet.terms] @ facet.weights + facet.bias for facet in profile.facets], np.float32)
        if self.typical is not None and self.vectors is not None:
            by_facet = with_meaning(by_facet, profile, self.typical.centred(self.vectors[papers]))
        return together(by_facet, np.array([facet.share for facet in profile.facets]))


def together(by_facet: Floats, shares: Floats) -> Floats:
    """The order in which facets, each with its share of the slots, would choose papers; one facet keeps its scores.

    The n-th best paper of a facet with share s comes at slot n / s, and a paper comes where it comes first.
    """
    if len(by_facet) == 1:
        return np.asarray(by_facet[0])
    order = np.argsort(-by_facet, axis=1, kind="stable")
    places = np.empty(order.shape)
    np.put_along_axis(places, order, np.broadcast_to(np.arange(order.shape[1]), order.shape), axis=1)
    return np.asarray(-((places + 0.5) / shares[:, None]).min(axis=0), np.float32)


def list_corpus(entries: Sequence[Entry], meanings: Meanings | None) -> Corpus:
    """The papers of a topic list, against its background."""
    return Corpus.of([entry.work for entry in entries], places(entries, "background"), meanings)


def people_corpus(researchers: Mapping[str, Sequence[Entry]], meanings: Meanings | None) -> Corpus:
    """The papers of all researchers, one after the other, against what they wrote themselves."""
    entries = [entry for own in researchers.values() for entry in own]
    return Corpus.of([entry.work for entry in entries], places(entries, "profile"), meanings)


def places(entries: Sequence[Entry], role: str) -> Places:
    """Where the entries of a role stand."""
    return np.array([place for place, entry in enumerate(entries) if entry.role == role], np.intp)
