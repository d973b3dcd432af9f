"""The sentences of an abstract that say what a paper does: chosen, never rewritten."""

import re
from bisect import bisect_right
from itertools import islice, pairwise

from digest.papers.text import shorten

LIMIT = 280

# Patterns begin with a set of characters: `re` skips to one of them, and is thrice as quick.
_END = re.compile(
    r"[.!?](?:(?<=[a-z]{3}\.)(?=(?:We|In|The|This|These|Our|To|It|However|Experiments) )"  # a blank lost at the end of a line
    r"|[.!?]*[\"'”’)\]]*(?=\s+[\"'“‘(\[]*[^\W_]))"
)
_LAST_WORD = re.compile(r"[\w.\-&'’]*$")
_ABBREVIATIONS = frozenset(
    (
        "e.g i.e cf vs viz resp approx ca no nos fig figs eq eqs sec secs tab ref refs vol ch pp dr prof mr mrs ms st dept "
        "univ w.r.t i.i.d a.k.a ph.d u.s u.k"
    ).split()
)
_OFTEN_LAST = frozenset({"al", "etc", "inc", "ltd", "co", "corp", "jr", "a.m", "p.m"})
"""Abbreviations that may end a sentence too; a word that only starts sentences then decides."""
_STARTERS = frozenset(
    (
        "We Our The This These In It However To Here As For By Although While Moreover Furthermore Finally Experiments Results"
    ).split()
)

_LABEL = re.compile(
    r"(?:abstract|summary|tl;?dr|background|motivation|objectives?|purpose|introduction)\s*(?:[:.\-–—]+\s+)", re.IGNORECASE
)
_PAPER = "this (?:paper|work|article|study|report|survey|letter|thesis|dissertation)"
# Without the first letter.
_AUTHORS = rf"(?:(?<=w)e|(?<=i)n {_PAPER}|(?<=t){_PAPER[1:]})(?: also| then| first| further)?,?(?: we)?(?: \w+ly)? "
_MAKES = (
    "propose|introduce|present|develop|describe|design|build|release|offer|provide|formulate|establish|construct|"
    "create|devise|contribute"
)
_FINDS = (
    "show|demonstrate|study|investigate|explore|address|prove|analy[sz]e|examine|report|consider|argue|find|derive|"
    "evaluate|revisit|observe"
)
_SAYS = re.compile(rf"[ITWitw](?<=\b.)(?i:{_AUTHORS}(?:({_MAKES})|{_FINDS})s?)\b")
"""That the authors did something, within one sentence; the group is there where they made something."""
_LEAD_IN = re.compile(
    r"(?:moreover|furthermore|further|additionally|in addition|besides|however|secondly|second|lastly|finally), "
    r"|(?:(?:(?:in order )?to (?:address|tackle|solve|overcome|bridge|fill|mitigate|resolve|close) (?:these|this|the|such)"
    r"[^,.]{0,60}|(?:motivated|inspired|guided|driven) by (?:this|these)[^,.]{0,60}|with (?:this|these) in mind"
    r"|in (?:this|the present|our) (?:paper|work|article|study|report|letter)|here|therefore|thus|hence|then|next"
    r"|to (?:this|that) end|in response|\w+ly),? )"
    rf"(?=we\b|in (?:this|our)|{_PAPER})",
    re.IGNORECASE,
)
_ENOUGH = 120


def two_sentences(abstract: str, limit: int = LIMIT) -> str:
    """What the paper does, in at most two sentences of its abstract and `limit` characters; empty for an empty abstract.

    It begins with the first sentence that says what the authors made, else what they found, else with the first one. What
    is shown stands in the abstract letter for letter and in one piece, but for the capital letter where a lead-in ("In this
    paper, we …") was cut; a sentence that is cut ends in an ellipsis.
    """
    abstract = abstract.strip()
    labelled = _LABEL.match(abstract)
    text = abstract[labelled.end() :] if labelled else abstract
    chosen = sentences_from(text, _telling(text), 2)
    while chosen and (lead := _LEAD_IN.match(chosen[0])):
        rest = chosen[0][lead.end() :]
        chosen[0] = rest[:1].upper() + rest[1:]
    return _fitted(chosen, limit)


def first_sentences(text: str, limit: int = LIMIT) -> str:
    """The first two sentences of a text that is a summary already, cut like those of `two_sentences`."""
    return _fitted(sentences_from(text, 0, 2), limit)


def _telling(text: str) -> int:
    """Where the authors first say what they made, or else what they found; 0 where they say neither."""
    found: list[int] = []
    for said in _SAYS.finditer(text):
        if said[1]:
            return said.start()
        found.append(said.start())
    return min(found, default=0)


def sentences_from(text: str, at: int, count: int) -> list[str]:
    """So many sentences of English scientific prose with their full stops, from the one in which a place lies.

    >>> sentences_from("See Smith et al. (2020), e.g. Fig. 3. It gains 2.5 points. J. Doe agrees.", 0, 2)
    ['See Smith et al. (2020), e.g. Fig. 3.', 'It gains 2.5 points.']
    """
    stops = list(_END.finditer(text))
    after = bisect_right(stops, at, key=re.Match.end)
    begin = next((stop.end() for stop in reversed(stops[:after]) if _ends(text, stop)), 0)
    # Whether a stop ends a sentence is only asked around there.
    ends = islice((stop.end() for stop in stops[after:] if _ends(text, stop)), count)
    parts = [text[one:other].strip() for one, other in pairwise([begin, *ends, len(text)])]
    return [part for part in parts[:count] if part]


def _ends(text: str, end: re.Match[str]) -> bool:
    following = text[end.end() :].lstrip()
    first = following.lstrip("\"'“‘([")[:1]
    if not end[0].startswith(".") or end[0].startswith(".."):
        return not first.islower()
    word = _LAST_WORD.search(text[max(0, end.start() - 30) : end.start()])
    last = word[0].lower().strip("'’") if word else ""
    if last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha() and word and word[0].isupper()):
        return False
    if last in _OFTEN_LAST:
        return following.split(maxsplit=1)[0].rstrip(",") in _STARTERS
    # A product may begin with a small letter (`iPhone`), a continuation always does.
    return not first.islower() or bool(re.match(r"[a-z]+[A-Z]", following))


def _fitted(sentences: list[str], limit: int) -> str:
    """As many whole sentences as fit; a second one is cut only when the first alone would say too little."""
    if not sentences:
        return ""
    both = " ".join(sentences)
    if len(both) <= limit:
        return both
    if _ENOUGH <= len(sentences[0]) <= limit:
        return sentences[0]
    return shorten(both, limit)
