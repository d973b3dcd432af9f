"""Renders one reader's digest from a frozen edition and his picks."""

from collections.abc import Iterable, Sequence

from digest.edition.model import Edition, Pick
from digest.papers.text import MAX_NAME, clean
from digest.rendering.cards import CREDITED, paper_view
from digest.rendering.environment import Environments
from digest.rendering.model import CardView, DigestView, LineView, LinkView, PaperView, Reader, Rendered, Site, SiteView
from digest.rendering.reasons import label, method, personal
from digest.rendering.subject import preheader, subject_line
from digest.rendering.words import listing, minutes, on, on_weekday

MAX_ADDRESS = 254
REASONS_SHOWN = 3
RATINGS = (("more", "More like this"), ("less", "Less like this"))


class DigestRenderer:
    """Renders the digests of one edition for any number of readers.

    What comes out is a function of the arguments alone: no clock, no locale, no order of a set. What does not depend on the
    reader is made once, when the first reader gets it.
    """

    def __init__(self, site: Site, environments: Environments, edition: Edition) -> None:
        self._site = site_view(site)
        self._environments = environments
        self._edition = edition
        self._date = on_weekday(edition.date)
        self._notes = _notes(edition.missing_sources)
        self._entries = {id_: entry for entry in edition.entries for id_ in (*entry.former_ids, entry.paper_id)}
        self._papers: dict[int, PaperView] = {}

    def render(self, picks: Sequence[Pick], reader: Reader) -> Rendered:
        """The mail that `reader` gets: cards first, then the lines of "also trending", each in the order of `picks`.

        Raises:
            ValueError: there are no picks, or one of them is not in the edition.
            ConfigurationError: a template of the operator's is broken.
        """
        if not picks:
            raise ValueError(f"no picks for a digest of edition {self._edition.name}")
        view, subject = self._view(picks, reader)
        values = {"site": self._site, "subject": subject, "digest": view}
        subject = self._environments.line("email/digest/subject.txt", values)
        values["subject"] = subject
        return Rendered(
            subject=subject,
            text=self._environments.text("email/digest/body.txt", values),
            html=self._environments.html("email/digest/body.html", values),
        )

    def _view(self, picks: Sequence[Pick], reader: Reader) -> tuple[DigestView, str]:
        ordered = [pick for pick in picks if pick.section == "card"] + [pick for pick in picks if pick.section == "also"]
        papers = [self._paper(pick.paper_id) for pick in ordered]
        links = _Numbered()
        cards: list[CardView] = []
        also: list[LineView] = []
        for place, (pick, paper) in enumerate(zip(ordered, papers, strict=True), start=1):
            if pick.section == "card":
                shown_links = links.add(paper.links)
                cards.append(_card(place, paper, pick, shown_links, links.add(_rating(reader, place))))
            else:
                number = links.add(paper.links[:1])
                also.append(LineView(place, paper.title, paper.url, _telling(paper), number[0].number if number else 0))
        shown = papers[: len(cards)] or papers
        titles = [paper.title for paper in shown]
        view = DigestView(
            preheader=preheader(titles, shown[0].summary or self._date),
            date=self._date,
            count=_count(len(self._edition.entries), shown),
            cards=tuple(cards),
            also=tuple(also),
            notes=self._notes,
            method=method([pick for pick in ordered if pick.section == "card"]),
            reason=_reason(self._edition, reader, self._site.name),
            credit=_credit(papers),
            unsubscribe_url=reader.unsubscribe_url or "",
            links=tuple(links.all),
        )
        return view, subject_line(titles[0], len(shown) - 1)

    def _paper(self, paper_id: int) -> PaperView:
        if paper_id not in self._papers:
            if paper_id not in self._entries:
                raise ValueError(f"paper {paper_id} is not in edition {self._edition.name}")
            self._papers[paper_id] = paper_view(self._entries[paper_id], self._edition.date)
        return self._papers[paper_id]


class _Numbered:
    """Numbers links in the order in which they are shown; the same address keeps its number."""

    def __init__(self) -> None:
        self.all: list[LinkView] = []
        self._numbers: dict[str, int] = {}

    def add(self, links: Iterable[LinkView]) -> tuple[LinkView, ...]:
        return tuple(self._numbered(link) for link in links)

    def _numbered(self, link: LinkView) -> LinkView:
        number = self._numbers.get(link.url)
        if number is None:
            number = self._numbers[link.url] = len(self.all) + 1
            self.all.append(LinkView(link.label, link.url, number))
        return LinkView(link.label, link.url, number)


def site_view(site: Site) -> SiteView:
    """The site as templates see it."""
    return SiteView(clean(site.name, MAX_NAME), site.language, clean(site.postal_address, 300))


def _card(place: int, paper: PaperView, pick: Pick, links: tuple[LinkView, ...], rate: tuple[LinkView, ...]) -> CardView:
    his = personal(pick)
    return CardView(
        place=place,
        paper=paper,
        label=label(pick),
        personal=his,
        why="; ".join(paper.reasons[: REASONS_SHOWN - bool(his)]) or ("" if his else paper.otherwise),
        links=links,
        rate=rate,
    )


def _rating(reader: Reader, place: int) -> tuple[LinkView, ...]:
    """The links by which he says what he thinks of the card in this place."""
    if not reader.rate_url:
        return ()
    return tuple(LinkView(words, f"{reader.rate_url}/{place}/{verdict}") for verdict, words in RATINGS)


def _telling(paper: PaperView) -> str:
    return f"{paper.numbers[0].figure} {paper.numbers[0].word}" if paper.numbers else ""


def _count(candidates: int, shown: Sequence[PaperView]) -> str:
    """How many papers are shown out of how many, and how long they take."""
    words = sum(len(paper.title.split()) + len(paper.summary.split()) for paper in shown)
    few = f"{len(shown)} of {candidates}" if candidates > len(shown) else f"{len(shown)}"
    return f"{few} {'paper' if few == '1' else 'papers'}, {minutes(words)} min read"


def _notes(missing: Sequence[str]) -> tuple[str, ...]:
    """Which sources could not be read, by their titles."""
    names = list(dict.fromkeys(clean(title, MAX_NAME) for title in missing))
    if not names:
        return ()
    return (f"{listing(names)} could not be read today; {'its' if len(names) == 1 else 'their'} papers follow.",)


def _reason(edition: Edition, reader: Reader, site_name: str) -> str:
    """`Ann, you get this every day because you confirmed ann@example.org on 3 November 2026.`"""
    name, address = clean(reader.name, MAX_NAME), clean(reader.address, MAX_ADDRESS)
    you = f"{name}, you get" if name else "You get"
    cadence = "every day" if edition.cadence == "daily" else "every week"
    because = f"you confirmed {address} on {on(reader.confirmed_on)}" if reader.confirmed_on else f"{address} is subscribed"
    return f"{you} {site_name} {cadence} because {because}."


def _credit(papers: Iterable[PaperView]) -> str:
    """Names the sources that the links lead to; arXiv asks for its sentence (info.arxiv.org/help/api/tou)."""
    found = frozenset().union(*(paper.sources for paper in papers))
    if not found:
        return ""
    line = f"Metadata from {listing([name for name in CREDITED.values() if name in found])}."
    return line + (" Thank you to arXiv for use of its open access interoperability." if "arXiv" in found else "")
