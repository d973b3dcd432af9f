from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from digest.edition.calendar import Schedule
from digest.errors import ConfigurationError, NotPermitted, UsageError
from digest.flows import subscribe as flow
from digest.flows.links import Links
from digest.store import events, retention, sign_ups, subscribers, suppressions
from digest.store.engine import Store
from digest.store.schema import delivery, edition, notice, subscriber, suppression
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import Interest, Preferences, SignUp, State, Subscriber
from digest.tokens import Signer

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SIGNER = Signer(["k" * 40])
SITE = "https://papers.example.org"
ANN = EmailAddress("ann@example.org")
GRAPHS = Interest("topic", "graphs")
ANN_S = SignUp(ANN, "Ann", Preferences("Europe/Berlin", time(8)), (GRAPHS,))


def subscribe(store: Store, sign_up: SignUp = ANN_S, now: datetime = NOW, *, confirmed: bool = False) -> flow.Subscribed:
    return flow.subscribe(store, now, sign_up, confirmed=confirmed, public_url=SITE, source="a test")


def mails(store: Store) -> list[tuple[str, str]]:
    with store.read() as connection:
        return [(row.kind, row.recipient) for row in connection.execute(select(notice).order_by(notice.c.id))]


def content(store: Store, kind: str) -> dict[str, Any]:
    with store.read() as connection:
        query = select(notice.c.content).where(notice.c.kind == kind).order_by(notice.c.id.desc())
        return dict(connection.execute(query).scalars().first() or {})


def token_in_mail(store: Store) -> str:
    url: str = content(store, "confirm")["confirm_url"]
    assert url.startswith(f"{SITE}/confirm/")
    return url.removeprefix(f"{SITE}/confirm/")


def confirm(store: Store, token: str, now: datetime = NOW) -> Subscriber | None:
    return flow.confirm(store, now, token, SITE, Schedule())


def one(store: Store, address: EmailAddress = ANN) -> Subscriber:
    with store.read() as connection:
        found = subscribers.by_address(connection, address)
    assert found is not None
    return found


def story(store: Store, address: EmailAddress = ANN) -> Sequence[str]:
    with store.read() as connection:
        return [event.kind for event in events.history(connection, one(store, address).id)]


def queue_delivery(store: Store, reader: int, state: str = "queued") -> None:
    with store.write() as connection:
        row = {"date": date(2026, 11, 22), "cadence": "daily", "frozen_at": NOW, "empty_because": "", "missing_sources": []}
        number = connection.execute(insert(edition).returning(edition.c.id), row).scalar_one()
        connection.execute(
            insert(delivery),
            {"edition_id": number, "subscriber_id": reader, "due_at": NOW, "state": state, "updated_at": NOW},
        )


def delivery_states(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(select(delivery.c.state)).scalars())


def test_a_sign_up_waits_for_its_confirmation(store: Store) -> None:
    assert subscribe(store).what == "pending"
    assert one(store).state == "pending"
    assert mails(store) == [("confirm", "ann@example.org")]
    assert content(store, "confirm").keys() == {"confirm_url", "address", "valid_until", "language"}


def test_of_the_token_that_is_mailed_only_a_fingerprint_is_kept(store: Store) -> None:
    subscribe(store)
    token = token_in_mail(store)
    with store.read() as connection:
        row = connection.execute(select(subscriber)).one()
    assert len(token) == 22
    assert token not in str(row)


def test_who_confirms_becomes_a_reader_and_is_welcomed(store: Store) -> None:
    subscribe(store)
    reader = confirm(store, token_in_mail(store), NOW + timedelta(days=6))
    assert reader is not None
    assert (reader.state, reader.confirmed_at) == ("active", NOW + timedelta(days=6))
    assert reader == one(store)
    assert mails(store) == [("confirm", "ann@example.org"), ("welcome", "ann@example.org")]
    welcome = content(store, "welcome")
    assert welcome["unsubscribe_url"] == f"{SITE}/u/{reader.token}"
    assert welcome["preferences_url"] == f"{SITE}/p/ask/{reader.token}"
    assert (welcome["first_digest"], welcome["first_zone"]) == ("2026-11-29T08:00", "")
    assert (welcome["name"], welcome["topics"]) == ("Ann", ["graphs"])
    assert story(store) == ["subscribed", "confirmed"]
    assert reader.consent == {
        "source": "a test",
        "asked_at": NOW.isoformat(),
        "confirmed_by": "the reader",
        "confirmed_at": (NOW + timedelta(days=6)).isoformat(),
    }


