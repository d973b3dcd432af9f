from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from threading import Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, insert, select, update

from digest.edition.calendar import next_due
from digest.errors import NotPermitted
from digest.store import events, groups, ledger, notices, subscribers, suppressions, workers
from digest.store.engine import Store
from digest.store.enrolment import Confirmation, enrol
from digest.store.schema import delivery, edition, notice, secret, subscriber
from digest.store.schema import event as happened
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import STATES, Interest, Preferences, SignUp, State, may_become

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
AT_EIGHT = Preferences("Europe/Berlin", time(8), frozenset(range(5)))
ANN = EmailAddress("ann@example.org")
BOB = EmailAddress("bob@example.org")
CONFIRMATION = Confirmation("f" * 64, NOW + timedelta(days=7))


def join(connection: Connection, address: EmailAddress = ANN, wish: Preferences = AT_EIGHT, *interests: Interest) -> int:
    added = enrol(connection, [(SignUp(address, "", wish, interests), None)], {"source": "a test"}, NOW)
    return added[address.key]


def queue(connection: Connection, reader: int, state: str, on: date = date(2026, 11, 22)) -> int:
    """A delivery to a reader, in some state."""
    found = connection.execute(select(edition.c.id).where(edition.c.date == on)).scalar()
    row = {"date": on, "cadence": "daily", "frozen_at": NOW, "empty_because": "", "missing_sources": []}
    number = found or connection.execute(insert(edition).returning(edition.c.id), row).scalar_one()
    values = {"edition_id": number, "subscriber_id": reader, "due_at": NOW, "state": state, "updated_at": NOW}
    return int(connection.execute(insert(delivery).returning(delivery.c.id), values).scalar_one())


def delivery_states(connection: Connection) -> list[str]:
    return list(connection.execute(select(delivery.c.state).order_by(delivery.c.id)).scalars())


def read(connection: Connection, address: EmailAddress = ANN) -> subscribers.Subscriber:
    found = subscribers.by_address(connection, address)
    assert found is not None
    return found


def test_who_is_added_is_found_by_address_token_and_id(store: Store) -> None:
    graphs = Interest("topic", "graphs")
    with store.write() as connection:
        number = join(connection, EmailAddress("Ann@example.org"), AT_EIGHT, graphs)
    with store.read() as connection:
        one = read(connection)
        assert one.address.text == "Ann@example.org"
        assert (one.id, one.state, one.preferences, one.created_at, one.confirmed_at) == (number, "active", AT_EIGHT, NOW, NOW)
        assert subscribers.by_token(connection, one.token) == one
        assert subscribers.readers(connection, [number, 99], NOW) == [subscribers.Reader(one, (graphs,), "")]
        assert subscribers.by_address(connection, BOB) is None
        assert subscribers.by_token(connection, "x" * 22) is None


def test_an_address_is_added_once_whatever_its_case(store: Store) -> None:
    with store.write() as connection:
        number = join(connection)
        sign_ups = [(SignUp(EmailAddress("ANN@example.org")), None), (SignUp(BOB, interests=(Interest("topic", "x"),)), None)]
        added = enrol(connection, sign_ups, {}, LATER)
        assert added.keys() == {BOB.key}
        assert subscribers.states(connection, [ANN, BOB]) == {ANN.key: (number, "active"), BOB.key: (added[BOB.key], "active")}
        assert subscribers.interests(connection, [number, added[BOB.key]], LATER) == {added[BOB.key]: (Interest("topic", "x"),)}


def test_who_is_added_active_is_due_at_his_next_hour(store: Store) -> None:
    with store.write() as connection:
        join(connection)
        assert read(connection).next_due_at == datetime(2026, 11, 23, 7, tzinfo=UTC)


def test_who_is_added_pending_is_not_due(store: Store) -> None:
    with store.write() as connection:
        enrol(connection, [(SignUp(ANN, preferences=AT_EIGHT), CONFIRMATION)], {}, NOW)
        assert read(connection).state == "pending"
        assert read(connection).next_due_at is None
        assert connection.execute(select(subscriber.c.active_since)).scalar() is None


def test_a_confirmation_names_its_reader_until_it_expires(store: Store) -> None:
    with store.write() as connection:
        enrol(connection, [(SignUp(ANN), CONFIRMATION)], {}, NOW)
        found = subscribers.by_confirmation(connection, CONFIRMATION.fingerprint, CONFIRMATION.until - timedelta(seconds=1))
        assert found == read(connection)
        assert subscribers.by_confirmation(connection, CONFIRMATION.fingerprint, CONFIRMATION.until) is None
        assert subscribers.by_confirmation(connection, "e" * 64, NOW) is None


