"""Why a pick is in a mail: what the reader's interests say for it, what the ranking says, and how the cards came about."""

import re
from functools import cache

from digest.edition.model import How
from digest.papers.text import MAX_NAME, clean
from digest.rendering.tongue import ENGLISH, Tongue, counted, messages
from digest.rendering.words import listing

_WORDS = dict(
    zip(
        ("topic", "keyword", "author", "category", "liked"),
        messages(
            "close to your topic “%(what)s”",
            "has your keyword “%(what)s”",
            "by %(what)s, whom you follow",
            "in %(what)s, which you follow",
            "like papers you liked: %(what)s",
        ),
        strict=True,
    )
)
_RANKED = (
    counted("%(number)s upvote", "%(number)s upvotes"),
    counted("+%(number)s vote in %(hours)s h", "+%(number)s votes in %(hours)s h"),
    counted("%(number)s comment", "%(number)s comments"),
    counted("%(number)s GitHub star", "%(number)s GitHub stars"),
    counted("+%(number)s GitHub star in %(hours)s h", "+%(number)s GitHub stars in %(hours)s h"),
    *(
        (one, one)
        for one in messages(
            "new today",
            "new yesterday",
            "first seen today",
            "first seen yesterday",
            "of the kind that an editor chose",
            "top %(share)s%% of %(field)s today",
            "top %(share)s%% of %(field)s of its day",
            "no. %(place)s of %(of)s listed today",
            "no. %(place)s of %(of)s listed that day",
            "took off on day %(day)s: %(told)s",
            "%(told)s, %(number)s more expected",
        )
    ),
)
"""All that `ranking.trending` gives as reasons. An edition keeps them in English; here they are taken apart."""
_PLACE = re.compile(r"%\((\w+)\)s")


def label(*, explore: bool, tongue: Tongue = ENGLISH) -> str:
    """The word before the reasons."""
    return tongue.say("Something else") if explore else tongue.say("Why")


def personal(how: How, matched: str, tongue: Tongue = ENGLISH) -> str:
    """Why a pick is here for this reader; empty where only the ranking speaks for it."""
    if how == "explore":
        return tongue.say("outside your interests")
    matched = clean(matched, MAX_NAME)
    if not matched:
        return tongue.say("like papers you liked") if how == "liked" else ""
    return tongue.say(_WORDS[how], what=matched) if how in _WORDS else ""


def ranked(reason: str, tongue: Tongue) -> str:
    """What the ranking says for a paper, in this language; what it never said stays as it is.

    >>> ranked("+1,234 votes in 12 h", ENGLISH)
    '+1,234 votes in 12 h'
    """
    if tongue.code == ENGLISH.code:
        return reason
    for pattern, one, many in _patterns():
        if found := pattern.fullmatch(reason):
            values = {name: _value(name, text, tongue) for name, text in found.groupdict().items()}
            number = int(found.groupdict().get("number", "1").replace(",", ""))
            return tongue.count(one, many, number, **values)
    return reason


def _value(name: str, text: str, tongue: Tongue) -> str:
    if name == "told":
        return ranked(text, tongue)
    return text if name == "field" else tongue.number(text)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str, str], ...]:
    """What each of the texts looks like when its values are in it."""
    return tuple((_pattern(text), one, many) for one, many in _RANKED for text in dict.fromkeys((one, many)))


def _pattern(english: str) -> re.Pattern[str]:
    texts = [re.escape(text.replace("%%", "%")) for text in _PLACE.split(english)]
    texts[1::2] = [rf"(?P<{name}>{'.+' if name in ('told', 'field') else '[0-9][0-9,]{0,20}'})" for name in texts[1::2]]
    return re.compile("".join(texts))


def method(his: int, trending: int, outside: int, tongue: Tongue = ENGLISH) -> str:
    """`10 papers: 5 match your interests, 4 are trending and 1 is something else.`; empty where all are trending."""
    if not his and not outside:
        return ""
    total = his + trending + outside
    parts = [
        (his, tongue.count("%(number)s matches your interests", "%(number)s match your interests", his, number=his)),
        (trending, tongue.count("%(number)s is trending", "%(number)s are trending", trending, number=trending)),
        (outside, tongue.count("%(number)s is something else", "%(number)s are something else", outside, number=outside)),
    ]
    papers = tongue.count("%(number)s paper", "%(number)s papers", total, number=total)
    return tongue.say(
        "%(papers)s: %(parts)s.", papers=papers, parts=listing([words for number, words in parts if number], tongue)
    )
