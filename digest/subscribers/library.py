"""What a reader pastes to say which papers he likes: arXiv ids, DOIs, addresses and BibTeX, in any mixture.

It comes from anybody. So it is limited in every direction, entries of BibTeX are told apart before they are parsed, and what is
wrong with one of them costs that one alone.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from digest.errors import BadInput
from digest.papers.identity import arxiv_id, doi, normalised_title, strongest_first, title_key
from digest.papers.model import Work
from digest.papers.text import MAX_ABSTRACT, MAX_AUTHORS, MAX_NAME, MAX_TITLE, clean
from digest.subscribers.model import MAX_KEY, MAX_RATED

MAX_TEXT = 4 * 1024 * 1024
"""Characters: a thousand papers with their abstracts."""
MAX_ENTRY = 30_000
MAX_DEPTH = 20
MAX_SIGNS = 150
"""Of fields and of texts that are joined: what an abstract may have of them is far less."""
MAX_LINE = 20_000
MAX_UNREAD = 300
"""Who has so many lines that cannot be read has given something else."""

_HEADER = re.compile(r"^[ \t]*@[ \t]*([A-Za-z]{1,30})[ \t]*[{(]", re.MULTILINE)
_BRACKET = re.compile(r"[{}()]")
_NO_PAPER = frozenset({"comment", "preamble", "string"})
_REMARK = ("%", "#", "//")
_TRAILING = ".,;:!?'\"”’»>]})"
# Whatever looks like an id or address of a paper; `arxiv_id` and `doi` have the last word.
_CANDIDATE = re.compile(
    r"https?://[^\s\"<>]{1,400}"
    r"|\b(?:arxiv|doi):\s{0,3}[^\s\"<>,]{1,200}"
    r"|\b(?:www\.|export\.|dx\.)?(?:arxiv|doi)\.org/[^\s\"<>]{1,400}"
    r"|\b10\.[0-9]{4,9}/[^\s\"<>]{1,200}"
    r"|(?<![\w./-])[0-9]{4}\.[0-9]{4,5}(?:v[0-9]{1,3})?(?![\w/-])"
    r"|(?<![\w./-])[a-z-]{2,10}(?:\.[A-Za-z]{2})?/[0-9]{7}(?:v[0-9]{1,3})?(?![\w/-])",
    re.IGNORECASE,
)
_DOI_IN_ADDRESS = re.compile(r"/(10\.[0-9]{4,9}/[^\s?#]{1,200})")
_SAYS_WHAT_IT_IS = re.compile(r"arxiv|doi|https?:|10\.", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([&%$#_])")


@dataclass(frozen=True, slots=True)
class Like:
    """A paper that he likes: its canonical ids, strongest first, and what his file tells about it, if it tells a title."""

    ids: tuple[str, ...]
    work: Work | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that names no paper: where it begins, counted from 1, how it begins, and what is wrong with it."""

    line: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Library:
    """The papers found, each once, in their order, and what could not be read."""

    likes: tuple[Like, ...]
    unread: tuple[Unread, ...]


def read(text: str) -> Library:
    """The papers that a text names.

    Raises:
        BadInput: it is too long.
    """
    if len(text) > MAX_TEXT:
        raise BadInput(f"more than {MAX_TEXT // 2**20} MiB of papers", fix="give a part of it")
    likes: dict[str, Like] = {}
    unread: list[Unread] = []
    bibtex = _BibTex()
    for piece in _pieces(text.replace("\0", " ").replace("\r\n", "\n").replace("\r", "\n")):
        try:
            found = [bibtex.like(piece)] if piece.is_entry else _likes_of(piece.text)
        except BadInput as error:
            unread.append(Unread(piece.line, clean(piece.text, 60), str(error)))
            found = []
        for like in found:
            likes.setdefault(like.ids[0], like)
        if len(likes) > MAX_RATED or len(unread) > MAX_UNREAD:
            likes = dict(list(likes.items())[:MAX_RATED])
            unread.append(Unread(piece.line, "", "too much at once: the rest was not read"))
            break
    return Library(tuple(likes.values()), tuple(unread))