@pytest.mark.parametrize("count", [1, 7])
def test_readers_come_with_their_interests_in_a_fixed_number_of_statements(store: Store, count: int) -> None:
    with store.write() as connection:
        ids = [join(connection, EmailAddress(f"r{n}@example.org"), AT_EIGHT, Interest("topic", str(n))) for n in range(count)]
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    with store.read() as connection:
        found = subscribers.readers(connection, ids, NOW)
    assert [reader.interests for reader in found] == [(Interest("topic", str(n)),) for n in range(count)]
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 2


def test_the_list_is_in_order_of_sign_up_and_can_be_narrowed(store: Store) -> None:
    with store.write() as connection:
        for n in range(5):
            join(connection, EmailAddress(f"r{n}_@example.org"))
        join(connection, EmailAddress("Zoe@example.org"))
        subscribers.become(connection, 2, "paused", NOW)
        connection.execute(update(subscriber).where(subscriber.c.id == 6).values(name="Zoe Weiß"))
    with store.read() as connection:

        def listed(**how: object) -> list[int]:
            return [reader.subscriber.id for reader in subscribers.listing(connection, NOW, **how)]  # type: ignore[arg-type]

        assert listed() == [1, 2, 3, 4, 5, 6]
        assert listed(limit=2) == [1, 2]
        assert listed(limit=0) == []
        assert listed(state="paused") == [2]
        assert listed(search="ZOE@") == listed(search="zoe w") == listed(search="Weiß") == [6]
        assert listed(search="_@") == [1, 2, 3, 4, 5]
        assert listed(search="%") == []
        assert subscribers.counts(connection) == {"active": 5, "paused": 1}


def test_a_long_list_is_whole(store: Store) -> None:
    with store.write() as connection:
        enrol(connection, [(SignUp(EmailAddress(f"r{n}@example.org")), None) for n in range(1203)], {}, NOW)
        assert len(list(subscribers.listing(connection, NOW))) == 1203
        assert len(list(subscribers.listing(connection, NOW, limit=777))) == 777


def test_another_hour_moves_the_due_time_and_another_size_does_not(store: Store) -> None:
    with store.write() as connection:
        number = join(connection)
        before = read(connection).next_due_at
        smaller = Preferences(AT_EIGHT.zone, AT_EIGHT.hour, AT_EIGHT.days, size=3)
        assert subscribers.change(connection, number, LATER, wish=smaller) == {"size": [None, 3]}
        assert read(connection).next_due_at == before
        later = Preferences(AT_EIGHT.zone, time(21, 30), AT_EIGHT.days, size=3)
        assert subscribers.change(connection, number, LATER, wish=later, name="Ann") == {
            "hour": ["08:00", "21:30"],
            "name": ["", "Ann"],
        }
        assert read(connection).preferences == later
        assert read(connection).next_due_at == next_due(later, LATER)
        assert subscribers.change(connection, number, LATER, wish=later, name="Ann") == {}


def test_a_due_time_that_waits_for_its_edition_survives_a_change_of_topic_or_size(store: Store) -> None:
    overdue = datetime(2026, 11, 23, 7, 5, tzinfo=UTC)
    with store.write() as connection:
        number = join(connection)
        waiting = read(connection).next_due_at
        assert waiting is not None
        assert waiting < overdue
        subscribers.change(
            connection, number, overdue, name="Ann", wish=Preferences(AT_EIGHT.zone, time(8), AT_EIGHT.days, size=3)
        )
        assert read(connection).next_due_at == waiting


def test_a_reader_without_an_hour_has_no_due_time(store: Store) -> None:
    with store.write() as connection:
        number = join(connection)
        subscribers.change(connection, number, NOW, wish=Preferences())
        assert read(connection).next_due_at is None


