"""Digests put together from pieces: what readers share is rendered and encoded once, and a mail is a list of such pieces.

What a piece needs from the reader stands between soft line breaks, so that no line's length depends on it.
"""

import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any, Literal

from digest.edition.model import How, Pick
from digest.outbox.dkim import Signing
from digest.outbox.message import MAX_HTML, header, part_end, part_head, refuse_large, subject_value
from digest.outbox.quoted import Sheet, quoted, with_room
from digest.rendering.columns import formed
from digest.rendering.digest_mail import BETWEEN, DigestRenderer, Part
from digest.rendering.model import Reader
from digest.rendering.reasons import personal
from digest.rendering.slots import Slot, Stencil, bare, cut, escaped

TO, SUBJECT, DATE, MESSAGE_ID, TOKEN = (Slot(name).mark for name in ("to", "subject", "date", "message_id", "token"))
"""What stands in the header that is given to `Splice` for what each mail has of its own."""
MAX_OWN = 900
"""Characters of all that a mail's header has of its own: a line of it may have 998."""
_REMEMBERED = 8192
OPTIONAL = ("cards", "also", "method", "credit", "unsubscribe_url")
"""Values that may be empty; which of them are there makes another frame."""
PARTS: tuple[Part, Part] = ("html", "txt")
_HARDLY_SHARED = frozenset({"reason", "unsubscribe_url"})

Pieces = tuple[bytes, ...]


class _Made(dict[Any, Any]):
    """Makes what it is asked for, once."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: Any) -> Any:
        made = self[key] = self._make(key)
        return made


class _Said(_Made):
    """What a reader's interests say for a card, as it is encoded for some of its slots."""

    def __init__(self, how: How, matched: str) -> None:
        self.words = personal(how, matched)
        self.kind = 2 if how == "explore" else bool(self.words)
        super().__init__(lambda slots: tuple([_encoded(part, form, self.words) for part, form in slots]))


@dataclass(slots=True)
class _Card:
    """A card or a line of both parts, wherever it stands: what is known of it, and how that goes together with the rest.

    Not frozen: this is made for thousands and read for millions.
    """

    known: Pieces
    at: Mapping[int, Pieces]
    """Its place, in the forms that the templates want it in."""
    own: tuple[tuple[Part, str], ...]
    """The part and the form of what the reader's interests say."""
    text: Callable[[Pieces], Pieces]
    """Puts the text part in order, of `known`, a place, what is said for it, and the rating's address in text and in HTML."""
    html: Callable[[Pieces], Pieces]
    """The same of the HTML part."""
    words: int
    sources: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Frame:
    """A mail without its cards: the subject, and the whole body as pieces, behind each the value that follows and its encoding
    (None: cards or lines); and the end."""

    subject: Stencil
    body: tuple[tuple[bytes, str, Callable[[str], bytes] | None], ...]
    end: bytes


