"""Full text of papers, in the words of either database; `digest.store.search` asks it. It is no table of `metadata`, for it is
another thing in each."""

from sqlalchemy import DDL, Table
from sqlalchemy.event import listen

# SQLite: an index that keeps no text of its own, so that what leaves it must be told again. Names are
# decoded from their JSON. Beginnings of three letters, which many words share, are listed for themselves.
_SQLITE = (
    """
CREATE VIRTUAL TABLE paper_text USING fts5(
    title, abstract, authors, content='', prefix='3', tokenize='porter unicode61 remove_diacritics 2'
)""",
    """
CREATE TRIGGER paper_text_added AFTER INSERT ON paper BEGIN
    INSERT INTO paper_text (rowid, title, abstract, authors) VALUES
        (new.id, new.title, new.abstract, (SELECT group_concat(value, ' ') FROM json_each(new.authors)));
END""",
    """
CREATE TRIGGER paper_text_removed AFTER DELETE ON paper BEGIN
    INSERT INTO paper_text (paper_text, rowid, title, abstract, authors) VALUES
        ('delete', old.id, old.title, old.abstract, (SELECT group_concat(value, ' ') FROM json_each(old.authors)));
END""",
    """
CREATE TRIGGER paper_text_changed AFTER UPDATE ON paper
WHEN (old.id, old.title, old.abstract, old.authors) IS NOT (new.id, new.title, new.abstract, new.authors) BEGIN
    INSERT INTO paper_text (paper_text, rowid, title, abstract, authors) VALUES
        ('delete', old.id, old.title, old.abstract, (SELECT group_concat(value, ' ') FROM json_each(old.authors)));
    INSERT INTO paper_text (rowid, title, abstract, authors) VALUES
        (new.id, new.title, new.abstract, (SELECT group_concat(value, ' ') FROM json_each(new.authors)));
END""",
)
# PostgreSQL: its parser would take `state-of-the-art`, `and/or` or `GPT-4` for names, paths and negative numbers, so marks are
# made blanks; accents are taken away as SQLite does. The parts are taken apart again at a character that no text of ours has.
_POSTGRESQL = (
    r"""
CREATE FUNCTION paper_text(title text, abstract text, authors json) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT setweight(to_tsvector('english', part[1]), 'A')
        || setweight(to_tsvector('english', part[2]), 'B')
        || to_tsvector('english', part[3])
    FROM (SELECT string_to_array(
        regexp_replace(
            regexp_replace(
                normalize(
                    title || chr(30)
                    || coalesce((SELECT string_agg(name, ' ') FROM json_array_elements_text(authors) AS name), '')
                    || chr(30) || abstract,
                    NFKD
                ),
                '[\u0300-\u036f]+', '', 'g'
            ),
            '[\u0021-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007e]', ' ', 'g'
        ),
        chr(30)
    ) AS part) AS text
$$""",
    "ALTER TABLE paper ADD COLUMN words tsvector GENERATED ALWAYS AS (paper_text(title, abstract, authors)) STORED",
    "CREATE INDEX ix_paper_words ON paper USING gin (words)",
)


def follow(paper: Table) -> None:
    """Have it made with the table of papers."""
    for name, statements in (("sqlite", _SQLITE), ("postgresql", _POSTGRESQL)):
        for statement in statements:
            listen(paper, "after_create", DDL(statement).execute_if(dialect=name))  # type: ignore[no-untyped-call]
