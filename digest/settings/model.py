"""All settings in one object, assembled from the slices that the packages declare."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from digest.edition.settings import ScheduleSettings
from digest.errors import ConfigurationError
from digest.outbox.dkim import aligned
from digest.outbox.settings import DeliverySettings, DkimSettings, EmailSettings, InboundSettings, OperatorSettings
from digest.ranking.settings import RankingSettings
from digest.rendering.settings import SiteSettings
from digest.settings.missing import how_to_set
from digest.settings.web import WebSettings
from digest.smtp.settings import SmtpSettings
from digest.sources.settings import SourcesSettings
from digest.store.settings import DatabaseSettings

MAX_PUBLIC_URL = 50
DEFAULT = "default"


class Settings(BaseSettings):
    """Every setting, checked. Made by `digest.settings.load`; made directly, it reads no file and no environment."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    home: Path = Field(exclude=True)
    """The state folder, DIGEST_HOME."""
    places: dict[str, str] = Field(default_factory=dict, exclude=True, repr=False)
    """Where each setting was set, in words."""
    site: SiteSettings = SiteSettings()
    email: EmailSettings = EmailSettings()
    dkim: DkimSettings = DkimSettings()
    operator: OperatorSettings = OperatorSettings()
    inbound: InboundSettings = InboundSettings()
    database: DatabaseSettings = DatabaseSettings()
    smtp: SmtpSettings = SmtpSettings()
    sources: SourcesSettings = SourcesSettings()
    ranking: RankingSettings = RankingSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    delivery: DeliverySettings = DeliverySettings()
    web: WebSettings = WebSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is given: the process's environment is not read behind the caller's back."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @field_validator("site")
    @classmethod
    def _fits_into_headers(cls, site: SiteSettings) -> SiteSettings:
        if site.public_url and (problem := _public_url_problem(site.public_url)):
            raise PydanticCustomError("digest", "{problem}", {"key": "site.public_url", "problem": problem})
        return site

    @field_validator("dkim")
    @classmethod
    def _speaks_for_the_sender(cls, dkim: DkimSettings, info: ValidationInfo) -> DkimSettings:
        sender = info.data["email"].sender if "email" in info.data else None
        if dkim.selector and dkim.domain and sender and not aligned(dkim.domain, sender.address.domain):
            problem = (
                f"{dkim.domain} does not sign for {sender.address.domain}, the domain of email.from: "
                "it must be that domain or one above it, or DMARC takes the mail for unsigned"
            )
            raise PydanticCustomError("digest", "{problem}", {"key": "dkim.domain", "problem": problem})
        return dkim

    @property
    def signing_domain(self) -> str:
        """`dkim.domain`, or that of `email.from`; empty while neither is set."""
        sender = self.email.sender
        return self.dkim.domain or (sender.address.domain if sender else "")

    @property
    def database_url(self) -> str:
        """`database.url`, or the file `digest.db` in the state folder; a relative file counts from that folder."""
        return self.whole_url(self.database.url or "sqlite:///digest.db")

    def whole_url(self, url: str) -> str:
        """A database's address as `database.url` would be read."""
        scheme, separator, path = url.partition(":///")
        if not scheme.startswith("sqlite") or not separator or path.startswith(("/", ":memory:", "file:")) or not path:
            return url
        return f"{scheme}:///{self.home / path}"

    def place(self, key: str) -> str:
        """Where a setting was set, in words; `default` where nobody did."""
        return self.places.get(key, DEFAULT)

    def value(self, key: str) -> object:
        """A setting by its dotted key, such as `smtp.url`."""
        found: object = self
        for part in key.split("."):
            found = getattr(found, part + "_" if part == "from" else part)
        return found

    def missing(self, *keys: str) -> list[str]:
        """Which of these settings a command could not work with, for want of a value."""
        lacking = [key for key in keys if self.value(key) in (None, "")]
        server = self.smtp.server
        if "smtp.url" in keys and server and server.username is not None and server.password is None:
            lacking.append("smtp.password")
        return lacking

    def require(self, *keys: str) -> None:
        """Make sure that these settings are set.

        Raises:
            ConfigurationError: some are not; it names all of them and how to set each.
        """
        if lacking := self.missing(*keys):
            raise ConfigurationError(f"not set: {', '.join(lacking)}", fix=how_to_set(lacking, self.home))


def _public_url_problem(url: str) -> str:
    """Why mails cannot carry links that begin with this; empty when they can."""
    if len(url) > MAX_PUBLIC_URL:
        # 22 characters of token, its path and two brackets follow; a longer word cannot be folded (RFC 5322 2.1.1).
        return (
            f"longer than {MAX_PUBLIC_URL} characters: the unsubscribe address in the mail's header must stay under 78, "
            "or mail clients drop its button"
        )
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (reading it is what checks it)
    except ValueError:
        return "an address like https://papers.example.org, or with a port https://papers.example.org:8443"
    if not url.isascii() or not url.isprintable() or " " in url or parts.username is not None:
        return "plain ASCII without blanks and without user name; write an international domain as xn--…"
    return ""