def test_interests_are_appended_and_ended_never_changed(store: Store) -> None:
    graphs, robots, word = Interest("topic", "graphs"), Interest("topic", "robots"), Interest("keyword", "CRISPR")
    with store.write() as connection:
        number = join(connection, ANN, AT_EIGHT, graphs, word)
        assert subscribers.set_interests(connection, number, "topic", [robots, graphs, robots], LATER)
        assert not subscribers.set_interests(connection, number, "topic", [graphs, robots], LATER)
        end = LATER + timedelta(hours=1)
        assert subscribers.set_interests(connection, number, "topic", [], end)
        assert subscribers.interests(connection, [number], NOW - timedelta(seconds=1)) == {}
        assert subscribers.interests(connection, [number], NOW) == {number: (graphs, word)}
        assert subscribers.interests(connection, [number], LATER) == {number: (graphs, word, robots)}
        assert subscribers.interests(connection, [number], end) == {number: (word,)}


OPEN = ("queued", "claimed")
OTHERS = ("submitting", "submitted", "in_doubt", "held", "rejected", "expired", "parked", "skipped")


@pytest.mark.parametrize("state", ["paused", "unsubscribed", "bounced", "complained"])
def test_who_leaves_gets_nothing_that_is_not_on_the_wire(store: Store, state: State) -> None:
    with store.write() as connection:
        number, other = join(connection), join(connection, BOB)
        for place, row in enumerate((*OPEN, *OTHERS)):
            queue(connection, number, row, date(2026, 11, 1 + place))
        queue(connection, other, "queued")
        one = subscribers.become(connection, number, state, LATER)
        assert delivery_states(connection) == ["skipped", "skipped", *OTHERS, "queued"]
        assert one == read(connection)
        assert (one.state, one.next_due_at) == (state, None)


@pytest.mark.parametrize("way", ["leaving", "suppressing", "erasing"])
def test_who_is_gone_is_gone_before_a_byte_of_his_mail_goes_out(store: Store, way: str) -> None:
    with store.write() as connection:
        number = join(connection)
        row = queue(connection, number, "queued")
        worker = workers.register(connection, NOW)
        assert ledger.claim(connection, delivery, worker, NOW, 10) == [row]
    with store.write() as connection:
        if way == "leaving":
            subscribers.become(connection, number, "unsubscribed", NOW)
        elif way == "suppressing":
            suppressions.suppress(connection, ANN, "complaint", NOW)
        else:
            subscribers.erase(connection, number)
    with store.write() as connection:
        assert groups.write(connection, worker, [], [(delivery, row)], NOW) == set()


def test_coming_back_begins_a_new_time(store: Store) -> None:
    with store.write() as connection:
        number = join(connection)
        subscribers.become(connection, number, "paused", NOW, paused_until=LATER)
        assert read(connection).paused_until == LATER
        back = subscribers.become(connection, number, "active", LATER)
        assert (back.paused_until, back.next_due_at) == (None, next_due(AT_EIGHT, LATER))
        assert connection.execute(select(subscriber.c.active_since)).scalar() == LATER


def test_becoming_what_one_is_changes_no_time(store: Store) -> None:
    with store.write() as connection:
        number = join(connection)
        before = connection.execute(select(subscriber)).one()
        subscribers.become(connection, number, "active", LATER)
        assert connection.execute(select(subscriber)).one() == before


def test_who_was_not_expected_in_a_state_is_left_alone(store: Store) -> None:
    with store.write() as connection:
        number = join(connection)
        subscribers.become(connection, number, "unsubscribed", NOW)
    with pytest.raises(NotPermitted), store.write() as connection:
        subscribers.become(connection, number, "active", NOW, expecting="paused")
    with store.read() as connection:
        assert read(connection).state == "unsubscribed"


def test_who_leaves_cannot_confirm_with_an_old_token(store: Store) -> None:
    with store.write() as connection:
        enrol(connection, [(SignUp(ANN), CONFIRMATION)], {}, NOW)
        subscribers.become(connection, 1, "unsubscribed", NOW)
        assert subscribers.by_confirmation(connection, CONFIRMATION.fingerprint, NOW) is None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wishes=st.lists(st.sampled_from(STATES), max_size=8), hours=st.lists(st.integers(0, 23), min_size=8, max_size=8))
def test_only_legal_transitions_happen_and_only_the_active_are_due(store: Store, wishes: list[State], hours: list[int]) -> None:
    state: State = "active"
    with store.write() as connection:
        earlier = subscribers.by_address(connection, ANN)
        if earlier is not None:
            subscribers.erase(connection, earlier.id)
        number = join(connection)
    at = NOW
    for new, hour in zip(wishes, hours, strict=False):
        at += timedelta(hours=1)
        allowed = may_become(state, new)
        try:
            with store.write() as connection:
                subscribers.change(connection, number, at, wish=Preferences(hour=time(hour)))
                subscribers.become(connection, number, new, at)
        except NotPermitted:
            assert not allowed
        else:
            assert allowed
            state = new
        with store.read() as connection:
            one = read(connection)
        assert one.state == state
        assert (one.next_due_at is None) == (state != "active")
        assert one.next_due_at is None or one.next_due_at > at - timedelta(days=1)


