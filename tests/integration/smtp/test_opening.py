"""Opening a connection: whatever goes wrong, there is none, the usual cause is named, and nothing was said in clear."""

import ssl
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from support.conversing import FINAL_TIMEOUT, TIMEOUT, LeapingLoop, Silent, address, envelope, mail
from support.sink import DROP, SILENCE, Hook, Session, Sink

from digest.errors import ServerUnavailable
from digest.smtp.connection import Connection
from digest.smtp.url import SmtpUrl

LOGIN = ("ann", "pass@word")
LINES = "".join(f"250-LINE{n}\r\n" for n in range(998))


async def talk_without_end(session: Session, _word: str) -> str:
    while True:
        session.writer.write(b"220-" + b"x" * 2**16)
        await session.writer.drain()


async def talk_in_lines_without_end(session: Session, _word: str) -> str:
    while True:
        session.writer.write(b"220-welcome\r\n" * 5000)
        await session.writer.drain()


FAULTS: dict[str, tuple[str, Hook | str]] = {
    "greeted by 421": ("CONNECT", "421 4.7.0 too many connections"),
    "greeted by 554": ("CONNECT", "554 5.7.1 you are on a list"),
    "greeted by garbage": ("CONNECT", "SSH-2.0-OpenSSH_9.9"),
    "greeted by 250": ("CONNECT", "250 hello"),
    "dropped at once": ("CONNECT", DROP),
    "never greeted": ("CONNECT", Silent()),
    "half greeted": ("CONNECT", Silent(before=b"220-wel")),
    "greeted without end": ("CONNECT", talk_without_end),
    "greeted in lines without end": ("CONNECT", talk_in_lines_without_end),
    "ehlo 502": ("EHLO", "502 5.5.1 what?"),
    "ehlo 421": ("EHLO", "421 4.3.2 bye"),
    "ehlo 550": ("EHLO", "550 5.7.1 not with that name"),
    "ehlo garbage": ("EHLO", "hello yourself"),
    "ehlo dropped": ("EHLO", DROP),
    "ehlo never answered": ("EHLO", Silent()),
    "ehlo half answered": ("EHLO", Silent(before=b"250-sink\r\n250-PIPELINING\r\n")),
    "ehlo without end": ("EHLO", talk_in_lines_without_end),
    "ehlo too long": ("EHLO", "250 " + "x" * 100_000),
    "starttls 454": ("STARTTLS", "454 4.7.0 TLS not available"),
    "starttls 501": ("STARTTLS", "501 5.5.4 syntax"),
    "starttls garbage": ("STARTTLS", "what?"),
    "starttls dropped": ("STARTTLS", DROP),
    "starttls never answered": ("STARTTLS", Silent()),
    "auth 535": ("AUTH", "535 5.7.8 Authentication failed"),
    "auth 454": ("AUTH", "454 4.7.0 try later"),
    "auth 421": ("AUTH", "421 4.7.0 enough"),
    "auth 530": ("AUTH", "530 5.7.0 Must issue STARTTLS first"),
    "auth garbage": ("AUTH", "come in"),
    "auth 334 for ever": ("AUTH", "334 VXNlcm5hbWU6"),
    "auth dropped": ("AUTH", DROP),
    "auth never answered": ("AUTH", Silent()),
}


def refused(url: SmtpUrl, loop: LeapingLoop | None = None) -> ServerUnavailable:
    with pytest.raises(ServerUnavailable, match="is not to be had") as raised:
        (loop or LeapingLoop()).run(lambda _: Connection.open(url, TIMEOUT, final_timeout=FINAL_TIMEOUT))
    assert raised.value.exit_code == 69
    assert raised.value.fix
    assert LOGIN[1] not in f"{raised.value} {raised.value.fix}"
    return raised.value


def secured(sink: Sink, scheme: str = "smtp+starttls") -> SmtpUrl:
    return address(sink.port, scheme, "localhost", username=LOGIN[0], password=LOGIN[1])


