"""When are two sightings one paper? Canonical ids, and title with first author where there is no id.

Ids are written `scheme:value`. An arXiv id has no version (its paper is the same in every version); a DOI is lower case
(they are case-insensitive, ISO 26324) and the DOIs that arXiv registers are arXiv ids.
"""

import re
import unicodedata
from collections.abc import Iterable

from digest.papers.model import Work

SCHEMES = ("arxiv", "doi", "openreview", "biorxiv", "title")
"""Strongest first."""

# https://info.arxiv.org/help/arxiv_identifier.html; the subject class of an old id (math.GT/0309136) is no part of it.
_ARXIV = re.compile(
    r"(?:(?P<new>\d\d(?P<month>\d\d)\.\d{4,5})"
    r"|(?P<archive>[a-z]+(?:-[a-z]+)?)(?:\.[a-z]{2})?/(?P<number>\d\d(?P<old_month>\d\d)\d{3}))(?:v\d+)?",
    re.ASCII,
)
_ARXIV_PREFIX = re.compile(
    r"(?:https?://)?(?:(?:www\.|export\.)?arxiv\.org/(?:abs|pdf|html)/|huggingface\.co/papers/)|arxiv:\s*|oai:arxiv\.org:"
)
_ARXIV_DOI = "10.48550/arxiv."
_DOI_PREFIX = re.compile(r"(?:https?://)?(?:dx\.|www\.)?doi\.org/|doi:\s*")
_DOI = re.compile(r"10\.[0-9]{4,9}/[^\s\"<>{}|\\^`]{1,200}")
_NOT_WORD = re.compile(r"[\W_]+")


def arxiv_id(text: str) -> str | None:
    """The canonical id of an arXiv identifier or address in any of its spellings; None if `text` is neither.

    >>> arxiv_id("https://arxiv.org/pdf/2511.04321v3.pdf")
    'arxiv:2511.04321'
    """
    spelled = text.strip().lower()
    if prefix := _ARXIV_PREFIX.match(spelled):
        # What follows `?` and `#` in an address leads to the same paper.
        spelled = spelled[prefix.end() :].partition("?")[0].partition("#")[0].rstrip("/").removesuffix(".pdf")
    match = _ARXIV.fullmatch(spelled)
    if not match or not 1 <= int(match["month"] or match["old_month"]) <= 12:
        return None
    return f"arxiv:{match['new'] or match['archive'] + '/' + match['number']}"


def doi(text: str) -> str | None:
    """The canonical id of a DOI in any of its spellings (an arXiv id for arXiv's own); None if `text` is none."""
    spelled = text.strip().lower()
    if prefix := _DOI_PREFIX.match(spelled):
        spelled = spelled[prefix.end() :]
    if spelled.startswith(_ARXIV_DOI):
        return arxiv_id(spelled.removeprefix(_ARXIV_DOI))
    return f"doi:{spelled}" if _DOI.fullmatch(spelled) and spelled.isprintable() else None


def normalised_title(title: str) -> str:
    """A title reduced to what two spellings of it share: its letters and digits, in one case, without accents."""
    # Compatibility forms hide capitals (mathematical letters, `™`): they are taken apart before the case is folded.
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", title).casefold())
    return _NOT_WORD.sub(" ", "".join(c for c in plain if not unicodedata.combining(c))).strip()


def family_name(author: str) -> str:
    """The name that authors are compared by: the last word, or what stands before a comma (`Doe, J.`)."""
    before_comma, comma, _ = author.partition(",")
    words = normalised_title(before_comma if comma else author).split()
    return words[-1] if words else ""


def title_key(work: Work) -> str:
    """The canonical id of a work that has no better one."""
    author = family_name(work.authors[0]) if work.authors else ""
    return f"title:{normalised_title(work.title)}|{author}"[:500]


def same_work(one: Work, other: Work) -> bool:
    """Whether two works that do not both have a strong id are the same: title, and first author where both tell one."""
    title = normalised_title(one.title)
    if not title or title != normalised_title(other.title):
        return False
    return not (one.authors and other.authors) or family_name(one.authors[0]) == family_name(other.authors[0])


def strongest(ids: Iterable[str]) -> str:
    """The id to call a paper by."""
    return min(ids, key=lambda id_: (SCHEMES.index(scheme) if (scheme := id_.split(":", 1)[0]) in SCHEMES else 9, id_))
