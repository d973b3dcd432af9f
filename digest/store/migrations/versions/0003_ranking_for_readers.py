"""Vocabularies, profiles and meanings; what is kept of papers that readers rated."""

import sqlalchemy as sa
from alembic import op

from digest.store.columns import Id, Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vocabulary",
        sa.Column("id", Id, nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("papers", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vocabulary")),
    )
    op.create_table(
        "meaning",
        sa.Column("paper_id", Id, nullable=False),
        sa.Column("model", sa.String(length=80), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["paper.id"], name=op.f("fk_meaning_paper_id")),
        sa.PrimaryKeyConstraint("paper_id", "model", name=op.f("pk_meaning")),
    )
    op.create_table(
        "profile",
        sa.Column("subscriber_id", Id, nullable=False),
        sa.Column("vocabulary_id", Id, nullable=False),
        sa.Column("model", sa.String(length=80), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_profile_subscriber_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["vocabulary_id"], ["vocabulary.id"], name=op.f("fk_profile_vocabulary_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subscriber_id", "vocabulary_id", name=op.f("pk_profile")),
    )
    op.create_index(op.f("ix_profile_vocabulary_id"), "profile", ["vocabulary_id"], unique=False)
    op.add_column("edition", sa.Column("vocabulary_id", Id, nullable=True))
    with op.batch_alter_table("interest") as table:
        # The id of a paper is longer than any topic.
        table.alter_column("value", existing_type=sa.String(length=200), type_=sa.String(length=520), existing_nullable=False)
        table.add_column(sa.Column("work", sa.JSON(), nullable=True))
    kept = sa.text("work IS NOT NULL")
    op.create_index(op.f("ix_interest_value"), "interest", ["value"], unique=False, sqlite_where=kept, postgresql_where=kept)
