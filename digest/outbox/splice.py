"""Digests put together from pieces: what readers share is rendered and encoded once, and a mail is a list of such pieces.

What a piece needs from the reader stands between soft line breaks, so that no line's length depends on it. The token in the
links by which he rates is the same in all of a mail: pieces have a mark for it, which is replaced in the whole mail at once.
"""

import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Literal, NamedTuple

from digest.edition.model import How, Pick
from digest.errors import ConfigurationError
from digest.outbox.dkim import Signing
from digest.outbox.message import MAX_HTML, header, part_end, part_head, refuse_large, subject_value
from digest.outbox.quoted import Sheet, quoted
from digest.rendering.columns import formed
from digest.rendering.digest_mail import BETWEEN, DigestRenderer, Part
from digest.rendering.model import PaperView, Reader
from digest.rendering.slots import Slot, Stencil, bare, cut, escaped

TO, SUBJECT, DATE, MESSAGE_ID, TOKEN = (Slot(name).mark for name in ("to", "subject", "date", "message_id", "token"))
"""What stands in the header that is given to `Splice` for what each mail has of its own."""
MAX_OWN = 900
"""Characters of the address and the Message-ID: a line of a header may have 998."""
_TOKENS = re.compile("[A-Za-z0-9_-]{0,60} [A-Za-z0-9_-]{0,60}").fullmatch
_RATING = b"\x02"
"""Nothing that is quoted-printable has it."""
_REMEMBERED = 8192
OPTIONAL = ("cards", "also", "method", "credit", "unsubscribe_url")
"""Values that may be empty; which of them are there makes another frame."""
PARTS: tuple[Part, Part] = ("txt", "html")
KINDS = TRENDING, PERSONAL, EXPLORE = range(3)
"""Kinds of cards: what speaks for one is the ranking, the reader's interests too, or that it is none of them."""


class _Made(dict[Any, Any]):
    """Makes what it is asked for, once."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: Any) -> Any:
        made = self[key] = self._make(key)
        return made


class _Said:
    """What a reader's interests say for a card, as it is encoded for the slots of both parts, by their form."""

    __slots__ = ("html", "kind", "text")

    def __init__(self, words: str, how: How) -> None:
        self.kind = EXPLORE if how == "explore" else PERSONAL if words else TRENDING
        self.text, self.html = (_Made(partial(_said, words, part)) for part in PARTS)


@dataclass(frozen=True, slots=True)
class _Piece:
    """One part of a card or a line, cut where a mail puts in what is its own."""

    start: bytes
    """All before the place; nothing where no place is printed."""
    place: str | None
    """The form of the place."""
    rest: bytes
    """What follows, up to what the reader's interests say."""
    personal: str | None
    """The form of that; None where it is not printed."""
    end: bytes

    @classmethod
    def of(cls, what: Literal["card", "line"], part: Part, stencil: Stencil) -> "_Piece":
        """Cut it.

        Raises:
            ConfigurationError: the template prints the place not first, or something twice.
        """
        sheet = Sheet.of(stencil)
        pieces, slots = [sheet.pieces[0]], []
        for slot, piece in zip(sheet.slots, sheet.pieces[1:], strict=True):
            if slot == "rating ":
                pieces[-1] += _RATING + piece
            else:
                slots.append(slot.split(" ", 1))
                pieces.append(piece)
        start, place = (pieces.pop(0), slots.pop(0)[1]) if slots and slots[0][0] == "place" else (b"", None)
        if [name for name, _ in slots] not in ([], ["personal"]):
            raise ConfigurationError(
                f"template email/digest/{what}.{part}: it prints `place` or `personal` twice, or `place` not first of the two",
                fix="print each once, in this order",
            )
        return cls(start, place, pieces[0], slots[0][1] if slots else None, b"".join(pieces[1:]))


@dataclass(slots=True)
class _Card:
    """A card or a line of both parts, wherever it stands, as pieces.

    Not frozen: this is made for thousands and read for millions.
    """

    starts: Mapping[int, tuple[bytes, bytes]]
    """What stands before it and begins it, in text and in HTML, by its place."""
    text: bytes
    """What follows, up to what a reader's interests say for it, if they do."""
    html: bytes
    text_end: bytes
    """What follows that."""
    html_end: bytes
    text_form: str | None
    """The form of the slot for that; None where it is not printed."""
    html_form: str | None
    paper: PaperView
    words: int
    sources: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Frame:
    """A mail without its cards: the subject, and in the header, of the values of these names; the whole body as pieces, behind
    each the value that follows and its encoding (None: cards or lines); and the end."""

    subject: Callable[..., tuple[str, str]]
    names: tuple[str, ...]
    body: tuple[tuple[bytes, str, Callable[[str], bytes] | None], ...]
    end: bytes


class _Shown(NamedTuple):
    """All cards and all lines of a mail, in both parts; the papers that count, how many words these have, and whose pages all
    lead to."""

    pieces: dict[str, list[bytes]]
    papers: list[PaperView]
    words: int
    sources: frozenset[frozenset[str]]


