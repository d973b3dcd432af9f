"""Mails put together from pieces are, decoded, what the templates give; and bytes that nothing on the way need touch."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.mail import read

from digest.edition.model import Edition, Entry, How, Pick
from digest.errors import ConfigurationError
from digest.outbox.mailbox import Mailbox
from digest.outbox.message import MAX_HTML, MessageTooLarge, boundary_of, headers, list_headers
from digest.outbox.splice import DATE, MESSAGE_ID, SUBJECT, TO, TOKEN, Splice
from digest.papers.model import Work
from digest.ranking.model import Term
from digest.rendering.digest_mail import DigestRenderer
from digest.rendering.environment import Environments
from digest.rendering.model import Pages, Reader
from digest.rendering.settings import SiteSettings
from digest.subscribers.address import EmailAddress
from digest.subscribers.language import LANGUAGES

DAY = date(2026, 11, 22)
DUE = datetime(2026, 11, 22, 7, tzinfo=UTC)
TEXTS = [
    "Sparse attention, once more",
    "Δx ≤ 0.5 für alle x ∈ ℝ",
    "\u202eright to left\u202c עברית and عربية",
    ".",
    "...and then: a title that begins with dots",
    "a = b == c =3D =20 =",
    "x" * 290,
    "ß" * 200,
    "👩‍👩‍👧‍👦 🤖 日本語のとても長い題名 " * 4,
    "\x02place\x03 \x02rate \x03/more \x02\x03 \x02",
    "\"quotes\" 'too' & <b>bold</b> &amp; {{ 7*7 }}",
    "--=_0123456789abcdef-- --=_",
    "trailing blank and tab \t ",
    "line\r\n.\r\nBcc: everybody@example.org\r\n\r\n.\r\nQUIT",
    "From the start",
    "word " * 50,
    "https://example.org/" + "long/" * 40,
    "a" * 71 + " ." + "b" * 71 + " .",
    "=?utf-8?q?evil?=",
    "1,234 upvotes",
    "took off on day 4: +90 votes in 12 h",
    "top 3% of cs.CL today",
    "",
]
HOWS: tuple[How, ...] = ("", "topic", "keyword", "author", "category", "liked", "explore")


def an_edition(seed: int, texts: Sequence[str] = TEXTS, entries: int = 60) -> Edition:
    choose = random.Random(seed)

    def text() -> str:
        return choose.choice(texts)

    def entry(number: int) -> Entry:
        kinds = choose.sample(["page", "arxiv", "doi", "pdf", "code", "project"], choose.randint(0, 6))
        links = {
            kind: f"https://{choose.choice(['arxiv.org', 'example.org'])}/{kind}?a={number}&b=.{'y' * number}" for kind in kinds
        }
        work = Work(
            title=text(),
            abstract=f"{text()}. We propose {text()}. {text()}",
            summary=choose.choice(["", text()]),
            summary_by=choose.choice(["", text()]),
            authors=tuple(text() for _ in range(choose.randint(0, 5))),
            categories=(text(),) if choose.random() < 0.7 else (),
            organization=text(),
            listed_on=DAY,
            links=links,
        )
        terms = tuple(Term(f"s{n}", n, choose.random(), text()) for n in range(choose.randint(0, 4)))
        counts = {"votes": choose.randint(0, 4000), "stars": choose.randint(0, 3)}
        return Entry(number, frozenset(), number, 1 / number, terms, work, DAY, counts)

    missing = choose.choice([(), ("arXiv",), (text(), "our feed")])
    return Edition(1, DAY, "daily", DUE, tuple(entry(n) for n in range(1, entries + 1)), missing)


def some_picks(choose: random.Random, edition: Edition, texts: Sequence[str] = TEXTS) -> list[Pick]:
    cards, also = choose.choice([(10, 5), (1, 0), (0, 3), (2, 1), (3, 2), (2, 0), (4, 0)])
    ids = choose.sample([entry.paper_id for entry in edition.entries], cards + also)
    picks = []
    for id_ in ids[:cards]:
        how = choose.choice(HOWS)
        picks.append(Pick(id_, "card", how, choose.choice(texts) if how not in ("", "explore") else ""))
    picks += [Pick(id_, "also") for id_ in ids[cards:]]
    choose.shuffle(picks)
    return picks


def a_reader(choose: random.Random, texts: Sequence[str] = TEXTS) -> Reader:
    token = "".join(choose.choices("abcdefghijklmnopqrstuvwxyzABCDEF-_0123456789", k=22))
    return Reader(
        address=choose.choice(["ann@example.org", "o'neil=x@example.org", "a" * 60 + "@" + "b" * 60 + ".example.org"]),
        name=choose.choice(["", "Ann", *texts]),
        confirmed_on=choose.choice([None, DAY]),
        token=choose.choice(["", token]),
        rating=choose.choice(["", f"{choose.randrange(10**9)}-{token}"]),
    )


HOSTS = ["https://papers.example.org", "https://" + "p" * 60 + ".example.org", "https://x.example.org/a=b&c"]


class Shop:
    """One edition, both ways."""

    def __init__(
        self,
        edition: Edition,
        environments: Environments,
        name: str = "Trending Papers",
        host: str | None = HOSTS[0],
        language: str = "en",
    ) -> None:
        site = SiteSettings(name=name, postal_address="1 Example Street\n12345 Berlin")
        pages = Pages(f"{host}/u/", f"{host}/f/", f"{host}/p/ask/") if host else None
        self.plain = DigestRenderer(site, environments, edition, pages, language)
        self.boundary = boundary_of(edition.name)
        head = headers(
            sender=Mailbox(EmailAddress("papers@example.org"), name),
            recipient=TO,
            subject=SUBJECT,
            date=DATE,
            message_id=MESSAGE_ID,
            reply_to=None,
            extra=list_headers(list_name=name, list_id="daily.example.org", unsubscribe_url=f"https://p.example/u/{TOKEN}"),
            language=language,
            boundary=self.boundary,
        )
        self.splice = Splice(DigestRenderer(site, environments, edition, pages, language), head, self.boundary)

    def mail(self, picks: Sequence[Pick], reader: Reader, name: str = "2026-11-22.abc@example.org") -> bytes:
        return self.splice.message(picks, reader, message_id=name, date="Sun, 22 Nov 2026 07:00:00 +0000", at=DUE)

    def check(self, picks: Sequence[Pick], reader: Reader) -> EmailMessage:
        """The mail, compared with what the templates give for the same arguments."""
        message = decoded(self.mail(picks, reader))
        wanted = self.plain.render(picks, reader)
        text, html = (
            part.get_payload(decode=True).decode().replace("\r\n", "\n")  # type: ignore[union-attr]
            for part in message.iter_parts()
        )
        assert text == wanted.text
        assert html == wanted.html
        assert str(message["Subject"]) == wanted.subject
        assert message["To"] == reader.address
        return message


def decoded(raw: bytes) -> EmailMessage:
    """The message, after looking at it as a strict mail server would."""
    assert raw.isascii()
    assert raw.endswith(b"--\r\n")
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    lines = raw.split(b"\r\n")
    assert not any(line.startswith(b".") for line in lines)
    body = raw.split(b"\r\n\r\n", 1)[1].split(b"\r\n")
    content = [line for line in body if not line.startswith((b"--=_", b"Content-"))]
    assert max(map(len, content)) <= 76
    assert not any(line.endswith((b" ", b"\t")) for line in content)
    assert not re.search(rb"=(?![0-9A-F]{2}|$)", b"\n".join(content), re.MULTILINE)
    message = read(raw)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert part.defects == []
        for name, value in part.items():
            assert not value.defects, name
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    return message


@pytest.fixture(scope="module")
def environments() -> Environments:
    return Environments()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("seed", range(4))
def test_a_spliced_mail_decodes_to_what_the_templates_give(environments: Environments, seed: int, language: str) -> None:
    choose = random.Random(f"{seed} {language}")
    name = ["Trending Papers", "Zoë’s .papers = 100 % “new”"][seed % 2]
    shop = Shop(an_edition(seed), environments, name, host=[*HOSTS, None][seed], language=language)
    for _ in range(150):
        message = shop.check(some_picks(choose, shop.plain.edition), a_reader(choose))
        assert message["Content-Language"] == language


ANY_TEXT = st.text(max_size=120)


@settings(max_examples=120, derandomize=True, deadline=None)
@given(st.lists(ANY_TEXT, min_size=1, max_size=6), st.integers(0, 1000))
def test_no_text_is_too_strange_to_be_spliced(texts: list[str], seed: int) -> None:
    choose = random.Random(seed)
    edition = an_edition(seed, texts, entries=16)
    shop = Shop(edition, ENVIRONMENTS, language=list(LANGUAGES)[seed % len(LANGUAGES)])
    for _ in range(3):
        shop.check(some_picks(choose, edition, texts), a_reader(choose, texts))


ENVIRONMENTS = Environments()


def test_no_mail_takes_anything_from_the_one_before(environments: Environments) -> None:
    edition = an_edition(7)
    used = Shop(edition, environments)
    jobs = []
    for seed in range(60):
        choose = random.Random(seed)
        jobs.append((some_picks(choose, edition), a_reader(choose)))
    first = [used.mail(*job) for job in jobs]
    assert [used.mail(*job) for job in reversed(jobs)] == first[::-1]
    assert [Shop(edition, environments).mail(*job) for job in jobs[::20]] == first[::20]


def test_a_paper_is_rated_by_its_number_wherever_it_stands(environments: Environments) -> None:
    shop = Shop(an_edition(1), environments)
    reader = replace(a_reader(random.Random(1)), rating="48210-AbCdEfGhIjKlMnOpQrStUv")
    for ids in ([3, 5, 9], [9, 3, 5]):
        message = shop.check([Pick(id_, "card") for id_ in ids], reader)
        for part in message.iter_parts():
            found = re.findall(r"/f/48210-AbCdEfGhIjKlMnOpQrStUv/p(\d+)/(more|less)", part.get_content())
            assert found == [(str(id_), verdict) for id_ in ids for verdict in ("more", "less")]


def test_the_way_out_is_the_readers_own(environments: Environments) -> None:
    message = Shop(an_edition(1), environments).check([Pick(1, "card")], replace(a_reader(random.Random(1)), token="AbC-_1"))
    assert message["List-Unsubscribe"] == "<https://p.example/u/AbC-_1>"
    assert message["Message-ID"] == "<2026-11-22.abc@example.org>"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "ann@example.org\r\nBcc: b@example.org"),
        ("address", "änn@example.org"),
        ("address", "a" * 900 + "@example.org"),
        ("token", "\x02rating \x03"),
        ("token", "a=b"),
        ("rating", "1-x\n"),
        ("rating", "1-" + "x" * 60),
    ],
)
def test_what_cannot_stand_in_a_mail_is_refused(environments: Environments, field: str, value: str) -> None:
    reader = replace(a_reader(random.Random(1)), **{field: value})
    with pytest.raises(ValueError, match="cannot stand in a mail"):
        Shop(an_edition(1), environments).mail([Pick(1, "card")], reader)


def test_a_message_id_cannot_bring_a_header_in(environments: Environments) -> None:
    with pytest.raises(ValueError, match="cannot stand in a mail"):
        Shop(an_edition(1), environments).mail([Pick(1, "card")], a_reader(random.Random(1)), "a@b>\r\nBcc: <c@d")


def test_picks_that_cannot_be_shown_are_refused(environments: Environments) -> None:
    shop = Shop(an_edition(1), environments)
    with pytest.raises(ValueError, match="no picks"):
        shop.mail([], a_reader(random.Random(1)))
    for section in ("card", "also"):
        with pytest.raises(ValueError, match="paper 99 is not in edition 2026-11-22"):
            shop.mail([Pick(99, section)], a_reader(random.Random(1)))


def own(folder: Path, **files: str) -> Environments:
    """The operator's own templates, by name without its dot."""
    there = folder / "email" / "digest"
    there.mkdir(parents=True)
    for name, text in files.items():
        (there / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return Environments(folder)


CARD = Pick(1, "card", "topic", "graphs")
MATTERS = Reader("ann@example.org", "Ann", DAY, "x", "1-x")


@pytest.mark.parametrize(
    ("name", "template"),
    [
        ("card_html", "<p>{% if card.place > 1 %}x{% endif %}</p>"),
        ("card_html", "<p>\n{{ card.place + 1 }}</p>"),
        ("card_html", "{% if card.personal == 'x' %}x{% endif %}"),
        ("card_html", "{{ card.personal | upper }}"),
        ("card_html", "{{ card.personal | length }}"),
        ("card_html", "{{ card.rate[0].url | replace('more', 'most') }}"),
        ("card_txt", "{{ '%2d.' | format(card.place) }}"),
        ("card_txt", "{{ (card.label ~ card.personal) | wrap(4) }}"),
        ("card_txt", "{% set x %}{{ card.personal }}{% endset %}{{ x | wrap }}"),
        ("card_txt", "{% filter upper %}{{ card.personal }}{% endfilter %}"),
        ("card_txt", "{{ card.personal | wrap(4) | wrap(8) }}"),
        ("body_html", "{% for card in digest.cards %}{{ card.paper.title }}{% endfor %}"),
        ("body_txt", "{% if 'Ann' in digest.reason %}x{% endif %}"),
        ("subject_txt", "{{ subject | upper }}"),
        ("subject_txt", "{{ subject[:10] }}"),
    ],
)
def test_a_template_that_works_on_what_differs_is_told_so(tmp_path: Path, name: str, template: str) -> None:
    shop = Shop(an_edition(3), own(tmp_path, **{name: template}))
    with pytest.raises(ConfigurationError) as caught:
        shop.mail([CARD], MATTERS)
    assert name.replace("_", ".") in str(caught.value)
    assert "differs from reader to reader" in str(caught.value)


def test_a_template_of_the_operators_prints_what_it_likes_where_it_likes(tmp_path: Path) -> None:
    files = {
        "subject_txt": "[{{ digest.count }}]\n {{ subject }}",
        "card_html": "<p>{{ card.rate[0].url if card.rate }}{{ card.place }}.{% if card.lead %}!{% endif %}</p>",
        "card_txt": ".{{ card.personal | wrap(60) }}.{% for link in card.rate %}{{ link.url }}{% endfor %}\n\n\n",
        "line_txt": ".{{ line.title }}",
        "line_html": "{{ line.place }}",
        "body_html": "<b>{{ digest.also }}{{ digest.cards }}</b>{{ digest.cards }}{{ subject }}",
        "body_txt": ".\n..{{ digest.reason | wrap(50) }}.\n.\n{{ digest.cards }}{{ digest.also }}\n{{ digest.credit }}",
    }
    shop = Shop(an_edition(3), own(tmp_path, **files))
    choose = random.Random(3)
    for _ in range(200):
        shop.check(some_picks(choose, shop.plain.edition), a_reader(choose))


@pytest.mark.parametrize(
    ("name", "template"),
    [
        ("card_html", "{{ card.place }}{{ card.place }}"),
        ("card_html", "{{ card.personal }}{{ card.place }}"),
        ("card_txt", "{{ card.personal }}{{ card.personal | wrap(4) }}"),
        ("line_txt", "{{ line.place }}{{ line.place | right(2) }}"),
    ],
)
def test_a_template_that_prints_what_differs_twice_or_in_another_order_is_told_so(
    tmp_path: Path, name: str, template: str
) -> None:
    shop = Shop(an_edition(3), own(tmp_path, **{name: template}))
    with pytest.raises(ConfigurationError, match=f"{name.replace('_', '.')}: it prints") as caught:
        shop.mail([CARD, Pick(2, "also")], MATTERS)
    assert caught.value.fix == "print each once, in this order"


def test_a_template_without_anything_of_the_readers_is_one_too(tmp_path: Path) -> None:
    files = dict.fromkeys(
        ("subject_txt", "card_html", "card_txt", "line_html", "line_txt", "body_html", "body_txt"), "the same"
    )
    shop = Shop(an_edition(3), own(tmp_path, **files))
    assert shop.check([CARD, Pick(2, "also")], MATTERS)["Subject"] == "the same"


def test_html_that_mail_clients_would_cut_is_refused_by_its_decoded_bytes(tmp_path: Path) -> None:
    # Encoded, each of these is three times as long as what counts.
    edition = an_edition(3)
    fits = Shop(edition, own(tmp_path / "a", body_html="é" * (MAX_HTML // 2) + "\n"))
    assert len(fits.mail([CARD], MATTERS)) > 2 * MAX_HTML
    with pytest.raises(MessageTooLarge, match="95,001 bytes"):
        Shop(edition, own(tmp_path / "b", body_html="é" * (MAX_HTML // 2) + "x")).mail([CARD], MATTERS)
