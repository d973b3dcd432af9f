"""The pages behind "More like this" and "Less like this": real requests to the real program."""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from support.sink import Sink
from support.site import Site
from support.waiting import until

from digest.edition.model import Pick
from digest.flows import subscribe
from digest.flows.collect import collect_file
from digest.outbox.identity import rating_token
from digest.papers.model import Sighting, Work
from digest.store import deliveries, editions, events, papers, retention, subscribers
from digest.store.rows import picks_to_json
from digest.store.schema import delivery, metadata
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import Cadence, Interest, SignUp, Subscriber
from digest.wiring import App

HOST = "papers.example.org"
ANN, BOB = EmailAddress("ann@example.org"), EmailAddress("bob@example.org")
Ask = Callable[..., Any]


@dataclass(frozen=True)
class Mail:
    """What Ann was mailed: `path` leads to its pages, without paper and verdict; `papers` are those, in the mail's order."""

    reader: Subscriber
    number: int
    path: str
    papers: tuple[int, ...]


def reader(app: App, address: EmailAddress) -> Subscriber:
    sign_up = SignUp(address, "", interests=(Interest("topic", "her secret topic"),))
    return subscribe.subscribe(app.store, app.clock.now(), sign_up, confirmed=True, public_url=None, source="a test").subscriber


@pytest.fixture
def mail(app: App, tmp_path: Path) -> Mail:
    """A digest of two cards and a line, which Ann has got."""
    lines = [f'{{"title": "Paper {n} on $\\\\alpha$ & <graphs>", "arxiv_id": "2601.0000{n}"}}' for n in (1, 2, 3)]
    (tmp_path / "papers.jsonl").write_text("\n".join(lines), encoding="utf-8")
    now = app.clock.now()
    collect_file(app.store, now, tmp_path / "papers.jsonl", "jsonl")
    ann = reader(app, ANN)
    with app.store.write() as connection:
        numbers = sorted(one.id for one in papers.listed(connection))
        edition, _ = editions.freeze(connection, on=now.date(), cadence="weekly", frozen_at=now, entries=[])
        deliveries.enqueue(connection, [(edition.number, ann.id, now)], now)
        # The line of "also trending" is stored first: the mail shows cards first all the same.
        picks = (Pick(numbers[2], "also"), Pick(numbers[0], "card"), Pick(numbers[1], "card", "topic", "her secret topic"))
        connection.execute(update(delivery).values(picks=json.loads(picks_to_json(picks)), state="submitted"))
        number = connection.execute(select(delivery.c.id)).scalar_one()
    return Mail(ann, number, f"/f/{rating_token(app.signer, number, ann.token)}", tuple(numbers))


def rated(app: App, who: Subscriber) -> list[tuple[str, str]]:
    with app.store.read() as connection:
        wanted = subscribers.interests(connection, [who.id], app.clock.now() + timedelta(seconds=1)).get(who.id, ())
    return [(one.kind, one.value) for one in wanted if one.kind in ("liked", "disliked")]


def everything(app: App) -> list[Any]:
    with app.store.read() as connection:
        return [connection.execute(select(table)).all() for table in metadata.sorted_tables]


def test_looking_at_a_page_changes_nothing(app: App, web: Ask, mail: Mail) -> None:
    before = everything(app)
    for verdict in ("more", "less", "neither"):
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
            web(method, f"{mail.path}/1/{verdict}")
    assert everything(app) == before


@pytest.mark.parametrize(
    ("verdict", "words"), [("more", "More like this"), ("less", "Less like this"), ("neither", "Take it back")]
)
def test_the_page_shows_the_paper_and_one_button(web: Ask, mail: Mail, verdict: str, words: str) -> None:
    page = web("GET", f"{mail.path}/1/{verdict}")
    assert page.status == 200
    assert "Paper 1 on α &amp; &lt;graphs&gt;" in page.body
    assert re.findall(r"<form[^>]*>", page.body) == [f'<form method="post" action="{mail.path}/1/{verdict}">']
    assert f'<button type="submit">{words}</button>' in page.body


