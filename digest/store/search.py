"""Full text of papers: which have these words, and which of them best: FTS5 in SQLite, its own search in PostgreSQL."""

import re
import unicodedata
from collections.abc import Sequence

from sqlalchemy import Connection, func, select, text

from digest.papers.identity import arxiv_id, doi
from digest.papers.text import clean
from digest.store.schema import paper, paper_alias

MAX_QUERY = 500
MAX_WORDS = 20
POOL = 1000
"""Where a few papers are asked for and many match, so many of the newest are weighed: to weigh all would take too long."""

_WORD = re.compile(r"[^\W_]+")
_ACCENT = re.compile("[\u0300-\u036f]+")

# Numbers are the weights of title, abstract and authors; in PostgreSQL, of abstract, nothing, authors and title. SQLite finds
# those merged away in their index: to look at each paper would cost more than to weigh it.
_SQLITE = text("""
SELECT id FROM (
    SELECT rowid AS id, bm25(paper_text, 10.0, 1.0, 4.0) AS score FROM paper_text
    WHERE paper_text MATCH :words AND rowid NOT IN (SELECT id FROM paper WHERE merged_into IS NOT NULL)
    ORDER BY rowid DESC LIMIT coalesce(:pool, -1)
)
ORDER BY score, id DESC LIMIT coalesce(:most, -1)
""")
_POSTGRESQL = text("""
WITH newest AS MATERIALIZED (
    SELECT id, words FROM paper
    WHERE words @@ to_tsquery('english', :words) AND merged_into IS NULL
    ORDER BY id DESC LIMIT :pool
)
SELECT id FROM newest
ORDER BY ts_rank('{0.1, 0.1, 0.4, 1.0}', words, to_tsquery('english', :words)) DESC, id DESC LIMIT :most
""")


def matching(connection: Connection, asked: str, limit: int | None) -> list[int]:
    """The numbers of the papers that have every one of these words, or one that begins with it, best first.

    Words are compared by their stems and without accents; one of one or two Latin letters must stand as it is. Where ids or
    addresses of known papers are among them, just those papers are found. What is no word at all (`🎓`) must be in the title.
    """
    spelled = clean(asked, MAX_QUERY).removesuffix("…").split()[:MAX_WORDS]
    if named := _named(connection, spelled):
        return named[:limit]
    bounds = {"pool": None if limit is None else max(limit, POOL), "most": limit}
    if connection.dialect.name == "sqlite":
        words = " ".join(f'"{word}"{_ending(word)}' for word in _words(spelled))
        return list(connection.scalars(_SQLITE, {"words": words, **bounds})) if words else _plain(connection, spelled, limit)
    folded = _ACCENT.sub("", unicodedata.normalize("NFKD", " ".join(spelled)))
    words = " & ".join(f"'{word}'{':' * bool(_ending(word))}{_ending(word)}" for word in _words([folded]))
    # Words that it takes no notice of (`all you`) are none.
    if not words or not connection.scalar(select(func.numnode(func.to_tsquery("english", words)))):
        return _plain(connection, spelled, limit)
    return list(connection.scalars(_POSTGRESQL, {"words": words, **bounds}))


def _named(connection: Connection, spelled: Sequence[str]) -> list[int]:
    """The papers that have one of these for an id."""
    ids = {id_ for word in spelled for id_ in (arxiv_id(word), doi(word), word) if id_}
    query = select(paper_alias.c.paper_id).where(paper_alias.c.alias.in_(ids)).distinct()
    return list(connection.scalars(query.order_by(paper_alias.c.paper_id)))


def _words(spelled: Sequence[str]) -> list[str]:
    """Letters and digits alone: nothing that either database could take for an operator."""
    return _WORD.findall(" ".join(spelled))[:MAX_WORDS]


def _ending(word: str) -> str:
    """What lets a word be the beginning of others: of a letter or two, of too many."""
    return "" if len(word) <= 2 and word.isascii() else "*"


def _plain(connection: Connection, spelled: Sequence[str], limit: int | None) -> list[int]:
    """The papers with each of these in their titles, the newest first; none for nothing."""
    if not spelled:
        return []
    query = select(paper.c.id).where(paper.c.merged_into.is_(None)).order_by(paper.c.first_seen_at.desc(), paper.c.id)
    for piece in spelled:
        query = query.where(paper.c.title.icontains(piece, autoescape=True))
    return list(connection.scalars(query.limit(limit)))
