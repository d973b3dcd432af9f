"""Slots: what stands in a template for a value that differs from reader to reader.

A template of the digest is rendered once, with slots, and what comes out is cut at them; each reader's values then go between
the pieces. So a template may print a slot, wrap it and ask whether it is there, but never see what stands in it.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from jinja2 import TemplateRuntimeError
from markupsafe import escape

from digest.errors import ConfigurationError

# Control characters never come out of a cleaned text, so nothing that a source or a reader wrote is taken for a mark.
_MARK = re.compile("\x02([^\x02\x03]+)\x03")
_STRAY = re.compile("[\x02\x03]")
_MAY = "differs from reader to reader: a template can print it and ask whether it is there, no more"


class Slot:
    """The place of a value that is not known yet; what a template does with it but print it is an error that says so.

    `form` is how the value will be set, such as `wrap 4`; `head` and `tail` are fixed text right before and behind it.
    """

    __slots__ = ("form", "head", "name", "tail")

    def __init__(self, name: str, form: str = "", *, head: str = "", tail: str = "") -> None:
        self.name, self.form, self.head, self.tail = name, form, head, tail

    @property
    def mark(self) -> str:
        """What is printed."""
        return f"{self.head}\x02{self.name} {self.form}\x03{self.tail}"

    def formed(self, form: str) -> "Slot":
        """The same, to be set in this form."""
        if self.form or self.head or self.tail:
            self._refuse()
        return Slot(self.name, form)

    def __html__(self) -> str:
        return f"{escape(self.head)}\x02{self.name} {self.form}\x03{escape(self.tail)}"

    def _refuse(self, *_: object) -> NoReturn:
        raise TemplateRuntimeError(f"“{self.name}” {_MAY}")

    __str__ = __format__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __len__ = __iter__ = __contains__ = __getitem__ = __call__ = __int__ = __float__ = __index__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __rmod__ = __truediv__ = __floordiv__ = _refuse

    def __bool__(self) -> bool:
        return True

    def __hash__(self) -> int:
        return hash(self.mark)


Printed = str | Slot
"""A value as a template prints it: the text, or the place for it."""


@dataclass(frozen=True, slots=True)
class Stencil:
    """A text with slots: pieces of text, and between each two of them a slot, as `name form`."""

    texts: tuple[str, ...]
    slots: tuple[str, ...]


def cut(template: str, text: str) -> Stencil:
    """What `template` made of its slots.

    Raises:
        ConfigurationError: it changed the marks that it printed.
    """
    parts = _MARK.split(text)
    texts, slots = tuple(parts[::2]), tuple(parts[1::2])
    if any(map(_STRAY.search, texts)) or not all(slot.partition(" ")[1] and slot.islower() for slot in slots):
        raise ConfigurationError(f"template {template}: it changes a value that {_MAY}", fix="print such values as they are")
    return Stencil(texts, slots)


def escaped(value: str) -> str:
    """The value as an HTML template prints it."""
    return str(escape(value))


def bare(text: str) -> str:
    """The text without its slots."""
    return _MARK.sub("", text)


def refuse_marks(text: str) -> None:
    """Refuse a text made of a slot, where a template works on it.

    Raises:
        TemplateRuntimeError: there is one in it.
    """
    if found := _MARK.search(text):
        raise TemplateRuntimeError(f"“{found[1].strip()}” {_MAY}")
