import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.errors import BadInput
from digest.subscribers.address import EmailAddress, _checked, _usual


def test_the_domain_is_lowered_and_the_local_part_kept() -> None:
    assert EmailAddress.parse(" Ann.Lee@Example.ORG ").text == "Ann.Lee@example.org"


def test_two_spellings_of_one_mailbox_have_one_key() -> None:
    assert EmailAddress.parse("Ann@Example.org").key == EmailAddress.parse("ann@EXAMPLE.org").key


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("Ann+papers@Example.org", "ann@example.org"),
        ("a.n.n+x+y@googlemail.com", "ann@gmail.com"),
        ("a.n.n@example.org", "a.n.n@example.org"),
        ("+ann@example.org", "+ann@example.org"),
    ],
)
def test_spellings_that_end_in_one_mailbox_are_counted_as_one(text: str, mailbox: str) -> None:
    assert EmailAddress.parse(text).mailbox == mailbox


def test_an_international_domain_becomes_a_labels() -> None:
    assert EmailAddress.parse("ann@bücher.example").text == "ann@xn--bcher-kva.example"


def test_an_address_is_masked_to_its_first_letter() -> None:
    assert EmailAddress.parse("ann@example.org").masked == "a***@example.org"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "ann@",
        "@example.org",
        "ann@example",
        "ann@@example.org",
        "ann b@example.org",
        "a@b@example.org",
        ".ann@example.org",
        "an..n@example.org",
        "ann@-example.org",
        "ann@example..org",
        "ann@[127.0.0.1]",
        "ann@127.0.0.1",
        '"ann lee"@example.org',
        "Ann <ann@example.org>",
        "ann@example.org>\r\nRCPT TO:<victim@example.org",
        "ann@example.org\nBcc: victim@example.org",
        "ann\0@example.org",
        "ann@example.local",
        "ann@localhost",
        "änn@example.org",
        "a" * 65 + "@example.org",
        "ann@" + "a." * 130 + "org",
        "ann@" + "a" * 100_000,
        "ann@" + "a" * 64 + ".org",
    ],
)
def test_what_is_no_address_is_refused_in_one_short_line(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        EmailAddress.parse(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


_local = st.text("abAB09.!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=70)
_label = st.text("abXN09-", min_size=1, max_size=66)
_top = st.sampled_from(["org", "ORG", "de", "local", "Onion", "test", "arpa", "c", "c0m", "invalid", "museum", "x-y"])
_odd = st.text('ab@.-+_ "<>\n\té', max_size=30)


@given(st.one_of(st.builds(lambda a, b, c: f"{a}@{b}.{c}", _local, _label, _top), _odd))
@example("Info@example.org")
@example("xn--a@xn--bcher-kva.example")
@example("a@ab--c.org")
def test_the_fast_check_finds_what_the_full_check_finds_or_leaves_it_alone(text: str) -> None:
    quick = _usual(text)
    if quick is not None:
        assert quick == _checked(text)
