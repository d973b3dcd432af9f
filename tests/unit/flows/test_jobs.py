import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from itertools import count
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.flows import roads
from digest.flows.jobs import Jobs
from digest.flows.mails import Job
from digest.outbox.verdict import Verdict
from digest.smtp.pace import PAUSE, PIPELINED, SILENT, Pace
from digest.store.schema import delivery
from digest.subscribers.address import EmailAddress

TAKEN = Verdict("submitted", "content", 250, "2.0.0 taken")
BUSY = Verdict("deferred", "rcpt", 450, "4.2.1 mailbox busy")
TOO_FAST = Verdict("deferred", "rcpt", 450, "4.7.1 too fast")
TURNED_AWAY = Verdict("lost", "mail", 421, "4.7.0 too many connections")
SILENCE = Verdict("lost", "rcpt", 0, "no answer")
LANES = 8
ROWS = count()


class Watch:
    """Shows the time that it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def job(domain: str) -> Job:
    number = next(ROWS)
    recipient = EmailAddress(f"reader{number}@{domain}")
    return Job(delivery, number, datetime(2026, 3, 2, tzinfo=UTC), 0, 0, recipient, lambda: b"")


def jobs_to(*domains: str) -> list[Job]:
    return [job(domain) for domain in domains]


def domains(found: Iterable[Job | None]) -> list[str]:
    return [one.recipient.domain for one in found if one is not None]


def taken(jobs: Jobs) -> list[Job]:
    """All that may go this moment."""
    found: list[Job] = []
    while one := jobs.take_now():
        found.append(one)
    return found


def run(scenario: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 30))


def good(jobs: Jobs, domain: str, times: int) -> None:
    """Let so many messages to a domain be taken by the relay."""
    for _ in range(times):
        jobs.add([job(domain)])
        one = jobs.take_now()
        assert one is not None
        jobs.settled(one, TAKEN)


def test_jobs_are_handed_out_in_order_and_one_that_is_given_back_goes_first() -> None:
    jobs = Jobs()
    wanted = jobs_to("a.org", "b.org", "c.org")
    jobs.add(wanted)
    first = jobs.take_now()
    assert first is wanted[0]
    jobs.give_back(first)
    assert taken(jobs) == wanted
    assert jobs.out == 3
    for one in wanted:
        jobs.settled(one, TAKEN)
    assert jobs.out == 0


def test_a_lane_waits_until_there_is_something_to_do_or_it_is_sent_home() -> None:
    async def scenario() -> None:
        jobs = Jobs()
        lanes = [asyncio.create_task(jobs.take()) for _ in range(3)]
        await asyncio.sleep(0)
        (one,) = wanted = jobs_to("a.org")
        jobs.add(wanted)
        done, _ = await asyncio.wait(lanes, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result() for task in done] == [one]
        jobs.settled(one, TAKEN)
        await jobs.until_settled()
        jobs.close()
        assert (await asyncio.gather(*lanes)).count(None) == 2

    run(scenario)


def test_nothing_is_handed_out_after_a_halt_and_nobody_waits_on() -> None:
    async def scenario() -> None:
        jobs = Jobs(Pace(rate=0.01))
        jobs.add(jobs_to("a.org", "a.org"))
        assert await jobs.take() is not None
        lane, feeder = asyncio.create_task(jobs.take()), asyncio.create_task(jobs.until_settled())
        await asyncio.sleep(0)
        jobs.halt()
        assert await lane is None
        await feeder
        assert jobs.take_now() is None

    run(scenario)


def test_a_lane_hears_what_ended_the_reserving_of_times() -> None:
    async def scenario() -> None:
        jobs = Jobs(Pace(rate=0.0))  # settings refuse it: no time can be reckoned with it
        jobs.add(jobs_to("a.org"))
        with pytest.raises(ZeroDivisionError):
            await jobs.take()
        assert jobs.halted.is_set()

    run(scenario)


def test_a_domain_that_is_alone_may_have_every_connection_at_once() -> None:
    jobs = Jobs(lanes=LANES)
    jobs.add(jobs_to(*["a.org"] * 3 * LANES))
    assert len(taken(jobs)) == PIPELINED * LANES


def test_a_domain_that_never_answers_takes_up_one_connection_of_eight_and_delays_no_other() -> None:
    jobs = Jobs(lanes=LANES)
    good(jobs, "good.org", 20)
    jobs.add(jobs_to(*["dead.org", "good.org", "good.org"] * 20))
    seen: Counter[str] = Counter()
    for _ in range(100):
        one = jobs.take_now()
        if one is None:
            break
        seen[one.recipient.domain] += 1
        if one.recipient.domain == "good.org":
            jobs.settled(one, TAKEN)
    assert seen == {"good.org": 40, "dead.org": 1}


def test_a_domain_that_answers_gets_as_many_connections_as_it_can_use() -> None:
    jobs = Jobs(lanes=LANES)
    good(jobs, "small.org", 1)
    jobs.add(jobs_to(*["large.org"] * 200))
    out: list[Job] = []
    for _ in range(20):
        out += taken(jobs)
        jobs.settled(out.pop(0), TAKEN)
    assert len(out) > LANES


def test_a_domain_that_stalls_after_a_good_time_leaves_connections_to_others() -> None:
    jobs = Jobs(lanes=32)
    names = [f"d{number}.org" for number in range(10)]
    out: list[Job] = []
    stalled: list[Job] = []
    for turn in range(400):
        jobs.add(jobs_to(*names))
        while jobs.out < 32 and (one := jobs.take_now()):
            (stalled if turn > 200 and one.recipient.domain == "d0.org" else out).append(one)
        for one in out[:10]:
            jobs.settled(one, TAKEN)
        del out[:10]
    assert 0 < len(stalled) < 12


def test_a_domain_that_answers_late_while_others_answer_often_gets_no_more_connections() -> None:
    jobs = Jobs(lanes=LANES)
    good(jobs, "good.org", 1)
    jobs.add(jobs_to(*["slow.org"] * 50))
    most = 0
    out = taken(jobs)
    for _ in range(20):
        good(jobs, "good.org", 400)
        jobs.settled(out.pop(0), TAKEN)
        out += taken(jobs)
        most = max(most, len(out))
    assert most == 1


def test_a_domain_that_keeps_silent_while_others_answer_is_left_alone_and_its_jobs_are_put_off() -> None:
    async def scenario() -> None:
        watch, put_off = Watch(), list[tuple[Job, float]]()
        jobs = Jobs(lanes=LANES, put_off=lambda one, wait: put_off.append((one, wait)), monotonic=watch)
        good(jobs, "good.org", 1)
        wanted = jobs_to(*["dead.org"] * 10)
        jobs.add(wanted)
        for _ in range(SILENT):
            (one,) = taken(jobs)
            good(jobs, "good.org", 1)
            watch.now += 60
            jobs.settled(one, SILENCE)
        await jobs.until_settled()
        assert put_off == [(one, PAUSE) for one in wanted[SILENT:]]
        assert not await jobs.until_back()
        # It is tried again after that, by one message.
        watch.now += PAUSE + 1
        jobs.add(jobs_to("dead.org", "dead.org"))
        (probe,) = taken(jobs)
        jobs.settled(probe, TAKEN)
        assert len(taken(jobs)) == 1

    run(scenario)


def test_a_relay_that_breaks_all_connections_is_no_domains_fault() -> None:
    async def scenario() -> None:
        put_off: list[Job] = []
        jobs = Jobs(lanes=LANES, put_off=lambda one, _wait: put_off.append(one))
        jobs.add(jobs_to("a.org", "b.org"))
        for _ in range(20):
            for one in taken(jobs):
                jobs.give_back(one, SILENCE)
        for one in taken(jobs):
            jobs.settled(one, SILENCE)
        await jobs.until_settled()
        assert put_off == []

    run(scenario)


def test_no_more_than_the_operators_number_go_to_one_domain_at_a_time() -> None:
    jobs = Jobs(Pace(domain_connections=2), LANES)
    jobs.add(jobs_to(*["a.org"] * 5, "b.org", *["a.org"] * 2))
    good_ones = taken(jobs)
    assert domains(good_ones) == ["a.org", "a.org", "b.org"]
    jobs.settled(good_ones[0], TAKEN)
    assert domains(taken(jobs)) == ["a.org"]


def test_a_domain_is_not_forgotten_among_many_while_its_messages_are_on_their_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roads, "MANY", 2)
    jobs = Jobs(Pace(domain_connections=1), LANES)
    jobs.add(jobs_to("a.org", "b.org", "c.org", "a.org"))
    out = taken(jobs)
    assert domains(out) == ["a.org", "b.org", "c.org"]
    jobs.settled(out[0], TAKEN)
    assert domains(taken(jobs)) == ["a.org"]


def test_a_relay_that_turns_us_away_gets_fewer_messages_at_a_time_until_it_takes_more() -> None:
    watch = Watch()
    jobs = Jobs(lanes=LANES, monotonic=watch)
    jobs.add(jobs_to(*["a.org"] * 200))
    out = taken(jobs)
    for one in out:
        jobs.settled(one, TURNED_AWAY)
    out = taken(jobs)
    assert len(out) == LANES
    jobs.settled(out.pop(0), TAKEN)
    out += taken(jobs)
    assert len(out) == LANES + 1
    for _ in range(100):
        jobs.settled(out.pop(0), TAKEN)
        out += taken(jobs)
    assert LANES < len(out) <= PIPELINED * LANES


def test_a_mailbox_that_is_busy_slows_nobody() -> None:
    jobs = Jobs(lanes=LANES)
    for _ in range(50):
        jobs.add(jobs_to("a.org"))
        (one,) = taken(jobs)
        jobs.settled(one, BUSY)
    jobs.add(jobs_to(*["a.org"] * 40))
    assert len(taken(jobs)) == PIPELINED * LANES


async def until_gone(
    jobs: Jobs, number: int, watch: Watch, verdict: Callable[[Job], Verdict] = lambda _job: TAKEN
) -> list[tuple[float, str]]:
    """When which domain was written to, for the next messages; time passes as soon as nothing may go."""
    sent: list[tuple[float, str]] = []
    while len(sent) < number:
        one = jobs.take_now()
        if one is None:
            watch.now += 0.004
            lane = asyncio.create_task(asyncio.to_thread(int))  # whoever reserves times does it in a thread
            await lane
            continue
        sent.append((watch.now, one.recipient.domain))
        jobs.settled(one, verdict(one))
    return sent


def most_in(sent: Iterable[float], seconds: float) -> int:
    ordered = sorted(sent)
    return max(sum(start <= at < start + seconds for at in ordered) for start in ordered)


def test_a_domain_with_a_limit_waits_aside_and_the_others_go_on() -> None:
    async def scenario() -> None:
        watch = Watch()
        jobs = Jobs(Pace(per_domain={"slow.org": 10.0}), LANES, monotonic=watch)
        jobs.add(jobs_to(*["slow.org", "fast.org"] * 40))
        began = watch.now
        sent = await until_gone(jobs, 80, watch)
        assert {at for at, domain in sent if domain == "fast.org"} == {began}
        slow = [at for at, domain in sent if domain == "slow.org"]
        assert most_in(slow, 1) <= 10
        assert slow[-1] - began < 40 / 10 / 0.95 + 0.1

    run(scenario)


@pytest.mark.parametrize("rate", [3.0, 50.0])
def test_a_limit_of_the_relay_holds_for_all_domains_together(rate: float) -> None:
    async def scenario() -> None:
        watch = Watch()
        jobs = Jobs(Pace(rate=rate, per_domain={"b.org": rate / 4}), LANES, monotonic=watch)
        number = ceil(4 * rate)
        jobs.add(jobs_to(*["a.org", "b.org"] * number))
        began = watch.now
        sent = await until_gone(jobs, number, watch)
        assert most_in([at for at, _ in sent], 1) <= ceil(rate)
        assert most_in([at for at, domain in sent if domain == "b.org"], 1) <= ceil(rate / 4)
        assert sent[-1][0] - began < number / rate / 0.95 + 0.1
        jobs.halt()

    run(scenario)


def test_a_domain_that_throttles_gets_less_and_others_get_what_they_got() -> None:
    async def scenario() -> None:
        watch = Watch()
        jobs = Jobs(lanes=LANES, monotonic=watch)
        good(jobs, "b.org", 1)
        jobs.add(jobs_to(*["a.org"] * 20))
        for _ in range(10):  # ten messages in a second
            one = jobs.take_now()
            assert one is not None
            jobs.settled(one, TAKEN)
            watch.now += 0.1
        one = jobs.take_now()
        assert one is not None
        jobs.settled(one, TOO_FAST)
        jobs.add(jobs_to(*["b.org"] * 50))
        sent = await until_gone(jobs, 59, watch)
        assert len({at for at, domain in sent if domain == "b.org"}) == 1
        assert most_in([at for at, domain in sent if domain == "a.org"], 1) == 5
        jobs.halt()

    run(scenario)


def test_a_lane_that_waits_for_a_time_gets_its_job_when_it_has_come() -> None:
    async def scenario() -> None:
        jobs = Jobs(Pace(rate=100.0), LANES)
        wanted = jobs_to(*["a.org"] * 10)
        jobs.add(wanted)
        lanes = [asyncio.create_task(jobs.take()) for _ in wanted]
        assert {one.row for one in await asyncio.gather(*lanes) if one} == {one.row for one in wanted}
        jobs.halt()

    run(scenario)


def test_when_many_wait_aside_the_last_of_them_are_put_off_until_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        monkeypatch.setattr(roads, "KEPT", 40)
        watch, put_off = Watch(), list[tuple[Job, float]]()
        jobs = Jobs(
            Pace(per_domain={"slow.org": 2.0}), LANES, put_off=lambda one, wait: put_off.append((one, wait)), monotonic=watch
        )
        jobs.add(jobs_to("good.org"))
        good(jobs, "good.org", 1)
        wanted = jobs_to(*["slow.org"] * 100)
        jobs.add(wanted)
        lane = asyncio.create_task(jobs.take())
        assert (await lane) is not None
        taken(jobs)
        await jobs.until_few_wait(10)
        assert [one for one, _ in put_off] == wanted[-len(put_off) :]
        assert 55 <= len(put_off) <= 60
        waits = [wait for _, wait in put_off]
        assert waits[0] == pytest.approx(20, abs=1)
        assert waits[-1] - waits[0] == pytest.approx((len(waits) - 1) / 2)
        before = len(put_off)
        jobs.add(jobs_to(*["slow.org"] * 5))
        taken(jobs)
        await jobs.until_few_wait(10)
        assert put_off[before][1] == pytest.approx(waits[-1] + 0.5)
        watch.now += 1000
        assert await jobs.until_back()
        assert not await jobs.until_back()
        jobs.halt()

    run(scenario)


@settings(deadline=None, max_examples=60)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from([TAKEN, BUSY, TOO_FAST, TURNED_AWAY, SILENCE, None])), max_size=60
    )
)
def test_whatever_the_relay_says_every_job_is_handed_out_or_put_off_once(steps: list[tuple[int, Verdict | None]]) -> None:
    async def scenario() -> None:
        watch, put_off, ended = Watch(), list[Job](), list[Job]()
        pace = Pace(per_domain={"d1.org": 5.0}, domain_connections=3)
        jobs = Jobs(pace, 4, put_off=lambda one, _wait: put_off.append(one), monotonic=watch)
        wanted = jobs_to(*[f"d{domain}.org" for domain, _ in steps])
        jobs.add(wanted)
        verdicts = iter([verdict for _, verdict in steps])
        settling = asyncio.create_task(jobs.until_settled())
        while not settling.done():
            one = jobs.take_now()
            if one is None:
                watch.now += 0.5
                await asyncio.to_thread(int)
                continue
            verdict = next(verdicts, TAKEN)
            if verdict is None:
                jobs.give_back(one, SILENCE)
            else:
                jobs.settled(one, verdict)
                ended.append(one)
        assert sorted(one.row for one in ended + put_off) == [one.row for one in wanted]
        jobs.close()

    run(scenario)
