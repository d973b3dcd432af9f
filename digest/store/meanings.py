"""Meanings: the vector of each paper that a model has read, in half precision. Those of two models never mix."""

from collections.abc import Collection, Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, delete, func, select

from digest.papers.model import Work
from digest.store.schema import interest, meaning, paper, paper_alias, reading
from digest.store.upsert import chunks, insert_or_replace

Floats = NDArray[np.float32]
_STORED = np.dtype("<f2")


def save(connection: Connection, model: str, vectors: Mapping[int, Floats]) -> None:
    """Store the vectors of papers."""
    rows = [
        {"paper_id": paper_id, "model": model, "content": vectors[paper_id].astype(_STORED).tobytes()}
        for paper_id in sorted(vectors)
    ]
    insert_or_replace(connection, meaning, rows)


def of(connection: Connection, model: str, ids: Collection[int]) -> dict[int, Floats]:
    """The vectors of those of these papers that have one."""
    query = select(meaning.c.paper_id, meaning.c.content).where(meaning.c.model == model)
    return {
        row.paper_id: _vector(row.content)
        for chunk in chunks(ids)
        for row in connection.execute(query.where(meaning.c.paper_id.in_(chunk)))
    }


def of_keys(connection: Connection, model: str, keys: Collection[str]) -> dict[str, Floats]:
    """The same by any of the papers' canonical ids."""
    query = select(paper_alias.c.alias, meaning.c.content).join(meaning, meaning.c.paper_id == paper_alias.c.paper_id)
    query = query.where(meaning.c.model == model)
    return {
        row.alias: _vector(row.content)
        for chunk in chunks(keys)
        for row in connection.execute(query.where(paper_alias.c.alias.in_(chunk)))
    }


def newest(connection: Connection, model: str, limit: int) -> list[Floats]:
    """The vectors of the newest papers that have one, in order of id."""
    query = select(meaning.c.content).where(meaning.c.model == model).order_by(meaning.c.paper_id.desc()).limit(limit)
    return [_vector(content) for content in connection.scalars(query)][::-1]


def count(connection: Connection, model: str) -> int:
    """How many papers the model has read."""
    return connection.execute(select(func.count()).select_from(meaning).where(meaning.c.model == model)).scalar_one()


def lacking(connection: Connection, model: str, *, seen_since: datetime, limit: int) -> dict[int, Work]:
    """Papers that the model has not read, as title and abstract: those that readers like first, then those first seen after
    `seen_since`, the most voted for and the newest before others."""
    votes = select(func.max(reading.c.value)).where(reading.c.paper_id == paper.c.id, reading.c.metric == "votes")
    read = select(meaning.c.paper_id).where(meaning.c.paper_id == paper.c.id, meaning.c.model == model).exists()
    texts = select(paper.c.id, paper.c.title, paper.c.abstract).where(~read, paper.c.merged_into.is_(None))
    liked = connection.execute(texts.where(paper.c.id.in_(_liked())).order_by(paper.c.id).limit(limit)).all()
    order = (func.coalesce(votes.scalar_subquery(), 0).desc(), paper.c.first_seen_at.desc(), paper.c.id)
    # A title alone is read when its abstract is there: what is stored is never read again.
    wanted = (paper.c.first_seen_at > seen_since) & (paper.c.abstract != "") & paper.c.retracted_at.is_(None)
    new = connection.execute(texts.where(wanted, paper.c.hidden_at.is_(None)).order_by(*order).limit(limit))
    found = {row.id: Work(row.title, row.abstract) for row in (*liked, *new)}
    return dict(list(found.items())[:limit])


def prune(connection: Connection, before: datetime, model: str) -> int:
    """Forget what other models have read, and papers first seen before an instant that no reader likes; returns how many."""
    old = select(paper.c.id).where(paper.c.first_seen_at < before)
    past = meaning.c.paper_id.in_(old) & meaning.c.paper_id.not_in(_liked())
    return connection.execute(delete(meaning).where((meaning.c.model != model) | past)).rowcount


def _liked() -> Select[tuple[int]]:
    """The papers that readers like, among them former rows of papers that were merged."""
    likes = (interest.c.kind == "liked") & interest.c.valid_to.is_(None)
    return select(paper_alias.c.paper_id).join(interest, interest.c.value == paper_alias.c.alias).where(likes)


def _vector(content: bytes) -> Floats:
    return np.frombuffer(content, _STORED).astype(np.float32)