class Splice:
    """The digests of one edition as messages, in the language of its renderer.

    Args:
        renderer: renders what is shared.
        head: names and values of the header, with marks such as `TO` in them.
        boundary: between the parts; the same for all, for no part can hold it.

    Raises:
        ValueError: a header has a control character, or is longer than a line may be.
    """

    def __init__(self, renderer: DigestRenderer, head: Sequence[tuple[str, str]], boundary: str) -> None:
        for name, value in head:
            header(name, bare(value))
        stencil = cut("of the header", "".join(f"{name}: {value}\r\n" for name, value in head))
        self._head = _with_names(stencil) + "\r\n"
        self._renderer, self._boundary = renderer, boundary
        self._frames = _Made(self._frame)
        # By whether it is the lead and can be rated, by kind, by paper.
        self._cards = _Made(lambda way: [_Made(partial(self._card, way, kind)) for kind in KINDS])
        self._lines = _Made(self._line)
        self._starts = _Made(lambda start: _Made(partial(_started, *start)))
        self._shared: dict[Any, Any] = {}
        self._said = lru_cache(maxsize=_REMEMBERED)(lambda how, matched: _Said(renderer.personal(how, matched), how))
        self._ranked = _Said("", "")

    def message(
        self,
        picks: Sequence[Pick],
        reader: Reader,
        *,
        message_id: str,
        date: str,
        at: datetime,
        signing: Signing | None = None,
    ) -> bytes:
        """The mail that `reader` gets; it decodes to what `DigestRenderer.render` gives. The same bytes for the same arguments.

        Args:
            picks: what is shown, as for `DigestRenderer.render`.
            reader: who gets it.
            message_id: without its angle brackets.
            date: the header's.
            at: when it is signed.
            signing: who signs it; None: nobody.

        Raises:
            ValueError: there are no picks, one is not in the edition, or an address or a token cannot stand in a mail.
            MessageTooLarge: the HTML is larger than mail clients show.
            ConfigurationError: a template of the operator's is broken.
        """
        own = f"{reader.address}{message_id}"
        if len(own) > MAX_OWN or not own.isascii() or not own.isprintable() or not _TOKENS(f"{reader.token} {reader.rating}"):
            raise ValueError(f"the mail {message_id[:80]!r} has an address or a token that cannot stand in a mail")
        renderer = self._renderer
        cards, also = renderer.ordered(picks)
        shown = self._shown(cards, also, reader.rating != "")
        values = renderer.wording.around(
            shown.papers[:4], len(shown.papers), shown.words, shown.sources, [pick.how for pick in cards], reader
        )
        values["token"] = reader.token
        there = bool(cards), bool(also), values["method"] != "", values["credit"] != "", reader.token != ""
        frame = self._frames[there]
        values["subject"], subject = frame.subject(*[values[name] for name in frame.names])
        head = self._head % {
            "to": reader.address,
            "subject": subject,
            "date": date,
            "message_id": message_id,
            "token": reader.token,
        }
        pieces = [head.encode()]
        for piece, name, encode in frame.body:
            pieces.append(piece)
            if encode:
                pieces.append(encode(values[name]))
            else:
                pieces += shown.pieces[name]
        pieces.append(frame.end)
        whole = b"".join(pieces).replace(_RATING, reader.rating.encode())
        if len(whole) > MAX_HTML:
            refuse_large(self._html_size(whole))
        return signing.fields(head[:-2].encode(), whole[len(head) :], at) + whole if signing else whole

    def _shown(self, cards: Sequence[Pick], also: Sequence[Pick], rated: bool) -> _Shown:
        said, ranked = self._said, self._ranked
        html: list[bytes] = []
        text: list[bytes] = []
        papers: list[PaperView] = []
        words, sources = 0, set()
        kinds, others = self._cards[True, rated], self._cards[False, rated]
        for place, (paper_id, _, how, matched) in enumerate(cards, start=1):
            his = said(how, matched) if how else ranked
            card = kinds[his.kind][paper_id]
            kinds = others
            text_start, html_start = card.starts[place]
            if his.kind == PERSONAL:
                text += (text_start, card.text, his.text[card.text_form], card.text_end)
                html += (html_start, card.html, his.html[card.html_form], card.html_end)
            else:
                text += (text_start, card.text)
                html += (html_start, card.html)
            papers.append(card.paper)
            words += card.words
            sources.add(card.sources)
        lines_html: list[bytes] = []
        lines_text: list[bytes] = []
        for place, pick in enumerate(also, start=len(cards) + 1):
            line = self._lines[pick.paper_id]
            text_start, html_start = line.starts[place if lines_text else -place]
            lines_text += (text_start, line.text)
            lines_html += (html_start, line.html)
            sources.add(line.sources)
            if not cards:
                papers.append(line.paper)
                words += line.words
        pieces = {"cards html": html, "cards txt": text, "also html": lines_html, "also txt": lines_text}
        return _Shown(pieces, papers, words, frozenset(sources))

    def _card(self, way: tuple[bool, bool], kind: int, paper_id: int) -> _Card:
        lead, rated = way
        text, html = (
            self._renderer.card(paper_id, part, lead=lead, explore=kind == EXPLORE, is_personal=kind != TRENDING, rated=rated)
            for part in PARTS
        )
        return self._whole("card", paper_id, text, html)

    def _line(self, paper_id: int) -> _Card:
        text, html = (self._renderer.line(paper_id, part) for part in PARTS)
        return self._whole("line", paper_id, text, html)

    def _whole(self, what: Literal["card", "line"], paper_id: int, text: Stencil, html: Stencil) -> _Card:
        in_text, in_html = _Piece.of(what, "txt", text), _Piece.of(what, "html", html)
        paper = self._renderer.paper(paper_id)
        # Many begin alike, and one that leads goes on as it does elsewhere: each is kept but once.
        share = self._shared.setdefault
        return _Card(
            starts=self._starts[what, in_text.start, in_text.place, in_html.start, in_html.place],
            text=share(in_text.rest, in_text.rest),
            html=share(in_html.rest, in_html.rest),
            text_end=in_text.end,
            html_end=in_html.end,
            text_form=in_text.personal,
            html_form=in_html.personal,
            paper=paper,
            words=paper.words,
            sources=share(paper.sources, paper.sources),
        )

    def _frame(self, there: tuple[bool, ...]) -> _Frame:
        names = [name for name, is_there in zip(OPTIONAL, there, strict=True) if is_there]
        frame = self._renderer.frame(frozenset({"preheader", "count", "reason", *names}))
        text, html = Sheet.of(frame.text), Sheet.of(frame.html)
        pieces = [*text.pieces, *html.pieces]
        middle = len(text.slots)
        start = pieces[middle] + b"\r\n" + part_head(self._boundary, "html") + pieces.pop(middle + 1)
        pieces[middle] = start
        pieces[0] = part_head(self._boundary, "plain") + pieces[0]
        slots = [self._value("txt", slot) for slot in text.slots] + [self._value("html", slot) for slot in html.slots]
        body = tuple((piece, *slot) for piece, slot in zip(pieces, slots, strict=False))
        subject = lru_cache(maxsize=_REMEMBERED)(partial(_subject, frame.subject))
        values = tuple(slot.partition(" ")[0] for slot in frame.subject.slots)
        return _Frame(subject, values, body, pieces[-1] + part_end(self._boundary))

    def _value(self, part: Part, slot: str) -> tuple[str, Callable[[str], bytes] | None]:
        """The name of what goes into this slot of the frame, and how it is encoded."""
        name, _, form = slot.partition(" ")
        if name in ("cards", "also"):
            return f"{name} {part}", None
        if name == "token":
            return name, str.encode
        encode = partial(_encoded, part, form)
        return name, encode if name == "reason" else lru_cache(maxsize=_REMEMBERED)(encode)

    def _html_size(self, message: bytes) -> int:
        """How large the HTML part is when it is decoded."""
        start = part_head(self._boundary, "html")
        encoded = message[message.index(start) + len(start) : -len(part_end(self._boundary))]
        return len(binascii.a2b_qp(encoded).replace(b"\r\n", b"\n"))