def find_ids(text: str) -> list[str]:
    """The canonical ids of the papers that a text names, in its order."""
    found: dict[str, None] = {}
    for match in _CANDIDATE.finditer(text):
        spelled = match[0].rstrip(_TRAILING)
        inside = _DOI_IN_ADDRESS.search(spelled)
        key = arxiv_id(spelled) or doi(spelled) or (doi(inside[1].rstrip(_TRAILING)) if inside else None)
        if key and len(key) <= MAX_KEY:
            found[key] = None
    return list(found)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A line, or an entry of BibTeX from its `@` on; `fault` says why it cannot be parsed."""

    line: int
    text: str
    is_entry: bool = False
    fault: str = ""


def _pieces(text: str) -> Iterator[_Piece]:
    """The lines of a text that say something, and its entries of BibTeX; one that is not closed ends where the next begins."""
    headers = [*_HEADER.finditer(text)]
    ends = [*(header.start() for header in headers), len(text)][1:]
    line, at = 1, 0
    for header, end in zip(headers, ends, strict=False):
        if header.start() < at:
            continue
        yield from _lines(text[at : header.start()], line)
        line += text.count("\n", at, header.start())
        stop, fault = _end_of_entry(text, header, end)
        if header[1].lower() not in _NO_PAPER:
            yield _Piece(line, text[header.start() : min(stop, header.start() + MAX_ENTRY)], is_entry=True, fault=fault)
        line += text.count("\n", header.start(), stop)
        at = stop
    yield from _lines(text[at:], line)


def _lines(text: str, first: int) -> Iterator[_Piece]:
    for number, line in enumerate(text.split("\n"), start=first):
        said = line.strip(" \t,;")
        if said and not said.startswith(_REMARK):
            yield _Piece(number, said)


def _end_of_entry(text: str, header: re.Match[str], before: int) -> tuple[int, str]:
    """Where the entry ends that this header opens, and what is wrong with it."""
    opened_round = header[0].endswith("(")
    depth, deepest = 1, 1
    for bracket in _BRACKET.finditer(text, header.end(), before):
        if bracket[0] in "()":
            # Round brackets are text, but for the one that closes an entry opened by one.
            depth -= opened_round and bracket[0] == ")" and depth == 1
        else:
            depth += 1 if bracket[0] == "{" else -1
        deepest = max(deepest, depth)
        if depth == 0:
            if bracket.end() - header.start() > MAX_ENTRY:
                return bracket.end(), f"an entry of more than {MAX_ENTRY:,} characters"
            return bracket.end(), f"braces in braces, {deepest} deep" if deepest > MAX_DEPTH else ""
    return before, "the entry is never closed"


def _likes_of(line: str) -> list[Like]:
    """Raises BadInput for a line that names no paper."""
    if len(line) > MAX_LINE:
        raise BadInput(f"a line of more than {MAX_LINE:,} characters")
    found = find_ids(line)
    if not found:
        raise BadInput("no arXiv id, no DOI and no entry of BibTeX")
    return [Like((key,)) for key in found]


class _BibTex:
    """Reads entries one at a time."""

    def __init__(self) -> None:
        self._parser: Any = None

    def like(self, piece: _Piece) -> Like:
        """The paper that an entry of BibTeX is about. Raises BadInput."""
        if piece.fault:
            raise BadInput(piece.fault)
        entry = piece.text
        if max(entry.count("="), entry.count("#")) > MAX_SIGNS:
            raise BadInput("an entry of too many fields")
        # Its grammar and its table of TeX are another's: whatever they trip over is this entry's fault and no one else's.
        try:
            fields = self._fields(entry)
            work = _work(fields)
        except Exception as error:
            raise BadInput("this is not BibTeX") from error
        ids = strongest_first(_ids(fields))
        if not ids and work:
            ids = (title_key(work),)
        if not ids:
            raise BadInput("the entry has no id and no title")
        return Like(ids, work)

    def _fields(self, entry: str) -> Mapping[str, str]:
        from bibtexparser.bibdatabase import BibDatabase
        from bibtexparser.bparser import BibTexParser

        if self._parser is None:
            logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)
            self._parser = BibTexParser(common_strings=False, ignore_nonstandard_types=False, interpolate_strings=False)
        parser = self._parser
        # To make the grammar takes longer than to parse an entry: it is used again, and what it found is not kept.
        parser.expect_multiple_parse = True
        parser.bib_database = BibDatabase()
        (found,) = parser.parse(entry).entries
        return {name.lower(): value for name, value in found.items() if isinstance(value, str)}


def _ids(fields: Mapping[str, str]) -> list[str]:
    """The ids in an entry: where they belong, or else in what people write where it fits."""
    archive = fields.get("archiveprefix") or fields.get("eprinttype") or "arxiv"
    eprint = fields.get("eprint", "") if archive.strip().lower() == "arxiv" else ""
    own = [eprint, fields.get("arxivid", ""), fields.get("doi", ""), *(fields.get(name, "") for name in ("url", "ee"))]
    found = [key for text in own for key in find_ids(_plain(text[:MAX_LINE]))]
    # A bare number is a volume or a page; what says that it is an id is believed.
    for name in ("journal", "volume", "howpublished", "note"):
        text = re.sub(r"^abs/", "arXiv:", fields.get(name, ""))  # as DBLP writes it
        if not found and _SAYS_WHAT_IT_IS.search(text[:500]):
            found = find_ids(_plain(text[:500]))[:1]
    return found


def _work(fields: Mapping[str, str]) -> Work | None:
    title = _words(fields.get("title", ""), MAX_TITLE)
    if not normalised_title(title):
        return None
    names = re.split(r"\s+and\s+", fields.get("author", "")[: 4 * MAX_NAME * MAX_AUTHORS])[:MAX_AUTHORS]
    authors = (_given_first(_words(name, MAX_NAME)) for name in names)
    return Work(
        title=title,
        abstract=_words(fields.get("abstract", ""), MAX_ABSTRACT),
        authors=tuple(name for name in authors if name and name != "others"),
    )


def _words(tex: str, limit: int) -> str:
    """TeX as text: accents and letters as Unicode has them, and no braces."""
    from bibtexparser.latexenc import latex_to_unicode

    return clean(latex_to_unicode(_plain(tex[: 4 * limit])), limit)


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _given_first(name: str) -> str:
    family, _, given = (part.strip() for part in name.partition(","))
    return f"{given} {family}" if given and "," not in given else name
