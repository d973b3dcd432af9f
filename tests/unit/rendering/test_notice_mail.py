"""Mails that are no edition."""

import re

import pytest

from digest.rendering.columns import COLUMNS
from digest.rendering.environment import Environments
from digest.rendering.notice_mail import KINDS, render_notice
from digest.rendering.settings import SiteSettings
from digest.subscribers.language import LANGUAGES

CONFIRM = "https://papers.example.org/confirm/AbCdEfGhIjKlMnOpQrStUv"

ACCESS = "https://papers.example.org/p/AbCdEfGhIjKlMnOpQrStUv.69a5.AbC"
UNDO = "https://papers.example.org/undo/AbCdEfGhIjKlMnOpQrStUv.6440fb1a2b3c4.AbCdEfGhIjKlMnOpQrStUv"


@pytest.mark.parametrize("language", ["", *LANGUAGES])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_needs_little_and_has_all_parts(
    kind: str, language: str, site: SiteSettings, environments: Environments
) -> None:
    least = {
        "confirm": {"confirm_url": CONFIRM},
        "preferences": {"access_url": ACCESS},
        "operator": {"subject": "It went well"},
    }.get(kind, {})
    mail = render_notice(kind, {**least, "language": language}, site, environments)
    assert "Trending Papers" in mail.subject
    assert "Paper Society" in mail.text
    assert "Paper Society" in mail.html
    assert all(len(line) <= COLUMNS for line in mail.text.splitlines())
    assert not re.search(r"\n{3}|None|\(\)", mail.text + mail.html)


def test_a_confirmation_carries_its_address_and_nothing_that_a_visitor_wrote(
    site: SiteSettings, environments: Environments
) -> None:
    values = {
        "confirm_url": CONFIRM,
        "address": "ann@example.org",
        "name": "Buy now https://evil.example",
        "topics": ["evil topic"],
        "valid_until": "2026-11-24",
    }
    mail = render_notice("confirm", values, site, environments)
    assert f"\n{CONFIRM}\n" in mail.text
    assert f'href="{CONFIRM}"' in mail.html
    for part in (" ".join(mail.text.split()), mail.html):
        assert "ann@example.org" in part
        assert "24 November 2026" in part
        assert "evil" not in part
        assert "unsubscribe" not in part.lower()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "mailed to ann@example.org. That was on 22 November 2026 at 20:05 (UTC), on papers.example.org."),
        ("de", "zu schicken. Das war am 22. November 2026 um 20:05 Uhr (UTC), auf papers.example.org."),
        ("fr", "C’était le 22 novembre 2026 à 20:05 (UTC), sur papers.example.org."),
        ("es", "Fue el 22 de noviembre de 2026 a las 20:05 (UTC), en papers.example.org."),
    ],
)
def test_a_confirmation_says_when_and_where_it_was_asked_for(
    language: str, said: str, site: SiteSettings, environments: Environments
) -> None:
    values = {"confirm_url": CONFIRM, "address": "ann@example.org", "language": language}
    asked = {"asked_on": "2026-11-22", "asked_at": "20:05", "asked_from": "papers.example.org"}
    mail = render_notice("confirm", {**values, **asked}, site, environments)
    for part in (mail.text, re.sub(r"</?strong>", "", mail.html)):
        assert said in " ".join(part.split())
    # As an older program left it in the queue, or for whom the operator entered.
    without = render_notice("confirm", values, site, environments)
    assert "(UTC)" not in without.text + without.html


def test_a_welcome_greets_and_says_how_to_leave(site: SiteSettings, environments: Environments) -> None:
    values = {"name": "Ann", "unsubscribe_url": "https://papers.example.org/u/x", "topics": ["diffusion", "robots"]}
    mail = render_notice("welcome", values, site, environments)
    assert mail.text.startswith("Welcome, Ann.\n")
    for part in (mail.text, mail.html):
        assert "https://papers.example.org/u/x" in part
        assert "diffusion, robots" in part


