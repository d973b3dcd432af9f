"""TLS is never silently dropped, and no password goes over a plain line to another host."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from support.sink import Session, Sink
from support.site import Site

from digest.errors import ConfigurationError, ServerUnavailable

LOGIN = ("ann", "pass@word")
URL = "smtp+starttls://ann:pass%40word@localhost:{port}"


@pytest.fixture
def one_mail(make_site: Callable[..., Site]) -> Callable[..., Site]:
    """A site with one mail due, whose mail server is reached by a scheme of its own."""

    def make(sink: Sink, url: str = URL, **settings: object) -> Site:
        site = make_site(sink=sink, smtp__url=url.format(port=sink.port), **settings)
        site.readers(1)
        site.publish()
        return site

    return make


@pytest.mark.usefixtures("trusted")
def test_starttls_and_login_come_before_any_mail(one_mail: Callable[..., Site], tls: ssl.SSLContext) -> None:
    with Sink(tls=tls, login=LOGIN) as sink:
        assert one_mail(sink).deliver().states == {"submitted": 1}
        (session,) = sink.sessions
    assert (session.secure, session.user) == (True, "ann")
    assert [line.partition(" ")[0] for line in session.in_clear] == ["EHLO", "STARTTLS"]


@pytest.mark.usefixtures("trusted")
def test_tls_from_the_first_byte_works_too(one_mail: Callable[..., Site], tls: ssl.SSLContext) -> None:
    with Sink(tls=tls, implicit=True, login=LOGIN) as sink:
        assert one_mail(sink, "smtps://ann:pass%40word@localhost:{port}").deliver().states == {"submitted": 1}
        assert sink.sessions[0].user == "ann"


def test_the_password_may_be_a_setting_of_its_own(one_mail: Callable[..., Site]) -> None:
    with Sink(login=LOGIN) as sink:
        site = one_mail(sink, "smtp://ann@127.0.0.1:{port}", smtp__password="pass@word")
        assert site.deliver().states == {"submitted": 1}
        assert sink.sessions[0].user == "ann"


def test_without_starttls_no_mail_goes_and_no_password(one_mail: Callable[..., Site]) -> None:
    with Sink(login=LOGIN) as sink:
        site = one_mail(sink)
        with pytest.raises(ServerUnavailable, match="STARTTLS") as raised:
            site.deliver()
        assert "offers no STARTTLS" in raised.value.fix
        _nothing_was_said(sink, site)


def test_a_starttls_that_is_refused_ends_the_conversation(one_mail: Callable[..., Site], tls: ssl.SSLContext) -> None:
    with Sink(tls=tls, login=LOGIN, STARTTLS=lambda *_: "454 4.7.0 TLS not available") as sink:
        site = one_mail(sink)
        with pytest.raises(ServerUnavailable, match="TLS not available"):
            site.deliver()
        _nothing_was_said(sink, site)


@pytest.mark.usefixtures("trusted")
def test_what_a_stranger_slips_in_behind_starttls_is_not_believed(one_mail: Callable[..., Site], tls: ssl.SSLContext) -> None:
    slipped = "220 2.0.0 go ahead\r\n250-evil.example.org\r\n250 AUTH PLAIN"
    with Sink(tls=tls, login=LOGIN, STARTTLS=lambda *_: slipped) as sink:
        one_mail(sink).deliver()
        assert [line.partition(" ")[0] for line in sink.sessions[0].in_clear] == ["EHLO", "STARTTLS"]
        assert len(sink.commands("EHLO")) == 2


def test_a_certificate_that_nobody_vouches_for_gets_no_password(one_mail: Callable[..., Site], tls: ssl.SSLContext) -> None:
    with Sink(tls=tls, login=LOGIN) as sink:
        site = one_mail(sink)
        with pytest.raises(ServerUnavailable, match="certificate") as raised:
            site.deliver()
        assert "SSL_CERT_FILE" in raised.value.fix
        _nothing_was_said(sink, site)


def test_a_certificate_for_another_name_gets_no_password(
    one_mail: Callable[..., Site], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(data / "elsewhere.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(data / "elsewhere.pem")
    with Sink(tls=context, login=LOGIN) as sink:
        site = one_mail(sink)
        with pytest.raises(ServerUnavailable, match="certificate is not valid for 'localhost'") as raised:
            site.deliver()
        assert "the name that the server's certificate is for" in raised.value.fix
        _nothing_was_said(sink, site)


def test_tls_spoken_to_a_plain_port_names_the_scheme_that_goes_with_it(one_mail: Callable[..., Site]) -> None:
    with Sink(login=LOGIN) as sink:
        site = one_mail(sink, "smtps://ann:pass%40word@localhost:{port}")
        with pytest.raises(ServerUnavailable) as raised:
            site.deliver()
        assert "smtp+starttls:// goes with 587" in raised.value.fix
        _nothing_was_said(sink, site)


def test_a_refused_login_names_the_application_password_and_not_ours(one_mail: Callable[..., Site]) -> None:
    with Sink(login=("ann", "another")) as sink:
        site = one_mail(sink, "smtp://ann:pass%40word@127.0.0.1:{port}")
        with pytest.raises(ServerUnavailable, match="Authentication failed") as raised:
            site.deliver()
    said = f"{raised.value} {raised.value.fix}"
    assert "application password" in said
    assert "pass" not in said.replace("password", "")
    assert site.open_rows() == {"queued": 1}


@pytest.mark.parametrize("scheme", ["smtp", "lmtp"])
def test_credentials_never_go_over_a_plain_line_to_another_host(make_site: Callable[..., Site], scheme: str) -> None:
    with pytest.raises(ConfigurationError, match="plain connection to another host") as raised:
        make_site(smtp__url=f"{scheme}://ann:secret@mail.example.org")
    assert raised.value.exit_code == 78
    assert "smtp+starttls://" in raised.value.fix
    assert "secret" not in f"{raised.value} {raised.value.fix}"


def test_lmtp_greets_in_its_own_way(one_mail: Callable[..., Site]) -> None:
    with Sink() as sink:
        assert one_mail(sink, "lmtp://127.0.0.1:{port}").deliver().states == {"submitted": 1}
        assert [line.partition(" ")[0] for line in sink.sessions[0].commands[:1]] == ["LHLO"]


def _nothing_was_said(sink: Sink, site: Site) -> None:
    def said(session: Session) -> str:
        return " ".join(session.commands).upper()

    assert sink.accepted == []
    assert not any(verb in said(session) for session in sink.sessions for verb in ("AUTH", "MAIL", "RCPT", "DATA"))
    assert site.open_rows() == {"queued": 1}
