"""One mail as bytes: a reader's digest, a notice, or what somebody only looks at."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from digest import __version__
from digest.edition.compose import Taste
from digest.edition.model import Edition, Pick
from digest.outbox.access import ask_url
from digest.outbox.dkim import Signing
from digest.outbox.identity import list_id, message_id, rating_token, rating_url, unsubscribe_mailto, unsubscribe_url
from digest.outbox.mailbox import Mailbox
from digest.outbox.message import boundary_of, build, headers, list_headers
from digest.outbox.splice import DATE, MESSAGE_ID, SUBJECT, TO, TOKEN, Splice
from digest.ranking.select import Selection
from digest.rendering.digest_mail import DigestRenderer
from digest.rendering.environment import Environments
from digest.rendering.model import Pages, Rendered
from digest.rendering.model import Reader as Addressee
from digest.rendering.notice_mail import notice_language, render_notice
from digest.rendering.settings import SiteSettings
from digest.store import deliveries
from digest.subscribers.address import EmailAddress
from digest.tokens import Signer, fingerprint


@dataclass(frozen=True, slots=True)
class Imprint:
    """What every mail of this site has in common."""

    site: SiteSettings
    sender: Mailbox
    signer: Signer
    environments: Environments
    public_url: str
    reply_to: Mailbox | None = None
    inbound: str = ""
    usual: Taste = field(default_factory=Taste)
    """What a reader gets who chose nothing."""
    selection: Selection = field(default_factory=Selection)
    model: str = ""
    """By which meanings are compared; empty: by words alone."""
    memory: timedelta = timedelta(days=21)
    """How long a reader's papers are remembered: longer than a paper can be a candidate, with a week for late mails."""
    dkim: Signing | None = None
    """Who signs; None: nobody here, but perhaps the relay."""

    def making(self) -> dict[str, str]:
        """What a digest's bytes depend on beside what is stored of it, so that it can be told whether it has changed."""
        site = self.site
        settings = (site.name, site.postal_address, site.language, self.sender, self.reply_to, self.public_url, self.inbound)
        signers = [] if self.dkim is None else [(key.selector, key.algorithm) for key in self.dkim.keys]
        return {
            "templates": self.environments.fingerprint("email"),
            "settings": fingerprint(repr((settings, signers)))[:16],
            "program": __version__,
        }


class Press:
    """Makes the digests of one edition; what the readers of a language share is made once, when the first of them comes."""

    def __init__(self, imprint: Imprint, edition: Edition) -> None:
        self._imprint, self._edition = imprint, edition
        self._splices: dict[str, Splice] = {}
        self.beforehand: Counter[str] = Counter()
        """How many mails of a language were made before their time, so that what their readers share is there."""
        self._splice(imprint.site.language)  # what is wrong with every mail is told before the first
        # Mails of one edition are due at few different times.
        self._date = lru_cache(maxsize=256)(lambda at: format_datetime(at.astimezone(UTC)))

    def _splice(self, language: str) -> Splice:
        if language in self._splices:
            return self._splices[language]
        imprint, edition, at = self._imprint, self._edition, self._imprint.public_url
        pages = Pages(unsubscribe_url(at, ""), rating_url(at, ""), ask_url(at, ""))
        renderer = DigestRenderer(imprint.site, imprint.environments, edition, pages, language)
        listed = list_headers(
            list_name=imprint.site.name,
            list_id=list_id(edition.cadence, imprint.public_url),
            unsubscribe_url=unsubscribe_url(imprint.public_url, TOKEN),
            unsubscribe_mailto=unsubscribe_mailto(imprint.inbound, TOKEN),
            feedback_id=f"{edition.name}:{edition.cadence}:digest:{imprint.sender.address.domain}",
        )
        boundary = boundary_of(f"{edition.name} {imprint.public_url}")
        head = headers(
            sender=imprint.sender,
            recipient=TO,
            subject=SUBJECT,
            date=DATE,
            message_id=MESSAGE_ID,
            reply_to=imprint.reply_to,
            extra=listed,
            language=renderer.tongue.code,
            boundary=boundary,
        )
        splice = self._splices[language] = Splice(renderer, head, boundary)
        return splice

    def message(
        self, picks: tuple[Pick, ...], reader: deliveries.Reader, name: str, due_at: datetime, row: int | None = None
    ) -> bytes:
        """The digest of one reader; Date is when it was due, so that a second copy is the same to the byte. Without a row,
        nothing in it can be rated."""
        imprint = self._imprint
        addressee = Addressee(
            reader.address,
            reader.name,
            reader.confirmed_at.date() if reader.confirmed_at else None,
            reader.token,
            "" if row is None else rating_token(imprint.signer, row, reader.token),
        )
        return self._splice(reader.language or imprint.site.language).message(
            picks,
            addressee,
            message_id=name,
            date=self._date(due_at),
            at=due_at,
            signing=imprint.dkim,
        )


def notice_message(
    imprint: Imprint, kind: str, recipient: EmailAddress, key: str, content: Mapping[str, Any], due_at: datetime
) -> bytes:
    """A single mail: no list, hence no way out of one; auto-generated all the same (RFC 3834 5)."""
    return build(
        sender=imprint.sender,
        recipient=recipient,
        body=render_notice(kind, content, imprint.site, imprint.environments),
        message_id=message_id(imprint.signer, f"{kind}.{_safe(key)}", recipient.key, imprint.sender.address.domain),
        date=due_at,
        reply_to=imprint.reply_to,
        extra=[("Auto-Submitted", "auto-generated")],
        language=notice_language(kind, content, imprint.site),
        signing=imprint.dkim,
    )


def _safe(key: str) -> str:
    """A notice's key as part of a Message-ID (RFC 5322 3.2.3: an atom)."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in key)[:40]


def nobody(address: str = "you@example.org", language: str = "") -> deliveries.Reader:
    """A reader who does not exist, without interests, for mails that somebody only looks at."""
    return deliveries.Reader(
        id=0,
        token="preview",  # noqa: S106 - it opens nothing
        address=address,
        name="",
        state="active",
        size=None,
        share=0.0,
        confirmed_at=None,
        seen="",
        language=language,
    )


def preview(
    site: SiteSettings,
    environments: Environments,
    edition: Edition,
    picks: tuple[Pick, ...],
    who: deliveries.Reader | None,
    pages: Pages | None = None,
) -> Rendered:
    """A digest for looking at; without a reader, for somebody who does not exist. Links to `pages` lead nowhere."""
    who = who or nobody()
    confirmed_on = who.confirmed_at.date() if who.confirmed_at else None
    addressee = Addressee(who.address, who.name, confirmed_on, "preview", "preview")
    renderer = DigestRenderer(site, environments, edition, pages, who.language)
    # Templates that could not be mailed are not shown as if they could.
    Splice(renderer, (), boundary_of(edition.name)).message(
        picks, addressee, message_id="preview", date="", at=edition.frozen_at
    )
    return renderer.render(picks, addressee)


def preview_message(imprint: Imprint, edition: Edition, picks: tuple[Pick, ...], who: deliveries.Reader | None) -> bytes:
    """The same as a whole message."""
    name = message_id(imprint.signer, edition.name, "preview", imprint.sender.address.domain)
    return Press(imprint, edition).message(picks, who or nobody(), name, edition.frozen_at)
