"""What an operator may set about the mail server."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from digest.clock import Duration
from digest.errors import ConfigurationError
from digest.smtp.url import SmtpUrl, parse_smtp_url

MessagesPerSecond = Annotated[float, Field(gt=0)]


def _smtp_url(url: str) -> str:
    try:
        parse_smtp_url(url)
    except ConfigurationError as error:
        raise ValueError(str(error)) from error
    return url


def _domains(rates: dict[str, float]) -> dict[str, float]:
    return {domain.strip().lower(): rate for domain, rate in rates.items()}


class SmtpSettings(BaseModel):
    """Which server takes the mails, over how many connections, and how fast; None is without limit."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    url: Annotated[str, AfterValidator(_smtp_url)] | None = Field(default=None, repr=False)
    password: SecretStr | None = None
    connections: int = Field(default=8, ge=1, le=200)
    rate: MessagesPerSecond | None = None
    per_domain: Annotated[dict[str, MessagesPerSecond], AfterValidator(_domains)] = Field(default_factory=dict)
    domain_connections: int | None = Field(default=None, ge=1, le=200)
    max_messages: int = Field(default=1000, ge=1)
    max_age: Duration = Field(default=timedelta(minutes=5), gt=timedelta(0))
    pipelining: bool = True
    timeout: Duration = Field(default=timedelta(seconds=60), gt=timedelta(0), le=timedelta(minutes=30))

    @property
    def server(self) -> SmtpUrl | None:
        """`smtp.url` parsed, with `smtp.password` where that is set; None while there is no url."""
        if self.url is None:
            return None
        server = parse_smtp_url(self.url)
        if self.password is None or server.username is None:
            return server
        return SmtpUrl(server.scheme, server.host, server.port, server.username, self.password.get_secret_value())