def test_confirming_again_changes_nothing(store: Store) -> None:
    subscribe(store)
    token = token_in_mail(store)
    first = confirm(store, token)
    assert confirm(store, token, NOW + timedelta(hours=1)) == first
    assert len(mails(store)) == 2


def test_a_confirmation_lives_seven_days(store: Store) -> None:
    subscribe(store)
    assert confirm(store, token_in_mail(store), NOW + timedelta(days=7)) is None
    assert one(store).state == "pending"


def test_a_made_up_token_confirms_nobody(store: Store) -> None:
    subscribe(store)
    assert confirm(store, "x" * 22) is None
    assert confirm(store, one(store).token) is None


def test_looking_at_a_confirmation_changes_nothing(store: Store) -> None:
    subscribe(store)
    found = flow.find_to_confirm(store, NOW, token_in_mail(store))
    assert found == one(store)
    assert one(store).state == "pending"


def test_somebody_else_s_address_is_mailed_once_a_day_at_most(store: Store) -> None:
    subscribe(store)
    for hours in (0, 1, 23):
        assert subscribe(store, now=NOW + timedelta(hours=hours)).what == "waiting"
    assert len(mails(store)) == 1
    first = token_in_mail(store)
    assert subscribe(store, now=NOW + timedelta(hours=24)).what == "pending"
    assert len(mails(store)) == 2
    assert confirm(store, first, NOW + timedelta(hours=25)) is None
    assert confirm(store, token_in_mail(store), NOW + timedelta(hours=25)) is not None


def test_for_whom_the_operator_vouches_nothing_is_mailed(store: Store) -> None:
    done = flow.subscribe(store, NOW, ANN_S, confirmed=True, public_url=None, source="a test")
    assert (done.what, done.subscriber.state) == ("active", "active")
    assert done.subscriber.next_due_at == datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert mails(store) == []


def test_a_confirmation_needs_an_address_to_point_to(store: Store) -> None:
    with pytest.raises(ConfigurationError) as caught:
        flow.subscribe(store, NOW, ANN_S, confirmed=False, public_url=None, source="a test")
    assert "site.public_url" in str(caught.value)


def test_who_is_a_reader_already_stays_as_he_is(store: Store) -> None:
    subscribe(store, confirmed=True)
    before = one(store)
    other = SignUp(EmailAddress("ANN@example.org"), "Anna", Preferences(), ())
    assert subscribe(store, other).what == "already"
    assert subscribe(store, other, confirmed=True).what == "already"
    assert one(store) == before
    assert mails(store) == []


def test_the_operator_may_confirm_for_a_reader_quietly(store: Store) -> None:
    subscribe(store)
    assert flow.confirm_address(store, NOW, ANN).state == "active"
    assert flow.confirm_address(store, NOW, ANN).state == "active"
    assert mails(store) == [("confirm", "ann@example.org")]
    assert one(store).consent["confirmed_by"] == "the operator"


def test_who_unsubscribes_is_told_goodbye_once(store: Store) -> None:
    reader = subscribe(store, confirmed=True).subscriber
    queue_delivery(store, reader.id)
    for _ in range(2):
        Links(store, SIGNER, SITE).leave(NOW, reader.token)
        assert one(store).state == "unsubscribed"
    assert mails(store) == [("goodbye", "ann@example.org")]
    assert delivery_states(store) == ["skipped"]
    assert story(store) == ["subscribed", "unsubscribed"]


