"""Issues for everybody, sign-ups from the web, how often visitors may do what they do, and no language that nobody chose."""

import sqlalchemy as sa
from alembic import op

from digest.store.columns import Id, Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("edition", sa.Column("picks", sa.JSON(), nullable=True))
    op.create_table(
        "allowance",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("free_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_allowance")),
    )
    op.create_table(
        "sign_up",
        sa.Column("id", Id, nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("wishes", sa.JSON(), nullable=False),
        sa.Column("origin", sa.String(length=80), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_up")),
    )
    # All had "en" before anybody could choose; empty is as the site speaks.
    op.execute(sa.table("subscriber", sa.column("language", sa.String())).update().values(language=""))
