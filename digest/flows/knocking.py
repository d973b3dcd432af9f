"""Lanes that the relay did not let in: one of them at a time tries again, after waits that grow."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from digest.errors import ServerUnavailable

T = TypeVar("T")

FIRST_WAIT = 1.0
"""Seconds until the first tries again; twice as many each time that one is not let in, up to `LONGEST_WAIT`."""
LONGEST_WAIT = 60.0

log = logging.getLogger(__name__)


class Knocking(Generic[T]):
    """Shared by the lanes of one worker, so that a relay that takes few connections is not asked by each of the others.

    Args:
        connect: opens a connection, which is a `T`; raises `ServerUnavailable`.
        over: returns when it is time to go home.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[T]],
        over: Callable[[], Awaitable[object]],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._connect, self._over, self._sleep = connect, over, sleep
        self._one_at_a_time = asyncio.Lock()
        self._wait = FIRST_WAIT

    async def until_let_in(self) -> T | None:
        """A connection, once the relay takes one more; None if it is time to go home before that."""
        knocking = asyncio.ensure_future(self._knock())
        over = asyncio.ensure_future(self._over())
        try:
            await asyncio.wait((knocking, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            knocking.cancel()
        await asyncio.wait((knocking,))
        return None if knocking.cancelled() else knocking.result()

    async def _knock(self) -> T:
        async with self._one_at_a_time:
            while True:
                await self._sleep(self._wait)
                try:
                    connection = await self._connect()
                except ServerUnavailable as error:
                    self._wait = min(max(FIRST_WAIT, 2 * self._wait), LONGEST_WAIT)
                    log.info("%s; trying again in %.0f seconds", error, self._wait)
                else:
                    self._wait = 0.0  # where there is room for one, there may be for the next
                    return connection
