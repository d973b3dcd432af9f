"""Subscribers as CSV (RFC 4180): read by header and row by row, whatever the file went through, and written so that no
spreadsheet takes a cell for a formula.

A bad row never takes good ones with it: a record that spans lines and turns out malformed costs its first line only.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

from digest.errors import BadInput
from digest.papers.text import clean
from digest.subscribers.address import EmailAddress
from digest.subscribers.lookalike import lookalike
from digest.subscribers.model import (
    MAX_NAME,
    PARSERS,
    STATES,
    Interest,
    InterestKind,
    Preferences,
    SignUp,
    State,
    Subscriber,
    days_text,
    limited,
    parse_interest,
    parse_interests,
    zone_names,
)

_PREFERENCES = tuple(PARSERS)
# Columns that list interests, separated by `;`. An id of a paper may have a `;` of its own, which is written `%3B`.
STATED_IN: dict[str, InterestKind] = {
    "topics": "topic",
    "keywords": "keyword",
    "authors": "author",
    "categories": "category",
    "mutes": "mute",
}
RATED_IN: dict[str, InterestKind] = {"likes": "liked", "dislikes": "disliked"}
COLUMNS = ("email", "name", *STATED_IN, *RATED_IN, *_PREFERENCES, "state")
_NAMES_OF_EMAIL = ("e-mail", "email address", "e-mail address", "email_address")
MAX_RECORD = 1_048_576
"""Characters of a row, which may name a thousand papers; a longer one is bad, and is not held in memory."""
MAX_RECORD_LINES = 50
_SEMICOLON = re.compile("%3b", re.IGNORECASE)
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_NEUTRALISED = re.compile(r"'+[=+\-@\t\r\n]")


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be used; `line` is where it begins in the file, counted from 1."""

    line: int
    sign_up: SignUp
    state: State | None = None
    """As an export wrote it; None where the file has no such column."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used, and why."""

    line: int
    why: str


class Sheet:
    """The rows of a file, read as they are asked for.

    Raises:
        BadInput: the file has no header with an `email` column, or is not text.
    """

    def __init__(self, file: BinaryIO) -> None:
        lines = _Lines(file)
        line, header = lines.next()
        if header.startswith(("\udcff\udcfe", "\udcfe\udcff")) or "\0" in header:
            raise BadInput("the file is not UTF-8 text", fix="save it as CSV UTF-8")
        self._lines = lines
        self._delimiter = max((",", ";", "\t"), key=header.count)
        names = [name.strip().lower() for name in next(csv.reader([header], delimiter=self._delimiter), [])]
        names = ["email" if name in _NAMES_OF_EMAIL else name for name in names]
        if "email" not in names:
            raise BadInput(
                f"line {line}, the header, has no column `email`" if header else "the file is empty",
                fix="name the columns in the first line: email,name,topics,zone,hour,days,cadence,size",
            )
        if twice := sorted(name for name in set(names) & set(COLUMNS) if names.count(name) > 1):
            raise BadInput(f"the header has two columns `{twice[0]}`", fix="remove one of them")
        self._width = len(names)
        self._places = {name: names.index(name) for name in COLUMNS if name in names}
        self.unknown_columns = tuple(clean(name, 40) for name in names if name and name not in COLUMNS)
        """Columns that mean nothing to us and are passed over."""

    def __iter__(self) -> Iterator[Row | BadRow]:
        while (found := self._lines.next())[1]:
            line, text = found
            if not text.strip():
                continue
            try:
                cells = self._cells(text)
                if any(cells):
                    yield self._row(line, cells)
            except BadInput as error:
                yield BadRow(line, str(error))

    def _cells(self, text: str) -> list[str]:
        """The cells of the record that begins with `text`; reads on where a quoted cell goes on in the next line."""
        if len(text) > MAX_RECORD:
            raise BadInput(f"longer than {MAX_RECORD} characters")
        if '"' not in text:
            return self._fitted(text.rstrip("\n").split(self._delimiter))
        further: list[tuple[int, str]] = []
        try:
            try:
                return self._fitted(self._unquoted(text))
            except _OpenQuoteError:
                while text.count('"') % 2 and len(text) <= MAX_RECORD and len(further) < MAX_RECORD_LINES:
                    further.append(self._lines.next())
                    text += further[-1][1]
                cells = self._fitted(self._unquoted(text))
                if any("\n" in cells[place] for place in self._places.values()):
                    raise BadInput("a line break in a cell") from None
                return cells
        except BadInput:
            self._lines.back(further)
            if further:
                raise BadInput("a quote is opened and not closed in this line") from None
            raise

    def _unquoted(self, text: str) -> list[str]:
        try:
            return next(csv.reader([text], delimiter=self._delimiter, strict=True, skipinitialspace=True))
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise _OpenQuoteError("a quote is opened and never closed") from None
            raise BadInput("text after a closing quote") from None

    def _fitted(self, cells: list[str]) -> list[str]:
        """The cells, as many as the header has."""
        # A short row may be the end of a file that was cut: its address may be cut too, and belong to somebody else.
        if len(cells) < self._width:
            raise BadInput(f"{len(cells)} cells where the header has {self._width}")
        if any(cells[self._width :]):
            raise BadInput(
                f"{len(cells)} cells where the header has {self._width}; is one with a {self._delimiter!r} not quoted?"
            )
        return cells

    def _row(self, line: int, cells: list[str]) -> Row:
        if any("\0" in cell for cell in cells):
            raise BadInput("holds a NUL character")
        cell = {column: _legible(cells[place]) for column, place in self._places.items() if cells[place]}
        email = cell.get("email", "")
        if not email:
            raise BadInput("no address")
        if not email.isascii() and _is_guessed(cells[self._places["email"]]):
            raise BadInput("the address is not UTF-8")
        address = EmailAddress.parse(email)
        if why := lookalike(address.domain):
            raise BadInput(why)
        sign_up = SignUp(
            address=address,
            name=clean(cell["name"], MAX_NAME) if "name" in cell else "",
            preferences=_preferences(tuple(cell.get(column, "") for column in _PREFERENCES)),
            interests=limited((*_stated(tuple(cell.get(column, "") for column in STATED_IN)), *_rated(cell))),
        )
        # In other people's files `state` may be California.
        return Row(line, sign_up, next((state for state in STATES if state == cell.get("state")), None))


