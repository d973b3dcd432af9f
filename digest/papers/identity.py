"""When are two sightings one paper? Canonical ids, and title with first author where ids do not tell.

Ids are written `scheme:value`. An arXiv id has no version (its paper is the same in every version); a DOI is lower case
(they are case-insensitive, ISO 26324) and the DOIs that arXiv registers are arXiv ids. An id of an index or a feed says no more
than that somebody listed the paper: two of them may well be one paper.
"""

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import unquote

from digest.papers.model import Work

SCHEMES = ("arxiv", "doi", "openreview", "biorxiv", "s2", "openalex", "feed", "title")
"""Strongest first."""
WEAK = frozenset({"s2", "openalex", "feed", "title"})
"""Those of whose ids one paper may have several."""
TELLING_TITLE = 3
"""Words of a title that no two papers share by chance; `Editorial` they do."""

# https://info.arxiv.org/help/arxiv_identifier.html; the subject class of an old id (math.GT/0309136) is no part of it.
_ARXIV = re.compile(
    r"(?:(?P<new>\d\d(?P<month>\d\d)\.\d{4,5})"
    r"|(?P<archive>[a-z]{1,12}(?:-[a-z]{1,12})?)(?:\.[a-z]{2})?/(?P<number>\d\d(?P<old_month>\d\d)\d{3}))(?:v\d+)?",
    re.ASCII,
)
_ARXIV_PREFIX = re.compile(
    r"(?:https?://)?(?:(?:www\.|export\.)?arxiv\.org/(?:abs|pdf|html)/|huggingface\.co/papers/)|arxiv:\s*|oai:arxiv\.org:"
)
_ARXIV_DOI = "10.48550/arxiv."
LONGEST_DOI = 300
_DOI_PREFIX = re.compile(
    r"(?:https?://)?(?:(?:dx\.|www\.)?doi\.org|(?:www\.)?(?:bio|med)rxiv\.org/content)/|(?:(?:urn|info):)?doi[:/ ]\s*"
)
_DOI = re.compile(r"10\.[0-9]{4,9}/[^\s\"<>{}|\\^`]{1,200}")
# bioRxiv and medRxiv add version and view to it in their addresses.
_PREPRINT = re.compile(
    r"(10\.(?:1101|64898)/(?:[0-9]{4}\.[0-9]{2}\.[0-9]{2}\.)?[0-9]{6,10})(?:v[0-9]{1,3})?(?:\.[a-z.-]{1,40})?"
)
_BRACKETS = {")": "(", "]": "[", ">": "<"}
_NOT_WORD = re.compile(r"[\W_]+")
_ASCII = "".join(chr(n).lower() if chr(n).isalnum() else " " for n in range(128))
"""The same for `str.translate`: small letters, digits, and blanks for all else."""
_GENERATIONS = frozenset({"jr", "sr", "ii", "iii", "iv"})

# Letters that Unicode does not take apart, as they are written without accents; and Greek as TeX names it.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ȷ": "j"}) | dict(
    zip(
        map(ord, "αβγδεζηθικλμνξοπρστυφχψως"),
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi psi"
        " omega sigma".split(),
        strict=True,
    )
)
_TEX = re.compile(r"[\\${}]")
_TEX_MATH = re.compile(r"\$([^$]*)\$")
_TEX_ACCENT = re.compile(r"""\\(?:["'`^~=.]|[bcdHkrtuv](?![A-Za-z]))\s*(?:\{\s*\\?([A-Za-z]+)\s*\}|\\?([A-Za-z]))""")
_TEX_LETTER = re.compile(r"\\(aa|AA|ae|AE|oe|OE|ss|th|TH|dh|DH|dj|DJ|ell|times|[oOlLij])(?![A-Za-z])\s*")
_TEX_LETTERS = {"aa": "a", "dh": "d", "dj": "d", "ell": "l", "times": " "}
_TEX_FORM = re.compile(
    r"\\(?:math[a-z]+|text[a-z]*|emph|em|it|bf|rm|sc|sl|tt|mbox|operatorname|boldsymbol|bm|ensuremath|left|right)(?![A-Za-z])\s*"
)
_TEX_COMMAND = re.compile(r"\\(?:var(?=epsilon|theta|kappa|pi|rho|sigma|phi))?([A-Za-z])")


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
    spelled = text.strip().lower().lstrip("([<")
    if prefix := _DOI_PREFIX.match(spelled):
        spelled = spelled[prefix.end() :]
        if "/" in prefix[0]:
            # In an address a DOI ends where the query begins, and some of its characters may be coded.
            spelled = spelled.partition("?")[0].partition("#")[0].rstrip("/")
            plain = unquote(spelled).lower()
            spelled = plain if _DOI.fullmatch(plain) and "\ufffd" not in plain else spelled
    spelled = _without_punctuation(spelled)
    if preprint := _PREPRINT.fullmatch(spelled):
        spelled = preprint[1]
    if spelled.startswith(_ARXIV_DOI):
        return arxiv_id(spelled.removeprefix(_ARXIV_DOI))
    return f"doi:{spelled}" if _DOI.fullmatch(spelled) and spelled.isprintable() else None


