"""Plain text in columns: how a value is set in the text part of a mail."""

import re

COLUMNS = 72
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Lines(str):
    """Text whose line ends are ours; in any other text of a text part a line end is a blank."""

    __slots__ = ()


def formed(value: str, form: str) -> str:
    """The value in the form that a template asks for: `wrap 4`, `right 2`, or as it is."""
    how, _, number = form.partition(" ")
    if not how:
        return value
    return wrapped(value, int(number)) if how == "wrap" else right(value, int(number))


def wrapped(text: str, indent: int = 0) -> str:
    """The text in lines of at most 72 columns, all but the first behind `indent` blanks; an address is never broken."""
    flat = (text if text.isprintable() else CONTROL.sub(" ", text)).strip()
    width = max(1, COLUMNS - indent)
    if len(flat) <= width:
        return flat
    lines = []
    while len(flat) > width:
        at = flat.rfind(" ", 0, width + 1)
        if at < 0 and "://" in flat:
            at = flat.find(" ")
        elif at < 0:
            at = width
        if at < 0:
            break
        lines.append(flat[:at].rstrip(" "))
        flat = flat[at:].lstrip(" ")
    return ("\n" + " " * indent).join([*lines, flat] if flat else lines)


def right(value: object, width: int) -> str:
    """A number that ends in the same column as those above and below it."""
    return f"{value!s:>{width}}"
