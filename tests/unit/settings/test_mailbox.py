import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import BadInput
from digest.outbox.mailbox import Mailbox


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("papers@example.org", "", "papers@example.org"),
        ("Trending Papers <papers@example.org>", "Trending Papers", "papers@example.org"),
        ('"Papers, daily" <papers@example.org>', "Papers, daily", "papers@example.org"),
        ("Papers, daily <papers@example.org>", "Papers, daily", "papers@example.org"),
        (r'"The \"best\" papers" <papers@example.org>', 'The "best" papers', "papers@example.org"),
        ("Årets artikler <a@bücher.example>", "Årets artikler", "a@xn--bcher-kva.example"),
        ("<papers@example.org>", "", "papers@example.org"),
    ],
)
def test_a_mailbox_is_a_name_and_an_address(text: str, name: str, address: str) -> None:
    mailbox = Mailbox.parse(text)
    assert (mailbox.name, str(mailbox.address)) == (name, address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Papers",
        "Papers <>",
        "Papers <papers>",
        "Papers <a@example.org> <b@example.org>",
        "a@example.org, b@example.org",
        "Papers\r\nBcc: v@example.org <a@example.org>",
        "Papers\u2028 <a@example.org>",
        "x" * 101 + " <a@example.org>",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        Mailbox.parse(text)


@given(st.text(max_size=40).map(lambda name: name + " <a@example.org>"))
def test_no_name_can_break_a_header(text: str) -> None:
    try:
        mailbox = Mailbox.parse(text)
    except BadInput:
        return
    assert str(mailbox.address) == "a@example.org"
    assert len(mailbox.name.splitlines()) <= 1
