"""Mails speak the languages that they are said to speak, all of each, and nothing past the catalogues."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.messages import TEMPLATES, bare_words, spoken

from digest.errors import BadInput, ConfigurationError
from digest.rendering.environment import CATALOGUES, Environments
from digest.rendering.reasons import method, personal, ranked
from digest.rendering.tongue import ENGLISH, Tongue, read_catalogue
from digest.rendering.wording import notes
from digest.rendering.words import at_hour, listing, numbers, on, on_weekday
from digest.resources import resource
from digest.subscribers.language import LANGUAGES

OTHERS = [code for code in LANGUAGES if code != ENGLISH.code]
_PLACE = re.compile(r"%(?:\((\w+)\)s|(.))")
_TYPED = re.compile(r"[<>&]|\s$|^\s|  | ' |[\x00-\x1f]")


@pytest.fixture(scope="module")
def tongues() -> dict[str, Tongue]:
    environments = Environments()
    return {code: environments.tongue(code) for code in LANGUAGES}


@pytest.mark.parametrize("code", OTHERS)
def test_a_catalogue_has_all_that_mails_say_and_no_more(code: str) -> None:
    known = read_catalogue((resource("templates") / CATALOGUES / f"{code}.po").read_text(encoding="utf-8"))
    assert known.keys() == spoken().keys()


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_has_the_same_places_for_values_as_in_english(code: str, tongues: dict[str, Tongue]) -> None:
    for one, many in spoken().items():
        for english, said in zip((one, many), tongues[code].messages[one], strict=True):
            assert sorted(_PLACE.findall(said)) == sorted(_PLACE.findall(english)), said
            assert not _TYPED.search(said), said
            # As it ends, so it ends: a sentence is one, what leads to an address does.
            assert said[-1:] in ".:?" if english[-1:] in ".:?" else said[-1:] not in ":?", said


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_template_says_nothing_past_the_catalogues(path: Path) -> None:
    assert bare_words(path) == []


def test_a_word_past_the_catalogues_would_be_seen(tmp_path: Path) -> None:
    bad = tmp_path / "body.html"
    bad.write_text('<p class="x">{{ _("Fine") }} Hello{{ "Some words" if x }}<!-- no --></p>')
    assert bare_words(bad) == ["Hello", "Some words"]


def test_english_has_no_catalogue_and_an_unknown_language_is_english() -> None:
    environments = Environments()
    assert environments.tongue("en") is environments.tongue("xx") is environments.tongue("../../x") is ENGLISH


def test_dates_numbers_and_lists_are_written_as_each_language_writes_them(tongues: dict[str, Tongue]) -> None:
    sunday, first = date(2026, 11, 22), date(2026, 5, 1)
    assert {code: on_weekday(sunday, tongue) for code, tongue in tongues.items()} == {
        "en": "Sunday, 22 November 2026",
        "de": "Sonntag, 22. November 2026",
        "fr": "dimanche 22 novembre 2026",
        "es": "domingo, 22 de noviembre de 2026",
    }
    assert [on(first, tongue) for tongue in tongues.values()] == [
        "1 May 2026",
        "1. Mai 2026",
        "1er mai 2026",
        "1 de mayo de 2026",
    ]
    hour = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
    assert [at_hour(hour, "UTC", tongue) for tongue in tongues.values()] == [
        "on Monday at 07:30 (UTC)",
        "am Montag um 07:30 Uhr (UTC)",
        "lundi à 07:30 (UTC)",
        "el lunes a las 07:30 (UTC)",
    ]
    counts = {"votes": 1, "stars": 1234}
    said = [" ".join(f"{one.figure} {one.word}" for one in numbers(counts, tongue)) for tongue in tongues.values()]
    assert said == [
        "1 upvote 1.2k stars",
        "1 Stimme 1,2\u00a0Tsd. Sterne",
        "1 vote 1,2\u00a0k étoiles",
        "1 voto 1,2\u00a0mil estrellas",
    ]
    assert [listing(["a", "b", "c"], tongue) for tongue in tongues.values()] == [
        "a, b and c",
        "a, b und c",
        "a, b et c",
        "a, b y c",
    ]


def test_what_interests_say_is_said_in_the_readers_language(tongues: dict[str, Tongue]) -> None:
    assert personal("topic", "100 % graphs", tongues["de"]) == "nahe an Ihrem Thema „100 % graphs“"
    assert personal("explore", "", tongues["fr"]) == "hors de vos centres d’intérêt"
    assert personal("author", "Ann Author", tongues["fr"]) == "signé Ann Author, un nom que vous suivez"  # and not `de Ann`
    assert method(1, 2, 1, tongues["de"]) == (
        "4 Paper: 1 passt zu Ihren Interessen, 2 werden viel beachtet und 1 ist etwas anderes."
    )
    assert notes(["arXiv", "50% feed"], tongues["es"]) == (
        "arXiv y 50% feed no se pudieron leer hoy; sus artículos llegarán después.",
    )


@pytest.mark.parametrize(
    ("reason", "german"),
    [
        ("1 upvote", "1 Stimme"),
        ("1,234 upvotes", "1.234 Stimmen"),
        ("128 upvotes, 30 more expected", "128 Stimmen, 30 weitere erwartet"),
        ("+1 vote in 1 h", "+1 Stimme in 1 Std."),
        ("took off on day 5: +1,090 votes in 12 h", "zog an Tag 5 an: +1.090 Stimmen in 12 Std."),
        ("+10 GitHub stars in 40 h", "+10 GitHub-Sterne in 40 Std."),
        ("top 3% of cs.CL today", "heute unter den besten 3\u00a0% von cs.CL"),
        ("top 3% of 50% of its day of its day", "an seinem Tag unter den besten 3\u00a0% von 50% of its day"),
        ("no. 1 of 148 listed that day", "Nr. 1 von 148 auf der Liste jenes Tages"),
        ("first seen yesterday", "gestern zum ersten Mal gesehen"),
        ("what an older program said", "what an older program said"),
        (", upvotes", ", upvotes"),
        ("9" * 5000 + " upvotes", "9" * 5000 + " upvotes"),
    ],
)
def test_a_reason_of_the_ranking_is_said_in_german(reason: str, german: str, tongues: dict[str, Tongue]) -> None:
    assert ranked(reason, tongues["de"]) == german
    assert ranked(reason, ENGLISH) == reason


@given(st.text(max_size=60), st.sampled_from(OTHERS))
def test_no_reason_is_too_strange_to_be_said(text: str, code: str) -> None:
    for reason in (text, f"top 5% of {text} today", f"took off on day 3: {text}", f"{text}, 3 more expected"):
        assert isinstance(ranked(reason, _TONGUES[code]), str)


_TONGUES = {code: Environments().tongue(code) for code in OTHERS}


def test_the_catalogue_of_the_operator_goes_before_ours(tmp_path: Path) -> None:
    (tmp_path / CATALOGUES).mkdir(parents=True)
    (tmp_path / CATALOGUES / "de.po").write_text('msgid "Unsubscribe"\nmsgstr ""\n"Ab"\n"bestellen"\n', encoding="utf-8")
    tongue = Environments(tmp_path).tongue("de")
    assert (tongue.say("Unsubscribe"), tongue.say("Why")) == ("Abbestellen", "Warum")


@pytest.mark.parametrize("text", ["msgid Why", '"Why"', 'msgstr "x"', 'msgid "a"\nmsgstr[2] "b"', 'msgid "\\x"', "\x00"])
def test_a_broken_catalogue_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match=r"line [12]"):
        read_catalogue(text)
    (tmp_path / CATALOGUES).mkdir(parents=True)
    (tmp_path / CATALOGUES / "fr.po").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"fr\.po: line"):
        Environments(tmp_path).tongue("fr")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('msgid "Why"\n\nmsgid "Unsubscribe"\nmsgstr "x"', "line 1: no msgstr follows"),
        ('msgid "Why"\nmsgstr "x"\n\nmsgid "Unsubscribe"', "line 4: no msgstr follows"),
        ('msgid "Why"\nmsgstr "x"\nmsgstr "y"', "line 3: a second msgstr"),
        ('msgid "Why"\nmsgstr "x"\n\nmsgid "Why"\nmsgstr ""', "line 4: a second entry for 'Why'"),
        ('msgid "Why"\nmsgstr "Warum', "line 2 is no line"),
        ('msgid "Why"\nmsgstr “Warum”', "line 2 is no line"),
    ],
)
def test_a_slip_in_a_catalogue_is_told_rather_than_mailed(text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        read_catalogue(text)


def test_what_a_translators_tool_only_guessed_is_not_said() -> None:
    guessed = '# Ann\n#, fuzzy, python-format\n#| msgid "Whence"\nmsgid "Why"\nmsgstr "Woher"\n\nmsgid "a"\nmsgstr "b"\n'
    dropped = '#, fuzzy\n#~ msgid "Whence"\n#~ msgstr "Woher"\n\nmsgid "c"\nmsgstr "d"\n'
    assert read_catalogue(guessed + dropped) == {"a": ("b", "b"), "c": ("d", "d")}


@pytest.mark.parametrize("said", ["%(nme)s", "50 % of %(name)s", "%s", "%(name)d", "%"])
def test_a_text_that_names_other_values_than_english_does_is_refused(said: str) -> None:
    with pytest.raises(BadInput, match="names other values"):
        read_catalogue(f'msgid "Welcome, %(name)s"\nmsgstr "{said}"')
    assert read_catalogue('msgid "Welcome, %(name)s"\nmsgstr "100 %% %(name)s"')
    assert read_catalogue(f'msgid "As it stands"\nmsgstr "{said}"')


@given(st.text(max_size=200))
def test_a_file_is_read_as_a_catalogue_or_refused(text: str) -> None:
    with suppress(BadInput):
        assert all(english and one and many for english, (one, many) in read_catalogue(text).items())
