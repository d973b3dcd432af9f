"""The roads that jobs go: the relay's, and beyond it one to each recipient domain. Who may go now, and who waits aside."""

import heapq
from collections import deque
from collections.abc import Callable
from itertools import count
from math import ceil

from digest.flows.mails import Job
from digest.flows.reserving import Reserving
from digest.outbox.pacing import LATE, SHARE, throttles
from digest.outbox.verdict import Verdict
from digest.smtp.pace import PAUSE, Pace, Road
from digest.store.engine import Store

KEPT = 1000
"""Jobs that may wait aside, all domains together."""
KEEP_FOR = 30.0
"""Seconds' worth of its jobs that a domain may keep aside."""
PATIENCE = 1.0
"""Seconds without an answer after which what waits for a domain does not count among what can go soon."""
MANY = 4096
"""Domains after which those that nothing is known of are forgotten."""


class Roads:
    """All roads of one worker. For one event loop; `now` is always what `monotonic` shows.

    Attributes:
        out: messages on their way.
        answers: how many messages were answered, whatever their domain.
        several: whether there is more than one domain to write to.
        gated: whether the relay itself has a limit.
        held: the domains for which something waits aside, by name.
        back_at: when the first job that was put off for a limit's sake comes back.

    Args:
        pace: the operator's limits.
        lanes: how many connections there are.
        store: where workers share their limits, if they do.
        waiting: tells how many jobs wait before the relay.
        changed: called when something more may go.
        failed: called with what ended the reserving.
        monotonic: seconds of this machine.
    """

    def __init__(
        self,
        pace: Pace,
        lanes: int,
        store: Store | None,
        waiting: Callable[[], int],
        changed: Callable[[], None],
        failed: Callable[[BaseException], None],
        monotonic: Callable[[], float],
    ) -> None:
        self.out = self.answers = 0
        self.several = False
        self.held: dict[str, Road[Job]] = {}
        self.back_at: float | None = None
        self._pace, self._lanes, self._waiting, self._changed = pace, lanes, waiting, changed
        self._monotonic = monotonic
        self._reserving = Reserving(store, self._waiting_for, self._granted, failed, monotonic)
        self._learned: dict[str, float] = {}
        self._roads: dict[str, Road[Job]] = {}
        self._ready: deque[Road[Job]] = deque()
        self._timed: list[tuple[float, int, Road[Job]]] = []
        self._order = count()
        self.relay = self._road_of(pace.relay, None)
        self.gated = self.relay.rate is not None
        self._relay_at: float | None = None

    async def remember(self) -> None:
        """Take over what workers learned before."""
        self._learned = await self._reserving.learned()
        rate = self._learned.get(self.relay.key)
        if rate is not None:
            self.relay.rate = self.relay.known = min(rate, self.relay.ceiling or rate)
            self.gated = True

    def end(self) -> None:
        """Reserve no more."""
        self._reserving.end()

    def of(self, job: Job) -> Road[Job]:
        """The road that a job goes: to its recipient's domain."""
        domain = job.recipient.domain
        road = self._roads.get(domain)
        if road is None:
            if len(self._roads) >= MANY:
                self._roads = {key: known for key, known in self._roads.items() if not known.plain}
            road = self._roads[domain] = self._road_of(domain, self._pace.domain_connections)
            self.several = len(self._roads) > 1
        return road

    def is_open(self, road: Road[Job]) -> bool:
        """Whether a job may go this moment, the relay's own limit apart, and none waits aside before it."""
        return road.rate is None and not road.aside and not road.full(self.several)

    def taken(self, road: Road[Job], now: float) -> None:
        """A message goes this road."""
        road.taken(self.answers)
        self.out += 1
        if self.gated and self.relay.rate is not None:
            self.relay.times.use(now)

    def relay_is_open(self, now: float) -> bool:
        """Whether the relay takes another message now."""
        self._relay_at = None
        if self.out >= self.relay.limit:
            return False
        if self.relay.rate is None:
            return True
        at = self._next_time_of(self.relay, LATE, now)
        if at is not None and at <= now:
            return True
        self._relay_at = at
        return False

    def next_aside(self, now: float) -> Job | None:
        """A job that waited aside and may go now; each domain has its turn."""
        while self._timed and self._timed[0][0] <= now:
            self._ready.append(heapq.heappop(self._timed)[2])
        for _ in range(len(self._ready)):
            road = self._ready.popleft()
            road.queued = False
            if not road.aside:
                continue
            at = self._release(road, now)
            if at is not None and at <= now:
                job = road.aside.popleft()
                if road.rate is not None:
                    road.times.use(now)
                if road.aside:
                    self.look_at(road)
                else:
                    del self.held[road.key]
                return job
            if at is not None:
                road.queued = True
                heapq.heappush(self._timed, (at, next(self._order), road))
        return None

    def next_time(self) -> float | None:
        """When to look again, if time alone opens a road."""
        times = [at for at in (self._timed[0][0] if self._timed else None, self._relay_at) if at is not None]
        return min(times, default=None)

    @property
    def waits_for_answers(self) -> bool:
        """Whether an answer may let something more go."""
        return bool(self._ready) or self.gated

    def set_aside(self, road: Road[Job], job: Job) -> None:
        """Let a job wait until its domain may be written to."""
        if not road.aside:
            road.heard_at = self._monotonic()
            self.held[road.key] = road
        road.aside.append(job)
        self.look_at(road)

    def look_at(self, road: Road[Job]) -> None:
        """See whether something that waits aside may go."""
        if not road.queued:
            road.queued = True
            self._ready.append(road)

    def learn(self, road: Road[Job], verdict: Verdict) -> bool:
        """Draw conclusions from a verdict; returns whether the domain is now left alone for a while."""
        kind = verdict.kind
        whom = None if kind == "submitted" else throttles(verdict)
        if whom == "relay":
            # Some end each connection with 421 after so many messages: then fewer at a time, but no fewer a second.
            self.turned_away(slower=verdict.code != 421)
        elif whom == "domain":
            now = self._monotonic()
            if road.throttled(now, slower=True):
                self._reserving.want(road, now)
        elif kind in ("lost", "in_doubt"):
            return road.lost(self._monotonic(), self.answers)
        else:
            self.answers += 1
            road.answered(self.answers)
            if road.aside:
                road.heard_at = self._monotonic()
            if not self.gated:
                self.relay.count += 1
            else:
                self.relay.answered(self.answers)
                self.gated = self.relay.rate is not None or self.relay.crowded
        return False

    def turned_away(self, *, slower: bool) -> None:
        """The relay wants less: fewer at a time, and if `slower` fewer a second."""
        now = self._monotonic()
        self.gated = True
        self.relay.out = self.out
        if self.relay.throttled(now, slower=slower) and slower:
            self._reserving.want(self.relay, now)

    def can_go(self, now: float) -> int:
        """How many of those aside go as fast as their domain answers."""
        return sum(
            len(road.aside)
            for road in self.held.values()
            if road.rate is None and road.limit and now - road.heard_at < PATIENCE
        )

    def sweep(self, now: float) -> list[tuple[Job, float]]:
        """The jobs aside that are not to go soon, with the seconds until they should come back; they are taken out."""
        swept: list[tuple[Job, float]] = []
        share = KEPT // max(1, len(self.held))
        for road in list(self.held.values()):
            keep = share if road.limit else 0
            if road.rate is not None:
                keep = min(keep, ceil(road.rate * KEEP_FOR))
            gone = [road.aside.pop() for _ in range(len(road.aside) - keep)]
            if not gone:
                continue
            speed = road.speed(now)
            if road.limit and speed:
                at, gap = max(now + len(road.aside) / speed, road.booked), 1 / speed
                road.booked = at + gap * len(gone)
                self.back_at = min(at, self.back_at or at)
            else:
                at, gap = now + PAUSE if road.limit else road.resumes_at, 0.0
            swept += [(job, at + gap * place - now) for place, job in enumerate(reversed(gone))]
            if not road.aside:
                del self.held[road.key]
        return swept

    def _release(self, road: Road[Job], now: float) -> float | None:
        """When the road's next job may go; None: an answer or new times must come first."""
        if not road.limit:
            if now < road.resumes_at:
                return road.resumes_at
            road.resume()
        if road.full(self.several):
            return None
        if road.rate is None:
            return now
        # Where the relay has a limit too, its next time may be a little later than the domain's.
        late = LATE if self.relay.rate is None else LATE + 1 / (SHARE * self.relay.rate)
        return self._next_time_of(road, late, now)

    def _next_time_of(self, road: Road[Job], late: float, now: float) -> float | None:
        at = road.times.next(now, late)
        self._reserving.want(road, now)
        return road.ask_at if at is None and not road.asking else at

    def _road_of(self, key: str, most: int | None) -> Road[Job]:
        ceiling = self._pace.ceiling(key)
        rates = [rate for rate in (ceiling, self._learned.get(key)) if rate is not None]
        return Road(key, ceiling, min(rates, default=None), self._lanes, most, self._monotonic())

    def _waiting_for(self, road: Road[Job]) -> int:
        if road is not self.relay:
            return len(road.aside)
        return self._waiting() + sum(len(held.aside) for held in self.held.values())

    def _granted(self, road: Road[Job]) -> None:
        if road is self.relay:
            self.gated = road.rate is not None or road.crowded
        else:
            self.look_at(road)
        self._changed()
