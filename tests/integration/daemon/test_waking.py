"""Who has just signed up waits for his mail a moment, not for the next tick."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from support.gate import Gate
from support.sink import Sink
from support.site import MONDAY, Site

from digest.clock import SystemClock
from digest.flows import joining
from digest.scheduling import daemon
from digest.scheduling.daemon import Daemon
from digest.scheduling.notify import Notifier
from digest.subscribers.address import EmailAddress

AT_ONCE = 0.05


def test_a_sign_up_while_another_is_mailed_is_not_passed_over(
    make_site: Callable[..., Site], sink: Sink, run_until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "WAKING", AT_ONCE)
    monkeypatch.setattr(daemon, "TICK", timedelta(days=1))
    site = make_site(clock=SystemClock(MONDAY))
    sink.on["CONTENT"] = gate = Gate()
    worker, woken_at = Daemon(site.app.plan, Notifier({})), list[float]()

    def sign_up(name: str) -> None:
        joining.note(site.app.store, site.now, EmailAddress(f"{name}@example.org"), {}, name, "192.0.2.0/24")

    def bob_is_mailed() -> bool:
        if gate.waiting and not woken_at:  # the mail to Ann is on the wire
            sign_up("bob")
            worker.wake()
            woken_at.append(time.monotonic())
        elif woken_at and time.monotonic() - woken_at[0] > 5 * AT_ONCE:
            gate.opened.set()
        return "bob@example.org" in sink.recipients

    sign_up("ann")
    run_until(worker, bob_is_mailed)
    assert sink.recipients == ["ann@example.org", "bob@example.org"]
