"""What the pages with the form of choices share: the form itself, what it suggests, and the preview."""

from collections.abc import Sequence
from functools import cached_property
from urllib.parse import urlencode

from starlette.datastructures import FormData, QueryParams
from starlette.responses import Response

from digest.flows.previews import Previews, Someone
from digest.papers.model import Work
from digest.ranking.topics import LOOKED_AT, trending
from digest.rendering.choices import ChoicesView, choices_view
from digest.rendering.preview import preview_view
from digest.store import editions
from digest.subscribers.form import Form, with_likes
from digest.subscribers.language import LANGUAGES
from digest.web.frame import Frame
from digest.web.public import paper_path
from digest.wiring import App

SUGGESTED = 12


class Wishing:
    """Makes the form and the preview, for whoever asks."""

    def __init__(self, app: App, frame: Frame) -> None:
        self._app, self._frame = app, frame
        self._suggested: tuple[int, tuple[str, ...]] = (0, ())

    @cached_property
    def _previews(self) -> Previews:
        app = self._app
        return Previews(app.store, app.settings.ranking, app.usual, app.selection, app.schedule)

    def view(self, form: Form, *, rated: Sequence[tuple[str, bool, Work | None]] = (), reader: bool = False) -> ChoicesView:
        """The form for a template: a reader's, with what he said of papers, or a visitor's."""
        usual = LANGUAGES[self._app.settings.site.language]
        # A visitor's browser is asked when he signs up.
        language = f"As usual here ({usual})" if reader else f"My browser’s, or {usual}"
        return choices_view(form, self._suggestions(), self._app.usual.share, language, rated=rated, bibtex=reader)

    def preview(self, form: Form, reader: Someone | None = None, *, save: str = "") -> Response:
        """The page of what these choices would bring.

        Args:
            form: the choices, with which nothing is wrong.
            reader: whom they are for; None: a visitor.
            save: the path of his preferences, or empty for a visitor, who may subscribe instead.

        Raises:
            Busy: too many want this at once.
        """
        works = {like.ids[0]: like.work for like in form.likes if like.work}
        found = self._previews.show(self._app.clock.now(), with_likes(form), works, reader)
        values = {
            "issue": preview_view(
                found.date, found.shown, weekly=found.cadence == "weekly", path_of=lambda key: paper_path(self._frame, key)
            ),
            "form": self.view(form),
            "save": save,
            "change": f"{self._frame.path('choose')}?{urlencode(form.fields)}",
            "email": "",
            "wrong": "",
        }
        # Without a referrer, browsers do not say either whose page a sign-up comes from.
        return self._frame.page("preview", values, headers={"Referrer-Policy": "same-origin"} if not save else {})

    def _suggestions(self) -> tuple[str, ...]:
        """Topics of the newest edition."""
        with self._app.store.read() as connection:
            row = editions.latest(connection, self._app.clock.now())
            if row is None or row.id == self._suggested[0]:
                return self._suggested[1]
            works = editions.best(connection, row.id, LOOKED_AT)
        self._suggested = row.id, trending(works, SUGGESTED)
        return self._suggested[1]


def texts(form: FormData | QueryParams) -> list[tuple[str, str]]:
    """The pairs of a form or a query, without files."""
    return [(name, text) for name, text in form.multi_items() if isinstance(text, str)]
