"""How fast mails may go, and how many at a time: to the relay and to each recipient domain. Pure; nothing here waits.

Rates are those of `digest.outbox.pacing`, for all workers share them. How many messages to a domain are on their way is for
each worker alone. Beside the operator's limit, and what a throttling relay made of it, there is a window as Postfix's queue
manager has one: so many may be under way without an answer. It is small for a domain that never answered and grows while the
domain fills it and answers as promptly as others do. So a domain that stalls takes up a connection or two, and delays nobody.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from digest.outbox.pacing import HOLD, Times

T = TypeVar("T")

PIPELINED = 2
"""Messages that one connection may have under way: the content of one, the envelope of the next."""
SLOW = 16
"""A domain is slow if others had this many answers for each connection of ours while it owed one."""
SILENT = 3
"""So many connections in a row lost without an answer, while other domains answered, and a domain is left alone for a while."""
PAUSE = 300.0
"""Seconds that it is left alone the first time; twice as many each time after, up to `LONGEST_PAUSE`."""
LONGEST_PAUSE = 3600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """The operator's limits; None is without limit.

    Attributes:
        rate: messages a second, all together.
        per_domain: messages a second by recipient domain, in lower case.
        domain_connections: messages to one recipient domain at a time, by each worker.
        relay: names the relay among the limits that workers share; holds a colon, as no domain does.
    """

    rate: float | None = None
    per_domain: Mapping[str, float] = field(default_factory=dict)
    domain_connections: int | None = None
    relay: str = "relay:"

    def ceiling(self, key: str) -> float | None:
        """The limit of a domain or of the relay, messages a second."""
        return self.rate if key == self.relay else self.per_domain.get(key)


class Road(Generic[T]):
    """What one worker knows of one domain, or of the relay itself, and what waits for it.

    Attributes:
        ceiling: the operator's limit, messages a second.
        rate: messages a second, the operator's limit or less; None: no limit.
        known: the rate that all workers knew of when this one asked last.
        times: the times that are reserved here.
        out: messages on their way.
        limit: how many may be: the operator's limit, or fewer, as learned; 0 while the domain is left alone.
        unanswered: messages that went since the last answer and are on their way.
        window: how many may be, while there are other domains to write to.
        aside: what may not go yet, in its order.
        queued: whether somebody will look at `aside`, at once or at a time.
        count: messages answered since its speed was measured.
        heard_at: when it last answered, as far as anybody asked.
        resumes_at: when a domain that is left alone is tried again.
    """

    __slots__ = (
        "_answers",
        "_lanes",
        "_losses",
        "_lowered_at",
        "_most",
        "_pauses",
        "_since",
        "aside",
        "ask_at",
        "asking",
        "booked",
        "ceiling",
        "count",
        "heard_at",
        "key",
        "known",
        "limit",
        "out",
        "queued",
        "rate",
        "refused_at",
        "resumes_at",
        "times",
        "unanswered",
        "went_well",
        "window",
    )

    def __init__(self, key: str, ceiling: float | None, rate: float | None, lanes: int, most: int | None, now: float) -> None:
        self.key, self.ceiling, self.rate, self.known = key, ceiling, rate, rate
        self.times = Times()
        self.out = self.unanswered = 0
        self._lanes, self._most = lanes, float(PIPELINED * lanes if most is None else most)
        self.limit, self.window = self._most, max(1, lanes // 16)
        self.aside: deque[T] = deque()
        self.queued = self.asking = self.went_well = False
        self.ask_at = self.booked = self.resumes_at = now
        self.heard_at = self._since = now
        self.refused_at: float | None = None
        self._answers = self.count = self._losses = self._pauses = 0
        self._lowered_at = -math.inf

    @property
    def plain(self) -> bool:
        """Whether nothing is learned or reserved that would be lost with it."""
        return self.rate is None and not self.out and not self.aside and not self.queued and self.limit == self._most

    @property
    def crowded(self) -> bool:
        """Whether it takes fewer at a time than we would like."""
        return self.limit < self._most

    def full(self, several: bool) -> bool:
        """Whether another message has to wait for an answer. A domain that is alone (not `several`) leaves nobody room."""
        return self.out >= self.limit or (several and self.unanswered >= self.window)

    def taken(self, answers: int) -> None:
        """A message goes; so many of any domain were answered before."""
        if not self.unanswered:
            self._answers = answers
        self.out += 1
        self.unanswered += 1

    def answered(self, answers: int) -> None:
        """The relay took a message, or refused it for its own sake; `answers` as for `taken`, with this one."""
        self.count += 1
        if self._losses or self._pauses:
            self._losses = self._pauses = 0
        self.went_well = True
        if answers - self._answers > SLOW * self._lanes:
            self.unanswered = max(0, self.unanswered - 1)
            self.window = max(1, self.window // 2)
            self._answers = answers
        else:
            if self.unanswered >= self.window:
                self.window += 1
            self.unanswered = 0
        if self.limit < self._most:
            self.limit = min(self._most, self.limit + 1 / max(1.0, self.limit))

    def throttled(self, now: float, *, slower: bool) -> bool:
        """The relay asked for less. Returns whether it is news, and not another word about what was under way then.

        `slower`: fewer messages a second are wanted, not only fewer at a time.
        """
        self.unanswered = 0
        if now - self._lowered_at < HOLD:
            return False
        self._lowered_at = now
        self.limit = max(1.0, min(self.limit, self.out + 1.0) / 2)
        if slower:
            # After so few that nothing can be measured, as many as there are connections are called too many.
            self.refused_at = max(self._lanes, self.count) / max(1.0, now - self._since)
            self.count, self._since = 0, now
            if self.rate is None:
                self.rate = self.refused_at / 2  # until all workers have agreed on it
            self.times.forget()
        return True

    def lost(self, now: float, answers: int) -> bool:
        """A connection was lost without an answer. Returns whether the domain is to be left alone until `resumes_at`."""
        self.window = max(1, self.window // 2)
        self.unanswered = max(0, self.unanswered - 1)
        self._losses += 1
        others_answer = answers != self._answers or (answers > 0 and self.count == 0)
        if self._losses < SILENT or not others_answer:
            return False  # it may be the relay
        self.resumes_at = now + min(LONGEST_PAUSE, PAUSE * 2.0**self._pauses)
        self.limit, self._losses, self._pauses = 0.0, 0, self._pauses + 1
        return True

    def resume(self) -> None:
        """Try again a domain that was left alone."""
        self.limit = self._most

    def speed(self, now: float) -> float:
        """Messages a second that go to it: its rate, or what was measured."""
        return self.rate if self.rate is not None else self.count / max(1.0, now - self._since)
