"""An index of the papers that are withdrawn."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    withdrawn = sa.text("hidden_at IS NOT NULL OR retracted_at IS NOT NULL")
    op.create_index(
        op.f("ix_paper_hidden_at_retracted_at"),
        "paper",
        ["hidden_at", "retracted_at"],
        sqlite_where=withdrawn,
        postgresql_where=withdrawn,
    )