class _OpenQuoteError(BadInput):
    """The record goes on in the next line, or should have ended."""


class _Lines:
    """The physical lines of a file with their numbers, each with its line feed; those after the last are empty.

    Bytes that are not UTF-8 come as lone surrogates. A line longer than `MAX_RECORD` is cut, and its rest is passed over.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline=None)
        self._number = 0
        self._again: list[tuple[int, str]] = []

    def next(self) -> tuple[int, str]:
        if self._again:
            return self._again.pop()
        line = self._text.readline(MAX_RECORD + 1)
        self._number += 1
        if len(line) > MAX_RECORD and not line.endswith("\n"):
            while (rest := self._text.readline(MAX_RECORD)) and not rest.endswith("\n"):
                pass
        return self._number, line

    def back(self, lines: Sequence[tuple[int, str]]) -> None:
        """Give these lines once more."""
        self._again.extend(reversed(lines))


def _legible(cell: str) -> str:
    """A cell without blanks around it and without the mark that `neutralised` set; one that is not UTF-8 as Windows-1252."""
    cell = cell.strip()
    if _is_guessed(cell):
        cell = cell.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return cell[1:] if _NEUTRALISED.match(cell) else cell


def _is_guessed(cell: str) -> bool:
    return not cell.isascii() and any("\udc80" <= character <= "\udcff" for character in cell)


@lru_cache(maxsize=4096)
def _preferences(cells: tuple[str, ...]) -> Preferences:
    cell = {name: text for name, text in zip(_PREFERENCES, cells, strict=True) if text}
    zone = cell.get("zone")
    # Without the suggestion that `parse_zone` would look for, at length, for each of a million rows.
    if zone and zone not in zone_names():
        raise BadInput(f"{zone[:60]!r} is not a time zone")
    return Preferences(**{name: PARSERS[name](text) for name, text in cell.items()})


@lru_cache(maxsize=4096)
def _stated(cells: tuple[str, ...]) -> tuple[Interest, ...]:
    return tuple(
        one
        for kind, listed in zip(STATED_IN.values(), cells, strict=True)
        for word in listed.split(";")
        if word.strip()
        for one in parse_interests(kind, word)
    )


def _rated(cell: Mapping[str, str]) -> Iterator[Interest]:
    """What he said of papers; one that he both likes and dislikes he likes."""
    met: set[str] = set()
    for column, kind in RATED_IN.items():
        for word in cell.get(column, "").split(";"):
            if word.strip():
                one = parse_interest(kind, _SEMICOLON.sub(";", word))
                if one.value not in met:
                    yield one
                met.add(one.value)


def neutralised(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; `Sheet` reads it as it was."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def written(subscribers: Iterable[tuple[Subscriber, Sequence[Interest]]]) -> Iterator[str]:
    """The lines of a CSV file, header first, each ended as RFC 4180 wants it."""
    yield ",".join(COLUMNS) + "\r\n"
    for subscriber, interests in subscribers:
        wish = subscriber.preferences
        cells = (
            subscriber.address.text,
            subscriber.name,
            *(_joined(interests, kind) for kind in STATED_IN.values()),
            *(";".join(one.value.replace(";", "%3B") for one in interests if one.kind == kind) for kind in RATED_IN.values()),
            wish.zone,
            wish.hour.strftime("%H:%M") if wish.hour else "",
            days_text(wish.days),
            wish.cadence,
            str(wish.size or ""),
            "" if wish.share is None else str(wish.share),
            wish.language,
            subscriber.state,
        )
        line = io.StringIO()
        csv.writer(line).writerow([neutralised(cell) for cell in cells])
        yield line.getvalue()


def _joined(interests: Sequence[Interest], kind: InterestKind) -> str:
    return ";".join(interest.value.replace(";", ",") for interest in interests if interest.kind == kind)
