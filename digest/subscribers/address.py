"""Email addresses: parsed once at the edge, compared in one form, never shown whole in a log."""

import re
from dataclasses import dataclass

from digest.errors import BadInput

MAX_LENGTH = 254
"""Octets of an address (RFC 5321 4.5.3.1.3 less its two angle brackets)."""

# An address of the usual kind, which the full check would give back as it is but for the case of the domain.
_USUAL = re.compile(
    r"(?=.{1,64}@)(?P<local>[A-Za-z0-9_!#$%&'*+/=?^`{|}~-]+(?:\.[A-Za-z0-9_!#$%&'*+/=?^`{|}~-]+)*)"
    r"@(?P<domain>(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?P<top>[A-Za-z]{2,63}))"
)
_OF_GOOGLE = frozenset({"gmail.com", "googlemail.com"})
_SPECIAL_TOPS = frozenset({"arpa", "invalid", "local", "localhost", "onion"})
# RFC 2142: names whose case never matters, which the full check makes lower.
_ROLES = re.compile(
    r"info|marketing|sales|support|abuse|noc|security|(post|host|web)master|usenet|news|www|uucp|ftp", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, order=True)
class EmailAddress:
    """An address that can be mailed: `local@domain`, the domain as A-labels (RFC 5891), no display name."""

    text: str

    @classmethod
    def parse(cls, text: str) -> "EmailAddress":
        """Check the syntax (RFC 5321 4.1.2, without quoted local parts and literals) and normalise.

        Two spellings that reach the same mailbox everywhere (case of the domain, Unicode form) come out equal; the local
        part keeps its case, for only its server may say that case does not matter.

        Raises:
            BadInput: this is not an address, or one that plain SMTP cannot carry (RFC 6531 is not required of relays).
        """
        text = text.strip()
        return _usual(text) or _checked(text)

    @property
    def domain(self) -> str:
        return self.text.rpartition("@")[2]

    @property
    def key(self) -> str:
        """What two addresses of one person share: `Ann@X.org` and `ann@x.org` are one subscription."""
        return self.text.casefold()

    @property
    def mailbox(self) -> str:
        """What addresses share that most likely end in one mailbox: of `Ann+papers@x.org` it is `ann@x.org`, and where Google
        reads the mail, dots are none. For limits; not for telling readers apart, for no rule makes it so."""
        local, _, domain = self.key.rpartition("@")
        name = local.partition("+")[0] or local
        return f"{name.replace('.', '')}@gmail.com" if domain in _OF_GOOGLE else f"{name}@{domain}"

    @property
    def masked(self) -> str:
        """For logs and pages: `a***@example.org`."""
        local, _, domain = self.text.rpartition("@")
        return f"{local[:1]}***@{domain}"

    def left_out(self, text: str) -> str:
        """What a mail server said, without this address, which it often repeats."""
        return re.sub(re.escape(self.text), "…", text, flags=re.IGNORECASE)

    def __str__(self) -> str:
        return self.text


def _usual(text: str) -> EmailAddress | None:
    """An address of the usual kind in a hundredth of the time that the full check takes; None where that must decide."""
    match = _USUAL.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if match is None or _ROLES.fullmatch(match["local"]) or "--" in match["domain"] or match["top"].lower() in _SPECIAL_TOPS:
        return None
    return EmailAddress(f"{match['local']}@{match['domain'].lower()}")


def _checked(text: str) -> EmailAddress:
    from email_validator import EmailNotValidError, validate_email

    if len(text) > 4 * MAX_LENGTH:  # the full check takes its time over a megabyte
        raise BadInput(f"{text[:80]!r}… is not an email address: it is {len(text)} characters long")
    try:
        checked = validate_email(text, check_deliverability=False, allow_smtputf8=True, test_environment=True, strict=True)
    except EmailNotValidError as error:
        raise BadInput(f"{text[:80]!r} is not an email address: {error}", fix="write it like ann@example.org") from None
    if checked.ascii_email is None:
        raise BadInput(f"{text[:80]!r} has letters before the @ that most mail servers refuse")
    return EmailAddress(checked.ascii_email)
