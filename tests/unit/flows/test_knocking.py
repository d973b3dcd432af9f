import asyncio
from itertools import repeat

from digest.errors import ServerUnavailable
from digest.flows.knocking import FIRST_WAIT, LONGEST_WAIT, Knocking


class Relay:
    """Lets lanes in after it refused so many times; remembers how long each was waited for."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.waits: list[float] = []
        self.inside = 0
        self.over, self.tried = asyncio.Event(), asyncio.Event()

    async def connect(self) -> str:
        await asyncio.sleep(0)
        self.tried.set()
        if len(self.waits) <= self.refusals:
            raise ServerUnavailable("too many connections", fix="")
        self.inside += 1
        return "a connection"

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)

    def knocking(self) -> Knocking[str]:
        return Knocking(self.connect, self.over.wait, self.sleep)


def let_in(refusals: int, lanes: int) -> list[float]:
    """How long was waited each time, until all lanes were let in."""

    async def scenario() -> list[float]:
        relay = Relay(refusals)
        knocking = relay.knocking()
        connections = await asyncio.gather(*(knocking.until_let_in() for _ in range(lanes)))
        assert None not in connections
        assert relay.inside == lanes
        return relay.waits

    return asyncio.run(scenario())


def test_waits_double_up_to_a_minute() -> None:
    assert let_in(9, lanes=1) == [FIRST_WAIT * 2**n for n in range(6)] + [LONGEST_WAIT] * 4


def test_one_lane_asks_for_all_and_when_it_is_let_in_the_others_follow_at_once() -> None:
    assert let_in(2, lanes=5) == [1, 2, 4, *repeat(0.0, 4)]


def test_lanes_that_wait_go_home_when_all_is_over() -> None:
    async def scenario() -> list[str | None]:
        relay = Relay(refusals=10**9)
        knocking = relay.knocking()
        lanes = [asyncio.ensure_future(knocking.until_let_in()) for _ in range(3)]
        await relay.tried.wait()
        relay.over.set()
        return await asyncio.gather(*lanes)

    assert asyncio.run(scenario()) == [None] * 3


def test_a_lane_that_is_cancelled_leaves_the_door_to_the_others() -> None:
    async def scenario() -> bool:
        relay = Relay(refusals=10**9)
        knocking = relay.knocking()
        first, second = (asyncio.ensure_future(knocking.until_let_in()) for _ in range(2))
        await relay.tried.wait()
        first.cancel()
        await asyncio.wait([first])
        relay.refusals = 0
        return first.cancelled() and await second is not None

    assert asyncio.run(scenario())