def test_an_unknown_token_unsubscribes_nobody(store: Store) -> None:
    subscribe(store, confirmed=True)
    Links(store, SIGNER, SITE).leave(NOW, "x" * 22)
    assert one(store).state == "active"


def test_who_never_confirmed_leaves_without_another_mail(store: Store) -> None:
    reader = subscribe(store).subscriber
    Links(store, SIGNER, SITE).leave(NOW, reader.token)
    assert one(store).state == "unsubscribed"
    assert mails(store) == [("confirm", "ann@example.org")]


def wanted(store: Store) -> tuple[Preferences, tuple[Interest, ...]]:
    reader = one(store)
    with store.read() as connection:
        return reader.preferences, subscribers.interests(connection, [reader.id], NOW + timedelta(days=30)).get(reader.id, ())


CHOSEN = SignUp(ANN, "Ann", Preferences(size=3), (Interest("topic", "robots"),))


def test_who_left_comes_back_by_a_confirmation_of_his_own_to_what_he_chose_with_it(store: Store) -> None:
    subscribe(store, confirmed=True)
    flow.unsubscribe(store, NOW, ANN)
    assert subscribe(store, CHOSEN, NOW + timedelta(days=1)).what == "pending"
    reader = confirm(store, token_in_mail(store), NOW + timedelta(days=2))
    assert reader is not None
    assert (reader.state, reader.name) == ("active", "Ann")
    assert wanted(store) == (CHOSEN.preferences, CHOSEN.interests)
    assert reader.consent["confirmed_by"] == "the reader"
    assert reader.consent["asked_at"] == (NOW + timedelta(days=1)).isoformat()


def test_until_he_confirms_nothing_of_one_who_left_is_changed(store: Store) -> None:
    before = subscribe(store, CHOSEN, confirmed=True).subscriber
    flow.unsubscribe(store, NOW, ANN)
    again = SignUp(ANN, "Eve", Preferences(size=9), (Interest("topic", "spam"),))
    subscribe(store, again, NOW + timedelta(days=1))
    assert subscribe(store, again, NOW + timedelta(days=1, hours=1)).what == "waiting"
    with store.write() as connection:
        retention.prune(connection, NOW + timedelta(days=90))
    after = one(store)
    assert wanted(store) == (CHOSEN.preferences, CHOSEN.interests)
    assert (after.state, after.name, after.consent) == ("unsubscribed", "Ann", before.consent)


def test_who_comes_back_and_chooses_nothing_finds_what_he_chose_before(store: Store) -> None:
    subscribe(store, CHOSEN, confirmed=True)
    flow.unsubscribe(store, NOW, ANN)
    subscribe(store, SignUp(ANN, preferences=Preferences(language="de")), NOW + timedelta(days=1))
    confirm(store, token_in_mail(store), NOW + timedelta(days=2))
    assert (one(store).state, one(store).name) == ("active", "Ann")
    assert wanted(store) == (CHOSEN.preferences, CHOSEN.interests)


def test_who_never_confirmed_has_nothing_to_come_back_to(store: Store) -> None:
    subscribe(store, CHOSEN)
    subscribe(store, SignUp(ANN), NOW + timedelta(days=2))
    confirm(store, token_in_mail(store), NOW + timedelta(days=2))
    assert wanted(store) == (Preferences(), ())


def test_the_operator_may_confirm_for_one_who_left_only_after_he_asked_again(store: Store) -> None:
    subscribe(store, CHOSEN, confirmed=True)
    flow.unsubscribe(store, NOW, ANN)
    with pytest.raises(NotPermitted):
        flow.confirm_address(store, NOW, ANN)
    subscribe(store, now=NOW + timedelta(days=1))
    assert flow.confirm_address(store, NOW + timedelta(days=1), ANN).state == "active"


