"""How a source of attention looks up what it is sent for: batch by batch, keeping what was had when one fails."""

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from digest.errors import ServerUnavailable
from digest.sources.base import Collected, Errand, Known
from digest.sources.faults import is_final, not_before, wait_of
from digest.sources.parsed import Parsed, Problem, joined
from digest.sources.web import Site

Asked = TypeVar("Asked")
Batch: TypeAlias = tuple[Asked, Sequence[Known]]
"""What one request asks for, and the papers that its answer speaks of."""
MAX_FAULTS = 10
"""After so many faults the rest is left to the next run."""


def look_up(
    errand: Errand,
    site: Site,
    batches: Sequence[Batch[Asked]],
    ask: Callable[[Asked, Sequence[Known]], Parsed],
    *,
    told: str = "{found} are known there",
    gives_up: Callable[[ServerUnavailable], bool] = is_final,
) -> Collected:
    """What the answers to all batches say; *failed* with what there was if a request was.

    Args:
        ask: makes one request. Raises ServerUnavailable.
        told: what was `found`, in words for an operator.
        gives_up: whether a fault of one request means that others would fare no better.

    Raises:
        ServerUnavailable: no request was answered.
    """
    in_all = sum(len(papers) for _, papers in batches)
    parts: list[Parsed] = []
    asked: list[str] = []
    faults: list[ServerUnavailable] = []
    done = 0
    for question, papers in batches:
        errand.progress(done, in_all)
        try:
            parts.append(ask(question, papers))
            asked += (known.ids[0] for known in papers)
        except ServerUnavailable as fault:
            faults.append(fault)
            if gives_up(fault) or len(faults) == MAX_FAULTS or site.remaining() <= 0:
                break
        done += len(papers)
    errand.progress(in_all, in_all)
    if faults and not asked:
        raise max(faults, key=wait_of)  # the first, if no server wants to be left alone
    whole = joined([*parts, Parsed(problems=tuple(Problem(None, str(fault)) for fault in faults))])
    found = f"of {len(asked)} papers, {told.format(found=len(whole.sightings))}"
    return Collected(
        whole,
        "failed" if faults else "fresh" if whole.sightings else "quiet",
        evidence="; ".join([found, *(str(fault) for fault in faults[:1])]),
        asked=tuple(asked),
        not_before=not_before(errand.now, faults),
    )


def batches_of(wanted: Sequence[tuple[str, Known]], size: int) -> list[Batch[list[str]]]:
    """Papers with the ids that they are asked for by, so many at a time."""
    parts = (wanted[start : start + size] for start in range(0, len(wanted), size))
    return [([id_ for id_, _ in part], [known for _, known in part]) for part in parts]
