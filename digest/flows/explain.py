"""Why a reader did or did not get a paper: told from what was stored that day, and reckoned again where nothing was.

What an edition froze, what a mail carried and when a reader wanted what is stored. Why one paper came before another is not: it
is reckoned once more from what was stored, with the settings of today. Where both disagree, what was stored is the truth.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from digest.edition.calendar import WEEK, reads_on
from digest.edition.compose import MAX_ENTRIES, Composer, Taste
from digest.edition.explanation import Explanation
from digest.edition.model import Edition, Entry, Pick
from digest.errors import UsageError
from digest.flows import learning
from digest.flows.choosing import meanings_of, rows_of
from digest.papers.model import Paper
from digest.ranking.profile import Profile
from digest.ranking.select import Selection
from digest.ranking.vocabulary import Vocabulary
from digest.store import editions, events, history, ratings, subscribers, vocabularies
from digest.store.deliveries import UNDER_WAY
from digest.store.engine import Store
from digest.store.rows import picks_from_json
from digest.subscribers import seen
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import Cadence, Interest, Preferences, Subscriber, days_text

Verdict = Literal[
    "got",
    "chosen",
    "due",
    "got earlier",
    "rated",
    "not a candidate",
    "empty edition",
    "no mail",
    "muted",
    "hidden",
    "below the floor",
    "too alike",
    "not reached",
    "not chosen",
]
"""`chosen`: it is in a mail that did not, or did not yet, reach him. `due`: no mail was made yet, and it would be in it. `not
chosen`: what is reckoned again would choose it, what was stored did not."""
REACHED = ("submitted", *UNDER_WAY)
"""States of a delivery whose papers are no news to the reader any more."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A reader's delivery of an edition, as it is stored; `picks` is None when none were chosen, or they are forgotten."""

    number: int
    state: str
    due_at: datetime
    updated_at: datetime
    reply: str
    picks: tuple[Pick, ...] | None
    chosen_at: datetime
    """When its papers were chosen, as near as it is known."""


@dataclass(frozen=True, slots=True)
class Account:
    """Everything that decided about one paper, one reader and one edition."""

    reader: Subscriber
    """As he is now; his share and size as they were then."""
    paper: Paper
    edition: Edition
    entry: Entry | None
    """None: the paper was not a candidate."""
    mail: Mail | None
    at: datetime
    """The moment that interests, memory and withdrawals are told as of."""
    interests: tuple[Interest, ...]
    verdict: Verdict
    why: str = ""
    """What the verdict does not say: why there was no mail, why the paper was not a candidate."""
    pick: Pick | None = None
    """As it was stored."""
    place: int = 0
    """Of that pick in the mail, the first being 1."""
    got_on: date | None = None
    """The edition that had brought him the paper before."""
    again: Explanation | None = None
    """As it is reckoned today; None where the paper was not a candidate."""

    @property
    def differs(self) -> bool:
        """Whether what was stored and what is reckoned again disagree about this paper."""
        stored = self.mail is not None and self.mail.picks is not None
        return stored and self.again is not None and (self.again.outcome == "picked") != (self.pick is not None)


def explain(
    store: Store,
    now: datetime,
    reader: EmailAddress,
    paper: Paper,
    *,
    window: timedelta,
    usual: Taste,
    selection: Selection,
    on: date | None = None,
    model: str = "",
) -> Account:
    """Why this reader did or did not get this paper with the edition of a date, or with the latest that concerns both.

    Args:
        store, now: the database and the time; nothing frozen later is told of.
        reader, paper: who and what.
        window: how far back candidates reach.
        usual, selection: the settings of the ranking.
        on: the date of the edition.
        model: whose meanings are compared, if any.

    Raises:
        UsageError: there is no such reader, or no such edition.
    """
    with store.read() as connection:
        known = subscribers.by_address(connection, reader)
        if known is None:
            raise UsageError(f"{reader} is not a subscriber", fix="digest subscribers list")
        ids = paper.former_ids | {paper.id}
        mails = history.deliveries_of(connection, known.id, now)
        number = _edition(connection, known, ids, mails, now, on)
        edition = editions.load(connection, number)
        row = next((one for one in mails if one.edition_id == number), None)
        mail = row and _mail(row)
        entry = next((one for one in edition.entries if one.paper_id in ids or one.former_ids & ids), None)
        at = mail.chosen_at if mail else edition.frozen_at
        at = now if mail and mail.picks is None and mail.state in ("queued", "claimed") else at
        happened = events.history(connection, known.id)
        known = replace(known, preferences=_preferences_at(known.preferences, happened, at))
        interests = subscribers.interests(connection, [known.id], at).get(known.id, ())
        had = _had(connection, known.id, edition, mails)
        rated = ratings.papers_rated(connection, {known.id: interests}).get(known.id, set())
        hidden = history.withdrawn_by(connection, [one.paper_id for one in edition.entries], at)
        again = None
        if entry is not None:
            vocabulary = None if edition.vocabulary is None else vocabularies.load(connection, edition.vocabulary)
            stands = subscribers.interests(connection, [known.id], now).get(known.id, ()) == interests
            profile = _profile(connection, known.id, vocabulary, model, at, stands=stands)
            wish = known.preferences
            taste = usual.of(profile, interests, wish.share, wish.size, known.id)
            rows = rows_of(connection, edition, lambda: vocabulary)
            composer = Composer(edition, rows, selection, meanings_of(store, edition, model))
            words = vocabulary.terms if vocabulary else ()
            again = composer.explain(taste, set(had) | rated, hidden, entry.paper_id, words)
        account = Account(known, paper, edition, entry, mail, at, interests, "not a candidate", again=again)
        if edition.empty_because:
            return replace(account, verdict="empty edition", why=edition.empty_because)
        if entry is None:
            return replace(account, why=_no_candidate(connection, paper, edition, window))
        family = {entry.paper_id} | entry.former_ids | ids
        account = replace(account, got_on=max((had[one] for one in family if one in had), default=None))
        if mail is None:
            since = history.active_since(connection, known.id)
            return replace(account, verdict="no mail", why=_no_mail(known, edition, happened, since, now))
        return _judged(account, mail, family, knew=bool(family & rated))