class Splice:
    """The digests of one edition as messages.

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
        slots = (*(slot.strip() for slot in stencil.slots), "")
        self._head = [(text.encode("ascii"), slot) for text, slot in zip(stencil.texts, slots, strict=True)]
        self._renderer, self._boundary = renderer, boundary
        self._frames = _Made(self._frame)
        # By whether it is the lead and can be rated, by kind (trending, personal, explore), by paper.
        self._cards = _Made(lambda way: [_Made(partial(self._card, way[0], way[1], kind)) for kind in range(3)])
        self._lines = _Made(self._line)
        self._places = _Made(lambda forms: _Made(partial(_placed, *forms)))
        self._shared: dict[Any, Any] = {}
        self._tails: list[bytes] = []
        remember = lru_cache(maxsize=_REMEMBERED)
        self._said = remember(_Said)
        self._subject = remember(lambda subject: subject_value(subject).encode())

    def message(
        self,
        picks: Sequence[Pick],
        reader: Reader,
        *,
        token: str,
        message_id: str,
        date: str,
        at: datetime,
        signing: Signing | None = None,
    ) -> bytes:
        """The mail that `reader` gets; it decodes to what `DigestRenderer.render` gives. The same bytes for the same arguments.

        Args:
            picks: what is shown, as for `DigestRenderer.render`.
            reader: who gets it.
            token: his, in the way out.
            message_id: without its angle brackets.
            date: the header's.
            at: when it is signed.
            signing: who signs it; None: nobody.

        Raises:
            ValueError: there are no picks, one is not in the edition, or an address or a token is no printable ASCII.
            MessageTooLarge: the HTML is larger than mail clients show.
            ConfigurationError: a template of the operator's is broken.
        """
        values = f"{reader.address}{token}{message_id}{reader.unsubscribe_url}{reader.rate_url}"
        if len(values) > MAX_OWN or not values.isascii() or not values.isprintable():
            raise ValueError(f"the mail {message_id[:80]!r} has an address or a token that cannot stand in a mail")
        renderer = self._renderer
        cards, also = renderer.ordered(picks)
        shown, words, sources = self._shown(cards, also, reader.rate_url)
        around = renderer.wording.around(
            [renderer.paper(pick.paper_id) for pick in (cards or also)[:4]],
            len(cards or also),
            words,
            frozenset(sources),
            [pick.how for pick in cards],
            reader,
        )
        method, credit, leave = around["method"] != "", around["credit"] != "", around["unsubscribe_url"] != ""
        frame = self._frames[bool(cards), bool(also), method, credit, leave]
        subject = around["subject"] = _filled(frame.subject, around)
        own = {
            "to": reader.address.encode(),
            "subject": self._subject(subject),
            "date": date.encode(),
            "message_id": message_id.encode(),
            "token": token.encode(),
            "": b"\r\n",
        }
        head = [part for text, slot in self._head for part in (text, own[slot])]
        body: list[bytes] = []
        for piece, name, encode in frame.body:
            body.append(piece)
            if encode:
                body.append(encode(around[name]))
            else:
                body += shown[name]
        body.append(frame.end)
        if signing:
            head.insert(0, signing.fields(b"".join(head[:-1]), b"".join(body), at))
        whole = b"".join(head + body)
        if len(whole) > MAX_HTML:
            refuse_large(self._html_size(whole))
        return whole

    def _shown(
        self, cards: Sequence[Pick], also: Sequence[Pick], rate_url: str | None
    ) -> tuple[dict[str, list[bytes]], int, set[frozenset[str]]]:
        """The pieces of all cards and of all lines, in both parts; how many words they have; whom they are from."""
        said = self._said
        rated = rate_url is not None
        rates = self._rates(rate_url or "", len(cards))
        html: list[bytes] = []
        text: list[bytes] = []
        words, sources = 0, set()
        kinds, others = self._cards[True, rated], self._cards[False, rated]
        place = 0
        for pick in cards:
            at = place = place + 1
            his = said(pick.how, pick.matched)
            card = kinds[his.kind][pick.paper_id]
            if place == 1:
                kinds, at = others, -1
            pieces = card.known + card.at[at] + his[card.own] + rates[place]
            text += card.text(pieces)
            html += card.html(pieces)
            words += card.words
            sources.add(card.sources)
        lines_html: list[bytes] = []
        lines_text: list[bytes] = []
        for pick in also:
            place += 1
            line = self._lines[pick.paper_id]
            pieces = line.known + line.at[place if lines_text else -place]
            lines_text += line.text(pieces)
            lines_html += line.html(pieces)
            words += 0 if cards else line.words
            sources.add(line.sources)
        return {"cards html": html, "cards txt": text, "also html": lines_html, "also txt": lines_text}, words, sources

    def _rates(self, url: str, cards: int) -> list[Pieces]:
        """Where each card is rated, in text and in HTML; nought is no place."""
        self._tails += [b"/%d" % place for place in range(len(self._tails), cards + 1)]
        rate = with_room(quoted(url))
        if "&" not in url:
            return [(at, at) for at in [rate + tail for tail in self._tails[: cards + 1]]]
        html = with_room(quoted(escaped(url)))
        return [(rate + tail, html + tail) for tail in self._tails[: cards + 1]]

    def _card(self, lead: bool, rated: bool, kind: int, paper_id: int) -> _Card:
        html = self._renderer.card(paper_id, "html", lead=lead, explore=kind == 2, is_personal=kind > 0, rated=rated)
        text = self._renderer.card(paper_id, "txt", lead=lead, explore=kind == 2, is_personal=kind > 0, rated=rated)
        return self._whole("card", paper_id, Sheet.of(text), Sheet.of(html))

    def _line(self, paper_id: int) -> _Card:
        text, html = (Sheet.of(self._renderer.line(paper_id, part)) for part in ("txt", "html"))
        return self._whole("line", paper_id, text, html)

    def _whole(self, what: Literal["card", "line"], paper_id: int, text: Sheet, html: Sheet) -> _Card:
        """Pieces and arrangements that many cards have are kept but once: the fewer there are, the nearer they lie."""
        share = self._shared.setdefault
        known = tuple(share(piece, piece) for piece in (*text.pieces, *html.pieces))
        slots = {"txt": [slot.split(" ", 1) for slot in text.slots], "html": [slot.split(" ", 1) for slot in html.slots]}
        both = [(part, name, form) for part, of in slots.items() for name, form in of]
        forms = tuple(dict.fromkeys(form for _, name, form in both if name == "place"))
        own = tuple(dict.fromkeys((part, form) for part, name, form in both if name == "personal"))
        # What follows what is known when a mail is put together.
        unknown = [("before", "txt"), ("before", "html"), *(("place", form) for form in forms), *own, "txt", "html"]
        orders: dict[str, tuple[int, ...]] = {}
        at = 0
        for part, of in slots.items():
            order = [len(known) + unknown.index(("before", part)), at]
            for name, form in of:
                wanted = {"place": ("place", form), "personal": (part, form), "rate": part}[name]
                at += 1
                order += len(known) + unknown.index(wanted), at
            orders[part] = tuple(order)
            at += 1
        paper = self._renderer.paper(paper_id)
        return _Card(
            known=known,
            at=self._places[what, forms],
            own=share(own, own),
            text=share(orders["txt"], itemgetter(*orders["txt"])),
            html=share(orders["html"], itemgetter(*orders["html"])),
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
        return _Frame(frame.subject, body, pieces[-1] + part_end(self._boundary))

    def _value(self, part: Part, slot: str) -> tuple[str, Callable[[str], bytes] | None]:
        """The name of what goes into this slot of the frame, and how it is encoded."""
        name, _, form = slot.partition(" ")
        if name in ("cards", "also"):
            return f"{name} {part}", None
        encode = partial(_encoded, part, form)
        return name, encode if name in _HARDLY_SHARED else lru_cache(maxsize=_REMEMBERED)(encode)

    def _html_size(self, message: bytes) -> int:
        """How large the HTML part is when it is decoded."""
        start = part_head(self._boundary, "html")
        encoded = message[message.index(start) + len(start) : -len(part_end(self._boundary))]
        return len(binascii.a2b_qp(encoded).replace(b"\r\n", b"\n"))


def _filled(subject: Stencil, values: dict[str, str]) -> str:
    """The subject of one line."""
    parts = [subject.texts[0]]
    for slot, text in zip(subject.slots, subject.texts[1:], strict=True):
        name, _, form = slot.partition(" ")
        parts += formed(values[name], form), text
    return " ".join("".join(parts).split())


def _placed(what: Literal["card", "line"], forms: Iterable[str], place: int) -> Pieces:
    """What stands before it in both parts, and the place in each of these forms; one that is first has nothing before it."""
    first, place = place < 0, abs(place)
    before = ("", "") if first else (BETWEEN[what, "txt"], BETWEEN[what, "html"])
    return tuple(map(quoted, (*before, *(formed(str(place), form) for form in forms))))


def _encoded(part: Part, form: str, value: str) -> bytes:
    return quoted(escaped(value) if part == "html" else formed(value, form))