def _without_punctuation(spelled: str) -> str:
    """A DOI without what the sentence around it has left at its end: a full stop, a bracket that nothing in it opens."""
    end = len(spelled) if len(spelled) <= LONGEST_DOI else 0
    while end and (
        spelled[end - 1] in ".,;:"
        or (
            spelled[end - 1] in _BRACKETS
            and spelled.count(_BRACKETS[spelled[end - 1]], 0, end) < spelled.count(spelled[end - 1], 0, end)
        )
    ):
        end -= 1
    return spelled[:end]


def normalised_title(title: str) -> str:
    r"""A title reduced to what two spellings of it share: its letters and digits, in one case, without accents.

    >>> normalised_title(r"Schr\"odinger's $\alpha$-Nets") == normalised_title("Schrödinger’s α-nets")
    True
    """
    return " ".join(normalised_words(title))


def normalised_words(text: str) -> list[str]:
    """The words of a text in that form."""
    plain = _without_tex(text) if _TEX.search(text) else text
    if not plain.isascii():
        # Compatibility forms hide capitals (mathematical letters, `™`): they are taken apart before the case is folded.
        plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", plain).casefold())
        plain = "".join(c for c in plain if not unicodedata.combining(c)).translate(_PLAIN)
    # A table is eight times as quick as the expression, but has ASCII only.
    return (plain.translate(_ASCII) if plain.isascii() else _NOT_WORD.sub(" ", plain)).split()


def _without_tex(text: str) -> str:
    r"""TeX reduced to its letters: accents go, `\alpha` is `alpha`, `$L_2$` is `L2`, and what only forms text says nothing."""
    text = _TEX_MATH.sub(lambda math: re.sub(r"[_^]", "", math[1]), text)
    text = _TEX_ACCENT.sub(lambda accent: accent[1] or accent[2], text)
    text = _TEX_LETTER.sub(lambda letter: _TEX_LETTERS.get(letter[1].lower(), letter[1]), text)
    text = _TEX_COMMAND.sub(r"\1", _TEX_FORM.sub("", text))
    return re.sub(r"[{}$]", "", text)


def family_name(author: str) -> str:
    """The name that authors are compared by: the last word, or what stands before a comma (`Doe, J.`); not `Jr.` or `III`."""
    before_comma, comma, _ = author.partition(",")
    words = normalised_title(before_comma if comma else author).split()
    while len(words) > 1 and words[-1] in _GENERATIONS:
        words.pop()
    return words[-1] if words else ""


def title_key(work: Work) -> str:
    """The canonical id of a work that has no better one."""
    author = family_name(work.authors[0]) if work.authors else ""
    return f"title:{normalised_title(work.title)}|{author}"[:500]


def same_work(one: Work, other: Work, ids: Iterable[str] = (), other_ids: Iterable[str] = ()) -> bool:
    """Whether two works that share no id are the same all the same: by title, and by first author where both tell one.

    Where both have ids, the title must be a telling one, or both must tell the author. Where both have strong ids, both is
    asked for, and two ids of one strong scheme are two works.
    """
    title = normalised_title(one.title)
    if not title or title != normalised_title(other.title):
        return False
    both_tell = bool(one.authors and other.authors)
    if both_tell and family_name(one.authors[0]) != family_name(other.authors[0]):
        return False
    schemes, others = _schemes(ids), _schemes(other_ids)
    if not schemes or not others:
        return True
    telling = len(title.split()) >= TELLING_TITLE
    if schemes <= WEAK or others <= WEAK:
        return telling or both_tell
    return telling and both_tell and schemes.isdisjoint(others - WEAK)


def of_one_paper(ids: Iterable[str]) -> tuple[str, ...]:
    """Those of the ids told of a paper, in the order of their weight, that can be its: two of arXiv are two papers."""
    ids = tuple(dict.fromkeys(ids))
    first = next((id_ for id_ in ids if _scheme(id_) == "arxiv"), None)
    return tuple(id_ for id_ in ids if _scheme(id_) != "arxiv" or id_ == first)


def strongest(ids: Iterable[str]) -> str:
    """The id to call a paper by."""
    return min(ids, key=_strength)


def strongest_first(ids: Iterable[str]) -> tuple[str, ...]:
    """Ids in the order of their strength, each once."""
    return tuple(sorted(set(ids), key=_strength))


def _strength(id_: str) -> tuple[int, str]:
    scheme = _scheme(id_)
    return SCHEMES.index(scheme) if scheme in SCHEMES else len(SCHEMES), id_


def _schemes(ids: Iterable[str]) -> frozenset[str]:
    """The schemes of real ids: a title is none."""
    return frozenset(map(_scheme, ids)) - {"title"}


def _scheme(id_: str) -> str:
    return id_.partition(":")[0]
