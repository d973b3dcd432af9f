"""Reads the text of a trending-papers page, as it is copied from a browser: titles and abstracts in turn.

The page has no ids, dates or votes, and none are made up. Its rule:

* Furniture is dropped: counts (`128`, `1.2k`), lines that begin with a dot (`· 14 authors`), `Upvote`, `Submitted by` and the
  name after it, the invitation to subscribe, and its button, which a copied page glues to the first title.
* A line of more than 300 characters is an abstract. A shorter one that ends like a sentence (below 80 characters: four words
  or more, and a full stop) is an abstract where a title waits for one, and else a title. Every other line is a title.
* A title and the abstract that follows it are a paper. A title or abstract alone is reported, with its line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from digest.errors import BadInput
from digest.papers.identity import normalised_title
from digest.papers.model import Reading, Sighting, Work
from digest.papers.text import MAX_ABSTRACT, MAX_TITLE, clean
from digest.sources.parsed import Parsed, Problem

LONGEST_HEADING = 300
SHORTEST_PROSE = 80
FEWEST_WORDS = 4

_COUNT = r"[+▲]?\s*\d[\d.,]*\s*[km]?"
_FURNITURE = re.compile(
    rf"{_COUNT}|[·•].*|(?:{_COUNT}\s*)?(?:authors?|comments?|upvotes?|votes?|stars?|likes?)(?:\s*{_COUNT})?"
    rf"|github(?:\s*{_COUNT})?|(?:view )?arxiv(?: page)?|(?:view )?pdf|submitted by\b.*|published on\b.*"
    r"|subscribe|trending papers|daily|weekly|monthly|by ak and the research community",
    re.IGNORECASE,
)
_INVITATION = re.compile(r"get trending papers in your email inbox.*", re.IGNORECASE)
_GLUED_BUTTON = re.compile(r"^Subscribe(?=[^\sa-z:,.-]|[a-z][A-Z])")
_SENTENCE_END = re.compile(r"[.!…。][)\]\"'\u201d\u2019]*$|https?://\S+$")
_HTML = re.compile(r"\s*(?:<!doctype html|<html\b)", re.IGNORECASE)

Shape = Literal["heading", "sentence", "prose"]


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str
    after_submitter: bool = False

    @property
    def shape(self) -> Shape:
        if len(self.text) > LONGEST_HEADING:
            return "prose"
        if len(self.text) >= SHORTEST_PROSE:
            return "sentence" if _SENTENCE_END.search(self.text) else "heading"
        return "sentence" if self.text.endswith(".") and len(self.text.split()) >= FEWEST_WORDS else "heading"


def parse(text: str | bytes, *, source: str, seen_at: datetime) -> Parsed:
    """The papers of a page in its order, each with its rank in it; what cannot be paired is a problem with its line.

    Raises:
        BadInput: this is not plain text, or is the page's HTML.
    """
    decoded = (text if isinstance(text, str) else text.decode("utf-8", "replace")).removeprefix("\ufeff")
    if "\x00" in decoded:
        raise BadInput("this is not plain text in UTF-8", fix="save the page as UTF-8 text")
    if _HTML.match(decoded):
        raise BadInput("this is the HTML of a page, not its text", fix="copy the page's text from the browser and save that")
    lines = _without_names(_content(decoded))
    problems = [Problem(line.number, "has bytes that are not UTF-8") for line in lines if "\ufffd" in line.text]
    sightings: list[Sighting] = []
    first_lines: dict[str, int] = {}
    for title, abstract in _pairs(lines, problems):
        if not (key := normalised_title(clean(title.text, MAX_TITLE))):
            problems.append(Problem(title.number, f"this is no title: {clean(title.text, 60)!r}"))
        elif (first := first_lines.setdefault(key, title.number)) != title.number:
            problems.append(Problem(title.number, f"the same paper as in line {first}"))
        else:
            work = Work(title=clean(title.text, MAX_TITLE), abstract=clean(abstract.text, MAX_ABSTRACT))
            rank = Reading(source, "rank", len(sightings) + 1, seen_at)
            sightings.append(Sighting(source, seen_at, work, readings=(rank,)))
    return Parsed(tuple(sightings), tuple(sorted(problems, key=lambda problem: problem.line or 0)))


def _content(text: str) -> list[_Line]:
    """The lines that are no furniture."""
    content: list[_Line] = []
    invited, after_submitter = True, False
    for number, raw in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        line = _GLUED_BUTTON.sub("", raw.strip()) if invited else raw.strip()
        if _INVITATION.fullmatch(line):
            invited = True
        elif not line or _is_furniture(line):
            after_submitter = after_submitter or line.lower().rstrip(":") == "submitted by"
        else:
            content.append(_Line(number, line, after_submitter))
            invited = after_submitter = False
    return content


def _is_furniture(line: str) -> bool:
    return len(line) < SHORTEST_PROSE and (_FURNITURE.fullmatch(line) is not None or not any(c.isalnum() for c in line))


def _without_names(lines: list[_Line]) -> list[_Line]:
    """Drop the names that follow `Submitted by`: a single word, or a heading that has no abstract after it."""
    following = [line.shape for line in lines[1:]] + ["heading"]
    return [
        line
        for line, next_shape in zip(lines, following, strict=False)
        if not (line.after_submitter and line.shape == "heading" and (" " not in line.text or next_shape == "heading"))
    ]


def _pairs(lines: list[_Line], problems: list[Problem]) -> Iterator[tuple[_Line, _Line]]:
    """Titles with their abstracts; those that have none of the other become problems."""
    title: _Line | None = None
    for line in lines:
        if title and line.shape != "heading":
            yield title, line
            title = None
        elif line.shape == "prose":
            problems.append(Problem(line.number, f"an abstract without a title: {clean(line.text, 60)!r}"))
        else:
            if title:
                problems.append(_no_abstract(title))
            title = line
    if title:
        problems.append(_no_abstract(title))


def _no_abstract(title: _Line) -> Problem:
    return Problem(title.number, f"a title without an abstract: {clean(title.text, 60)!r}")