def assert_nothing_in_clear(sink: Sink) -> None:
    assert sink.accepted == []
    said = {line.partition(" ")[0] for session in sink.sessions for line in session.in_clear}
    assert not said & {"AUTH", "MAIL", "RCPT", "DATA"}


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(("moment", "said"), FAULTS.values(), ids=FAULTS)
def test_a_server_that_misbehaves_at_the_door_is_not_to_be_had(tls: ssl.SSLContext, moment: str, said: Hook | str) -> None:
    loop = LeapingLoop()
    with Sink(tls=tls, login=LOGIN) as sink:
        if isinstance(said, Silent):
            said.loop = loop
        sink.on[moment] = said if callable(said) else lambda *_: said
        refused(secured(sink), loop)
        assert_nothing_in_clear(sink)


def test_a_server_may_say_a_thousand_lines_of_what_it_can_do() -> None:
    with Sink(EHLO=lambda *_: f"250-sink\r\n{LINES}250 PIPELINING") as sink:
        verdicts = LeapingLoop().run(lambda _: mail(address(sink.port)))
        assert {verdict.kind for verdict in verdicts.values()} == {"submitted"}


def test_a_connection_lost_right_after_ehlo_carries_nothing() -> None:
    async def answer_and_leave(session: Session, _word: str) -> str:
        session.writer.write(b"250-sink\r\n250 PIPELINING\r\n")
        await session.writer.drain()
        return DROP

    async def first_word(_: LeapingLoop) -> str:
        connection = await Connection.open(address(sink.port))
        opened = (await connection.turn(None, envelope("reader@example.org"))).opened
        return "" if opened is None else opened.kind

    with Sink(EHLO=answer_and_leave) as sink:
        try:
            assert LeapingLoop().run(first_word) == "lost"
        except ServerUnavailable as error:
            assert "is not to be had" in str(error)  # noqa: PT017 - either is right


@pytest.mark.parametrize("code", [500, 502])
def test_a_server_that_knows_no_ehlo_is_greeted_as_of_old_and_takes_mail(code: int) -> None:
    with Sink(EHLO=lambda *_: f"{code} 5.5.1 what?", HELO=lambda *_: "250 sink") as sink:
        verdicts = LeapingLoop().run(lambda _: mail(address(sink.port)))
        assert {verdict.kind for verdict in verdicts.values()} == {"submitted"}
        assert [line.partition(" ")[0] for line in sink.sessions[0].commands[:3]] == ["EHLO", "HELO", "MAIL"]


@pytest.mark.parametrize("said", ["550 5.7.1 not with that name", "421 4.3.2 bye", "451 4.3.0 later"])
def test_a_server_that_has_another_reason_to_refuse_the_greeting_is_not_greeted_again(said: str) -> None:
    with Sink(EHLO=lambda *_: said, HELO=lambda *_: "250 sink") as sink:
        refused(address(sink.port))
        assert sink.commands("HELO") == []


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls"])
def test_whoever_is_greeted_as_of_old_gets_neither_password_nor_a_mail_that_was_to_be_secure(scheme: str) -> None:
    login = {"username": LOGIN[0], "password": LOGIN[1]}
    with Sink(EHLO=lambda *_: "502 5.5.1 what?", HELO=lambda *_: "250 sink", login=LOGIN) as sink:
        refused(address(sink.port, scheme, "localhost", **login))
        assert_nothing_in_clear(sink)


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("535 5.7.8 Authentication failed", "check user name and password"),
        ("432 4.7.12 a password transition is needed", "check user name and password"),
        ("454 4.7.0 try later", "try again later"),
        ("421 4.7.0 enough", "try again later"),
    ],
)
def test_only_a_login_that_was_looked_at_is_told_to_be_wrong(said: str, cause: str) -> None:
    with Sink(login=LOGIN, AUTH=lambda *_: said) as sink:
        assert cause in refused(address(sink.port, username=LOGIN[0], password=LOGIN[1])).fix