def test_a_pause_ends_when_it_is_over_and_not_before(store: Store) -> None:
    with store.write() as connection:
        for address, until in ((ANN, LATER), (BOB, None)):
            subscribers.become(connection, join(connection, address), "paused", NOW, paused_until=until)
        assert subscribers.wake_paused(connection, LATER - timedelta(seconds=1)) == 0
        assert subscribers.wake_paused(connection, LATER) == 1
        assert read(connection).state == "active"
        assert read(connection).next_due_at == next_due(AT_EIGHT, LATER)
        assert read(connection, BOB).state == "paused"
        assert [one.kind for one in events.history(connection, read(connection).id)] == ["resumed"]
        assert subscribers.wake_paused(connection, LATER) == 0


def test_erasing_leaves_nothing_that_hangs_on_the_reader(store: Store) -> None:
    with store.write() as connection:
        number, other = join(connection, ANN, AT_EIGHT, Interest("topic", "graphs")), join(connection, BOB)
        for reader in (number, other):
            queue(connection, reader, "submitted")
            events.record(connection, "subscribed", reader, NOW)
        notices.enqueue(connection, kind="welcome", recipient=ANN, key="1", content={}, now=NOW, subscriber_id=number)
        subscribers.erase(connection, number)
        assert subscribers.by_address(connection, ANN) is None
        assert events.history(connection, number) == []
        assert subscribers.interests(connection, [number], NOW) == {}
        assert connection.execute(select(notice.c.id)).all() == []
        assert delivery_states(connection) == ["submitted"]
        assert len(events.history(connection, other)) == 1


def test_history_is_told_in_order(store: Store) -> None:
    with store.write() as connection:
        number = join(connection)
        events.record(connection, "changed", number, LATER, {"zone": ["UTC", "Asia/Tokyo"]})
        events.record_for_all(connection, "subscribed", [(number, {"source": "a test"})], NOW)
        assert events.history(connection, number) == [
            events.Event(NOW, "subscribed", {"source": "a test"}),
            events.Event(LATER, "changed", {"zone": ["UTC", "Asia/Tokyo"]}),
        ]


def test_an_address_is_suppressed_in_any_case_until_it_is_removed(store: Store) -> None:
    with store.write() as connection:
        assert suppressions.find(connection, ANN) is None
        assert not suppressions.remove(connection, ANN)
        assert suppressions.add(connection, ANN, "operator", NOW, "asked by telephone")
        assert not suppressions.add(connection, EmailAddress("ANN@example.org"), "bounce", LATER)
        assert suppressions.find(connection, EmailAddress("Ann@example.org")) is not None
        asked = ["ann@example.org", "ANN@example.org", BOB.text]
        assert suppressions.suppressed_among(connection, asked) == set(asked[:2])
        (entry,) = suppressions.listing(connection)
        assert (entry.reason, entry.note, entry.since) == ("operator", "asked by telephone", NOW)
        assert suppressions.find(connection, ANN) == entry
        assert suppressions.remove(connection, ANN)
        assert suppressions.listing(connection) == []


def test_looking_for_suppressed_addresses_writes_nothing(store: Store) -> None:
    with store.read() as connection:
        assert suppressions.suppressed_among(connection, [ANN.text]) == set()
        assert connection.execute(select(secret)).all() == []


def test_the_list_is_keyed_with_a_key_that_stays(store: Store) -> None:
    with store.write() as connection:
        suppressions.add(connection, ANN, "operator", NOW)
        key = connection.execute(select(secret.c.value).where(secret.c.name == "suppression_key")).scalar_one()
        suppressions.add(connection, BOB, "operator", NOW)
        assert connection.execute(select(secret.c.value)).scalars().all() == [key]
        assert len(bytes.fromhex(key)) == 32
        assert len({entry.hash for entry in suppressions.listing(connection)}) == 2


def test_what_a_server_said_is_noted_without_the_address(store: Store) -> None:
    with store.write() as connection:
        suppressions.add(connection, ANN, "bounce", NOW, "550 <ANN@example.org>: no such user")
        assert suppressions.listing(connection)[0].note == "550 <…>: no such user"
        suppressions.forget_note(connection, ANN)
        assert suppressions.listing(connection)[0].note == ""


