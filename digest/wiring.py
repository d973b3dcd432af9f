"""The composition root: settings become an application, once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from digest.clock import Clock, SystemClock
from digest.settings import Settings, load
from digest.store.engine import Store, sqlite_path
from digest.store.presence import Presence
from digest.tokens import Signer

if TYPE_CHECKING:
    from digest.edition.calendar import Schedule
    from digest.edition.compose import Taste
    from digest.flows.messages import Imprint
    from digest.flows.outages import Alarm
    from digest.flows.run import Plan
    from digest.flows.terms import Relay, Rules
    from digest.outbox.dkim import Signing
    from digest.ranking.select import Selection
    from digest.rendering.environment import Environments
    from digest.semantic import Encoder
    from digest.sources.web import Web
    from digest.sources.web.answers import Answers


@dataclass
class App:
    """What a command works with. Parts are made when first asked for, so that a command pays only for what it uses."""

    settings: Settings
    clock: Clock
    _presence: Presence | None = None

    @cached_property
    def store(self) -> Store:
        """The database. One that was never there is made; one that is lost is not made anew behind the operator's back."""
        url = self.settings.database_url
        path = sqlite_path(url)
        if path is not None and not path.exists() and not (self.settings.home / "digest.toml").exists():
            self.upgrade_store()
        self._presence = Presence(path) if path is not None else None
        return Store.open(url)

    def upgrade_store(self) -> None:
        """Make the database, or bring it to this program's schema."""
        from digest.store.migrate import upgrade

        upgrade(self.settings.database_url)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The signing keys, newest first: those of `site.secret_key`, or else the database's own."""
        if self.settings.site.keys:
            return self.settings.site.keys
        from digest.store.keys import signing_key

        with self.store.write() as connection:
            return (signing_key(connection),)

    @cached_property
    def signer(self) -> Signer:
        """Signs what only this site may say."""
        return Signer(self.keys)

    @cached_property
    def schedule(self) -> "Schedule":
        from digest.edition.calendar import Schedule

        times = self.settings.schedule
        return Schedule(times.timezone, times.publish_at, times.weekly_on, times.catch_up)

    @cached_property
    def usual(self) -> "Taste":
        """What a reader gets who chose nothing."""
        from digest.edition.compose import Taste

        ranking = self.settings.ranking
        return Taste(share=ranking.share, cards=ranking.size, also=ranking.also)

    @cached_property
    def selection(self) -> "Selection":
        """What holds for everybody's picks."""
        from digest.ranking.select import Selection

        ranking = self.settings.ranking
        return Selection(ranking.floor, ranking.diversity, ranking.explore)

    @cached_property
    def encoder(self) -> "Encoder | None":
        """The model that tells what texts mean; None where none is set.

        Raises:
            ConfigurationError: the model cannot be used.
        """
        folder = str(self.settings.ranking.semantic or "")
        if folder in ("", "."):
            return None
        from digest.semantic import Encoder

        return Encoder(self.settings.home / folder)

    @property
    def model(self) -> str:
        """By which meanings are compared; empty: by words alone."""
        return self.encoder.model if self.encoder else ""

    @cached_property
    def environments(self) -> "Environments":
        """The templates: those in the folder `templates` of DIGEST_HOME take the place of ours."""
        from digest.rendering.environment import Environments

        own = self.settings.home / "templates"
        return Environments(own if own.is_dir() else None)

    @cached_property
    def signing(self) -> "Signing | None":
        """Who signs the mails; None where that is left to the mail server. Raises ConfigurationError when a key is missing."""
        from digest.settings.signing import signing

        return signing(self.settings)

    @cached_property
    def imprint(self) -> "Imprint":
        """What every mail has in common. Raises ConfigurationError when a setting that mails need is not set."""
        from digest.edition.calendar import WEEK
        from digest.flows.messages import Imprint

        self.settings.require("site.public_url", "email.from")
        sender = self.settings.email.sender
        assert sender is not None
        return Imprint(
            site=self.settings.site,
            sender=sender,
            signer=self.signer,
            environments=self.environments,
            public_url=str(self.settings.site.public_url),
            reply_to=self.settings.email.answers,
            inbound=self.settings.inbound.address,
            usual=self.usual,
            selection=self.selection,
            model=self.model,
            memory=self.settings.ranking.window + WEEK,
            dkim=self.signing,
        )

    @cached_property
    def relay(self) -> "Relay":
        """The mail server. Raises ConfigurationError when `smtp.url` is not set."""
        from digest.flows.terms import Relay
        from digest.smtp.pace import Pace

        self.settings.require("smtp.url")
        smtp = self.settings.smtp
        assert smtp.server is not None
        name = f"{smtp.server.host}:{smtp.server.port}"
        return Relay(
            smtp.server,
            smtp.connections,
            smtp.timeout.total_seconds(),
            Pace(smtp.rate, smtp.per_domain, smtp.domain_connections, name),
            smtp.max_messages,
            smtp.max_age.total_seconds(),
            smtp.pipelining,
        )

    @cached_property
    def rules(self) -> "Rules":
        from digest.flows.terms import Rules

        delivery = self.settings.delivery
        return Rules(self.schedule, delivery.in_doubt, delivery.in_doubt_hold, delivery.chunk)

    @cached_property
    def web(self) -> "Web":
        """Asks the sources; keeps their last answers in the folder `answers` of DIGEST_HOME."""
        from digest.sources.web.answers import Answers

        return self._web(Answers(self.answers, self.settings.sources.keep))

    @cached_property
    def forgetful_web(self) -> "Web":
        """Asks the sources, and keeps nothing."""
        return self._web(None)

    def _web(self, answers: "Answers | None") -> "Web":
        from digest.sources.web import Web

        return Web(answers, at_once=self.settings.sources.at_once, budget=self.settings.sources.budget)

    @property
    def answers(self) -> Path:
        """The folder of the sources' last answers."""
        return self.settings.home / "answers"

    @cached_property
    def alarm(self) -> "Alarm":
        """Who is told when a source is missing."""
        from digest.flows.outages import Alarm

        return Alarm(self.settings.operator.email, self.settings.sources.alarm_after, self.answers)

    @cached_property
    def plan(self) -> "Plan":
        """All that a run needs. Raises ConfigurationError, naming every setting that is missing."""
        from digest.flows.mails import Mails
        from digest.flows.run import Plan

        self.settings.require("site.public_url", "email.from", "smtp.url")
        return Plan(
            self.store,
            self.clock,
            self.imprint,
            self.relay,
            self.rules,
            self.web,
            self.settings.sources,
            self.settings.ranking,
            self.alarm,
            self.encoder,
            Mails(self.store, self.imprint),
        )

    def close(self) -> None:
        """End whatever is asked, and let go of the database."""
        for name in ("web", "forgetful_web"):
            if name in self.__dict__:
                self.__dict__[name].close()
        if "store" in self.__dict__:
            self.store.close()
        if self._presence is not None:
            self._presence.end()


def open_app(
    *,
    now: datetime | None = None,
    home: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> App:
    """Read the settings and make the application; `now` is where its clock starts, else it shows the time.

    Raises:
        ConfigurationError: a setting is wrong.
    """
    settings = load(home=home, environ=os.environ if environ is None else environ, overrides=overrides or {})
    return App(settings=settings, clock=SystemClock(now))
