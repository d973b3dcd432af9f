import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from digest.errors import BadInput
from digest.subscribers.address import EmailAddress
from digest.subscribers.lookalike import lookalike


def judged(domain: str) -> str:
    return lookalike(EmailAddress.parse(f"ann@{domain}").domain)


@pytest.mark.parametrize(
    "domain",
    [
        "example.org",
        "bücher.example",
        "fußball.de",
        "yağmur.com.tr",
        "đàlạt.vn",
        "coŀlegi.cat",
        "пример.рф",
        "мойсайт.com",
        "сосо.рф",
        "сосо.ru",
        "пример.example.org",
        "κοινό.gr",
        "ελληνικά.com",
        "例え.jp",
        "東京タワー.jp",
        "ノート.jp",
        "日本abc.jp",
        "abc中文.cn",
        "한국어.kr",
        "삼성galaxy.kr",
        "مثال.إختبار",
        "موقع.com",
        "ישראל.co.il",
        "उदाहरण.भारत",
        "ไทย.th",
        "հայաստան.am",
        "საქართველო.ge",
        "ሰላም.et",
        "xn--bcher-kva.example",
        "xn--e1afmkfd.xn--p1ai",
    ],
)
def test_a_domain_in_one_alphabet_is_as_good_as_any(domain: str) -> None:
    assert judged(domain) == ""


@pytest.mark.parametrize(
    ("domain", "why"),
    [
        ("аpple.com", "mixes letters"),
        ("раypal.com", "mixes letters"),
        ("gοοgle.com", "mixes letters"),
        ("gօօgle.com", "mixes letters"),
        ("exаmple.пример.рф", "mixes letters"),
        ("пример.cоm.рф", "mixes letters"),
        ("日本пример.jp", "mixes letters"),
        ("ひら한국.jp", "mixes letters"),
        ("bücher日本.jp", "hardly ever"),
        ("ɡoogle.com", "hardly ever"),
        ("αррӏе.com", "mixes letters"),
        ("аррӏе.com", "look Latin"),
        ("сосо.com", "look Latin"),
        ("роса-рора.com", "look Latin"),
        ("раураӏ.example.org", "look Latin"),
        ("νικ.com", "look Latin"),
        ("ᏢᎪᎩᏢᎪᏞ.com", "browsers do not show"),
        ("भारत1२.com", "mixes digits"),
        ("googlーe.jp", "easily overlooked"),
        ("goog\u006c\u0307e.com", "easily overlooked"),
        ("xn--80ak6aa92e.com", "look Latin"),
        ("xn--pple-43d.com", "mixes letters"),
        ("mail.xn--pple-43d.com", "mixes letters"),
    ],
)
def test_what_can_be_taken_for_another_domain_is_told(domain: str, why: str) -> None:
    told = judged(domain)
    assert why in told
    assert "xn--" in told


def test_two_spellings_of_one_letter_are_one_domain() -> None:
    composed, apart = (unicodedata.normalize(form, "ann@bücher.example") for form in ("NFC", "NFD"))
    assert composed != apart
    assert EmailAddress.parse(composed) == EmailAddress.parse(apart)


_latin = st.text("abcxyz0", min_size=1, max_size=6)
_label = st.one_of(_latin, st.text("абвгджеп", min_size=1, max_size=6), st.text("αβγδπλ", min_size=1, max_size=6))


@given(st.lists(_label, min_size=1, max_size=3), st.sampled_from(["org", "рф", "gr"]))
def test_a_domain_is_judged_the_same_however_it_is_typed(labels: list[str], top: str) -> None:
    domain = ".".join([*labels, top])
    address = EmailAddress.parse(f"ann@{domain}")
    assert lookalike(address.domain) == judged(address.domain) == judged(unicodedata.normalize("NFD", domain).upper())


@given(_latin, st.sampled_from("аеорсхуігαοκ"), _latin, _label)
def test_one_foreign_letter_among_latin_ones_is_never_let_in(before: str, letter: str, after: str, other: str) -> None:
    assume(any(character.isalpha() for character in before + after))
    assert judged(f"{other}.{before}{letter}{after}.com")


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_whatever_the_parser_lets_through_is_judged_without_an_error(label: str) -> None:
    try:
        address = EmailAddress.parse(f"ann@{label}.org")
    except BadInput:
        return
    assert isinstance(lookalike(address.domain), str)
    assert address.text.isascii()
