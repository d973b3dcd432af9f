"""Full text of papers, retractions, look-ups, and what a source's verdict goes by."""

import sqlalchemy as sa
from alembic import op

from digest.store.columns import Id, Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

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
    """
INSERT INTO paper_text (rowid, title, abstract, authors)
    SELECT id, title, abstract, (SELECT group_concat(value, ' ') FROM json_each(authors)) FROM paper""",
)
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


def upgrade() -> None:
    op.add_column("paper", sa.Column("retracted_at", Instant(), nullable=True))
    op.add_column("source_run", sa.Column("evidence", sa.Text(), nullable=False, server_default=""))
    op.add_column("source_run", sa.Column("cursor", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("source_run", sa.Column("not_before", Instant(), nullable=True))
    # Runs from now on say these themselves.
    with op.batch_alter_table("source_run") as table:
        table.alter_column("evidence", server_default=None)
        table.alter_column("cursor", server_default=None)
    op.create_table(
        "lookup",
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("paper_id", Id, nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["paper.id"], name=op.f("fk_lookup_paper_id")),
        sa.PrimaryKeyConstraint("source", "paper_id", name=op.f("pk_lookup")),
    )
    op.create_index(op.f("ix_lookup_paper_id"), "lookup", ["paper_id"], unique=False)
    connection = op.get_bind()
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
        connection.exec_driver_sql(statement)