def test_a_welcome_is_in_the_readers_language_and_not_in_the_sites(environments: Environments) -> None:
    values = {"first_digest": "2026-11-23T07:30", "first_zone": "UTC", "name": "Ann & Co", "address": "ann@example.org"}
    site = SiteSettings(name="Papers", language="es")
    french = render_notice("welcome", {**values, "language": "fr"}, site, environments)
    assert french.subject == "Bienvenue chez Papers"
    assert "Votre premier numéro arrivera lundi à 07:30 (UTC)." in " ".join(french.text.split())
    assert "Bienvenue, Ann &amp; Co</h1>" in french.html
    assert "<strong>ann@example.org</strong>" in french.html
    usual = render_notice("welcome", values, site, environments)
    assert usual.subject == "Le damos la bienvenida a Papers"
    # As an older program left it in the queue.
    old = render_notice("welcome", {"first_digest": "on Monday at 07:30", "language": "xx"}, site, environments)
    assert "Your first digest comes on Monday at 07:30." in " ".join(old.text.split())


def test_the_operator_is_told_in_english(environments: Environments) -> None:
    mail = render_notice("operator", {"subject": "It went"}, SiteSettings(language="de"), environments)
    assert '<html lang="en"' in mail.html


def test_a_goodbye_is_the_last_mail_and_says_so(site: SiteSettings, environments: Environments) -> None:
    mail = render_notice("goodbye", {"name": "Ann"}, site, environments)
    assert "This is our last mail to you." in mail.text
    assert "https://" not in mail.text + mail.html


def test_who_left_or_paused_can_undo_it_from_the_mail_that_says_so(site: SiteSettings, environments: Environments) -> None:
    goodbye = render_notice("goodbye", {"undo_url": UNDO}, site, environments)
    paused = render_notice("paused", {"undo_url": UNDO, "until": "2026-12-07"}, site, environments)
    for mail in (goodbye, paused):
        assert f"\n{UNDO}\n" in mail.text
        assert f'href="{UNDO}"' in mail.html
    assert paused.subject == "Trending Papers: paused until 7 December 2026"
    assert "from 7 December 2026 on" in " ".join(paused.text.split())


def test_the_link_to_the_preferences_says_until_when_it_works(site: SiteSettings, environments: Environments) -> None:
    values = {"access_url": ACCESS, "address": "ann@example.org", "valid_until": "14:05 (UTC)"}
    mail = render_notice("preferences", values, site, environments)
    assert f"\n{ACCESS}\n" in mail.text
    assert f'href="{ACCESS}"' in mail.html
    for part in (" ".join(mail.text.split()), mail.html):
        assert "14:05 (UTC)" in part


def test_the_operators_report_is_facts_and_what_to_do(site: SiteSettings, environments: Environments) -> None:
    values = {
        "subject": "The daily edition of 2026-11-22 lost mails",
        "lines": ["The relay refused three."],
        "facts": [["submitted", "1,201"], ["held", 3]],
        "advice": "digest deliveries list --state held",
    }
    mail = render_notice("operator", values, site, environments)
    assert mail.subject == "Trending Papers: The daily edition of 2026-11-22 lost mails"
    assert "submitted: 1,201\nheld: 3\n" in mail.text
    for part in (mail.text, mail.html):
        assert "The relay refused three." in part
        assert "digest deliveries list --state held" in part


@pytest.mark.parametrize("kind", KINDS)
def test_values_break_neither_header_nor_markup(kind: str, site: SiteSettings, environments: Environments) -> None:
    evil = "<script>{{ 7*7 }}</script>\r\nBcc: x@example.org\x1b"
    values = dict.fromkeys(
        (
            "confirm_url",
            "access_url",
            "undo_url",
            "until",
            "address",
            "name",
            "subject",
            "first_digest",
            "advice",
            "valid_until",
            "asked_on",
            "asked_at",
            "asked_from",
        ),
        evil,
    )
    mail = render_notice(kind, {**values, "lines": [evil], "facts": {evil: evil}, "topics": [evil]}, site, environments)
    assert mail.subject.isprintable()
    assert "<script>" not in mail.html
    assert "49" not in mail.html
    assert not re.search(r"^Bcc:|\x1b|\r", mail.text, re.MULTILINE)


def test_what_is_missing_is_named(site: SiteSettings, environments: Environments) -> None:
    with pytest.raises(ValueError, match="a confirm mail needs confirm_url"):
        render_notice("confirm", {}, site, environments)
    with pytest.raises(ValueError, match="there is no notice 'advert'"):
        render_notice("advert", {}, site, environments)
