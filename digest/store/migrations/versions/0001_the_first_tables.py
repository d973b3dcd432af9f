"""The first tables."""

import sqlalchemy as sa
from alembic import op

from digest.store.columns import Id, Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "edition",
        sa.Column("id", Id, nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("cadence", sa.String(length=10), nullable=False),
        sa.Column("frozen_at", Instant(), nullable=False),
        sa.Column("empty_because", sa.Text(), nullable=False),
        sa.Column("missing_sources", sa.JSON(), nullable=False),
        sa.Column("queued_at", Instant(), nullable=True),
        sa.Column("reported_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition")),
        sa.UniqueConstraint("date", "cadence", name=op.f("uq_edition_date_cadence")),
    )
    op.create_table(
        "paper",
        sa.Column("id", Id, nullable=False),
        sa.Column("key", sa.String(length=520), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("normalised_title", sa.String(length=500), nullable=False),
        sa.Column("abstract", sa.Text(), nullable=False),
        sa.Column("authors", sa.JSON(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("keywords", sa.JSON(), nullable=False),
        sa.Column("organization", sa.String(length=300), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("summary_by", sa.String(length=100), nullable=False),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column("published_at", Instant(), nullable=True),
        sa.Column("listed_on", sa.Date(), nullable=True),
        sa.Column("first_seen_at", Instant(), nullable=False),
        sa.Column("merged_into", Id, nullable=True),
        sa.Column("hidden_at", Instant(), nullable=True),
        sa.Column("pinned_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["merged_into"], ["paper.id"], name=op.f("fk_paper_merged_into")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper")),
        sa.UniqueConstraint("key", name=op.f("uq_paper_key")),
    )
    op.create_index(op.f("ix_paper_first_seen_at"), "paper", ["first_seen_at"], unique=False)
    op.create_index(op.f("ix_paper_merged_into"), "paper", ["merged_into"], unique=False)
    op.create_index(op.f("ix_paper_normalised_title"), "paper", ["normalised_title"], unique=False)
    op.create_table(
        "secret",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secret")),
    )
    op.create_table(
        "source_run",
        sa.Column("id", Id, nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=False),
        sa.Column("sightings", sa.Integer(), nullable=False),
        sa.Column("problems", sa.Integer(), nullable=False),
        sa.Column("newest", sa.String(length=520), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_run")),
    )
    op.create_index(op.f("ix_source_run_source_started_at"), "source_run", ["source", "started_at"], unique=False)
    op.create_table(
        "subscriber",
        sa.Column("id", Id, nullable=False),
        sa.Column("token", sa.String(length=22), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("address_key", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("hour", sa.String(length=5), nullable=True),
        sa.Column("days", sa.SmallInteger(), nullable=False),
        sa.Column("cadence", sa.String(length=10), nullable=False),
        sa.Column("size", sa.SmallInteger(), nullable=True),
        sa.Column("share", sa.Float(), nullable=True),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("active_since", Instant(), nullable=True),
        sa.Column("paused_until", Instant(), nullable=True),
        sa.Column("confirmation", sa.String(length=64), nullable=True),
        sa.Column("confirmation_until", Instant(), nullable=True),
        sa.Column("consent", sa.JSON(), nullable=False),
        sa.Column("next_due_at", Instant(), nullable=True),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber")),
        sa.UniqueConstraint("address_key", name=op.f("uq_subscriber_address_key")),
        sa.UniqueConstraint("token", name=op.f("uq_subscriber_token")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_subscriber_state_next_due_at"), "subscriber", ["state", "next_due_at"], unique=False)
    op.create_index(op.f("ix_subscriber_confirmation"), "subscriber", ["confirmation"], unique=False)
    op.create_table(
        "suppression",
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("address_hash", name=op.f("pk_suppression")),
    )
    op.create_table(
        "worker",
        sa.Column("id", Id, nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("boot_id", sa.String(length=64), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("born", sa.BigInteger(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("beat_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "delivery",
        sa.Column("id", Id, nullable=False),
        sa.Column("edition_id", Id, nullable=False),
        sa.Column("subscriber_id", Id, nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("doubts", sa.SmallInteger(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("worker_id", Id, nullable=True),
        sa.Column("next_try_at", Instant(), nullable=True),
        sa.Column("message_id", sa.String(length=160), nullable=True),
        sa.Column("reply", sa.String(length=500), nullable=True),
        sa.Column("in_doubt_at", Instant(), nullable=True),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("picks", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_delivery_edition_id")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_delivery_subscriber_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("edition_id", "subscriber_id", name=op.f("uq_delivery_edition_id_subscriber_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_delivery_state_doubts_due_at"), "delivery", ["state", "doubts", "due_at"], unique=False)
    op.create_index(op.f("ix_delivery_subscriber_id_state"), "delivery", ["subscriber_id", "state"], unique=False)
    op.create_index(op.f("ix_delivery_worker_id"), "delivery", ["worker_id"], unique=False)
    op.create_table(
        "edition_entry",
        sa.Column("edition_id", Id, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("paper_id", Id, nullable=False),
        sa.Column("former_ids", sa.JSON(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("work", sa.JSON(), nullable=False),
        sa.Column("first_seen_on", sa.Date(), nullable=False),
        sa.Column("numbers", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_edition_entry_edition_id")),
        sa.PrimaryKeyConstraint("edition_id", "rank", name=op.f("pk_edition_entry")),
    )
    op.create_index(op.f("ix_edition_entry_paper_id"), "edition_entry", ["paper_id"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("subscriber_id", Id, nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name=op.f("fk_event_subscriber_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_subscriber_id_at"), "event", ["subscriber_id", "at"], unique=False)
    op.create_table(
        "interest",
        sa.Column("id", Id, nullable=False),
        sa.Column("subscriber_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("valid_from", Instant(), nullable=False),
        sa.Column("valid_to", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_interest_subscriber_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interest")),
    )
    op.create_index(op.f("ix_interest_subscriber_id_valid_from"), "interest", ["subscriber_id", "valid_from"], unique=False)
    op.create_table(
        "notice",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("recipient_key", sa.String(length=320), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("subscriber_id", Id, nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("doubts", sa.SmallInteger(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("worker_id", Id, nullable=True),
        sa.Column("next_try_at", Instant(), nullable=True),
        sa.Column("message_id", sa.String(length=160), nullable=True),
        sa.Column("reply", sa.String(length=500), nullable=True),
        sa.Column("in_doubt_at", Instant(), nullable=True),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name=op.f("fk_notice_subscriber_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("kind", "recipient_key", "key", name=op.f("uq_notice_kind_recipient_key_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_notice_state_doubts_due_at"), "notice", ["state", "doubts", "due_at"], unique=False)
    op.create_index(op.f("ix_notice_worker_id"), "notice", ["worker_id"], unique=False)
    op.create_table(
        "paper_alias",
        sa.Column("alias", sa.String(length=520), nullable=False),
        sa.Column("paper_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["paper.id"], name=op.f("fk_paper_alias_paper_id")),
        sa.PrimaryKeyConstraint("alias", name=op.f("pk_paper_alias")),
    )
    op.create_index(op.f("ix_paper_alias_paper_id"), "paper_alias", ["paper_id"], unique=False)
    op.create_table(
        "reading",
        sa.Column("paper_id", Id, nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("metric", sa.String(length=20), nullable=False),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["paper.id"], name=op.f("fk_reading_paper_id")),
        sa.PrimaryKeyConstraint("paper_id", "source", "metric", "taken_at", name=op.f("pk_reading")),
    )
