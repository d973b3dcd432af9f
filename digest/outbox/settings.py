"""What an operator may set about who writes and signs, who is told, and what becomes of mails in doubt."""

import re
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from digest.clock import Duration
from digest.errors import BadInput
from digest.outbox.identity import MAX_DOMAIN
from digest.outbox.mailbox import Mailbox
from digest.subscribers.address import EmailAddress

_CONFIG = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_SELECTOR = re.compile(rf"(?=.{{1,63}}$){_LABEL}(?:\.{_LABEL})*")


def _mailbox(text: str) -> str:
    try:
        if text:
            Mailbox.parse(text)
    except BadInput as error:
        raise ValueError(str(error)) from error
    return text


def _sender(text: str) -> str:
    domain = Mailbox.parse(text).address.domain if _mailbox(text) else ""
    if len(domain) > MAX_DOMAIN:
        raise ValueError(f"its domain has {len(domain)} characters; each mail is named under it, and {MAX_DOMAIN} fit")
    return text


def _address(text: str) -> str:
    try:
        return EmailAddress.parse(text).text if text.strip() else ""
    except BadInput as error:
        raise ValueError(str(error)) from error


def _domain(text: str) -> str:
    """A domain as addresses have it: small letters, A-labels."""
    try:
        return EmailAddress.parse(f"x@{text.strip()}").domain if text.strip() else ""
    except BadInput:
        raise ValueError(f"{text[:80]!r} is no domain; write it like example.org") from None


def checked_selector(text: str) -> str:
    """A selector of DKIM: labels of the DNS (RFC 6376 3.1), in small letters.

    Raises:
        ValueError: it is none.
    """
    if text and not _SELECTOR.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is no selector; letters, digits and hyphens make one, such as digest2026")
    return text.lower()


class EmailSettings(BaseModel):
    """Whom mails come from; `Name <address>` or an address."""

    model_config = ConfigDict(**_CONFIG, populate_by_name=True)

    from_: Annotated[str, AfterValidator(_sender), Field(min_length=1)] | None = Field(default=None, alias="from")
    reply_to: Annotated[str, AfterValidator(_mailbox)] = ""

    @property
    def sender(self) -> Mailbox | None:
        """`email.from`, parsed; None while it is not set."""
        return Mailbox.parse(self.from_) if self.from_ else None

    @property
    def answers(self) -> Mailbox | None:
        """`email.reply_to`, parsed; None while it is not set."""
        return Mailbox.parse(self.reply_to) if self.reply_to else None


class DkimSettings(BaseModel):
    """Whether and with which keys mails are signed here; without a selector, the mail server signs, or nobody."""

    model_config = _CONFIG

    selector: Annotated[str, AfterValidator(checked_selector)] = ""
    domain: Annotated[str, AfterValidator(_domain)] = ""
    key: SecretStr | None = None
    ed25519_selector: Annotated[str, AfterValidator(checked_selector)] = ""
    ed25519_key: SecretStr | None = None

    @model_validator(mode="after")
    def _one_name_for_each_key(self) -> Self:
        if self.ed25519_selector and not self.selector:
            raise ValueError("dkim.ed25519_selector needs dkim.selector: few receivers know Ed25519, and all know RSA")
        if self.ed25519_selector and self.ed25519_selector == self.selector:
            raise ValueError("dkim.ed25519_selector and dkim.selector are the same: one record holds one key")
        return self


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
