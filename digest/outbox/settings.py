"""What an operator may set about who writes, who is told, and what becomes of mails in doubt."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from digest.clock import Duration
from digest.errors import BadInput
from digest.outbox.mailbox import Mailbox
from digest.subscribers.address import EmailAddress

_CONFIG = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _mailbox(text: str) -> str:
    try:
        if text:
            Mailbox.parse(text)
    except BadInput as error:
        raise ValueError(str(error)) from error
    return text


def _address(text: str) -> str:
    try:
        return EmailAddress.parse(text).text if text.strip() else ""
    except BadInput as error:
        raise ValueError(str(error)) from error


class EmailSettings(BaseModel):
    """Whom mails come from; `Name <address>` or an address."""

    model_config = ConfigDict(**_CONFIG, populate_by_name=True)

    from_: Annotated[str, AfterValidator(_mailbox), Field(min_length=1)] | None = Field(default=None, alias="from")
    reply_to: Annotated[str, AfterValidator(_mailbox)] = ""

    @property
    def sender(self) -> Mailbox | None:
        """`email.from`, parsed; None while it is not set."""
        return Mailbox.parse(self.from_) if self.from_ else None

    @property
    def answers(self) -> Mailbox | None:
        """`email.reply_to`, parsed; None while it is not set."""
        return Mailbox.parse(self.reply_to) if self.reply_to else None


class OperatorSettings(BaseModel):
    """Who is told when something is wrong; without an address, only log and status tell."""

    model_config = _CONFIG

    email: Annotated[str, AfterValidator(_address)] = ""


class InboundSettings(BaseModel):
    """Where mailed commands are read; without an address, no mailto stands in List-Unsubscribe."""

    model_config = _CONFIG

    address: Annotated[str, AfterValidator(_address)] = ""


class DeliverySettings(BaseModel):
    """What becomes of a mail whose fate a crash left unknown, and how many rows a worker claims at once."""

    model_config = _CONFIG

    in_doubt: Literal["resend", "hold"] = "resend"
    in_doubt_hold: Duration = Field(default=timedelta(minutes=15), le=timedelta(hours=20))
    chunk: int = Field(default=500, ge=1, le=5000)
