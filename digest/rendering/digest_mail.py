"""Renders one reader's digest from a frozen edition and his picks, and what all its readers' mails are put together from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from digest.edition.model import Edition, How, Pick
from digest.papers.text import MAX_NAME, clean
from digest.rendering.cards import paper_view
from digest.rendering.columns import Lines
from digest.rendering.environment import Environments
from digest.rendering.model import (
    CardView,
    DigestView,
    LineView,
    LinkView,
    Pages,
    PaperView,
    Reader,
    Rendered,
    Site,
    SiteView,
)
from digest.rendering.reasons import label, personal
from digest.rendering.slots import Printed, Slot, Stencil, cut
from digest.rendering.tongue import ENGLISH, Tongue, messages
from digest.rendering.wording import Wording, notes
from digest.rendering.words import on_weekday

Part = Literal["html", "txt"]
REASONS_SHOWN = 3
RATINGS = tuple(zip(("more", "less"), messages("More like this", "Less like this"), strict=True))
AROUND = ("preheader", "count", "method", "reason", "credit", "unsubscribe_url", "preferences_url")
"""What the frame has slots for besides `subject`, `cards` and `also`; the one in the last two is called `token`. Those of a
card are `place`, `personal` and `rating`."""
BETWEEN = {("card", "html"): "\n", ("line", "html"): "\n", ("card", "txt"): "\n\n", ("line", "txt"): "\n"}
"""What stands between two cards, and between two lines of "also trending"."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A digest without its cards, as stencils."""

    subject: Stencil
    text: Stencil
    html: Stencil


