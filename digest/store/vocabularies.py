"""Vocabularies: each is fixed by its version, which is its row; the newest is the current one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, func, insert, select

from digest.store.schema import edition, vocabulary

if TYPE_CHECKING:
    from digest.ranking.vocabulary import Vocabulary

KEPT = timedelta(days=60)
"""As long as picks are: why a paper was picked is told in the words of its edition's vocabulary."""


@dataclass(frozen=True, slots=True)
class Known:
    """A vocabulary without its words: when it was fitted, and on how many papers."""

    version: int
    made_at: datetime
    papers: int


def current(connection: Connection) -> Known | None:
    """The vocabulary that the next edition is written in; None before the first."""
    query = select(vocabulary.c.id, vocabulary.c.made_at, vocabulary.c.papers).order_by(vocabulary.c.id.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else Known(*row)


def load(connection: Connection, version: int) -> "Vocabulary | None":
    """A vocabulary with its words, tens of megabytes; None for one that is forgotten."""
    # Most commands need no numbers, and importing what reads these takes longer than they do.
    from digest.ranking.vocabulary import Vocabulary

    content = connection.execute(select(vocabulary.c.content).where(vocabulary.c.id == version)).scalar()
    return None if content is None else Vocabulary.from_bytes(version, content)


def save(connection: Connection, fitted: "Vocabulary", papers: int, now: datetime) -> int:
    """Store a vocabulary that was fitted on so many papers; returns its version, which is the current one from now on."""
    row = {"made_at": now, "papers": papers, "content": fitted.to_bytes()}
    return int(connection.execute(insert(vocabulary).returning(vocabulary.c.id), row).scalar_one())


def prune(connection: Connection, now: datetime) -> int:
    """Forget those that no edition of late was written in; never the current one, so no version is given twice."""
    lately = select(edition.c.vocabulary_id).where(edition.c.frozen_at >= now - KEPT, edition.c.vocabulary_id.is_not(None))
    newest = select(func.max(vocabulary.c.id)).scalar_subquery()
    old = (vocabulary.c.id < newest) & vocabulary.c.id.not_in(lately) & (vocabulary.c.made_at < now - KEPT)
    return connection.execute(delete(vocabulary).where(old)).rowcount