@pytest.mark.parametrize("offers", [(), ("AUTH",), ("AUTH GSSAPI XOAUTH2",)], ids=["none", "an empty one", "others"])
def test_a_server_that_offers_no_login_that_is_known_says_nothing_of_the_password(offers: tuple[str, ...]) -> None:
    with Sink(offers=offers) as sink:
        assert "offers no login" in refused(address(sink.port, username=LOGIN[0], password=LOGIN[1])).fix
        assert_nothing_in_clear(sink)


@pytest.mark.parametrize("length", [200, 30], ids=["all of it", "its beginning"])
def test_a_server_that_repeats_the_login_gets_no_password_into_our_words(length: int) -> None:
    def repeat(session: Session, _user: str) -> str:
        return f"500 5.5.1 unknown: {session.commands[-1][:length]}"

    with Sink(login=LOGIN, AUTH=repeat) as sink:
        error = refused(address(sink.port, username=LOGIN[0], password=LOGIN[1]))
        assert "unknown: AUTH PLAIN …" in str(error)


def test_starttls_that_is_not_offered_means_no_mail() -> None:
    with Sink(login=LOGIN) as sink:
        assert "offers no STARTTLS" in refused(secured(sink)).fix
        assert_nothing_in_clear(sink)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("kind", ["in one piece", "afterwards"])
def test_what_a_stranger_adds_to_the_answer_to_starttls_is_not_taken_for_the_servers(tls: ssl.SSLContext, kind: str) -> None:
    async def inject(session: Session, _word: str) -> str:
        pieces = b"220 2.0.0 go ahead\r\n", b"250-evil\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n250 ok\r\n"
        for piece in pieces if kind == "afterwards" else [b"".join(pieces)]:
            session.writer.write(piece)
            await session.writer.drain()
        return SILENCE

    with Sink(tls=tls, login=LOGIN, STARTTLS=inject) as sink:
        try:
            LeapingLoop().run(lambda _: mail(secured(sink)))
        except ServerUnavailable:
            assert sink.accepted == []
        else:
            assert len(sink.commands("EHLO")) == 2
        assert {line.partition(" ")[0] for session in sink.sessions for line in session.in_clear} == {"EHLO", "STARTTLS"}


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
@pytest.mark.parametrize(
    ("name", "days", "trusted", "cause"),
    [
        ("localhost", -1, True, "has expired"),
        ("elsewhere.example.org", 1, True, "the name that the server's certificate is for"),
        ("localhost", 1, False, "SSL_CERT_FILE"),
    ],
    ids=["expired", "for another name", "nobody vouches for it"],
)
def test_a_bad_certificate_gets_no_password_and_no_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, name: str, days: int, trusted: bool, cause: str
) -> None:
    pem = _certificate(tmp_path, name, days)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    with Sink(tls=context, implicit=scheme == "smtps", login=LOGIN) as sink:
        error = refused(secured(sink, scheme))
        assert "certificate" in str(error)
        assert cause in error.fix
        assert_nothing_in_clear(sink)


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
@pytest.mark.usefixtures("trusted")
def test_a_server_that_speaks_only_broken_tls_gets_no_password_and_no_mail(data: Path, scheme: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(data / "localhost.pem")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    with Sink(tls=context, implicit=scheme == "smtps", login=LOGIN) as sink:
        assert "TLS 1.2 or newer" in refused(secured(sink, scheme)).fix
        assert_nothing_in_clear(sink)


@pytest.mark.usefixtures("trusted")
def test_a_server_that_speaks_plain_text_where_tls_is_meant_hears_nothing(tls: ssl.SSLContext) -> None:
    with Sink(tls=tls, login=LOGIN) as sink:
        assert "smtp+starttls:// goes with 587" in refused(secured(sink, "smtps")).fix
        assert_nothing_in_clear(sink)


def _certificate(folder: Path, name: str, days: int) -> Path:
    """A self-signed certificate that is valid from long ago until in so many days, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    return pem