@pytest.mark.parametrize(
    ("reason", "state"), [("operator", "unsubscribed"), ("bounce", "bounced"), ("complaint", "complained")]
)
def test_suppressing_ends_the_subscription_and_withdraws_what_waits(
    store: Store, reason: suppressions.Reason, state: State
) -> None:
    with store.write() as connection:
        number = join(connection)
        for place, row in enumerate(("queued", "claimed", "submitting")):
            queue(connection, number, row, date(2026, 11, 1 + place))
        notices.enqueue(connection, kind="welcome", recipient=ANN, key="1", content={}, now=NOW, subscriber_id=number)
        notices.enqueue(connection, kind="welcome", recipient=BOB, key="1", content={}, now=NOW)
        assert suppressions.suppress(connection, ANN, reason, LATER, "why")
        assert read(connection).state == state
        assert delivery_states(connection) == ["skipped", "skipped", "submitting"]
        assert connection.execute(select(notice.c.state).order_by(notice.c.id)).scalars().all() == ["skipped", "queued"]
        assert [(one.kind, one.details["reason"]) for one in events.history(connection, number)] == [("suppressed", reason)]
        assert not suppressions.suppress(connection, ANN, reason, LATER)


def test_suppressing_a_stranger_keeps_no_trace_of_the_address(store: Store) -> None:
    with store.write() as connection:
        suppressions.suppress(connection, ANN, "operator", NOW, "Ann Smith asked from ann@work.example")
        assert subscribers.states(connection, [ANN]) == {}
        assert connection.execute(select(happened.c.details)).scalars().all() == [{"reason": "operator"}]


def test_a_complaint_outlasts_a_bounce_of_the_same_reader(store: Store) -> None:
    with store.write() as connection:
        join(connection)
        suppressions.suppress(connection, ANN, "complaint", NOW)
        suppressions.suppress(connection, ANN, "bounce", LATER)
        assert read(connection).state == "complained"


def test_a_complaint_after_another_suppression_is_in_the_history(store: Store) -> None:
    with store.write() as connection:
        number = join(connection)
        suppressions.suppress(connection, ANN, "bounce", NOW)
        assert not suppressions.suppress(connection, ANN, "complaint", LATER)
        assert read(connection).state == "complained"
        told = [(one.at, one.details["reason"]) for one in events.history(connection, number)]
        assert told == [(NOW, "bounce"), (LATER, "complaint")]
        suppressions.suppress(connection, ANN, "complaint", LATER)
        assert len(events.history(connection, number)) == 2


def in_threads(*acts: Callable[[], object]) -> None:
    failed: list[BaseException] = []

    def run(act: Callable[[], object]) -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - the test must hear of any
            failed.append(error)

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed


def test_two_who_add_the_same_addresses_at_once_add_each_once(store: Store) -> None:
    sign_ups = [(SignUp(EmailAddress(f"r{n}@example.org"), interests=(Interest("topic", "x"),)), None) for n in range(50)]

    def add() -> None:
        with store.write() as connection:
            enrol(connection, sign_ups, {}, NOW)

    in_threads(add, add, add)
    with store.read() as connection:
        found = list(subscribers.listing(connection, NOW))
    assert len(found) == 50
    assert all(len(reader.interests) == 1 for reader in found)


def test_two_who_suppress_at_once_use_one_key(store: Store) -> None:
    def suppress(address: EmailAddress) -> Callable[[], object]:
        def act() -> None:
            with store.write() as connection:
                suppressions.suppress(connection, address, "operator", NOW)

        return act

    in_threads(suppress(ANN), suppress(BOB), suppress(ANN))
    with store.read() as connection:
        assert suppressions.suppressed_among(connection, [ANN.text, BOB.text]) == {ANN.text, BOB.text}


def test_a_reader_who_leaves_while_his_pause_ends_stays_away(store: Store) -> None:
    with store.write() as connection:
        number = join(connection)
        subscribers.become(connection, number, "paused", NOW, paused_until=LATER)

    def leave() -> None:
        with store.write() as connection:
            subscribers.become(connection, number, "unsubscribed", LATER)

    def wake() -> None:
        with store.write() as connection:
            subscribers.wake_paused(connection, LATER)

    in_threads(leave, wake, wake)
    with store.read() as connection:
        assert read(connection).state == "unsubscribed"