def test_who_was_suppressed_after_he_asked_to_come_back_cannot_confirm(store: Store) -> None:
    subscribe(store, confirmed=True)
    flow.unsubscribe(store, NOW, ANN)
    subscribe(store, now=NOW + timedelta(days=1))
    token = token_in_mail(store)
    with store.write() as connection:
        suppressions.suppress(connection, ANN, "bounce", NOW)
    assert confirm(store, token, NOW + timedelta(days=1)) is None
    assert one(store).state == "unsubscribed"


def test_who_leaves_twice_is_told_goodbye_twice(store: Store) -> None:
    for days in range(2):
        subscribe(store, now=NOW + timedelta(days=days), confirmed=True)
        flow.unsubscribe(store, NOW + timedelta(days=days, hours=1), ANN)
    assert [kind for kind, _ in mails(store)] == ["goodbye", "goodbye"]


@pytest.mark.parametrize("confirmed", [True, False])
def test_who_left_and_is_signed_up_by_a_stranger_is_remembered_to_have_left(store: Store, confirmed: bool) -> None:
    reader = subscribe(store, confirmed=confirmed).subscriber
    Links(store, SIGNER, SITE).leave(NOW, reader.token)
    assert subscribe(store, now=NOW + timedelta(days=1)).what == "pending"
    with store.write() as connection:
        retention.prune(connection, NOW + timedelta(days=30))
    assert one(store).state == "unsubscribed"
    assert story(store) == ["subscribed", "unsubscribed", "subscribed"]
    assert subscribe(store, now=NOW + timedelta(days=31)).what == "pending"


def test_who_never_was_a_reader_and_does_not_confirm_is_forgotten(store: Store) -> None:
    subscribe(store)
    with store.write() as connection:
        assert retention.prune(connection, NOW + timedelta(days=30))["pending"] == 1
        assert subscribers.by_address(connection, ANN) is None


@pytest.mark.parametrize("by", ["confirming", "subscribing again"])
def test_whom_the_operator_confirms_is_not_asked_to_confirm(store: Store, by: str) -> None:
    subscribe(store)
    if by == "confirming":
        flow.confirm_address(store, NOW, ANN)
    else:
        subscribe(store, confirmed=True)
    with store.read() as connection:
        assert [(row.kind, row.state) for row in connection.execute(select(notice))] == [("confirm", "skipped")]


def test_who_confirmed_is_not_asked_again_by_a_mail_that_was_in_doubt(store: Store) -> None:
    subscribe(store)
    token = token_in_mail(store)  # it came, though no reply said so: the mail is queued once more
    confirm(store, token)
    with store.read() as connection:
        states = connection.execute(select(notice.c.kind, notice.c.state).order_by(notice.c.id)).all()
    assert states == [("confirm", "skipped"), ("welcome", "queued")]


def test_a_suppressed_address_is_refused_with_the_reason(store: Store) -> None:
    with store.write() as connection:
        suppressions.suppress(connection, ANN, "complaint", NOW)
    for confirmed in (False, True):
        with pytest.raises(NotPermitted) as caught:
            subscribe(store, SignUp(EmailAddress("Ann@example.org")), confirmed=confirmed)
        assert "complaint" in str(caught.value)
        assert "suppressions remove" in caught.value.fix
    assert mails(store) == []


def test_who_was_suppressed_while_pending_cannot_confirm(store: Store) -> None:
    subscribe(store)
    token = token_in_mail(store)
    with store.write() as connection:
        suppressions.suppress(connection, ANN, "operator", NOW)
    assert confirm(store, token) is None
    with pytest.raises(NotPermitted):
        flow.confirm_address(store, NOW, ANN)


def test_who_complained_is_never_brought_back(store: Store) -> None:
    subscribe(store, confirmed=True)
    with store.write() as connection:
        suppressions.suppress(connection, ANN, "complaint", NOW)
        suppressions.remove(connection, ANN)
    for confirmed in (False, True):
        with pytest.raises(NotPermitted):
            subscribe(store, confirmed=confirmed)
    assert one(store).state == "complained"


