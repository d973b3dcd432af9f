"""Whether a visitor can tell from an answer, or from how long it takes, which addresses are known here.

    python tests/torture/enumeration.py --addresses 1000

So many addresses that are known in every way, and as many that nobody knows, sign up in a random order by the form that is open
to everybody. Told are the answers that differ, and how often the best guess by time alone would be right: 0.5 is a coin tossed,
and by chance the best of all guesses is right a little oftener.
"""

import argparse
import asyncio
import http.client
import random
import statistics
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.sink import free_port
from support.waiting import until

from digest.flows import joining, subscribe
from digest.settings import load
from digest.store import suppressions
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import SignUp
from digest.web.server import serve_until
from digest.wiring import App

URL = "https://papers.example.org"
START = datetime(2026, 3, 2, 6, tzinfo=UTC)
FASTER = 180_000
"""How fast the site's clock runs: nobody is told that he signs up too often."""
STATES = ("active", "pending", "unsubscribed", "suppressed")


class FastClock:
    """Shows fifty hours for each second."""

    def __init__(self) -> None:
        self.began, self._made = START, time.monotonic()

    def now(self) -> datetime:
        return START + timedelta(seconds=FASTER * (time.monotonic() - self._made))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--addresses", type=int, default=1000, help="of each kind")
    count = parser.parse_args().addresses
    with TemporaryDirectory(prefix="digest-enumeration-") as home:
        port = free_port()
        process = get_context("spawn").Process(target=_serve, args=(home, port, count), daemon=True)
        process.start()
        until(lambda: _answers(port), "the pages", 120)
        asked = [("known", f"known{n}@example.org") for n in range(count)]
        asked += [("unknown", f"nobody{n}@example.org") for n in range(count)]
        random.Random(1).shuffle(asked)
        _sign_up(port, "somebody@example.org")
        times: dict[str, list[float]] = {"known": [], "unknown": []}
        answers: Counter[tuple[object, ...]] = Counter()
        for kind, address in asked:
            answer, took = _sign_up(port, address)
            answers[answer] += 1
            times[kind].append(took)
        process.terminate()
    for kind, each in times.items():
        low, middle, high = statistics.quantiles(each, n=4)
        print(f"{kind:8} {len(each)} answers, ms: {1e3 * low:.2f} / {1e3 * middle:.2f} / {1e3 * high:.2f} (quartiles)")
    print("answers, but for their date:", ", ".join(f"{count} times {answer[0]}" for answer, count in answers.items()))
    print(f"right by the best guess from time: {_best_guess(times['known'], times['unknown']):.3f}")
    sys.exit(len(answers) != 1)


def _serve(home: str, port: int, count: int) -> None:
    """The web part, and beside it what settles sign-ups, in a process of their own."""
    app = App(load(home=Path(home), environ={}, overrides={"site.public_url": URL, "email.from": "a@example.org"}), FastClock())
    app.upgrade_store()
    for number in range(count):
        address = EmailAddress(f"known{number}@example.org")
        state = STATES[number % len(STATES)]
        subscribe.subscribe(app.store, START, SignUp(address), confirmed=state != "pending", public_url=URL, source="a test")
        if state == "unsubscribed":
            subscribe.unsubscribe(app.store, START, address)
        if state == "suppressed":
            with app.store.write() as connection:
                suppressions.add(connection, address, "bounced", START)

    async def work() -> None:
        noted = asyncio.Event()
        loop = asyncio.get_running_loop()
        answering = asyncio.create_task(
            serve_until(app, asyncio.Event(), f"127.0.0.1:{port}", lambda: loop.call_soon_threadsafe(noted.set) and None)
        )
        while not answering.done():
            await noted.wait()
            noted.clear()
            await asyncio.sleep(1)
            await asyncio.to_thread(joining.settle, app.store, app.clock.now(), app.signer, URL)

    asyncio.run(work())


def _sign_up(port: int, address: str) -> tuple[tuple[object, ...], float]:
    """What is answered, without its date, and the seconds that it took."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Host": "papers.example.org", "Content-Type": "application/x-www-form-urlencoded"}
    try:
        connection.connect()
        began = time.perf_counter()
        connection.request("POST", "/subscribe", f"email={address.replace('@', '%40')}", headers)
        answer = connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - began
        told = tuple(sorted((name, value) for name, value in answer.getheaders() if name.lower() != "date"))
        return (answer.status, told, body), took
    finally:
        connection.close()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": "papers.example.org"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _best_guess(known: list[float], unknown: list[float]) -> float:
    """How often "known, if it took longer (or less long) than so much" is right, for the limit that suits these times best."""
    ordered = sorted([(took, 1) for took in known] + [(took, -1) for took in unknown])
    ahead = best = 0
    for _, step in ordered:
        ahead += step
        best = max(best, abs(ahead))
    return 0.5 + best / (2 * len(known))


if __name__ == "__main__":
    main()
