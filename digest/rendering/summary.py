"""The sentences of an abstract that say what a paper does: chosen, never rewritten."""

import re

from digest.papers.text import shorten

LIMIT = 280

_END = re.compile(
    r"[.!?]+[\"'”’)\]]*(?=\s+[\"'“‘(\[]*[^\W_])"
    r"|(?<=[a-z]{3})\.(?=(?:We|In|The|This|These|Our|To|It|However|Experiments) )"  # a blank lost at the end of a line
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
_AUTHORS = (
    r"\b(?:we|(?:in )?this (?:paper|work|article|study|report|survey|letter|thesis|dissertation))"
    r"(?: also| then| first| further)?,?(?: we)?(?: \w+ly)? "
)
_MAKES = re.compile(
    _AUTHORS
    + r"(?:propose|introduce|present|develop|describe|design|build|release|offer|provide|formulate|establish|construct|"
    r"create|devise|contribute)s?\b",
    re.IGNORECASE,
)
_FINDS = re.compile(
    _AUTHORS
    + r"(?:show|demonstrate|study|investigate|explore|address|prove|analy[sz]e|examine|report|consider|argue|find|derive|"
    r"evaluate|revisit|observe)s?\b",
    re.IGNORECASE,
)
_LEAD_IN = re.compile(
    r"(?:(?:(?:in order )?to (?:address|tackle|solve|overcome|bridge|fill|mitigate|resolve|close) (?:these|this|the|such)"
    r"[^,.]{0,60}"
    r"|in (?:this|the present|our) (?:paper|work|article|study|report|letter)|here|therefore|thus|hence|then|next"
    r"|to (?:this|that) end|in response|motivated by this|\w+ly),? )(?=we\b|in (?:this|our))",
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
    sentences = split_sentences(abstract[labelled.end() :] if labelled else abstract)
    telling = (at for pattern in (_MAKES, _FINDS) for at, sentence in enumerate(sentences) if pattern.search(sentence))
    start = next(telling, 0)
    chosen = sentences[start : start + 2]
    while chosen and (lead := _LEAD_IN.match(chosen[0])):
        rest = chosen[0][lead.end() :]
        chosen[0] = rest[:1].upper() + rest[1:]
    return _fitted(chosen, limit)


def first_sentences(text: str, limit: int = LIMIT) -> str:
    """The first two sentences of a text that is a summary already, cut like those of `two_sentences`."""
    return _fitted(split_sentences(text)[:2], limit)


def split_sentences(text: str) -> list[str]:
    """The sentences of English scientific prose, with their full stops.

    >>> split_sentences("See Smith et al. (2020), e.g. Fig. 3. It gains 2.5 points. J. Doe agrees.")
    ['See Smith et al. (2020), e.g. Fig. 3.', 'It gains 2.5 points.', 'J. Doe agrees.']
    """
    sentences: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if _ends(text, end):
            sentences.append(text[start : end.end()].strip())
            start = end.end()
    sentences.append(text[start:].strip())
    return [sentence for sentence in sentences if sentence]


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