def test_no_page_tells_whose_it_is_or_what_he_wants(web: Ask, mail: Mail) -> None:
    for method in ("GET", "POST"):
        page = web(method, f"{mail.path}/2/more")
        assert page.status == 200
        assert not re.search(r"ann|example\.org|secret", page.body, re.IGNORECASE)
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "script-src" not in page.headers["content-security-policy"]


@pytest.mark.parametrize(("verdict", "kind"), [("more", "liked"), ("less", "disliked")])
def test_pressing_the_button_is_his_word(app: App, web: Ask, mail: Mail, verdict: str, kind: str) -> None:
    page = web("POST", f"{mail.path}/2/{verdict}")
    assert page.status == 200
    assert f"Noted: {verdict} like this." in page.body
    assert rated(app, mail.reader) == [(kind, "arxiv:2601.00002")]
    with app.store.read() as connection:
        last = events.history(connection, mail.reader.id)[-1]
    assert (last.kind, dict(last.details)) == ("rated", {verdict: ["arxiv:2601.00002"], "by": "a link in his mail"})


def test_a_link_names_its_paper_wherever_it_stands(app: App, web: Ask, mail: Mail) -> None:
    for number in mail.papers:
        web("POST", f"{mail.path}/p{number}/more")
    assert rated(app, mail.reader) == [("liked", f"arxiv:2601.0000{number}") for number in (1, 2, 3)]


def test_a_paper_that_was_not_in_the_mail_cannot_be_rated_by_it(app: App, web: Ask, mail: Mail) -> None:
    with app.store.write() as connection:
        connection.execute(update(delivery).values(picks=json.loads(picks_to_json((Pick(mail.papers[0], "card"),)))))
    assert web("POST", f"{mail.path}/p{mail.papers[1]}/more").status == 404
    assert rated(app, mail.reader) == []


def test_a_number_in_an_older_mails_link_is_a_place_cards_first(app: App, web: Ask, mail: Mail) -> None:
    for place in (1, 2, 3):
        web("POST", f"{mail.path}/{place}/more")
    assert rated(app, mail.reader) == [("liked", f"arxiv:2601.0000{number}") for number in (1, 2, 3)]


def test_the_last_word_counts_and_can_be_taken_back(app: App, web: Ask, mail: Mail) -> None:
    page = web("POST", f"{mail.path}/1/more")
    actions = re.findall(r'<form class="other" method="post" action="([^"]*)"', page.body)
    assert actions == [f"{mail.path}/1/less", f"{mail.path}/1/neither"]
    assert "worse chances" in web("POST", actions[0]).body
    assert rated(app, mail.reader) == [("disliked", "arxiv:2601.00001")]
    assert "Forgotten." in web("POST", actions[1]).body
    assert rated(app, mail.reader) == []


def test_a_second_press_is_answered_alike_and_noted_once(app: App, web: Ask, mail: Mail) -> None:
    first = web("POST", f"{mail.path}/1/more")
    assert web("POST", f"{mail.path}/1/more").body == first.body
    with app.store.read() as connection:
        assert [one.kind for one in events.history(connection, mail.reader.id)].count("rated") == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "rest",
    [
        "/0/more",
        "/4/more",
        "/p0/more",
        "/p99/more",
        "/p/more",
        "/p01/more",
        f"/p{'9' * 19}/more",
        "/P1/more",
        "/01/more",
        "/100/more",
        "/x/more",
        "/1/most",
        "/1/",
        "/%31/%00",
        "/99999999999999999999/less",
    ],
)
def test_what_no_mail_has_is_not_found(app: App, web: Ask, mail: Mail, method: str, rest: str) -> None:
    assert web(method, mail.path + rest).status == 404
    assert rated(app, mail.reader) == []


