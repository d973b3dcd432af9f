"""The papers of an edition in the words of its vocabulary, worked out when it is frozen."""

import sqlalchemy as sa
from alembic import op

from digest.store.columns import Id

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "edition_rows",
        sa.Column("edition_id", Id, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_edition_rows_edition_id")),
        sa.PrimaryKeyConstraint("edition_id", name=op.f("pk_edition_rows")),
    )
