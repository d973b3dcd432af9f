"""Mails that the site signs, as they arrive: another program verifies what went through SMTP."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.signed import ED25519_PEM, RSA_PEM, verified
from support.sink import Sink
from support.site import Site

from digest.errors import ConfigurationError
from digest.flows.subscribe import subscribe
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import SignUp

ANN = EmailAddress("ann@example.org")


@pytest.fixture
def signing(home: Path, make_site: Callable[..., Site]) -> Site:
    """A site below the domain that signs, with answers and commands by mail, and a name that needs encoded words."""
    (home / "dkim").mkdir()
    for name, pem in (("rsa1", RSA_PEM), ("ed1", ED25519_PEM)):
        (home / "dkim" / f"{name}.pem").write_bytes(pem)
        (home / "dkim" / f"{name}.pem").chmod(0o600)
    return make_site(
        dkim__selector="rsa1",
        dkim__ed25519_selector="ed1",
        dkim__domain="example.org",
        email__from="Spärliche Blätter <digest@news.example.org>",
        email__reply_to="answers@example.org",
        inbound__address="commands@example.org",
        site__name="Papers — daily, in a name that is long enough to be folded",
    )


def test_a_digest_verifies_after_transit_with_both_keys(signing: Site, sink: Sink) -> None:
    signing.readers(3)
    signing.publish()
    signing.deliver()
    assert len(sink.accepted) == 3
    assert [verified(one.content) for one in sink.accepted] == [[True, True]] * 3
    one = sink.accepted[0].content
    assert verified(one.replace(b"Feedback-ID: ", b"Feedback-ID: x")) == [False, False]
    assert verified(one.replace(b" study", b" stuffy")) == [False, False]
    assert verified(b"Received: from relay\r\n" + one) == [True, True]


def test_a_notice_verifies_after_transit(signing: Site, sink: Sink) -> None:
    url = str(signing.app.settings.site.public_url)
    subscribe(signing.app.store, signing.now, SignUp(ANN), confirmed=False, public_url=url, source="a test")
    signing.deliver()
    assert [verified(one.content) for one in sink.accepted] == [[True, True]]


def test_a_copy_sent_again_in_doubt_is_the_same_to_the_byte(signing: Site, sink: Sink) -> None:
    signing.readers(1)
    signing.publish()
    seen: list[bytes] = []

    def lose_the_first(session, word: str) -> str | None:
        seen.append(session.content)
        return "drop" if len(seen) == 1 else None

    sink.on["CONTENT"] = lose_the_first
    signing.deliver()
    signing.later(hours=1)
    signing.deliver()
    assert len(seen) == 2
    assert seen[0] == seen[1]
    assert verified(seen[1]) == [True, True]


def test_nothing_is_signed_while_it_is_off(site: Site, sink: Sink) -> None:
    site.readers(1)
    site.publish()
    site.deliver()
    assert [b"dkim-signature" in one.content.lower() for one in sink.accepted] == [False]


def test_no_mail_leaves_when_the_key_is_gone(signing: Site, sink: Sink, home: Path) -> None:
    (home / "dkim" / "rsa1.pem").unlink()
    with pytest.raises(ConfigurationError, match=r"rsa1\.pem: there is no such file"):
        signing.deliver()
    assert sink.accepted == []
