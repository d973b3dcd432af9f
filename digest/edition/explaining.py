"""Why a reader did or did not get a paper: read off the very arrays that his picks were made from."""

from collections.abc import Sequence

import numpy as np

from digest.edition.chunk import STRENGTH, Chunk, Ids
from digest.edition.explanation import Explanation, FacetScore, Outcome, Standing, Word
from digest.edition.model import How
from digest.edition.stage import Stage
from digest.edition.taste import Taste
from digest.ranking.select import ALIKE, EXPLORE
from digest.subscribers.model import Interest

WORDS = 5
"""So many of the words that decided are told."""


def explained(
    stage: Stage, chunk: Chunk, taste: Taste, seen: Ids, hidden: bool, place: int, words: Sequence[str]
) -> Explanation:
    """Everything about the entry at a place, for the one reader of a chunk; `hidden`: the operator has withdrawn it; `words`
    are those of the vocabulary."""
    field, entry = stage.field, stage.edition.entries[place]
    chosen = chunk.choice.places[0].tolist()
    nth = chosen.index(place) + 1 if place in chosen else 0
    picks = chunk.picks()[0]
    mutes = _found(stage, taste, place, mutes=True)
    standings = tuple(_standing(chunk, number, place) for number in range(len(chunk.lists.places)))
    like, likeness = _alike(stage, chosen, place, len([pick for pick in picks if pick.section == "card"]))
    outcome: Outcome = "not reached"
    if nth:
        outcome = "picked"
    elif hidden:
        outcome = "hidden"
    elif place in field.seen([seen])[1]:
        outcome = "seen"
    elif mutes:
        outcome = "muted"
    elif not field.trends[place] and all(one.place is None for one in standings):
        outcome = "below the floor"
    elif like and any(_passed_over(chunk, number, place) for number in range(len(standings))):
        outcome = "too alike"
    slot, label = _slot(chunk, nth - 1) if nth else ("", "")
    return Explanation(
        paper_id=entry.paper_id,
        title=entry.work.title,
        rank=entry.rank,
        entries=len(field.entries),
        score=entry.score,
        terms=entry.terms,
        strength=float(field.trending[place]),
        measured=bool(field.measured[place]),
        floor=stage.options.floor,
        facets=tuple(_facets(stage, chunk, place, words)),
        matches=_found(stage, taste, place, mutes=False),
        mutes=mutes,
        outcome=outcome,
        pick=picks[nth - 1] if nth else None,
        place=nth,
        slot=slot,
        slot_label=label,
        like=like if outcome == "too alike" else 0,
        likeness=likeness if outcome == "too alike" else 0.0,
        standings=standings,
        picks=len(picks),
    )


def _found(stage: Stage, taste: Taste, place: int, *, mutes: bool) -> tuple[Interest, ...]:
    """His exact interests that the paper meets, or what he muted that it meets."""
    kinds = {"mute"} if mutes else STRENGTH.keys()
    return tuple(
        interest
        for interest in taste.interests
        if interest.kind in kinds and place in stage.field.survivor[stage.matching.places(interest.kind, interest.value)]
    )


def _facets(stage: Stage, chunk: Chunk, place: int, words: Sequence[str]) -> list[FacetScore]:
    told: list[FacetScore] = []
    rows = stage.rows
    if rows is None:
        return told
    for number, own in enumerate(chunk.rows):
        if own.facet is None:
            continue
        at = np.array([number]), np.array([[place]])
        weight_of = dict(zip(own.facet.terms.tolist(), own.facet.weights.tolist(), strict=True))
        begin, end = rows.indptr[place], rows.indptr[place + 1]
        in_paper = zip(rows.indices[begin:end].tolist(), rows.data[begin:end].tolist(), strict=True)
        added = [Word(words[term], round(weight_of[term] * value, 4)) for term, value in in_paper if term in weight_of]
        added.sort(key=lambda word: (-word.score, word.term))
        told.append(
            FacetScore(
                kind=own.facet.kind,
                label=own.facet.label,
                score=float(chunk.deviations(*at)[0, 0]),
                strength=float(chunk.strengths(*at)[0, 0]),
                words=tuple(word for word in added[:WORDS] if word.score > 0),
            )
        )
    return told


def _standing(chunk: Chunk, number: int, place: int) -> Standing:
    """Where the paper is in one of his lists: list 0 is trending's, list n that of his own row n - 1."""
    places = chunk.lists.places[number]
    taken = chunk.choice.places[0][(chunk.choice.slots[0] == number) & (chunk.choice.places[0] >= 0)]
    at = np.flatnonzero(places == place)
    how, label = _name(chunk, number)
    return Standing(
        how=how,
        label=label,
        place=int(at[0]) + 1 if len(at) else None,
        last=int(np.flatnonzero(np.isin(places, taken)).max(initial=-1)) + 1,
        of=int((places >= 0).sum()),
    )


def _passed_over(chunk: Chunk, number: int, place: int) -> bool:
    """Whether the list gave a slot to a paper that stands after this one."""
    standing = _standing(chunk, number, place)
    return standing.place is not None and standing.place < standing.last


def _alike(stage: Stage, chosen: list[int], place: int, cards: int) -> tuple[int, float]:
    """Which of the cards a paper resembles most, counted from 1, and their cosine; 0 if it resembles none."""
    if stage.alike is None or not cards or stage.options.diversity == 0:
        return 0, 0.0
    alike = stage.alike[place, chosen[:cards]]
    nearest = int(alike.argmax())
    return (nearest + 1, round(float(alike[nearest]) / 255 * ALIKE, 3)) if alike[nearest] else (0, 0.0)


def _slot(chunk: Chunk, nth: int) -> tuple[How, str]:
    slot = int(chunk.choice.slots[0, nth])
    return ("explore", "") if slot == EXPLORE else _name(chunk, slot)


def _name(chunk: Chunk, number: int) -> tuple[How, str]:
    """How a list is told: list 0 is trending's."""
    if number == 0:
        return "", ""
    facet = chunk.rows[number - 1].facet
    return (facet.kind, facet.label) if facet is not None else ("keyword", "")
