"""Proofs: every mail once, with invented values, so that a mistake in a template is found before a reader is due."""

from datetime import UTC, date, datetime

from digest.edition.model import Edition, Entry, Pick
from digest.flows.messages import nobody, preview
from digest.papers.model import Work
from digest.rendering.environment import Environments
from digest.rendering.model import Pages
from digest.rendering.notice_mail import KINDS, render_notice
from digest.rendering.settings import SiteSettings
from digest.subscribers.language import LANGUAGES

_DAY = date(2026, 1, 1)
_PAGES = Pages("https://example.org/u/", "https://example.org/f/", "https://example.org/p/ask/")
_WORDS = {
    "subject": "A subject",
    "confirm_url": "https://example.org/confirm/token",
    "access_url": "https://example.org/p/token",
}


def prove_mails(site: SiteSettings, environments: Environments) -> None:
    """Render all mails in all languages. Raises ConfigurationError with the template and the line that cannot be used."""
    works = (Work("A title", "An abstract."), Work("Another title", ""))
    entries = tuple(Entry(n, frozenset(), n, 1.0, (), work, _DAY, {}) for n, work in enumerate(works, 1))
    edition = Edition(0, _DAY, "daily", datetime(2026, 1, 1, tzinfo=UTC), entries)
    for language in LANGUAGES:
        preview(site, environments, edition, (Pick(1, "card"), Pick(2, "also")), nobody(language=language), _PAGES)
        for kind in KINDS:
            render_notice(kind, {**_WORDS, "language": language}, site, environments)
