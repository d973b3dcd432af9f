"""The roads that jobs go: the relay's, and beyond it one to each recipient domain. Who may go now, and who waits aside."""

import heapq
from collections import deque
from collections.abc import Callable
from itertools import count
from math import ceil

from digest.flows.mails import Job
from digest.flows.reserving import Reserving, Road
from digest.outbox.pacing import LATE, SHARE, throttles
from digest.outbox.verdict import Verdict
from digest.smtp.pace import PAUSE, Course, Pace
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
        self.held: dict[str, Road] = {}
        self.back_at: float | None = None
        self._pace, self._lanes, self._waiting, self._changed = pace, lanes, waiting, changed
        self._monotonic = monotonic
        self._reserving = Reserving(store, self._waiting_for, self._granted, failed, monotonic)
        self._learned: dict[str, float] = {}
        self._courses: dict[str, Road] = {}
        self._ready: deque[Road] = deque()
        self._timed: list[tuple[float, int, Road]] = []
        self._order = count()
        self.relay = self._course_of(pace.relay, None)
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

    def of(self, job: Job) -> Road:
        """The road that a job goes: to its recipient's domain."""
        domain = job.recipient.domain
        course = self._courses.get(domain)
        if course is None:
            if len(self._courses) >= MANY:
                self._courses = {key: known for key, known in self._courses.items() if not known.plain}
            course = self._courses[domain] = self._course_of(domain, self._pace.domain_connections)
            self.several = len(self._courses) > 1
        return course

    def is_open(self, course: Road) -> bool:
        """Whether a job may go this moment, the relay's own limit apart, and none waits aside before it."""
        return course.rate is None and not course.aside and not course.full(self.several)

    def taken(self, course: Road, now: float) -> None:
        """A message goes this road."""
        course.taken(self.answers)
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
            course = self._ready.popleft()
            course.queued = False
            if not course.aside:
                continue
            at = self._release(course, now)
            if at is not None and at <= now:
                job = course.aside.popleft()
                if course.rate is not None:
                    course.times.use(now)
                if course.aside:
                    self.look_at(course)
                else:
                    del self.held[course.key]
                return job
            if at is not None:
                course.queued = True
                heapq.heappush(self._timed, (at, next(self._order), course))
        return None

    def next_time(self) -> float | None:
        """When to look again, if time alone opens a road."""
        times = [at for at in (self._timed[0][0] if self._timed else None, self._relay_at) if at is not None]
        return min(times, default=None)

    @property
    def waits_for_answers(self) -> bool:
        """Whether an answer may let something more go."""
        return bool(self._ready) or self.gated

    def set_aside(self, course: Road, job: Job) -> None:
        """Let a job wait until its domain may be written to."""
        if not course.aside:
            course.heard_at = self._monotonic()
            self.held[course.key] = course
        course.aside.append(job)
        self.look_at(course)

    def look_at(self, course: Road) -> None:
        """See whether something that waits aside may go."""
        if not course.queued:
            course.queued = True
            self._ready.append(course)

    def learn(self, course: Road, verdict: Verdict) -> bool:
        """Draw conclusions from a verdict; returns whether the domain is now left alone for a while."""
        kind = verdict.kind
        whom = None if kind == "submitted" else throttles(verdict)
        if whom == "relay":
            # Some end each connection with 421 after so many messages: then fewer at a time, but no fewer a second.
            self.turned_away(slower=verdict.code != 421)
        elif whom == "domain":
            now = self._monotonic()
            if course.throttled(now, slower=True):
                self._reserving.want(course, now)
        elif kind in ("lost", "in_doubt"):
            return course.lost(self._monotonic(), self.answers)
        else:
            self.answers += 1
            course.answered(self.answers)
            if course.aside:
                course.heard_at = self._monotonic()
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
            len(course.aside)
            for course in self.held.values()
            if course.rate is None and course.limit and now - course.heard_at < PATIENCE
        )

    def sweep(self, now: float) -> list[tuple[Job, float]]:
        """The jobs aside that are not to go soon, with the seconds until they should come back; they are taken out."""
        swept: list[tuple[Job, float]] = []
        share = KEPT // max(1, len(self.held))
        for course in list(self.held.values()):
            keep = share if course.limit else 0
            if course.rate is not None:
                keep = min(keep, ceil(course.rate * KEEP_FOR))
            gone = [course.aside.pop() for _ in range(len(course.aside) - keep)]
            if not gone:
                continue
            speed = course.speed(now)
            if course.limit and speed:
                at, gap = max(now + len(course.aside) / speed, course.booked), 1 / speed
                course.booked = at + gap * len(gone)
                self.back_at = min(at, self.back_at or at)
            else:
                at, gap = now + PAUSE if course.limit else course.resumes_at, 0.0
            swept += [(job, at + gap * place - now) for place, job in enumerate(reversed(gone))]
            if not course.aside:
                del self.held[course.key]
        return swept

    def _release(self, course: Road, now: float) -> float | None:
        """When the course's next job may go; None: an answer or new times must come first."""
        if not course.limit:
            if now < course.resumes_at:
                return course.resumes_at
            course.resume()
        if course.full(self.several):
            return None
        if course.rate is None:
            return now
        # Where the relay has a limit too, its next time may be a little later than the domain's.
        late = LATE if self.relay.rate is None else LATE + 1 / (SHARE * self.relay.rate)
        return self._next_time_of(course, late, now)

    def _next_time_of(self, course: Road, late: float, now: float) -> float | None:
        at = course.times.next(now, late)
        self._reserving.want(course, now)
        return course.ask_at if at is None and not course.asking else at

    def _course_of(self, key: str, most: int | None) -> Road:
        ceiling = self._pace.ceiling(key)
        rates = [rate for rate in (ceiling, self._learned.get(key)) if rate is not None]
        return Course(key, ceiling, min(rates, default=None), self._lanes, most, self._monotonic())

    def _waiting_for(self, course: Road) -> int:
        if course is not self.relay:
            return len(course.aside)
        return self._waiting() + sum(len(held.aside) for held in self.held.values())

    def _granted(self, course: Road) -> None:
        if course is self.relay:
            self.gated = course.rate is not None or course.crowded
        else:
            self.look_at(course)
        self._changed()