S = "x" * 22
MADE_UP = [
    "x",
    "1",
    f"0-{S}",
    f"1-{S}",
    f"1-{S * 99}",
    f"{'9' * 30}-{S}",
    f"-1-{S}",
    f"01-{S}",
    "%00",
    f"%D9%A1-{S}",
    f"1-{S}%0a",
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("token", MADE_UP)
def test_a_token_that_is_made_up_is_told_so_in_plain_words(app: App, web: Ask, mail: Mail, method: str, token: str) -> None:
    page = web(method, f"/f/{token}/1/more")
    assert page.status == 404
    assert "This link is not valid" in page.body
    assert rated(app, mail.reader) == []


def test_a_link_speaks_for_its_own_mail_and_reader_alone(app: App, web: Ask, mail: Mail) -> None:
    bob = reader(app, BOB)
    with app.store.write() as connection:
        edition, _ = editions.freeze(
            connection, on=app.clock.now().date(), cadence="daily", frozen_at=app.clock.now(), entries=[]
        )
        deliveries.enqueue(connection, [(edition.number, bob.id, app.clock.now())], app.clock.now())
        connection.execute(update(delivery).values(picks=[[1, 0]]))
    other = mail.path.replace(f"/f/{mail.number}-", f"/f/{mail.number + 1}-")
    assert web("POST", f"{other}/1/more").status == 404
    assert rated(app, bob) == []


def test_a_number_that_another_reader_has_now_rates_nothing_for_him(app: App, web: Ask, mail: Mail) -> None:
    bob = reader(app, BOB)
    with app.store.write() as connection:
        connection.execute(update(delivery).values(subscriber_id=bob.id))  # as after an older backup was restored
    assert web("POST", f"{mail.path}/1/more").status == 404
    assert rated(app, bob) == []


def test_a_link_in_a_mail_whose_papers_are_forgotten_was_one_and_is_gone(app: App, web: Ask, mail: Mail) -> None:
    with app.store.write() as connection:
        assert retention.prune(connection, app.clock.now() + timedelta(days=61))["picks"] == 1
    for method in ("GET", "POST"):
        page = web(method, f"{mail.path}/1/more")
        assert page.status == 410
        assert "This link is too old" in page.body
        assert "60 days" in page.body
    # Whoever guesses is told no more than before.
    assert web("GET", f"{mail.path[:-1]}{'A' if mail.path[-1] != 'A' else 'Q'}/1/more").status == 404


def test_who_was_erased_has_no_pages_left(app: App, web: Ask, mail: Mail) -> None:
    subscribe.erase(app.store, app.clock.now(), ANN)
    assert "This link is not valid" in web("GET", f"{mail.path}/1/more").body


def test_a_paper_that_became_another_is_rated_as_that(app: App, web: Ask, mail: Mail) -> None:
    joined = Sighting("test", app.clock.now(), Work("Paper 1, in print"), ("arxiv:2601.00001", "doi:10.1000/x"))
    with app.store.write() as connection:
        papers.record(connection, [Sighting("test", app.clock.now(), Work("The print"), ("doi:10.1000/x",)), joined])
    web("POST", f"{mail.path}/1/less")
    assert rated(app, mail.reader) == [("disliked", "arxiv:2601.00001")]


@pytest.mark.parametrize("cadence", ["daily", "weekly"])
def test_the_links_of_a_mail_rate_the_papers_beside_them(
    site: Site, sink: Sink, serving: Callable[[App], AbstractContextManager[Ask]], cadence: Cadence
) -> None:
    site.later(hours=-1)
    (ann,) = site.subscribe(ANN.text, topics=["graph"], cadence=cadence)
    site.later(hours=1)
    site.publish()
    site.deliver()
    (mail,) = sink.accepted
    text = mail.message.get_body(("plain",)).get_content().replace("\r\n", "\n")  # type: ignore[union-attr]
    links = re.findall(rf"https://{HOST}(/f/\S+/more)", text)
    with serving(site.app) as ask:
        pages = [ask("POST", link) for link in links]
    titles = [re.findall(r"<strong[^>]*>([^<]*)</strong>", page.body)[0] for page in pages]
    assert titles == re.findall(r"^ [1-3]\. (.*)$", text, re.MULTILINE)
    assert len(rated(site.app, ann)) == len(titles) == 3


def test_a_log_holds_no_token(web: Ask, mail: Mail, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    web("GET", f"{mail.path}/1/more")
    until(lambda: "GET /f/… 200" in caplog.text, caplog.text, seconds=5)
    assert mail.path.rpartition("-")[2] not in caplog.text
