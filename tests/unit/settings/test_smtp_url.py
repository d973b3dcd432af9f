from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import ConfigurationError
from digest.smtp.url import SCHEMES, SmtpUrl, is_loopback, parse_smtp_url

# Printable characters of any script: what a mail server's user name or password may consist of.
credentials = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=30)
hosts = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]{1,10}){0,3}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "port"),
    [("smtp://mx", 25), ("smtp+starttls://mx", 587), ("smtps://mx", 465), ("lmtp://mx", 24), ("SMTPS://MX:2465/", 2465)],
)
def test_each_scheme_has_its_port(text: str, port: int) -> None:
    server = parse_smtp_url(text)
    assert (server.host, server.port, server.username, server.password) == ("mx", port, None, None)


@given(st.sampled_from(["smtp+starttls", "smtps"]), hosts, st.integers(1, 65535), credentials, credentials)
def test_every_user_and_password_survives_its_encoding(scheme: str, host: str, port: int, user: str, password: str) -> None:
    server = parse_smtp_url(f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{host}:{port}")
    assert (server.scheme, server.host, server.port, server.username, server.password) == (scheme, host, port, user, password)


@given(st.sampled_from(["smtp+starttls", "smtps"]), hosts, st.integers(1, 65535), st.none() | credentials)
def test_an_address_reads_back_as_it_was_shown(scheme: str, host: str, port: int, user: str | None) -> None:
    shown = str(SmtpUrl(scheme, host, port, user, "hunter2-hunter2" if user else None))  # type: ignore[arg-type]
    assert "hunter2-hunter2" not in shown
    again = parse_smtp_url(shown)
    assert (again.scheme, again.host, again.port, again.username) == (scheme, host, port, user)


@given(st.text(max_size=60) | st.builds("{}://{}".format, st.sampled_from(SCHEMES), st.text(max_size=60)))
def test_no_text_breaks_the_reader_and_what_it_takes_is_clean(text: str) -> None:
    try:
        server = parse_smtp_url(text)
    except ConfigurationError:
        return
    assert 0 < server.port < 65536
    assert server.host.isascii()
    assert server.host.isprintable()
    assert (server.username or "x").isprintable()
    assert (server.password or "x").isprintable()


def test_an_unencoded_at_in_the_user_name_is_understood() -> None:
    server = parse_smtp_url("smtps://ann@example.org:pw@mx.example.org")
    assert (server.username, server.password, server.host) == ("ann@example.org", "pw", "mx.example.org")


def test_an_ipv6_address_stands_in_brackets() -> None:
    server = parse_smtp_url("smtps://u:p@[2001:DB8::1]:465")
    assert server.host == "2001:db8::1"
    assert str(server) == "smtps://u@[2001:db8::1]:465"


@pytest.mark.parametrize("scheme", ["smtp", "lmtp"])
def test_credentials_never_go_over_a_plain_connection_to_another_host(scheme: str) -> None:
    with pytest.raises(ConfigurationError, match="credentials never go over a plain connection") as refused:
        parse_smtp_url(f"{scheme}://user:hunter2@mx.example.org")
    assert "smtp+starttls://" in refused.value.fix


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10", "[::1]", "mail.localhost", "LOCALHOST."])
def test_credentials_may_go_over_a_plain_connection_within_this_machine(host: str) -> None:
    assert parse_smtp_url(f"smtp://user:pw@{host}:1025").password == "pw"


@pytest.mark.parametrize("host", ["127.0.0.1.example.org", "localhost.example.org", "notlocalhost", "0.0.0.0", "2130706433"])
def test_a_name_that_only_looks_local_is_another_host(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mx.example.org:587",
        "https://mx.example.org",
        "smtp://",
        "smtp:///var/run/lmtp",
        "smtp://mx:0",
        "smtp://mx:99999",
        "smtp://mx:port",
        "smtp://mx/path",
        "smtp://mx?tls=no",
        "smtp://mx\r\nRCPT TO:<v@example.org>",
        "smtp://mx host",
        "smtp://münchen.example.org",
        "smtps://:secret-word@mx",
        "smtps://user:@mx",
        "smtps://user:secret-word%@mx",
        "smtps://user:secret-word%0d%0aRSET@mx",
        "smtps://user:secret-word%ff@mx",
        "smtps://user:secret-word/slash@mx",
        "smtps://user:secret-word@mx#fragment",
        "smtps://mx:secret-word",
        "smtps://[1::2::3]",
    ],
)
def test_what_is_no_such_address_is_refused_without_quoting_the_password(text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_smtp_url(text)
    assert "secret-word" not in f"{refused.value} {refused.value.fix}"
    assert refused.value.fix


def test_the_password_is_not_in_the_repr() -> None:
    assert "hunter2" not in repr(parse_smtp_url("smtps://user:hunter2@mx"))
