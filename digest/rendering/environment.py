"""Finds, compiles and renders templates: the operator's own where he has them, else those shipped with the program."""

import re
import traceback
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.exceptions import UndefinedError

from digest.errors import BadInput, ConfigurationError
from digest.rendering.columns import CONTROL, Lines, right, wrapped
from digest.rendering.model import Values
from digest.rendering.slots import Slot, refuse_marks
from digest.rendering.tongue import ENGLISH, Tongue, read_catalogue
from digest.resources import resource
from digest.subscribers.language import LANGUAGES

CATALOGUES = "email/_languages"
"""The folder of the catalogues, one for each language but English: `de.po`."""
_BLANK_LINES = re.compile(r"\n{3,}")


class Environments:
    """The templates and catalogues of a process, compiled and read once.

    Names are paths below `templates/`: `email/digest/body.html`, `web/confirm.html`. HTML is escaped, an unknown name is an
    error, and what stands in a value is never read as a template. Text parts lose control characters. A `Slot` among the values
    comes out as its mark, for `cut` of `rendering.slots`. `_("…")` says a text in the language of the mail.

    Args:
        operator: a folder with templates that take the place of the packaged ones of the same name, and catalogues whose texts
            take the place of the packaged ones; None for none.
        packaged: the folder of all templates; None for the one shipped with the program.
    """

    def __init__(self, operator: Path | None = None, packaged: Path | None = None) -> None:
        self._operator = operator
        self._folders = [folder for folder in (operator, packaged or resource("templates")) if folder]
        self._tongues = {ENGLISH.code: ENGLISH}
        loader = FileSystemLoader(self._folders)
        self._html = Environment(
            loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False
        )
        self._text = Environment(
            loader=loader,
            autoescape=False,  # noqa: S701 (a text part is no markup)
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            finalize=_harmless,
        )
        self._text.filters |= {"wrap": wrap, "right": align}

    def compile(self, name: str) -> None:
        """Read a template without rendering it. Raises as `html`."""
        environment = self._html if name.endswith((".html", ".xml")) else self._text
        try:
            environment.get_template(name)
        except (TemplateError, UnicodeDecodeError) as error:
            raise self._mistake(name, error) from error

    def fingerprint(self, below: str) -> str:
        """A short name for all templates and catalogues in a folder: it differs where any of them does."""
        found = sha256()
        for folder in self._folders:
            for path in sorted((folder / below).rglob("*")):
                if path.is_file():
                    found.update(repr((path.relative_to(folder).as_posix(), path.read_bytes())).encode())
        return found.hexdigest()[:16]

    def tongue(self, language: str) -> Tongue:
        """The language with this code; English where there is no catalogue.

        Raises:
            ConfigurationError: the operator's catalogue cannot be read.
        """
        if language not in self._tongues:
            known = self._read(language) if language in LANGUAGES else {}
            self._tongues[language] = Tongue(language, known) if known else ENGLISH
        return self._tongues[language]

    def _read(self, language: str) -> dict[str, tuple[str, str]]:
        known: dict[str, tuple[str, str]] = {}
        for folder in reversed(self._folders):
            path = folder / CATALOGUES / f"{language}.po"
            try:
                known |= read_catalogue(path.read_text(encoding="utf-8")) if path.is_file() else {}
            except (BadInput, OSError, UnicodeDecodeError) as error:
                raise ConfigurationError(f"{path}: {error}", fix="mend it, or remove it to use the one shipped") from error
        return known

    def html(self, name: str, values: Values, tongue: Tongue = ENGLISH) -> str:
        """Render a template whose values are escaped.

        Raises:
            ConfigurationError: the operator's template cannot be read or uses what is not there.
        """
        return self._rendered(self._html, name, {**values, "_": tongue.html})

    def text(self, name: str, values: Values, tongue: Tongue = ENGLISH) -> str:
        """Render a template of plain text: no blanks at line ends, at most one empty line in a row. Raises as `html`."""
        text = "\n".join(line.rstrip() for line in self._said(name, values, tongue).split("\n"))
        return _BLANK_LINES.sub("\n\n", text).strip("\n") + "\n"

    def line(self, name: str, values: Values, tongue: Tongue = ENGLISH) -> str:
        """Render a template of one line, such as a subject. Raises as `html`."""
        return " ".join(self._said(name, values, tongue).split())

    def _said(self, name: str, values: Values, tongue: Tongue) -> str:
        return self._rendered(self._text, name, {**values, "_": tongue.say})

    def _rendered(self, environment: Environment, name: str, values: Values) -> str:
        try:
            return environment.get_template(name).render(values)
        # Whatever an operator's template does wrong (a name that is not there, a division by zero) is a mistake in that file.
        except Exception as error:
            if self._operator is None:
                raise
            raise self._mistake(name, error) from error

    def _mistake(self, name: str, error: Exception) -> ConfigurationError:
        place, what = self._place(error), str(error)
        if isinstance(error, TemplateSyntaxError):
            place, what = f"{error.filename or error.name or name}, line {error.lineno}", error.message or "cannot be read"
        elif isinstance(error, TemplateNotFound):
            what = f"there is no template {error.name}"
        elif not isinstance(error, TemplateError | UndefinedError):
            what = f"{type(error).__name__}: {error}"
        return ConfigurationError(
            f"template {place or name}: {what}",
            fix=f"mend it, or remove it from {self._operator} to use the one shipped with the program",
        )

    def _place(self, error: Exception) -> str:
        """The line of a template where an error came up: Jinja puts templates into the traceback under their own names."""
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.endswith(".py")]
        return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else ""


def wrap(text: str | Slot, indent: int = 0) -> Lines | Slot:
    """The filter `wrap`: a text in lines of at most 72 columns, all but the first behind `indent` blanks.

    An address is never broken, be it longer than a line.
    """
    if isinstance(text, Slot):
        return text.formed(f"wrap {indent}")
    refuse_marks(text)
    return Lines(wrapped(text, indent))


def align(value: object, width: int) -> object:
    """The filter `right`: a number that ends `width` columns further on."""
    return value.formed(f"right {width}") if isinstance(value, Slot) else right(value, width)


def _harmless(value: object) -> object:
    if isinstance(value, Slot):
        return value.mark
    if not isinstance(value, str) or isinstance(value, Lines) or value.isprintable():
        return value
    return CONTROL.sub(" ", value)