def _profile(connection: Any, reader: int, vocabulary: Vocabulary | None, model: str, at: datetime, *, stands: bool) -> Profile:
    """The reader's profile as it was at an instant. `stands`: his interests are still the same, so the stored one is right."""
    if vocabulary is None:
        return Profile()
    if stands:
        return learning.profile_of(connection, vocabulary, reader, at, model)
    return learning.learned(connection, vocabulary, [reader], at).get(reader, Profile())


def _judged(account: Account, mail: Mail, family: Collection[int], *, knew: bool) -> Account:
    """The account of a paper that was a candidate, for a reader who has a delivery of that edition."""
    assert account.again is not None
    outcome = account.again.outcome
    place = next((n for n, pick in enumerate(mail.picks or (), 1) if pick.paper_id in family), 0)
    if mail.picks and place:
        reached: Verdict = "got" if mail.state == "submitted" else "chosen"
        return replace(account, verdict=reached, pick=mail.picks[place - 1], place=place)
    if account.got_on == account.edition.date and mail.picks is None:
        return replace(account, verdict="got")  # what the mail carried is forgotten, the reader's memory is not
    if mail.picks is None and mail.state not in ("queued", "claimed", "submitted"):
        return replace(account, verdict="no mail", why=f"it is {mail.state}" + (f": {mail.reply}" if mail.reply else ""))
    if outcome == "seen":
        return replace(account, verdict="got earlier" if account.got_on or not knew else "rated")
    if outcome == "picked":
        return replace(account, verdict="due" if mail.picks is None and mail.state != "submitted" else "not chosen")
    return replace(account, verdict=outcome)


def _edition(
    connection: Any, reader: Subscriber, ids: Collection[int], mails: Sequence[Any], now: datetime, on: date | None
) -> int:
    """The edition to speak of: that of the date, or the one that brought him the paper, or the latest that could have."""
    his = [one.edition_id for one in mails]
    if on is not None:
        there = history.editions_on(connection, on, now)
        if not there:
            raise UsageError(f"no edition of {on} is frozen", fix="leave --date out for the latest that concerns him")
        of_his = [number for number in there.values() if number in his]
        return int((of_his or [there.get(reader.preferences.cadence) or min(there.values())])[0])
    brought = [one.edition_id for one in mails if any(pick.paper_id in ids for pick in picks_from_json(one.picks))]
    with_it = history.editions_with(connection, ids, now)
    with_it.sort(key=lambda one: (one[0] not in his, one[1] != reader.preferences.cadence))
    latest = editions.latest(connection, now)
    found = [*brought, *(number for number, _ in with_it), *his, *([latest.id] if latest else [])]
    if not found:
        raise UsageError("no edition is frozen yet", fix="digest publish")
    return int(found[0])


def _mail(row: Any) -> Mail:
    # A mail that went at once was made when its outcome came, give or take seconds; of others it is known from when on at most.
    at_once = row.state == "submitted" and row.attempts <= 1 and row.in_doubt_at is None
    return Mail(
        number=row.id,
        state=row.state,
        due_at=row.due_at,
        updated_at=row.updated_at,
        reply=row.reply or "",
        picks=None if row.picks is None else picks_from_json(row.picks),
        chosen_at=row.updated_at if at_once else max(row.due_at, row.frozen_at),
    )