class DigestRenderer:
    """Renders the digests of one edition in one language, for any number of readers.

    What comes out is a function of the arguments alone: no clock, no locale, no order of a set. `render` gives a mail as the
    templates make it; `frame`, `card` and `line` give the same with slots for what is the reader's, to be rendered once.
    Without `pages`, no mail links to any; without a language, it is the site's.
    """

    def __init__(
        self, site: Site, environments: Environments, edition: Edition, pages: Pages | None = None, language: str = ""
    ) -> None:
        self.tongue = environments.tongue(language or site.language)
        self._site = site_view(site, self.tongue)
        self._environments = environments
        self._pages = pages
        self.edition = edition
        self._date = on_weekday(edition.date, self.tongue)
        self._notes = notes(edition.missing_sources, self.tongue)
        self._entries = {id_: entry for entry in edition.entries for id_ in (*entry.former_ids, entry.paper_id)}
        self._papers: dict[int, PaperView] = {}
        self.wording = Wording(edition, self._site.name, self.tongue)

    def render(self, picks: Sequence[Pick], reader: Reader) -> Rendered:
        """The mail that `reader` gets: cards first, then the lines of "also trending", each in the order of `picks`.

        Raises:
            ValueError: there are no picks, or one of them is not in the edition.
            ConfigurationError: a template of the operator's is broken.
        """
        cards, also = self.ordered(picks)
        papers = [self.paper(pick.paper_id) for pick in (*cards, *also)]
        most = papers[: len(cards)] or papers
        around: dict[str, Printed] = {
            **self.wording.around(
                most[:4],
                len(most),
                sum(paper.words for paper in most),
                {paper.sources for paper in papers},
                [pick.how for pick in cards],
                reader,
            ),
            "unsubscribe_url": f"{self._pages.leave}{reader.token}" if self._pages and reader.token else "",
            "preferences_url": f"{self._pages.preferences}{reader.token}" if self._pages and reader.token else "",
        }
        shown = [
            self._card(
                paper,
                place,
                lead=place == 1,
                explore=pick.how == "explore",
                his=self.personal(pick.how, pick.matched),
                rate=self._rate(pick.paper_id, reader.rating),
            )
            for place, (pick, paper) in enumerate(zip(cards, papers, strict=False), start=1)
        ]
        lines = [_line(paper, place) for place, paper in enumerate(papers[len(cards) :], start=len(cards) + 1)]

        def whole(part: Part) -> DigestView:
            made = Markup if part == "html" else Lines
            return self._view(
                {
                    **around,
                    "cards": made(BETWEEN["card", part].join(self._one("card", part, card) for card in shown)),
                    "also": made(BETWEEN["line", part].join(self._one("line", part, line) for line in lines)),
                }
            )

        text = whole("txt")
        subject = self._environments.line("email/digest/subject.txt", self._values(text, around["subject"]), self.tongue)
        return Rendered(
            subject=subject,
            text=self._environments.text("email/digest/body.txt", self._values(text, subject), self.tongue),
            html=self._environments.html("email/digest/body.html", self._values(whole("html"), subject), self.tongue),
        )

    def ordered(self, picks: Sequence[Pick]) -> tuple[list[Pick], list[Pick]]:
        """The picks that are shown as cards, and the others.

        Raises:
            ValueError: there are none.
        """
        if not picks:
            raise ValueError(f"no picks for a digest of edition {self.edition.name}")
        cards = [pick for pick in picks if pick.section == "card"]
        return cards, [pick for pick in picks if pick.section == "also"] if len(cards) < len(picks) else []

    def paper(self, paper_id: int) -> PaperView:
        """The paper as it is shown, by any id that it had.

        Raises:
            ValueError: it is not in the edition.
        """
        if paper_id not in self._papers:
            if paper_id not in self._entries:
                raise ValueError(f"paper {paper_id} is not in edition {self.edition.name}")
            self._papers[paper_id] = paper_view(self._entries[paper_id], self.edition.date, self.tongue)
        return self._papers[paper_id]

    def personal(self, how: How, matched: str) -> str:
        """What a reader's interests say for a pick."""
        return personal(how, matched, self.tongue)

    def frame(self, there: frozenset[str]) -> Frame:
        """Everything but the cards, for the mails in which these values are there: of `AROUND`, `cards` and `also`."""
        slots: dict[str, Printed] = {name: Slot(name) if name in there else "" for name in (*AROUND, "cards", "also")}
        if slots["unsubscribe_url"]:
            slots["unsubscribe_url"] = Slot("token", head=self._pages.leave) if self._pages else ""
            slots["preferences_url"] = Slot("token", head=self._pages.preferences) if self._pages else ""
        view = self._view(slots)
        values = self._values(view, Slot("subject"))
        names = [f"email/digest/{name}" for name in ("subject.txt", "body.txt", "body.html")]
        return Frame(
            cut(names[0], self._environments.line(names[0], values, self.tongue)),
            cut(names[1], self._environments.text(names[1], values, self.tongue)),
            cut(names[2], self._environments.html(names[2], values, self.tongue)),
        )

    def card(self, paper_id: int, part: Part, *, lead: bool, explore: bool, is_personal: bool, rated: bool) -> Stencil:
        """A card, wherever it stands. What is outside his interests says the same to everybody, so it has no slot for that."""
        view = self._card(
            self.paper(paper_id),
            Slot("place"),
            lead=lead,
            explore=explore,
            his=self.personal("explore", "") if explore else Slot("personal") if is_personal else "",
            rate=self._rate(paper_id, Slot("rating") if rated else ""),
        )
        return cut(f"email/digest/card.{part}", self._one("card", part, view))

    def line(self, paper_id: int, part: Part) -> Stencil:
        """A line of "also trending", wherever it stands."""
        return cut(f"email/digest/line.{part}", self._one("line", part, _line(self.paper(paper_id), Slot("place"))))

    def _one(self, kind: Literal["card", "line"], part: Part, view: CardView | LineView) -> str:
        render = self._environments.html if part == "html" else self._environments.text
        return render(f"email/digest/{kind}.{part}", {"site": self._site, kind: view}, self.tongue).strip("\n")

    def _rate(self, paper_id: int, mail: Printed) -> tuple[LinkView, ...]:
        """The links by which a reader says what he thinks of a paper; they name its number and not its place, which differs."""
        if not self._pages or not mail:
            return ()
        links = []
        for verdict, words in RATINGS:
            head, tail = self._pages.rate, f"/p{paper_id}/{verdict}"
            links.append(
                LinkView(
                    self.tongue.say(words),
                    f"{head}{mail}{tail}" if isinstance(mail, str) else Slot(mail.name, head=head, tail=tail),
                )
            )
        return tuple(links)

    def _card(
        self, paper: PaperView, place: int | Slot, *, lead: bool, explore: bool, his: Printed, rate: tuple[LinkView, ...]
    ) -> CardView:
        return CardView(
            place=place,
            lead=lead,
            paper=paper,
            label=label(explore=explore, tongue=self.tongue),
            personal=his,
            why="; ".join(paper.reasons[: REASONS_SHOWN - bool(his)]) or ("" if his else paper.otherwise),
            links=paper.links,
            rate=rate,
        )

    def _view(self, values: dict[str, Printed]) -> DigestView:
        given = {name: values[name] for name in (*AROUND, "cards", "also")}
        return DigestView(date=self._date, notes=self._notes, **given)

    def _values(self, view: DigestView, subject: Printed) -> dict[str, object]:
        return {"site": self._site, "subject": subject, "digest": view}


def site_view(site: Site, tongue: Tongue = ENGLISH) -> SiteView:
    """The site as templates see it that speak this language."""
    return SiteView(clean(site.name, MAX_NAME), tongue.code, clean(site.postal_address, 300))


def _line(paper: PaperView, place: int | Slot) -> LineView:
    count = f"{paper.numbers[0].figure} {paper.numbers[0].word}" if paper.numbers else ""
    return LineView(place, paper.title, paper.url, count)
