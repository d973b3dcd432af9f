"""One reader's digest: subject, text part and HTML part."""

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.edition.model import Edition, Entry, Pick
from digest.ranking.model import Term
from digest.rendering.columns import COLUMNS
from digest.rendering.digest_mail import DigestRenderer
from digest.rendering.environment import Environments
from digest.rendering.model import Reader, Rendered
from digest.rendering.settings import SiteSettings
from digest.subscribers.language import LANGUAGES

EntryMaker = Callable[..., Entry]
EditionMaker = Callable[..., Edition]
Render = Callable[..., Rendered]

HOSTILE = [
    "<script>alert(1)</script> & \"quotes\" 'too'",
    "{{ 7*7 }} {% include 'x' %} {# gone? #}",
    "</td></tr></table><h1>Broken</h1>",
    "<!--[if mso]> no comment <![endif]-->",
    "\u202eright to left override\u202c",
    "عنوان ورقة عربية with English",
    "An emoji 🤖 and 中文标题",
    "\r\nBcc: everybody@example.org\r\n\r\nUnsubscribe:\r\nhttps://evil.example/",
    "x" * 300,
    "&lt;b&gt; is not bold",
]


class Shown(HTMLParser):
    """What a mail client shows, and where its links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.titles: list[str] = []
        self._hidden = 0
        self._heading = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._hidden += tag in ("style", "title") or "display:none" in (dict(attrs).get("style") or "")
        if tag == "h2":
            self._heading = True
            self.titles.append("")
        self.links += [value for name, value in attrs if name == "href" and value]

    def handle_endtag(self, tag: str) -> None:
        # The one hidden element of the body, the preheader, holds nothing but text.
        if tag in ("style", "title", "div") and self._hidden:
            self._hidden -= 1
        self._heading = self._heading and tag != "h2"

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)
        if self._heading:
            self.titles[-1] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def _flat(text: str) -> str:
    return " ".join(text.split())


def test_the_subject_is_the_lead_story(rendered: Render) -> None:
    assert rendered().subject == "Spherical flow matching beats latent diffusion… + 9 more"


def test_the_mail_says_when_and_how_many_out_of_how_many(rendered: Render) -> None:
    mail = rendered(148)
    for part in (mail.text, Shown(mail.html).text):
        assert "Sunday, 22 November 2026" in part
        assert "10 of 148 papers, 1 min read" in part


def test_thousands_of_papers_are_written_as_each_language_does(rendered: Render) -> None:
    assert "10 of 1,480 papers" in rendered(1480).text
    assert "10 von 1.480 Papern" in rendered(1480, language="de").text


def test_both_parts_carry_the_same_titles_in_the_same_order(rendered: Render, edition: EditionMaker) -> None:
    mail = rendered(30)
    titles = [entry.work.title for entry in edition(30).entries[:20]]
    for part in (_flat(mail.text), Shown(mail.html).text):
        places = [part.index(title + " ") for title in titles]
        assert places == sorted(places)


def test_both_parts_carry_the_same_links(rendered: Render) -> None:
    mail = rendered(30)
    assert dict.fromkeys(Shown(mail.html).links) == dict.fromkeys(re.findall(r"https://\S+", mail.text))


def test_a_card_has_all_that_a_reader_decides_by(rendered: Render) -> None:
    mail = rendered(1, matched="diffusion")
    for part in (_flat(mail.text), Shown(mail.html).text):
        assert "1. Spherical flow matching beats latent diffusion, part 1" in part
        assert "Tuna Meral, Kaan Oktay, Hidir Yesiltepe +1 · Virginia Tech" in part
        assert "cs.CV · new" in part
        assert "This halves the cost. (from the abstract)" in part
        assert re.search(r"Why:? close to your topic “diffusion” ?;? \+90 upvotes in 12 h", part)
        assert all(label in part for label in ("Paper", "arXiv", "PDF", "Code", "More like this", "Less like this"))
    assert "128 upvotes, 14 comments, 1.2k stars" in mail.text
    assert "<strong>128</strong> upvotes, <strong>14</strong> comments, <strong>1.2k</strong> stars" in mail.html


def test_the_text_part_keeps_to_its_columns_and_breaks_no_address(rendered: Render, entry: EntryMaker) -> None:
    long = "https://example.org/" + "a-long-path-/" * 20
    mail = rendered([entry(1, links={"page": long}), *(entry(n) for n in range(2, 30))])
    assert all(len(line) <= COLUMNS for line in mail.text.splitlines() if "https://" not in line)
    assert f"\n    Paper: {long}\n" in mail.text
    assert not re.search(r"[ \t]\n|\n{3}", mail.text)


def test_links_of_the_text_part_stand_under_their_paper(rendered: Render) -> None:
    papers = re.split(r"^ ?\d+\. ", rendered(30).text, flags=re.MULTILINE)[1:]
    assert len(papers) == 20
    for place, paper in enumerate(papers, start=1):
        numbers = {int(number) for number in re.findall(r"https://\S+?(?:2611\.|flow-)(\d+)$", paper, re.MULTILINE)}
        assert numbers == {place}
    assert "    arXiv: https://arxiv.org/abs/2611.00003\n" in papers[2]


def test_the_title_of_a_paper_without_an_address_is_plain_text_and_can_be_looked_for(
    rendered: Render, entry: EntryMaker, reader: Reader
) -> None:
    mail = rendered([entry(n, links={}) for n in range(1, 21)], to=replace(reader, rating=""))
    shown = Shown(mail.html)
    searches = [link for link in shown.links if "+part+3" in link]
    assert [link.partition("?")[0] for link in searches] == [
        "https://arxiv.org/search/",
        "https://scholar.google.com/scholar",
    ]
    assert all(
        f"Search {site}: {link}\n" in mail.text for site, link in zip(("arXiv", "Google Scholar"), searches, strict=True)
    )
    others = [link for link in shown.links if "+part+" not in link]
    assert others == [f"https://papers.example.org/{page}/AbCdEfGhIjKlMnOpQrStUv" for page in ("u", "p/ask")]
    assert "Spherical flow matching beats latent diffusion, part 20" in shown.text
    assert "Paper:" not in mail.text
    assert "Metadata from" not in mail.text + mail.html


@pytest.mark.parametrize("links", [None, {}], ids=["linked", "unlinked"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_papers_say_is_pronounced_in_english_whatever_the_mail_is_in(
    rendered: Render, entry: EntryMaker, language: str, links: dict[str, str] | None
) -> None:
    given = {} if links is None else {"links": links}
    mail = rendered([entry(n, **given) for n in range(1, 6)], cards=3, also=2, language=language, matched="a topic")
    marked = re.findall(r'<(?:a|span)\b[^>]* lang="(\w+)"[^>]*>([^<]*)<', mail.html)
    titles = [f"Spherical flow matching beats latent diffusion, part {number}" for number in range(1, 6)]
    summary = "We propose to project latents onto spheres. This halves the cost."
    said = [("en", text) for title in titles[:3] for text in (title, summary)] + [("en", title) for title in titles[3:]]
    # In an English mail all is English anyhow.
    assert marked == ([] if language == "en" else said)
    assert mail.html.count(" lang=") == 2 + len(marked)


def test_the_way_out_stands_on_a_line_of_its_own(rendered: Render, reader: Reader) -> None:
    mail = rendered()
    assert f"\nUnsubscribe:\nhttps://papers.example.org/u/{reader.token}\n" in mail.text
    assert f'href="https://papers.example.org/u/{reader.token}"' in mail.html


def test_no_way_out_is_shown_where_there_is_none(rendered: Render, reader: Reader) -> None:
    mail = rendered(to=replace(reader, token=""))
    assert "nsubscribe" not in mail.text + mail.html


def test_no_pages_are_linked_where_there_are_none(
    site: SiteSettings, environments: Environments, edition: EditionMaker, reader: Reader
) -> None:
    mail = DigestRenderer(site, environments, edition(3)).render([Pick(1, "card")], reader)
    assert reader.token not in mail.text + mail.html


WORDS = [
    ("topic", "diffusion", "close to your topic “diffusion”"),
    ("keyword", "RLHF", "has your keyword “RLHF”"),
    ("author", "Kaan Oktay", "by Kaan Oktay, whom you follow"),
    ("category", "cs.CV", "in cs.CV, which you follow"),
    ("liked", "image editing, flow matching", "like papers you liked: image editing, flow matching"),
    ("liked", "", "like papers you liked"),
]


@pytest.mark.parametrize(("how", "matched", "words"), WORDS)
def test_what_his_interests_say_stands_before_what_the_ranking_says(
    rendered: Render, how: str, matched: str, words: str
) -> None:
    mail = rendered(1, how=how, matched=matched)
    assert f"Why: {words} +90 upvotes in 12 h" in _flat(mail.text)
    assert f"<strong>{words}</strong>; +90 upvotes in 12 h" in mail.html


def test_a_card_outside_his_interests_says_so(rendered: Render) -> None:
    mail = rendered(1, how="explore")
    for part in (_flat(mail.text), Shown(mail.html).text):
        assert re.search(r"Something.else:? outside your interests ?;? \+90 upvotes in 12 h", part)
        assert "Why" not in part


def test_a_card_has_three_reasons_at_most(rendered: Render, entry: EntryMaker) -> None:
    terms = tuple(Term(f"s{n}", 1, 1.0 / n, f"reason {n}") for n in range(1, 6))
    assert "Why: reason 1; reason 2; reason 3\n" in rendered([entry(1, terms=terms)]).text
    his = rendered([entry(1, terms=terms)], matched="graphs").text
    assert "    Why: close to your topic “graphs”\n         reason 1; reason 2\n" in his


def test_the_end_says_how_the_cards_came_about(
    site: SiteSettings, environments: Environments, edition: EditionMaker, reader: Reader
) -> None:
    picks = [Pick(1, "card", "topic", "x"), Pick(2, "card"), Pick(3, "card"), Pick(4, "card", "explore"), Pick(5, "also")]
    mail = DigestRenderer(site, environments, edition(9)).render(picks, reader)
    for part in (_flat(mail.text), Shown(mail.html).text):
        assert "4 papers: 1 matches your interests, 2 are trending and 1 is something else." in part


def test_who_has_no_interests_is_not_told_that_all_is_trending(rendered: Render) -> None:
    mail = rendered(30)
    assert "are trending" not in mail.text + mail.html


def test_every_card_can_be_rated_by_the_number_of_its_paper(rendered: Render, reader: Reader) -> None:
    mail = rendered(30, cards=10, also=10)
    pages = f"https://papers.example.org/f/{reader.rating}"
    wanted = [f"{pages}/p{paper}/{verdict}" for paper in range(1, 11) for verdict in ("more", "less")]
    assert [link for link in Shown(mail.html).links if "/f/" in link] == wanted
    assert re.findall(r"https://papers\.example\.org/f/\S+", mail.text) == wanted


def test_nothing_can_be_rated_where_no_page_takes_it(rendered: Render, reader: Reader) -> None:
    mail = rendered(to=replace(reader, rating=""))
    assert "like this" not in mail.text + mail.html


def test_the_footer_says_why_he_gets_this(rendered: Render, reader: Reader) -> None:
    mail = rendered()
    reason = "Ann, you get Trending Papers every day because you confirmed ann@example.org on 3 November 2026."
    for part in (_flat(mail.text), Shown(mail.html).text):
        assert reason in part
        assert "Paper Society, 1 Example Street, 12345 Berlin" in part
        assert "Metadata from Hugging Face and arXiv." in part
    weekly = rendered(to=replace(reader, name="", confirmed_on=None), cadence="weekly")
    assert "You get Trending Papers every week because ann@example.org is subscribed." in _flat(weekly.text)


@pytest.mark.parametrize(
    ("missing", "note"),
    [
        (("arXiv", "arXiv"), "arXiv could not be read today; its papers follow."),
        (("Hugging Face", "arXiv"), "Hugging Face and arXiv could not be read today; their papers follow."),
        (("our lab's feed",), "our lab's feed could not be read today; its papers follow."),
    ],
)
def test_a_missing_source_is_named(rendered: Render, missing: tuple[str, ...], note: str) -> None:
    mail = rendered(missing_sources=missing)
    assert note in _flat(mail.text)
    assert note in Shown(mail.html).text
    assert "could not be read" not in rendered().text


def test_the_preheader_does_not_repeat_the_subject(rendered: Render) -> None:
    html = rendered().html
    found = re.search(r'<div style="display:none[^>]*>([^<]*)</div>', html)
    assert found
    shown = unescape(found[1]).replace("\u2007", "").replace("\ufeff", "").strip()
    assert shown.startswith("2. ")
    assert len(shown) <= 90
    assert found[1].count("&#8199;&#65279;") > 40


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_text_breaks_neither_markup_nor_text(rendered: Render, entry: EntryMaker, title: str) -> None:
    tame = rendered([entry(n, title="Tame") for n in range(1, 5)], cards=2, also=2, matched="tame")
    fields = {"abstract": title, "authors": (title,), "organization": title, "categories": (title,)}
    mail = rendered([entry(n, title=title, **fields) for n in range(1, 5)], cards=2, also=2, matched=title)
    assert Shown(mail.html).tags == Shown(tame.html).tags
    assert Shown(mail.html).links == Shown(tame.html).links
    assert "everybody" not in mail.subject.partition("Bcc:")[0]
    assert len(mail.subject) <= 60
    assert mail.subject.isprintable()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", mail.text + mail.html)
    assert mail.text.count("\nUnsubscribe:\n") == 1
    assert all(len(line) <= COLUMNS for line in mail.text.splitlines() if "https:" not in line)


def test_a_title_is_shown_letter_for_letter(rendered: Render, entry: EntryMaker) -> None:
    title = "<script>alert(1)</script> & {{ 7*7 }} &lt;b&gt;"
    mail = rendered([entry(1, title=title)])
    assert title in _flat(mail.text)
    assert title in _flat(Shown(mail.html).titles[0])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=st.text(max_size=320), name=st.text(max_size=40), matched=st.text(max_size=40))
def test_no_text_is_too_strange_to_be_mailed(
    rendered: Render, entry: EntryMaker, reader: Reader, title: str, name: str, matched: str
) -> None:
    mail = rendered([entry(1, title=title, abstract=title)], to=replace(reader, name=name), matched=matched)
    assert len(mail.subject) <= 60
    assert len(mail.subject.splitlines()) <= 1
    assert "<script" not in mail.html


def test_the_readers_name_cannot_forge_a_line(rendered: Render, reader: Reader) -> None:
    mail = rendered(to=replace(reader, name="Ann\n\nUnsubscribe:\nhttps://evil.example/ <b>"))
    assert mail.text.count("\nUnsubscribe:\n") == 1
    assert "<b>" not in mail.html


def test_the_same_arguments_give_the_same_mail(
    site: SiteSettings, environments: Environments, edition: EditionMaker, reader: Reader
) -> None:
    made = edition(30, missing_sources=("arXiv",))
    picks = [Pick(n, "card" if n <= 10 else "also", "topic", "graphs") for n in range(1, 21)]
    used = DigestRenderer(site, environments, made)
    used.render(picks[::-1], replace(reader, name="Bob"))
    assert used.render(picks, reader) == DigestRenderer(site, Environments(), edition(30, missing_sources=("arXiv",))).render(
        picks, reader
    )


def test_cards_come_first_in_the_order_of_the_picks(
    site: SiteSettings, environments: Environments, edition: EditionMaker, reader: Reader
) -> None:
    picks = [Pick(3, "also"), Pick(2, "card"), Pick(1, "card")]
    mail = DigestRenderer(site, environments, edition(3)).render(picks, reader)
    assert [title[:2] for title in Shown(mail.html).titles] == ["1.", "2.", "Al"]
    assert Shown(mail.html).titles[0].endswith("part 2")
    assert mail.subject.endswith("+ 1 more")


def test_a_paper_is_found_under_the_id_that_it_had_before_a_merge(
    site: SiteSettings, environments: Environments, edition: EditionMaker, entry: EntryMaker, reader: Reader
) -> None:
    merged = edition([entry(1, former_ids=frozenset({77}))])
    assert "part 1" in DigestRenderer(site, environments, merged).render([Pick(77, "card")], reader).text


def test_picks_that_cannot_be_shown_are_refused(
    site: SiteSettings, environments: Environments, edition: EditionMaker, reader: Reader
) -> None:
    renderer = DigestRenderer(site, environments, edition(3))
    with pytest.raises(ValueError, match="no picks"):
        renderer.render([], reader)
    with pytest.raises(ValueError, match="paper 9 is not in edition 2026-11-22"):
        renderer.render([Pick(9, "card")], reader)


def test_lines_alone_make_a_mail_too(rendered: Render) -> None:
    mail = rendered(3, cards=0, also=3)
    assert mail.subject.endswith("+ 2 more")
    assert "Also trending" in mail.text


def test_fifteen_full_cards_stay_far_below_what_mail_clients_cut(rendered: Render, entry: EntryMaker) -> None:
    full = {
        "title": "A title of quite some length " * 5,
        "abstract": "We propose " + "a thing & another " * 30,
        "links": {kind: f"https://example.org/{kind}/{'x' * 60}" for kind in ("page", "arxiv", "pdf", "code", "project")},
    }
    mail = rendered([entry(n, **full) for n in range(1, 26)], cards=15, also=10, matched="a topic of mine")
    assert len(mail.html.encode()) < 60_000
