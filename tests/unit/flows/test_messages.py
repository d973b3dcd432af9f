"""One mail as bytes: what every digest of an edition has in common, and what is fixed for a delivery."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from digest.edition.model import Edition, Entry, Pick
from digest.errors import ConfigurationError
from digest.flows.messages import Imprint, Press, notice_message, preview
from digest.outbox.dkim import Key, Signing
from digest.outbox.mailbox import Mailbox
from digest.papers.model import Work
from digest.rendering.environment import Environments
from digest.rendering.settings import SiteSettings
from digest.store.deliveries import Reader
from digest.subscribers.address import EmailAddress
from digest.tokens import Signer

DUE = datetime(2026, 11, 22, 7, tzinfo=UTC)
DAY = date(2026, 11, 22)
PICKS = (Pick(2, "card", "topic", "graphs"), Pick(1, "also"))
ANN = Reader(1, "AbCdEfGhIjKlMnOpQrStUv", "ann@example.org", "Ann", "active", None, None, DUE, "")


def an_edition() -> Edition:
    entries = (
        Entry(number, frozenset(), number, 1.0, (), Work(title=f"Paper {number}", abstract="We do."), DAY, {"votes": number})
        for number in (1, 2)
    )
    return Edition(1, DAY, "daily", DUE, tuple(entries))


@pytest.fixture
def imprint() -> Imprint:
    return Imprint(
        SiteSettings(name="Trending Papers"),
        Mailbox.parse("Trending Papers <papers@example.org>"),
        Signer(["k" * 40]),
        Environments(),
        "https://papers.example.org",
        inbound="leave@example.org",
    )


def test_a_second_copy_is_the_same_to_the_byte(imprint: Imprint) -> None:
    one = Press(imprint, an_edition()).message(PICKS, ANN, "a@example.org", DUE, 7)
    elsewhere = DUE.astimezone(timezone(timedelta(hours=9)))
    assert Press(imprint, an_edition()).message(PICKS, ANN, "a@example.org", elsewhere, 7) == one
    assert message_from_bytes(one)["Date"] == "Sun, 22 Nov 2026 07:00:00 +0000"


def test_each_reader_is_mailed_in_his_language_and_else_in_the_sites(imprint: Imprint) -> None:
    press = Press(replace(imprint, site=SiteSettings(language="fr")), an_edition())

    def told(reader: Reader) -> tuple[str, str]:
        message = message_from_bytes(press.message(PICKS, reader, "a@example.org", DUE, 7), policy=policy.default)
        text = message.get_body(("plain",))
        assert text is not None
        return message["Content-Language"], " ".join(text.get_content().split())

    language, words = told(ANN._replace(language="de"))
    assert language == "de"
    assert (
        "Ann, Sie bekommen Trending Papers jeden Tag, weil Sie ann@example.org am 22. November 2026 bestätigt haben." in words
    )
    assert "Warum: nahe an Ihrem Thema „graphs“" in words
    language, words = told(ANN)
    assert language == "fr"
    assert "Pourquoi\u00a0: proche de votre sujet «\u00a0graphs\u00a0»".replace("\u00a0", " ") in words.replace("\u00a0", " ")
    assert told(ANN._replace(language="de"))[0] == "de"


def test_a_notice_says_in_its_header_which_language_it_speaks(imprint: Imprint) -> None:
    to = EmailAddress("ann@example.org")
    for content, language in (({"language": "es"}, "es"), ({"language": ""}, "en"), ({}, "en"), ({"language": "x\r\ny"}, "en")):
        assert message_from_bytes(notice_message(imprint, "goodbye", to, "1", content, DUE))["Content-Language"] == language


def test_a_digest_has_the_headers_of_a_list_with_one_click_out(imprint: Imprint) -> None:
    message = message_from_bytes(Press(imprint, an_edition()).message(PICKS, ANN, "a@example.org", DUE, 7))
    assert message["List-Unsubscribe"].split(",\r\n ") == [
        f"<https://papers.example.org/u/{ANN.token}>",
        f"<mailto:leave@example.org?subject=unsubscribe%20{ANN.token}>",
    ]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == '"Trending Papers" <daily.papers.example.org>'
    assert message["Feedback-ID"] == "2026-11-22:daily:digest:example.org"
    assert message["Subject"] == "Paper 2"


def test_signatures_stand_before_all_else_and_cover_what_goes_out(imprint: Imprint) -> None:
    seen: list[bytes] = []

    def sign(text: bytes) -> bytes:
        seen.append(text)
        return b"signature"

    signed = replace(imprint, dkim=Signing("example.org", (Key("s1", "ed25519", 256, "", sign),)))
    plain = Press(imprint, an_edition()).message(PICKS, ANN, "a@example.org", DUE, 7)
    digest = Press(signed, an_edition()).message(PICKS, ANN, "a@example.org", DUE, 7)
    assert digest.startswith(b"DKIM-Signature: v=1;")
    assert digest.endswith(b"\r\n" + plain)
    content = {"confirm_url": "https://papers.example.org/confirm/x"}
    notice = notice_message(signed, "confirm", EmailAddress("ann@example.org"), "k", content, DUE)
    assert notice.startswith(b"DKIM-Signature: v=1;")
    assert [f"t={int(DUE.timestamp())}".encode() in text for text in seen] == [True, True]


def test_a_notice_has_no_line_that_begins_with_a_dot(imprint: Imprint) -> None:
    content = {"subject": ".", "lines": [".", "..", "x" * 71 + " ." + "y" * 90], "advice": ".digest", "facts": [[".", "."]]}
    raw = notice_message(imprint, "operator", EmailAddress("op@example.org"), "k", content, DUE)
    assert not any(line.startswith(b".") for line in raw.split(b"\r\n"))


def test_a_template_that_could_not_be_mailed_is_not_shown_either(tmp_path: Path) -> None:
    folder = tmp_path / "email" / "digest"
    folder.mkdir(parents=True)
    (folder / "card.html").write_text("{% if card.place > 1 %}x{% endif %}")
    with pytest.raises(ConfigurationError, match="differs from reader to reader"):
        preview(SiteSettings(), Environments(tmp_path), an_edition(), PICKS, None)
