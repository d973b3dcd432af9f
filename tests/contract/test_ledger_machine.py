"""Two workers, whatever happens to them in whatever order, and what must hold after every step."""

import shutil
from collections import Counter
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from contract.world import HOUR, NOW, TODAY, World
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import event, select

from digest.store import deliveries, ledger
from digest.store.engine import Store
from digest.store.schema import delivery, subscriber, worker

HOLD = timedelta(minutes=15)
READERS, EDITIONS = 3, 2
SLOTS = st.integers(0, 1)
PICK = st.integers(0, 99)


class Ledger(RuleBasedStateMachine):
    """Six mails to three readers, two workers at a time, and those that were given up but still act."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.store = Store.open(f"sqlite:///{file}")
        event.listen(self.store.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        self.file, self.world, self.now = file, World(self.store), NOW
        issues = [self.world.edition(TODAY - timedelta(days=n)) for n in range(EDITIONS)]
        readers = [self.world.reader(f"reader{n}") for n in range(READERS)]
        self.reader_of = {self.world.mail(reader, issue): reader for issue in issues for reader in readers}
        self.slots = [self.world.worker(), self.world.worker()]
        self.given_up: list[int] = []
        self.prepared: dict[int, list[int]] = {one: [] for one in self.slots}
        """By worker, the rows that it believes to hold and has not begun."""
        self.on_the_wire: dict[int, list[int]] = {one: [] for one in self.slots}
        """By worker, the rows whose content it has begun to submit."""
        self.uncertain: Counter[int] = Counter()
        """How often a row's content went out and nobody wrote down what became of it, or that it was taken."""
        self.submitted: set[int] = set()
        self.withdrawn: set[int] = set()
        self.doubted_at: dict[int, datetime] = {}

    @property
    def everybody(self) -> list[int]:
        return self.slots + self.given_up

    def states(self) -> dict[int, str]:
        with self.store.read() as connection:
            return {row.id: row.state for row in connection.execute(select(delivery.c.id, delivery.c.state))}

    @rule(slot=SLOTS, limit=st.integers(1, 4))
    def claim(self, slot: int, limit: int) -> None:
        one = self.slots[slot]
        before = self.states()
        got = self.world.claim(one, now=self.now, limit=limit)
        assert len(got) <= limit
        assert all(before[row] == "queued" for row in got)
        self.prepared[one] += got

    @rule(pick=PICK)
    @precondition(lambda self: self.given_up)
    def claim_though_given_up(self, pick: int) -> None:
        assert self.world.claim(self.given_up[pick % len(self.given_up)], now=self.now) == []

    @rule(who=PICK, how_many=st.integers(1, 3))
    @precondition(lambda self: any(self.prepared.values()))
    def mark(self, who: int, how_many: int) -> None:
        busy = [one for one in self.everybody if self.prepared[one]]
        one = busy[who % len(busy)]
        wanted, self.prepared[one] = self.prepared[one][:how_many], self.prepared[one][how_many:]
        marked = self.world.mark(one, *wanted, now=self.now)
        assert marked <= set(wanted)
        assert not marked & self.withdrawn
        assert not marked & self.submitted
        assert one in self.slots or not marked
        for row in marked:
            assert not any(row in self.on_the_wire[other] for other in self.slots)
            self.uncertain[row] += 1
        self.on_the_wire[one] += marked

    @rule(who=PICK, pick=PICK, state=st.sampled_from(["submitted", "submitted", "rejected", "queued", "in_doubt"]))
    @precondition(lambda self: any(self.on_the_wire.values()))
    def end(self, who: int, pick: int, state: str) -> None:
        busy = [one for one in self.everybody if self.on_the_wire[one]]
        one = busy[who % len(busy)]
        row = self.on_the_wire[one].pop(pick % len(self.on_the_wire[one]))
        before = self.world.row(row)
        again = self.now + HOUR if state == "queued" else None
        reader = self.reader_of[row]
        self.world.finish(one, row, state, now=self.now, next_try_at=again, subscriber_id=reader, seen=f"20779:{row};")
        after = self.world.row(row)
        if before.worker_id != one:
            assert after == before
        elif one in self.given_up and state in ("queued", "in_doubt"):
            assert after.state == before.state
        else:
            assert after.state == state
            if state in ("rejected", "queued"):
                self.uncertain[row] -= 1

    @rule(who=SLOTS, state=st.sampled_from(["queued", "rejected", "skipped"]))
    @precondition(lambda self: any(self.prepared[one] for one in self.slots))
    def end_before_content(self, who: int, state: str) -> None:
        busy = [one for one in self.slots if self.prepared[one]]
        one = busy[who % len(busy)]
        self.world.finish(one, self.prepared[one].pop(), state, now=self.now, tried=state == "rejected")

    @rule(slot=SLOTS)
    def kill(self, slot: int) -> None:
        gone = self.slots[slot]
        held = [row for row, state in self.states().items() if state == "submitting" and self.world.row(row).worker_id == gone]
        _, in_doubt = self.world.bury(gone, now=self.now)
        assert in_doubt == len(held)
        self.given_up.append(gone)
        fresh = self.slots[slot] = self.world.worker(self.now)
        assert fresh not in self.given_up
        self.prepared[fresh], self.on_the_wire[fresh] = [], []

    @rule(policy=st.sampled_from(["resend", "resend", "resend", "hold"]))
    def settle(self, policy: str) -> None:
        with self.store.write() as connection:
            ledger.settle_doubts(connection, self.now, HOLD, policy)  # type: ignore[arg-type]

    @rule(reader=st.integers(1, READERS))
    def leave(self, reader: int) -> None:
        before = self.states()
        with self.store.write() as connection:
            deliveries.skip_open(connection, [reader], "he left", self.now)
        his = {row for row, of in self.reader_of.items() if of == reader and before[row] in ("queued", "claimed")}
        assert {self.world.state(row) for row in his} <= {"skipped"}
        self.withdrawn |= his

    @rule(minutes=st.sampled_from([1, 20, 90, 400]))
    def time_goes_on(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def give_up_what_is_late(self) -> None:
        with self.store.write() as connection:
            ledger.expire(connection, self.now)
            ledger.skip_late(connection, self.now, 12 * HOUR)

    @invariant()
    def everything_holds(self) -> None:
        with self.store.read() as connection:
            rows = connection.execute(select(delivery)).all()
            living = set(connection.execute(select(worker.c.id)).scalars())
            seen = {row.id: row.seen for row in connection.execute(select(subscriber.c.id, subscriber.c.seen))}
        serving: dict[int, set[int]] = {}
        for row in rows:
            if row.state in ("claimed", "submitting"):
                assert row.worker_id in living, "nobody would ever free it"
                serving.setdefault(row.subscriber_id, set()).add(row.worker_id)
            assert row.state == "submitted" or row.id not in self.submitted, "what was submitted stays so"
            assert row.state == "skipped" or row.id not in self.withdrawn, "what was withdrawn stays so"
            assert self.uncertain[row.id] <= 2, "nobody gets it three times"
            assert row.state != "held" or self.uncertain[row.id] >= 1
            if row.id in self.doubted_at or row.in_doubt_at is not None:
                assert row.in_doubt_at == self.doubted_at.setdefault(row.id, row.in_doubt_at), "a doubt stays on record"
            assert row.doubts == 0 or row.in_doubt_at is not None
            if row.state == "submitted":
                self.submitted.add(row.id)
            remembered = seen[row.subscriber_id].split(";").count(f"20779:{row.id}")
            assert remembered == (row.state == "submitted"), "remembered once, and only what was submitted"
        assert all(len(ones) == 1 for ones in serving.values()), "a reader is served by one worker at a time"

    def teardown(self) -> None:
        self.store.close()
        self.file.unlink()


def test_whatever_happens_to_workers_nobody_gets_a_mail_three_times_and_nothing_is_forgotten(
    sqlite_template: Path, tmp_path: Path
) -> None:
    names = count()

    def start() -> Ledger:
        file = tmp_path / f"{next(names)}.db"
        shutil.copy(sqlite_template, file)
        return Ledger(file)

    checks = list(HealthCheck)
    modest = settings(max_examples=30, stateful_step_count=40, derandomize=True, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(start, settings=modest)  # type: ignore[arg-type]
