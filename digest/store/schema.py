"""The tables. A comment says what a column cannot; an index names the question that it answers.

Every change here goes with an Alembic migration in `store/migrations/versions` and a new `HEAD`; a test holds the two equal.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from digest.store import full_text
from digest.store.columns import Id, Instant

HEAD = "0007"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _ledger() -> list[Column[Any]]:
    """What a delivery and a notice share: one life, one set of transitions (ARCHITECTURE.md, 4)."""
    return [
        Column("due_at", Instant, nullable=False),
        Column("state", String(12), nullable=False, default="queued"),
        Column("attempts", SmallInteger, nullable=False, default=0),  # conversations that ended in a verdict or in doubt
        Column("doubts", SmallInteger, nullable=False, default=0),  # how often it was in doubt; the second time is the last
        Column("failures", SmallInteger, nullable=False, default=0),  # how often building it failed
        Column("worker_id", Id),  # who has it; kept while in doubt, so that a late outcome is known to be his
        Column("next_try_at", Instant),  # null: as soon as it is due
        Column("message_id", String(160)),
        Column("reply", String(500)),  # the server's last words, or why it ended otherwise
        Column("in_doubt_at", Instant),  # once set, it stays
        Column("updated_at", Instant, nullable=False),
    ]


_WITHDRAWN = text("hidden_at IS NOT NULL OR retracted_at IS NOT NULL")

paper = Table(
    "paper",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(520), nullable=False, unique=True),  # the strongest canonical id
    Column("title", Text, nullable=False),
    Column("normalised_title", String(500), nullable=False),
    Column("abstract", Text, nullable=False),
    Column("authors", JSON, nullable=False),
    Column("categories", JSON, nullable=False),
    Column("keywords", JSON, nullable=False),
    Column("organization", String(300), nullable=False),
    Column("summary", Text, nullable=False),
    Column("summary_by", String(100), nullable=False),
    Column("links", JSON, nullable=False),
    Column("published_at", Instant),
    Column("listed_on", Date),
    Column("first_seen_at", Instant, nullable=False),
    Column("merged_into", Id, ForeignKey("paper.id")),  # this row is a former id of that paper
    Column("hidden_at", Instant),
    Column("pinned_at", Instant),
    Column("retracted_at", Instant),  # when a source said that it was retracted or taken back
    Index(None, "first_seen_at"),  # which papers are in the window?
    Index(None, "normalised_title"),  # is this sighting without an id a paper that we know?
    Index(None, "merged_into"),  # which former ids has this paper?
    # Which papers are in no mail any more? It is asked for every few hundred mails.
    Index(None, "hidden_at", "retracted_at", sqlite_where=_WITHDRAWN, postgresql_where=_WITHDRAWN),
)

full_text.follow(paper)

paper_alias = Table(
    "paper_alias",
    metadata,
    Column("alias", String(520), primary_key=True),
    Column("paper_id", Id, ForeignKey("paper.id"), nullable=False),
    Index(None, "paper_id"),
)

reading = Table(
    "reading",
    metadata,
    Column("paper_id", Id, ForeignKey("paper.id"), nullable=False),
    Column("source", String(40), nullable=False),
    Column("metric", String(20), nullable=False),
    Column("taken_at", Instant, nullable=False),
    Column("value", BigInteger, nullable=False),
    PrimaryKeyConstraint("paper_id", "source", "metric", "taken_at"),
)

source_run = Table(
    "source_run",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source", String(40), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant, nullable=False),
    Column("sightings", Integer, nullable=False),
    Column("problems", Integer, nullable=False),
    Column("newest", String(520), nullable=False),
    Column("verdict", String(10), nullable=False),
    Column("error", Text, nullable=False),
    Column("evidence", Text, nullable=False),  # what the verdict goes by, in words
    Column("cursor", JSON, nullable=False),  # where the next run goes on, in the source's own words
    Column("not_before", Instant),  # the server asked to be left alone until then
    Index(None, "source", "started_at"),  # how did this source's last run end?
)

lookup = Table(
    "lookup",
    metadata,
    Column("source", String(40), nullable=False),
    Column("paper_id", Id, ForeignKey("paper.id"), nullable=False),
    Column("asked_at", Instant, nullable=False),
    PrimaryKeyConstraint("source", "paper_id"),
    Index(None, "paper_id"),
)

vocabulary = Table(
    "vocabulary",
    metadata,
    Column("id", Id, primary_key=True),  # its version
    Column("made_at", Instant, nullable=False),
    Column("papers", Integer, nullable=False),  # how many it was fitted on
    Column("content", LargeBinary, nullable=False),  # digest.ranking.vocabulary
)

meaning = Table(
    "meaning",
    metadata,
    Column("paper_id", Id, ForeignKey("paper.id"), nullable=False),
    Column("model", String(80), nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("paper_id", "model"),
)

edition = Table(
    "edition",
    metadata,
    Column("id", Id, primary_key=True),
    Column("date", Date, nullable=False),
    Column("cadence", String(10), nullable=False),
    Column("frozen_at", Instant, nullable=False),
    Column("empty_because", Text, nullable=False),
    Column("missing_sources", JSON, nullable=False),
    Column("vocabulary_id", Id),  # by which its papers are compared; named also when it is forgotten
    Column("queued_at", Instant),  # when readers without an hour of their own got their rows
    Column("reported_at", Instant),  # when the operator was told how it went
    Column("picks", JSON(none_as_null=True)),  # its issue, [[paper, section], …]: what everybody is shown of it
    UniqueConstraint("date", "cadence"),
)

edition_entry = Table(
    "edition_entry",
    metadata,
    Column("edition_id", Id, ForeignKey("edition.id"), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("paper_id", Id, nullable=False),
    Column("former_ids", JSON, nullable=False),
    Column("score", Float, nullable=False),
    Column("terms", JSON, nullable=False),
    Column("work", JSON, nullable=False),  # what a reader is shown of the paper, as it was then
    Column("first_seen_on", Date, nullable=False),
    Column("numbers", JSON, nullable=False),
    PrimaryKeyConstraint("edition_id", "rank"),
    Index(None, "paper_id"),  # in which editions was this paper?
)

edition_rows = Table(
    "edition_rows",
    metadata,
    Column("edition_id", Id, ForeignKey("edition.id"), primary_key=True),
    Column("content", LargeBinary, nullable=False),  # digest.ranking.rows; of its entries, by rank, in its vocabulary
)

subscriber = Table(
    "subscriber",
    metadata,
    Column("id", Id, primary_key=True),
    Column("token", String(22), nullable=False, unique=True),
    Column("address", String(320), nullable=False),
    Column("address_key", String(320), nullable=False, unique=True),
    Column("name", String(100), nullable=False, default=""),
    Column("state", String(12), nullable=False),
    Column("zone", String(60), nullable=False, default="UTC"),
    Column("hour", String(5)),  # HH:MM, local; null: with the edition
    Column("days", SmallInteger, nullable=False, default=127),  # bit n is weekday n, Monday being 0
    Column("cadence", String(10), nullable=False, default="daily"),
    Column("size", SmallInteger),
    Column("share", Float),
    Column("language", String(10), nullable=False, default=""),
    Column("created_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("active_since", Instant),  # when he last became active: an edition frozen before is not his
    Column("paused_until", Instant),
    Column("confirmation", String(64)),  # fingerprint of the token in his confirmation mail
    Column("confirmation_until", Instant),
    Column("consent", JSON, nullable=False),  # how, when and to what he agreed
    Column("next_due_at", Instant),
    Column("seen", Text, nullable=False, default=""),  # digest.subscribers.seen
    Index(None, "state", "next_due_at"),  # who is due?
    Index(None, "confirmation"),  # whose confirmation link is this?
    sqlite_autoincrement=True,  # what is under way for one who was erased is not for the next
)

_WITH_WORK = text("work IS NOT NULL")

interest = Table(
    "interest",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subscriber_id", Id, ForeignKey("subscriber.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("value", String(520), nullable=False),
    Column("weight", Float, nullable=False, default=1.0),
    Column("valid_from", Instant, nullable=False),
    Column("valid_to", Instant),  # null: still wanted
    Column("work", JSON(none_as_null=True)),  # title and abstract of a paper that he rated and that no source has shown us
    Index(None, "subscriber_id", "valid_from"),
    Index(None, "value", sqlite_where=_WITH_WORK, postgresql_where=_WITH_WORK),  # what is kept of this paper?
)

profile = Table(
    "profile",
    metadata,
    Column("subscriber_id", Id, ForeignKey("subscriber.id", ondelete="CASCADE"), nullable=False),
    Column("vocabulary_id", Id, ForeignKey("vocabulary.id", ondelete="CASCADE"), nullable=False),
    Column("model", String(80), nullable=False),  # that told what his likes mean; empty: none did
    Column("made_at", Instant, nullable=False),
    Column("content", LargeBinary, nullable=False),  # digest.ranking.profile; of the interests that stand, or there is no row
    PrimaryKeyConstraint("subscriber_id", "vocabulary_id"),  # who has none of this vocabulary?
    Index(None, "vocabulary_id"),  # which are forgotten with it?
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Id, primary_key=True),
    Column("edition_id", Id, ForeignKey("edition.id"), nullable=False),
    Column("subscriber_id", Id, ForeignKey("subscriber.id", ondelete="CASCADE"), nullable=False),
    *_ledger(),
    Column("picks", JSON),  # as `rows.picks_to_json` writes them; fixed once tried, for a second try has the same bytes
    UniqueConstraint("edition_id", "subscriber_id"),
    Index(None, "state", "doubts", "due_at"),  # what is to be done, in which order?
    Index(None, "subscriber_id", "state"),  # what is under way for this reader?
    Index(None, "worker_id"),  # what did this dead worker hold?
    sqlite_autoincrement=True,  # as above: a late outcome must not meet another row
)

notice = Table(
    "notice",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("recipient", String(320), nullable=False),
    Column("recipient_key", String(320), nullable=False),
    Column("key", String(80), nullable=False),  # what it is about, so that nobody is told twice
    Column("subscriber_id", Id, ForeignKey("subscriber.id", ondelete="CASCADE")),
    Column("content", JSON, nullable=False),  # the values of its template
    *_ledger(),
    UniqueConstraint("kind", "recipient_key", "key"),
    Index(None, "state", "doubts", "due_at"),
    Index(None, "worker_id"),
    sqlite_autoincrement=True,  # as above
)

worker = Table(
    "worker",
    metadata,
    Column("id", Id, primary_key=True),
    Column("host", String(255), nullable=False),
    Column("boot_id", String(64), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("born", BigInteger, nullable=False),  # tells a process from a later one with the same pid
    Column("started_at", Instant, nullable=False),
    Column("beat_at", Instant, nullable=False),
    sqlite_autoincrement=True,  # one that was given up for dead must not find another under its number
)

suppression = Table(
    "suppression",
    metadata,
    Column("address_hash", String(64), primary_key=True),
    Column("reason", String(20), nullable=False),
    Column("note", String(500), nullable=False),
    Column("since", Instant, nullable=False),
)

pace = Table(
    "pace",
    metadata,
    Column("key", String(255), primary_key=True),  # a recipient domain, or the relay
    # Seconds of the database's own clock: those of the machines differ.
    Column("free_at", Float, nullable=False),  # before it every time for a message is taken
    Column("rate", Float),  # messages a second as learned; null: only the operator's limit holds
    Column("too_many", Float, nullable=False),  # messages a second that were refused when it was learned
    Column("lowered_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
)

allowance = Table(
    "allowance",
    metadata,
    Column("key", String(80), primary_key=True),  # whose, and for what; no address can be read from it
    Column("free_at", Float, nullable=False),  # when all of it is there again (digest.allowance)
)

sign_up = Table(
    "sign_up",
    metadata,
    Column("id", Id, primary_key=True),
    Column("address", String(320), nullable=False),
    Column("wishes", JSON, nullable=False),  # what he chose before he signed up
    Column("origin", String(80), nullable=False),  # where he signed up, as it is kept with his consent
    Column("asked_at", Instant, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(30), nullable=False),
    Column("subscriber_id", Id, ForeignKey("subscriber.id", ondelete="CASCADE")),
    Column("details", JSON, nullable=False),
    Index(None, "subscriber_id", "at"),
)

secret = Table(
    "secret",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", String(200), nullable=False),
)
