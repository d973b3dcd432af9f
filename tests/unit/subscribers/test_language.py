"""Which language somebody reads best."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import BadInput
from digest.subscribers.language import LANGUAGES, best_fit, parse_language


@pytest.mark.parametrize(
    ("accepted", "best"),
    [
        ("", ""),
        ("de", "de"),
        ("de-CH-1996, en;q=0.9", "de"),
        ("en;q=0.2, fr;q=0.8, de ; q=0.5", "fr"),
        ("pt-BR,pt;q=0.9,es;q=0.4,*;q=0.1", "es"),
        ("fr;q=0", ""),
        ("fr;q=0, es;q=0.001", "es"),
        ("ES-419", "es"),
        ("de;q=0.5, de-AT", "de"),
        ("*", ""),
        ("deu, eng", ""),
        ("de;q=two, fr;q=0.1", "fr"),
        ("ja," * 30 + "de", ""),
    ],
)
def test_the_language_that_is_liked_best_of_ours_is_taken(accepted: str, best: str) -> None:
    assert best_fit(accepted) == best


@given(st.text(max_size=200) | st.text("defrns;q=0.1,*- ", max_size=80))
def test_whatever_a_browser_sends_the_answer_is_one_of_ours_or_none(accepted: str) -> None:
    assert best_fit(accepted) in {"", *LANGUAGES}


def test_a_language_is_named_by_its_code_or_its_own_name() -> None:
    assert [parse_language(text) for text in ("de", " DE ", "français", "Español")] == ["de", "de", "fr", "es"]
    with pytest.raises(BadInput) as caught:
        parse_language("kl")
    assert caught.value.fix == "one of en, de, fr, es"