def test_a_change_touches_what_was_named(store: Store) -> None:
    subscribe(store, confirmed=True)
    reader = flow.change(
        store, NOW, ANN, preferences={"hour": time(9), "size": 5}, interests={"topic": [Interest("topic", "robots")]}
    )
    assert reader.preferences == Preferences("Europe/Berlin", time(9), size=5)
    assert reader.next_due_at == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert reader.name == "Ann"
    flow.change(store, NOW, ANN, preferences={"size": 5})
    assert story(store) == ["subscribed", "changed"]


def test_a_pause_skips_what_waits_and_ends_by_itself_or_by_hand(store: Store) -> None:
    reader = subscribe(store, confirmed=True).subscriber
    queue_delivery(store, reader.id)
    until = NOW + timedelta(days=14)
    assert flow.pause(store, NOW, ANN, until).paused_until == until
    assert delivery_states(store) == ["skipped"]
    assert flow.resume(store, NOW, ANN).state == "active"
    assert flow.pause(store, NOW, ANN, None).paused_until is None
    assert story(store) == ["subscribed", "paused", "resumed", "paused"]
    with pytest.raises(UsageError):
        flow.pause(store, NOW, ANN, NOW)


@pytest.mark.parametrize("act", ["pause", "resume"])
def test_who_left_is_neither_paused_nor_resumed(store: Store, act: str) -> None:
    subscribe(store, confirmed=True)
    flow.unsubscribe(store, NOW, ANN)
    with pytest.raises(NotPermitted):
        flow.pause(store, NOW, ANN, None) if act == "pause" else flow.resume(store, NOW, ANN)
    assert one(store).state == "unsubscribed"


def test_who_is_unknown_is_named_in_the_error(store: Store) -> None:
    acts = (flow.unsubscribe, flow.resume, flow.erase, flow.confirm_address, flow.change)
    for act in acts:
        with pytest.raises(UsageError, match=r"ann@example\.org"):
            act(store, NOW, ANN)


@pytest.mark.parametrize("state", ["pending", "active", "unsubscribed"])
def test_of_the_erased_not_a_byte_stays_but_a_keyed_hash(store: Store, tmp_path: Path, state: State) -> None:
    for number in range(50):
        subscribe(store, SignUp(EmailAddress(f"reader{number}@example.org"), f"Reader {number}"))
    reader = subscribe(store, confirmed=state != "pending").subscriber
    queue_delivery(store, reader.id, "submitted")
    if state == "unsubscribed":
        flow.unsubscribe(store, NOW, ANN)
    with store.write() as connection:
        # He filled in the form too, and it waits for the next run.
        sign_ups.note(connection, EmailAddress("Ann@example.org"), {}, SITE, NOW)
    flow.erase(store, NOW, EmailAddress("ANN@example.org"))
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"reader7@example.org" in left
    assert b"ann@example.org" not in left.lower()
    with store.read() as connection:
        assert [row.reason for row in connection.execute(select(suppression))] == ["erased"]
    with pytest.raises(NotPermitted):
        subscribe(store, confirmed=True)


@pytest.mark.parametrize(
    ("wish", "now", "words"),
    [
        (Preferences("Europe/Berlin", time(7, 30)), datetime(2026, 11, 22, 6, tzinfo=UTC), "on Sunday at 07:30"),
        (Preferences("Asia/Tokyo", time(7), frozenset({2})), NOW, "on Wednesday at 07:00"),
        (Preferences(), NOW, "on Monday at 06:00 (UTC)"),
        (Preferences(days=frozenset({4})), NOW, "on Friday at 06:00 (UTC)"),
        (Preferences("Asia/Kolkata", cadence="weekly"), NOW + timedelta(days=1), "on Monday at 11:30 (Asia/Kolkata)"),
        (Preferences(days=frozenset()), NOW, ""),
    ],
)
def test_a_new_reader_is_told_when_his_first_digest_comes(wish: Preferences, now: datetime, words: str) -> None:
    assert flow.first_digest(wish, Schedule(), now) == words
