"""Import: many sign-ups from a file, chunk by chunk, each chunk one transaction.

Every row is in wholly or not at all, so that whoever is interrupted runs the same command again and it goes on where it was.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from digest.errors import BadInput, ConfigurationError
from digest.flows.subscribe import ask_to_confirm, consent_of, new_confirmation
from digest.store import events, subscribers, suppressions
from digest.store.engine import Store
from digest.store.enrolment import enrol
from digest.subscribers.address import EmailAddress
from digest.subscribers.csv import BadRow, Row, Sheet
from digest.subscribers.model import SignUp, State
from digest.subscribers.roles import is_role

ROWS_AT_ONCE = 1000
ROLES_NAMED = 3
HERE: frozenset[State] = frozenset({"pending", "active", "paused"})


@dataclass(slots=True)
class Tally:
    """How far an import got: what is counted here is durable."""

    line: int = 0
    """The last line that was read."""
    added: int = 0
    already: int = 0
    """Subscribers before this import; they stay as they are."""
    repeated: int = 0
    """More than once in the file."""
    suppressed: int = 0
    gone: Counter[State] = field(default_factory=Counter)
    """Those who left, by their state in the database or in the file: they are not brought back."""
    bad: int = 0
    roles: int = 0
    """Of those who were added: addresses behind which nobody reads."""
    some_roles: list[EmailAddress] = field(default_factory=list)
    """The first of them."""

    @property
    def good(self) -> int:
        """How many rows could be used, whatever came of them."""
        return self.added + self.already + self.repeated + self.suppressed + self.gone.total()


@dataclass(frozen=True, slots=True)
class Import:
    """One import: where it goes, and what everybody in it has in common.

    `confirmed`: the operator vouches that they asked for this; else each is mailed a confirmation. `source` becomes part
    of their consent. `dry_run`: only count.
    """

    store: Store
    now: datetime
    confirmed: bool
    public_url: str | None
    source: str
    dry_run: bool = False

    def run(
        self, sheet: Sheet, tally: Tally, on_bad: Callable[[BadRow], None], on_progress: Callable[[], None] = lambda: None
    ) -> None:
        """Take in every good row, count in `tally`, and tell of every bad one.

        Raises:
            BadInput: no row could be used.
            ConfigurationError: confirmations need `site.public_url`.
        """
        if not self.confirmed and not self.public_url:
            raise ConfigurationError("site.public_url is not set, and confirmations need it", fix="set it, or pass --confirmed")
        mine: list[range] = []
        met: set[str] = set()
        for rows, bad_rows, line in _chunks(sheet):
            for bad in bad_rows:
                on_bad(bad)
            counted = Tally(bad=len(bad_rows))
            with self.store.read() if self.dry_run else self.store.write() as connection:
                self._take(connection, rows, counted, mine, met)
            _add(tally, counted, line)
            on_progress()
        if not tally.good:
            raise BadInput(
                f"none of the {tally.bad} rows could be used" if tally.bad else "the file has no rows below its header",
                fix="the first line names the columns: email,name,topics,zone,hour,days,cadence,size",
            )

    def _take(self, connection: Any, rows: Sequence[Row], counted: Tally, mine: list[range], met: set[str]) -> None:
        """`mine`: the ids of those whom this import added; in a rehearsal there are none, and `met` has their addresses."""
        addresses = [row.sign_up.address for row in rows]
        suppressed = suppressions.suppressed_among(connection, [address.text for address in addresses])
        known = subscribers.states(connection, addresses)
        new: dict[str, SignUp] = {}
        for row in rows:
            address = row.sign_up.address
            if address.text in suppressed:
                counted.suppressed += 1
            elif address.key in new or address.key in met:
                counted.repeated += 1
            elif address.key in known:
                number, state = known[address.key]
                if any(number in some for some in mine):
                    counted.repeated += 1
                elif state in HERE:
                    counted.already += 1
                else:
                    counted.gone[state] += 1
            elif row.state not in (None, "active"):
                counted.gone[row.state] += 1
            else:
                new[address.key] = row.sign_up
        if self.dry_run:
            met.update(new)
        roles = [sign_up.address for sign_up in new.values() if is_role(sign_up.address)]
        counted.roles, counted.some_roles = len(roles), roles[:ROLES_NAMED]
        if self.dry_run:
            counted.added += len(new)
            return
        added = self._enrol(connection, list(new.values()))
        _extend(mine, added)
        counted.added += len(added)
        counted.already += len(new) - len(added)

    def _enrol(self, connection: Any, sign_ups: Sequence[SignUp]) -> Collection[int]:
        """Returns the ids of those who were added."""
        asked = [None if self.confirmed else new_confirmation(self.now) for _ in sign_ups]
        consent = consent_of(self.source, self.now, confirmed=self.confirmed)
        newcomers = [(sign_up, one.kept if one else None) for sign_up, one in zip(sign_ups, asked, strict=True)]
        added = enrol(connection, newcomers, consent, self.now)
        events.record_for_all(connection, "subscribed", [(number, consent) for number in added.values()], self.now)
        if self.public_url:
            whom = [
                (added[sign_up.address.key], sign_up, one)
                for sign_up, one in zip(sign_ups, asked, strict=True)
                if one and sign_up.address.key in added
            ]
            ask_to_confirm(connection, whom, self.public_url, self.now)
        return added.values()


def _chunks(sheet: Sheet) -> Iterator[tuple[list[Row], list[BadRow], int]]:
    """The rows of a file some at a time, the good and the bad, with the line that was read last."""
    good: list[Row] = []
    bad: list[BadRow] = []
    for row in sheet:
        if isinstance(row, Row):
            good.append(row)
        else:
            bad.append(row)
        if len(good) + len(bad) == ROWS_AT_ONCE:
            yield good, bad, row.line
            good, bad = [], []
    if good or bad:
        yield good, bad, row.line


def _extend(spans: list[range], numbers: Collection[int]) -> None:
    """Take in numbers that are mostly consecutive: a million of them need no more room than one."""
    for number in sorted(numbers):
        if spans and spans[-1].stop == number:
            spans[-1] = range(spans[-1].start, number + 1)
        else:
            spans.append(range(number, number + 1))


def _add(tally: Tally, counted: Tally, line: int) -> None:
    tally.line = line
    tally.added += counted.added
    tally.already += counted.already
    tally.repeated += counted.repeated
    tally.suppressed += counted.suppressed
    tally.gone += counted.gone
    tally.bad += counted.bad
    tally.roles += counted.roles
    tally.some_roles += counted.some_roles[: ROLES_NAMED - len(tally.some_roles)]
