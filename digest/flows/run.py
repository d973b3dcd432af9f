"""The steps of a run, each doing what is due and nothing otherwise; cron may ask for them as often as it likes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from digest.clock import Clock
from digest.flows import collect as collecting
from digest.flows import issuing, joining, learning, liking
from digest.flows import publish as publishing
from digest.flows.asking import NOBODY, Watch
from digest.flows.deliver import deliver
from digest.flows.intake import Brought
from digest.flows.mails import Mails
from digest.flows.meanings import Lens, read_papers
from digest.flows.messages import Imprint
from digest.flows.outages import NO_ALARM, Alarm
from digest.flows.publish import Published
from digest.flows.queueing import next_edition
from digest.flows.reporting import report
from digest.flows.terms import Relay, Report, Rules
from digest.ranking.settings import RankingSettings
from digest.semantic import Encoder
from digest.sources.arxiv import api as arxiv_api
from digest.sources.settings import SourcesSettings
from digest.sources.web import Web
from digest.store import retention, subscribers
from digest.store.engine import Store

FRESH_FOR = timedelta(minutes=55)
"""For how long a source's answer will do, so that it is not asked again."""
FRESH_BEFORE_FREEZING = timedelta(minutes=5)
"""The same when an edition is about to be frozen."""
LEARNING = timedelta(minutes=5)
"""How long one call of `learn` works at most."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What running needs, wired once."""

    store: Store
    clock: Clock
    imprint: Imprint
    relay: Relay
    rules: Rules
    web: Web
    sources: SourcesSettings
    ranking: RankingSettings
    alarm: Alarm = NO_ALARM
    encoder: Encoder | None = None
    mails: Mails | None = None
    """What is kept from one run of mailing to the next."""


def freezing(plan: Plan, on: date | None = None) -> bool:
    """Whether an edition is to be frozen now: one that is due, or that somebody wants."""
    return on is not None or next_edition(plan.store, plan.rules.schedule, plan.clock.now()) is None


def collect(plan: Plan, on: date | None = None, watch: Watch = NOBODY) -> list[Brought]:
    """Ask every enabled source of papers that was not asked lately; one that is dead is in the result, and no reason to stop.

    The freshest readings make the best edition: before one is frozen, lately is shorter, and what another process is
    collecting is waited for.
    """
    about_to_freeze = freezing(plan, on)
    return collecting.collect(
        plan.store,
        plan.clock,
        plan.web,
        plan.sources,
        fresh_for=FRESH_BEFORE_FREEZING if about_to_freeze else FRESH_FOR,
        patience=plan.sources.budget if about_to_freeze else timedelta(0),
        alarm=plan.alarm,
        watch=watch,
    )


def collect_attention(plan: Plan, watch: Watch = NOBODY) -> list[Brought]:
    """Ask the sources of attention what they know of the papers in the window: when mails are out, and not if an edition would
    be due before they have answered."""
    following = next_edition(plan.store, plan.rules.schedule, plan.clock.now())
    if following is None or following - plan.clock.now() < plan.sources.budget:
        return []
    brought = collecting.collect(
        plan.store,
        plan.clock,
        plan.web,
        plan.sources,
        brings="attention",
        fresh_for=FRESH_FOR,
        patience=timedelta(0),
        window=plan.ranking.window,
        watch=watch,
    )
    if any(one.source == arxiv_api.NAME and one.verdict in ("fresh", "quiet") for one in brought):
        liking.look_up(plan.store, plan.clock, plan.web, arxiv_api.ArxivApi(plan.sources.arxiv_api))
    return brought


def publish(plan: Plan, on: date | None = None, stop: Callable[[], bool] = learning.never) -> list[Published]:
    """Freeze what is due, choose what everybody is shown of it, and once for each edition forget what is past its time."""
    now = plan.clock.now()
    published = publishing.publish(plan.store, plan.rules.schedule, plan.ranking, plan.sources, now, on, stop)
    issuing.choose(plan.store, plan.ranking, now)
    if any(one.new for one in published):
        with plan.store.write() as connection:
            retention.prune(connection, now)
    return published


def learn(plan: Plan, stop: Callable[[], bool] = learning.never) -> int:
    """Fit a new vocabulary if that is due, have new papers read by the model if there is one, and learn profiles that are
    lacking; returns how many. When mails are out: the next edition is made with them, and no mail waits for it.

    It ends when the next edition is due, and after `LEARNING`, that others get their turn: whoever calls again goes on.
    """
    now = plan.clock.now()
    following = next_edition(plan.store, plan.rules.schedule, now)
    if following is None:
        return 0
    version = learning.fit_vocabulary(plan.store, now, lambda: stop() or plan.clock.now() >= following)
    until = min(following, plan.clock.now() + LEARNING)

    def enough() -> bool:
        return stop() or plan.clock.now() >= until

    lens = None
    if plan.encoder is not None:
        read_papers(plan.store, plan.encoder, now, plan.ranking.window, enough)
        lens = Lens.open(plan.store, plan.encoder)
    return 0 if version is None else learning.learn_profiles(plan.store, now, version, enough, lens)


async def send_out(
    plan: Plan, stop: asyncio.Event | None = None, progress: Callable[[Report], None] = lambda _report: None
) -> Report:
    """Wake readers whose pause is over, take in who signed up, tell the operator what he must know, and mail what is due."""
    await asyncio.to_thread(_prepare, plan)
    return await deliver(
        plan.store, plan.clock, plan.imprint, plan.relay, plan.rules, stop=stop, progress=progress, mails=plan.mails
    )


def _prepare(plan: Plan) -> None:
    now = plan.clock.now()
    with plan.store.write() as connection:
        subscribers.wake_paused(connection, now)
    joining.settle(plan.store, now, plan.imprint.signer, plan.imprint.public_url)
    report(plan.store, now, plan.alarm.operator)
