"""The `[site]` section: what the site is called, where it lies, and what its signatures are made with."""

import re
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from digest.errors import BadInput
from digest.rendering.tongue import ENGLISH
from digest.subscribers.language import parse_language
from digest.tokens import MIN_KEY_LENGTH

MAIL = re.compile(r"[^@/:<>\s]+@[^@/:<>\s]+\.[^@/:<>\s]+")


class SiteSettings(BaseModel):
    """How the site presents itself in mails and pages."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = "Trending Papers"
    public_url: str | None = None
    """Where readers reach the web part, without a slash at the end: `https://papers.example.org`."""
    secret_key: SecretStr | None = None
    """One key, or several separated by blanks, newest first: the first signs, all verify."""
    postal_address: str = ""
    """Shown in the footer of every mail; many countries ask for it (CAN-SPAM 15 U.S.C. 7704(a)(5))."""
    contact: str = ""
    """Where readers and finders of faults can write to: an address of mail, or of a page."""
    language: str = ENGLISH.code
    """Of the mails of readers who chose none."""

    @field_validator("name")
    @classmethod
    def _named(cls, name: str) -> str:
        if not name.strip() or len(name) > 60 or not name.isprintable():
            raise ValueError("a name of 1 to 60 characters, on one line")
        return name.strip()

    @field_validator("public_url")
    @classmethod
    def _reachable(cls, url: str | None) -> str | None:
        if not url:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or " " in url:
            raise ValueError("an address like https://papers.example.org")
        return url.rstrip("/")

    @field_validator("contact")
    @classmethod
    def _can_be_written_to(cls, contact: str) -> str:
        contact = contact.strip()
        page = urlsplit(contact).scheme in ("http", "https") and bool(urlsplit(contact).hostname)
        plain = contact.isprintable() and " " not in contact and len(contact) <= 300
        if contact and not (plain and (page or MAIL.fullmatch(contact))):
            raise ValueError("an address of mail, or of a page")
        return contact

    @field_validator("language")
    @classmethod
    def _spoken(cls, language: str) -> str:
        try:
            return parse_language(language)
        except BadInput as error:
            raise ValueError(error.fix) from None

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is None or not secret.get_secret_value().strip():
            return None
        if any(len(key) < MIN_KEY_LENGTH for key in secret.get_secret_value().split()):
            raise ValueError(f"every key needs {MIN_KEY_LENGTH} characters or more: `digest init` makes one")
        return secret

    @property
    def keys(self) -> tuple[str, ...]:
        """The signing keys, newest first; none when no secret was set."""
        return tuple(self.secret_key.get_secret_value().split()) if self.secret_key else ()