def _had(connection: Any, subscriber_id: int, edition: Edition, mails: Sequence[Any]) -> dict[int, date]:
    """The papers that he had got, or that were on their way, when this edition came; with the date of the edition each was in.

    With them those that his memory has under this edition's own date, if the mail's picks are forgotten.
    """
    (reader,) = subscribers.readers(connection, [subscriber_id], edition.frozen_at)
    mine = next((one for one in mails if one.edition_id == edition.number), None)
    forgotten = mine is not None and mine.picks is None and mine.state == "submitted"
    found: dict[int, date] = {}
    for segment in reader.seen.split(";"):
        day = seen.oldest(segment)
        if day is not None and (day < edition.date or (forgotten and day == edition.date)):
            found.update(dict.fromkeys(seen.papers(f"{segment};").tolist(), day))
    for one in mails:
        if one.edition_id != edition.number and one.frozen_at <= edition.frozen_at and one.state in REACHED:
            found.update({pick.paper_id: one.date for pick in picks_from_json(one.picks)})
    return found


def _preferences_at(preferences: Preferences, happened: Sequence[events.Event], at: datetime) -> Preferences:
    """What he had chosen by then: what he changed since is taken back, the latest change first."""
    columns = subscribers.columns_of(preferences)
    for event in reversed(happened):
        if event.kind == "changed" and event.at > at:
            columns |= {name: pair[0] for name, pair in _changes(event.details).items() if name in columns}
    return subscribers.preferences_from(**columns)


def _changes(details: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The columns among what changed, which are told as [old, new]."""
    columns = subscribers.columns_of(Preferences())
    return {name: pair for name, pair in details.items() if name in columns and isinstance(pair, list) and len(pair) == 2}


def _no_candidate(connection: Any, paper: Paper, edition: Edition, window: timedelta) -> str:
    """Why a paper was not among the candidates of an edition."""
    hidden_at, retracted_at = history.withdrawn_at(connection, paper.id)
    reach = WEEK if edition.cadence == "weekly" else window
    first, frozen = paper.first_seen_at, edition.frozen_at
    if first > frozen:
        return f"it was not known yet: the edition was frozen at {_time(frozen)}, the paper first collected at {_time(first)}"
    if hidden_at is not None and hidden_at <= frozen:
        return f"the operator has hidden it since {_time(hidden_at)}"
    if retracted_at is not None and retracted_at <= frozen:
        return f"it is retracted; a source said so at {_time(retracted_at)}"
    if first <= frozen - reach:
        return f"it was too old: first collected at {_time(first)}, and an edition reaches back {reach.days} days"
    if len(edition.entries) >= MAX_ENTRIES:
        return f"it did not rank among the first {MAX_ENTRIES:,}, which are all that an edition keeps"
    return "why is not stored; perhaps it was hidden at that time"


_STATES = {"paused": "paused", "unsubscribed": "unsubscribed", "resumed": "active", "confirmed": "active"}


def _no_mail(
    reader: Subscriber, edition: Edition, happened: Sequence[events.Event], active_since: datetime | None, now: datetime
) -> str:
    """Why nothing was queued for a reader."""
    frozen, wish = edition.frozen_at, reader.preferences
    states = [(event.at, _STATES[event.kind]) for event in happened if event.kind in _STATES]
    before = [one for one in states if one[0] <= frozen]
    cadences: dict[Cadence, str] = {"daily": "a daily", "weekly": "a weekly"}
    if reader.created_at is not None and reader.created_at > frozen:
        return f"he signed up later, at {_time(reader.created_at)}"
    if before and before[-1][1] != "active":
        return f"he was {before[-1][1]}, since {_time(before[-1][0])}"
    if reader.state != "active" and not any(state == reader.state for _, state in states):
        return f"he is {reader.state}"
    if active_since is not None and active_since > frozen:
        return f"he has been active only since {_time(active_since)}"
    if wish.cadence != edition.cadence:
        return f"this was {cadences[edition.cadence]} edition, and he reads {cadences[wish.cadence]} one"
    if not reads_on(wish, edition.date):
        return f"he does not read on that day of the week, but on {days_text(wish.days) or 'none'}"
    current = now - frozen < (WEEK if edition.cadence == "weekly" else timedelta(days=1))
    if wish.hour is not None and reader.next_due_at is not None and current:
        return f"his hour is {wish.hour:%H:%M} ({wish.zone}): his next mail is due at {_time(reader.next_due_at)}"
    if reader.state != "active":
        since = next((at for at, state in reversed(states) if state == reader.state), None)
        return f"he is {reader.state}" + (f", since {_time(since)}" if since else "")
    return "none was queued for him yet" if current else "nothing was queued for him, and nothing stored says why"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z"
