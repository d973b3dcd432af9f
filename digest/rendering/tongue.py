"""The language of a mail: what the program says in English, said in another language.

The English text is the key, as in gettext, and a catalogue is a `.po` file that translators' tools open. It is read as it
stands: a hundred lines need no compiling. All our languages know one and many, and tell them apart as English does.

The reader is our own because it has to be strict: polib 1.2 and Babel 2.18 take a text whose closing quote is missing and drop
its last letter, so a slip of the operator's would be mailed and not told.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from markupsafe import Markup

from digest.errors import BadInput

_LINE = re.compile(r'(?:(msgid|msgid_plural|msgstr|msgstr\[[01]\])\s+)?"((?:[^"\\]|\\["\\n])*)"\s*')
_ESCAPED = re.compile(r"\\(.)")
_PLACE = re.compile(r"%(?:\((\w+)\)s|%)?")
_EXAMPLE = re.compile(r"1(\D?)234(\D)5")


@dataclass(frozen=True)
class Tongue:
    """One language. What its catalogue lacks, as an operator's own template may use it, is said in English."""

    code: str
    messages: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """For one, and for many; the same where nothing is counted. By what is English for one."""

    def say(self, english: str, /, **values: object) -> str:
        """A text, with values in the place of `%(name)s`."""
        said = self.messages[english][0] if english in self.messages else english
        return said % values if values else said

    def count(self, one: str, many: str, number: int, /, **values: object) -> str:
        """The same where a number decides between two texts; it is shown only if it is among the values."""
        said = self.messages.get(one, (one, many))[number != 1]
        return said % values if values else said

    def html(self, english: str, /, **values: object) -> Markup:
        """`say` for HTML: values that are none themselves are escaped."""
        said = Markup(self.say(english))  # noqa: S704 (our own words, or the operator's)
        return said % values if values else said

    def number(self, english: str) -> str:
        """A number as English writes it, `1,234.5`, as this language does."""
        return english.translate(self._signs)

    @cached_property
    def _signs(self) -> dict[int, str]:
        found = _EXAMPLE.fullmatch(self.say("1,234.5"))
        return {ord(","): found[1], ord("."): found[2]} if found else {}


ENGLISH = Tongue("en")


def messages(*english: str) -> tuple[str, ...]:
    """These texts, which are said by whoever gets them from here: every catalogue has them."""
    return english


def counted(one: str, many: str) -> tuple[str, str]:
    """The same for a text that is counted."""
    return one, many


def read_catalogue(text: str) -> dict[str, tuple[str, str]]:
    """What a `.po` file holds, by the English for one; what it leaves empty or marks as fuzzy (guessed) it does not hold.

    Raises:
        BadInput: a line of it is none of such a file or stands where it must not, or a text names a value that the English one
            does not.
    """
    found = {}
    known = set()
    for number, entry in _entries(text):
        english, one = entry["msgid"], entry.get("msgstr", entry.get("msgstr[0]"))
        if one is None:
            raise BadInput(f"line {number}: no msgstr follows this msgid", fix='write one below it: msgstr ""')
        if english in known:
            raise BadInput(f"line {number}: a second entry for {english[:60]!r}", fix="keep one of them")
        known.add(english)
        if one and english and "fuzzy" not in entry:  # the one without a key is the file's own head
            found[english] = one, entry.get("msgstr[1]") or one
            if any(not _fits(english, said) for said in found[english]):
                raise BadInput(f"the text for {english[:60]!r} names other values", fix="name them as in English, and % as %%")
    return found


def _fits(english: str, said: str) -> bool:
    """Whether all values are there that this text names; one without any is said as it stands."""
    names = {place[1] for place in _PLACE.finditer(english) if place[1]}
    return not names or all(place[0] == "%%" or place[1] in names for place in _PLACE.finditer(said))


def _entries(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each entry, with the line that it begins in; one that is not to be relied upon has a key `fuzzy`."""
    entry: dict[str, str] = {}
    name, begins, fuzzy = "", 0, False
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            fuzzy = (fuzzy or (line.startswith("#,") and "fuzzy" in line)) and not line.startswith("#~")
            continue
        found = _LINE.fullmatch(line)
        if not found or not (found[1] or name):
            raise BadInput(f"line {number} is no line of a catalogue: {line[:60]!r}", fix='write it like msgstr "…"')
        if found[1] == "msgid":
            if entry:
                yield begins, entry
            entry, begins, fuzzy = {"fuzzy": ""} if fuzzy else {}, number, False
        name = found[1] or name
        if name != "msgid" and "msgid" not in entry:
            raise BadInput(f"line {number}: {name} stands before any msgid")
        if found[1] and name in entry:
            raise BadInput(f"line {number}: a second {name} for one msgid", fix="keep one of them")
        entry[name] = entry.get(name, "") + _ESCAPED.sub(lambda sign: "\n" if sign[1] == "n" else sign[1], found[2])
    if entry:
        yield begins, entry