def _with_names(stencil: Stencil) -> str:
    """The text for the operator `%`, with the slots by their names."""
    texts = [text.replace("%", "%%") for text in stencil.texts]
    return texts[0] + "".join(f"%({slot.strip()})s{text}" for slot, text in zip(stencil.slots, texts[1:], strict=True))


def _subject(stencil: Stencil, *values: str) -> tuple[str, str]:
    """The subject of one line, and as it stands in the header."""
    parts = [stencil.texts[0]]
    for slot, value, text in zip(stencil.slots, values, stencil.texts[1:], strict=True):
        parts += formed(value, slot.partition(" ")[2]), text
    line = " ".join("".join(parts).split())
    return line, subject_value(line)


def _started(
    what: Literal["card", "line"], text: bytes, in_text: str | None, html: bytes, in_html: str | None, place: int
) -> tuple[bytes, bytes]:
    """The start of a card or a line in both parts, with its place in these forms. Before the first there is nothing: it has the
    place 1, or one below nought."""
    before = ("", "") if place <= 1 else (BETWEEN[what, "txt"], BETWEEN[what, "html"])
    shown = ["" if form is None else formed(str(abs(place)), form) for form in (in_text, in_html)]
    return quoted(before[0]) + text + quoted(shown[0]), quoted(before[1]) + html + quoted(shown[1])


def _said(words: str, part: Part, form: str | None) -> bytes:
    return b"" if form is None else _encoded(part, form, words)


def _encoded(part: Part, form: str, value: str) -> bytes:
    return quoted(escaped(value) if part == "html" else formed(value, form))
