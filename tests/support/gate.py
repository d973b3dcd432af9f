"""Something that a mail server does not answer until it may."""

import asyncio
import threading

from support.sink import Session


class Gate:
    """A hook of the sink at which conversations wait until it is opened; it counts those that came to it."""

    def __init__(self) -> None:
        self.waiting = 0
        self.opened = threading.Event()

    async def __call__(self, _session: Session, _word: str) -> None:
        self.waiting += 1
        await asyncio.to_thread(self.opened.wait, 60)
