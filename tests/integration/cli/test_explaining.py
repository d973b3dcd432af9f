"""Why a reader did or did not get a paper, as it was stored, in a sentence and in numbers."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import null, update
from support.operator import Operator
from support.site import MONDAY, Site

from digest.flows import subscribe
from digest.store import deliveries, editions
from digest.store.schema import delivery
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import Interest, InterestKind

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ANN = "ann@example.org"
WORDS = ("Meanders", "Chemistry", "Fishing", "Dams", "Ice", "Names", "Lawsuits", "Songs", "Trade", "Floods")


class Desk:
    """An operator who is asked by readers."""

    def __init__(self, operator: Operator, site: Site, folder: Path) -> None:
        self.operator, self.site, self._folder = operator, site, folder

    def sign_up(self, address: str = ANN, **how: Any) -> None:
        """Somebody who is active for an hour when Monday's edition is frozen."""
        self.site.at(MONDAY - HOUR)
        self.site.subscribe(address, **how)
        self.site.at(MONDAY)

    def wants(self, kind: InterestKind, *values: str) -> None:
        wanted = {kind: [Interest(kind, value) for value in values]}
        subscribe.change(self.site.app.store, self.site.now, EmailAddress.parse(ANN), interests=wanted)

    def mail(self) -> None:
        self.site.publish()
        self.site.deliver()

    def collect(self, *papers: dict[str, object]) -> None:
        file = self._folder / "more.jsonl"
        file.write_text("".join(json.dumps(paper) + "\n" for paper in papers))
        done = self.operator.call("collect", "--file", str(file), now=self.site.now)
        assert done.code == 0, done.err

    def told(self, paper: str, *more: str, address: str = ANN) -> Any:
        """What `explain --json` says; the words for people are said without a mistake, too."""
        line = ("explain", address, paper, *more)
        in_words = self.operator.call(*line, now=self.site.now)
        assert (in_words.code, "Traceback" in in_words.err) == (0, False), in_words.err
        told = self.operator.call(*line, "--json", now=self.site.now).json
        assert told["why"] in in_words.out
        return told

    def picked(self) -> list[str]:
        """The arXiv ids in Ann's latest mail, in their order."""
        number = self.operator.call("deliveries", "list", "--only", ANN, "--json").json["deliveries"][0]["id"]
        ids = {row["id"]: row["arxiv_id"] for row in self.operator.call("papers", "list", "--json").json["papers"]}
        return [ids[pick["id"]] for pick in self.operator.call("deliveries", "show", str(number), "--json").json["picks"]]


@pytest.fixture
def desk(operator: Operator, site: Site, tmp_path: Path) -> Desk:
    return Desk(operator, site, tmp_path)


def test_a_paper_that_he_got_is_told_with_its_place_its_terms_and_when_it_was_submitted(desk: Desk) -> None:
    desk.sign_up(topics=["protein folding"])
    desk.mail()
    for place, paper in enumerate(desk.picked(), 1):
        told = desk.told(paper)
        assert (told["verdict"], told["edition"], told["differs"]) == ("got", "2026-03-02", False)
        assert f"number {place} of 5 in his mail, submitted at 2026-03-02 06:00Z" in told["why"]
        assert told["stored"]["pick"]["place"] == place
        assert told["stored"]["delivery"]["state"] == "submitted"
        assert told["stored"]["score"] == pytest.approx(sum(term["score"] for term in told["stored"]["terms"]), abs=1e-3)
        assert told["recomputed"]["outcome"] == "picked"


def test_what_was_near_to_his_topic_is_told_with_the_words_that_made_it_so(desk: Desk) -> None:
    desk.sign_up(topics=["protein folding"])
    desk.mail()
    of_topic = [one for one in map(desk.told, desk.picked()) if one["stored"]["pick"]["how"] == "topic"]
    assert of_topic
    assert "close to your topic “protein folding”" in of_topic[0]["why"]
    (facet,) = of_topic[0]["recomputed"]["facets"]
    assert facet["label"] == "protein folding"
    assert facet["strength"] > 0
    assert any("protein" in word["term"] or "folding" in word["term"] for word in facet["words"])


def test_a_paper_that_he_got_before_is_told_with_the_edition_that_brought_it(desk: Desk) -> None:
    desk.sign_up()
    desk.mail()
    first = desk.picked()[0]
    desk.site.at(MONDAY + DAY)
    desk.mail()
    assert first not in desk.picked()
    told = desk.told(first, "--date", "2026-03-03")
    assert (told["verdict"], told["stored"]["got_with"]) == ("got earlier", "2026-03-02")
    assert "with the edition of 2026-03-02" in told["why"]
    assert desk.told(first)["edition"] == "2026-03-02"  # without a date, the one that brought it


def test_a_paper_for_which_there_was_no_room_is_told_with_its_place_and_the_last_one_used(desk: Desk) -> None:
    desk.sign_up()
    desk.site.at(MONDAY - HOUR)
    desk.collect(*({"title": f"{word} of rivers", "arxiv_id": f"2603.2{n:04}"} for n, word in enumerate(WORDS)))
    desk.site.at(MONDAY)
    desk.mail()
    told = [desk.told(f"2603.2{n:04}") for n in range(len(WORDS))]
    left = [one for one in told if one["verdict"] == "not reached"]
    assert left
    for one in left:
        assert one["why"].startswith("There was no room: it ")
        assert one["recomputed"]["place"] == 0
        for standing in one["recomputed"]["standings"]:
            assert standing["place"] is None or standing["place"] > standing["last"]


def test_a_paper_that_is_too_like_another_is_told_with_the_place_of_that_one(
    operator: Operator, make_site: Callable[..., Site], tmp_path: Path
) -> None:
    operator.set(ranking__also="0")
    desk = Desk(operator, make_site(ranking__also=0), tmp_path)
    desk.sign_up()
    desk.site.at(MONDAY - HOUR)
    twin = {"abstract": "Sparse attention makes transformers of long videos cheap, and we measure by how much."}
    desk.collect(
        {"title": "Sparse attention for long videos", "arxiv_id": "2603.30000", "votes": 90, **twin},
        {"title": "Sparse attention for long videos, revisited", "arxiv_id": "2603.30001", "votes": 89, **twin},
        *({"title": word, "arxiv_id": f"2603.2{n:04}", "votes": 80 - n} for n, word in enumerate(WORDS)),
    )
    desk.site.at(MONDAY)
    desk.mail()
    first, second = desk.told("2603.30000"), desk.told("2603.30001")
    assert (first["verdict"], second["verdict"]) == ("got", "too alike")
    assert second["recomputed"]["like"] == first["stored"]["pick"]["place"]
    assert f"most like number {second['recomputed']['like']} of them" in second["why"]


def test_a_paper_that_came_too_late_for_an_edition_was_no_candidate(desk: Desk) -> None:
    desk.sign_up()
    desk.mail()
    desk.site.later(hours=3)
    desk.collect({"title": "A late arrival", "arxiv_id": "2603.20000"})
    told = desk.told("2603.20000", "--date", "2026-03-02")
    assert (told["verdict"], told["recomputed"]) == ("not a candidate", None)
    assert "first collected at 2026-03-02 09:00Z" in told["why"]


def test_a_paper_that_was_too_old_for_an_edition_was_no_candidate(desk: Desk) -> None:
    desk.sign_up()
    desk.site.at(MONDAY + 20 * DAY)
    desk.collect({"title": "Something new", "arxiv_id": "2603.20000"})
    desk.mail()
    told = desk.told("2603.10001", "--date", "2026-03-22")
    assert told["verdict"] == "not a candidate"
    assert "reaches back 14 days" in told["why"]


def test_a_paper_that_was_hidden_is_told_as_withdrawn_whether_before_the_edition_or_after(desk: Desk) -> None:
    desk.sign_up()
    assert desk.operator.call("papers", "hide", "2603.10000", now=MONDAY - HOUR).code == 0
    desk.site.publish()
    assert desk.operator.call("papers", "hide", "2603.10001", now=MONDAY).code == 0
    desk.site.later(minutes=1)
    desk.site.deliver()
    before, after = desk.told("2603.10000"), desk.told("2603.10001")
    assert (before["verdict"], after["verdict"]) == ("not a candidate", "hidden")
    assert "has hidden it since 2026-03-02 05:00Z" in before["why"]


def test_what_was_hidden_after_his_mail_he_got_all_the_same(desk: Desk) -> None:
    desk.sign_up()
    desk.mail()
    first = desk.picked()[0]
    desk.operator.call("papers", "hide", first, now=MONDAY + HOUR)
    desk.site.later(hours=2)
    told = desk.told(first)
    assert (told["verdict"], told["differs"]) == ("got", False)


def test_what_he_muted_is_told(desk: Desk) -> None:
    desk.sign_up()
    desk.site.at(MONDAY - HOUR)
    desk.wants("mute", "graph")
    desk.site.at(MONDAY)
    desk.mail()
    told = desk.told("2603.10000")
    assert told["verdict"] == "muted"
    assert "graph" in told["why"]


def test_interests_are_told_as_they_were_then(desk: Desk) -> None:
    desk.sign_up(topics=["protein folding"])
    desk.mail()
    paper = next(one for one in desk.picked() if desk.told(one)["stored"]["pick"]["how"] == "topic")
    desk.site.later(hours=5)
    desk.wants("topic", "galaxy")
    told = desk.told(paper)
    assert told["stored"]["interests"] == [{"kind": "topic", "value": "protein folding", "weight": 1.0}]
    assert (told["verdict"], told["differs"]) == ("got", False)


def test_where_the_settings_have_changed_what_was_stored_stands_and_it_is_said(desk: Desk) -> None:
    desk.sign_up()
    desk.mail()
    fifth = desk.picked()[4]
    desk.operator.set(ranking__size="1", ranking__also="0")
    told = desk.told(fifth)
    assert (told["verdict"], told["differs"]) == ("got", True)
    assert "What was stored stands." in told["why"]


def test_a_share_and_a_size_that_he_chose_later_do_not_change_what_is_told(desk: Desk) -> None:
    desk.sign_up()
    desk.mail()
    fifth = desk.picked()[4]
    desk.site.later(hours=1)
    subscribe.change(desk.site.app.store, desk.site.now, EmailAddress.parse(ANN), preferences={"size": 1, "share": 0.0})
    assert not desk.told(fifth)["differs"]


def test_a_mail_that_is_yet_to_be_made_is_told_as_due(desk: Desk) -> None:
    desk.sign_up()
    desk.site.publish()
    with desk.site.app.store.write() as connection:
        issue = editions.latest(connection, MONDAY)
        assert issue is not None
        deliveries.enqueue_for_all(connection, issue, MONDAY)
    first = desk.operator.call("rank", "--for", ANN, "--json", now=MONDAY).json["papers"][0]
    told = desk.told(str(first["id"]))
    assert told["verdict"] == "due"
    assert "due at 2026-03-02 06:00Z" in told["why"]


def test_a_mail_that_did_not_reach_him_is_told_with_what_the_server_said(desk: Desk) -> None:
    desk.sign_up()
    desk.site.publish()
    desk.site.sink.on["RCPT"] = lambda *_: "554 5.7.1 not today"
    desk.site.deliver()
    told = desk.told(desk.picked()[0])
    assert told["verdict"] == "chosen"
    assert "not today" in told["why"]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"hour": "15:00"}, "his hour is 15:00 (UTC): his next mail is due at 2026-03-02 15:00Z"),
        ({"days": frozenset({1, 2})}, "he does not read on that day of the week, but on tue,wed"),
    ],
)
def test_one_for_whom_no_mail_was_due_is_told_why(desk: Desk, how: dict[str, Any], words: str) -> None:
    desk.sign_up(**how)
    desk.mail()
    told = desk.told("2603.10000")
    assert (told["verdict"], told["edition"]) == ("no mail", "2026-03-02")
    assert words in told["why"]


def test_a_weekly_reader_is_told_of_his_own_edition_unless_another_day_is_asked_for(desk: Desk) -> None:
    desk.sign_up(cadence="weekly")
    desk.mail()
    desk.site.at(MONDAY + DAY)
    desk.mail()
    assert desk.told("2603.10000")["edition"] == "2026-03-02-weekly"
    other = desk.told("2603.10000", "--date", "2026-03-03")
    assert (other["verdict"], other["edition"]) == ("no mail", "2026-03-03")
    assert "this was a daily edition, and he reads a weekly one" in other["why"]


def test_one_who_was_paused_is_told_since_when(desk: Desk) -> None:
    desk.sign_up()
    subscribe.pause(desk.site.app.store, MONDAY - timedelta(minutes=10), EmailAddress.parse(ANN), None)
    desk.mail()
    told = desk.told("2603.10000")
    assert told["verdict"] == "no mail"
    assert "he was paused, since 2026-03-02 05:50Z" in told["why"]


def test_one_who_signed_up_later_is_told_so(desk: Desk) -> None:
    desk.site.publish()
    desk.site.later(hours=1)
    desk.site.subscribe(ANN)
    assert "he signed up later, at 2026-03-02 07:00Z" in desk.told("2603.10000")["why"]


def test_one_whose_mail_was_withdrawn_is_told_what_became_of_it(desk: Desk) -> None:
    desk.sign_up()
    desk.site.publish()
    desk.site.deliver(limit=0)
    subscribe.unsubscribe(desk.site.app.store, MONDAY, EmailAddress.parse(ANN))
    told = desk.told("2603.10000")
    assert told["verdict"] == "no mail"
    assert "unsubscribed" in told["why"]


def test_an_edition_that_was_empty_says_why_it_was(desk: Desk) -> None:
    desk.sign_up()
    desk.site.at(MONDAY + 30 * DAY)
    desk.site.publish()
    told = desk.told("2603.10000", "--date", "2026-04-01")
    assert told["verdict"] == "empty edition"
    assert "no paper was seen in the last 14 days" in told["why"]


def test_what_was_forgotten_of_a_mail_is_told_by_the_readers_memory(desk: Desk) -> None:
    desk.sign_up()
    desk.mail()
    first = desk.picked()[0]
    with desk.site.app.store.write() as connection:
        connection.execute(update(delivery).values(picks=null()))
    told = desk.told(first)
    assert told["verdict"] == "got"
    assert "forgotten" in told["why"]


def test_a_paper_that_drew_too_little_attention_is_told_with_what_the_floor_asks(
    operator: Operator, make_site: Callable[..., Site], tmp_path: Path
) -> None:
    operator.set(ranking__floor="500")
    desk = Desk(operator, make_site(ranking__floor=500), tmp_path)
    desk.sign_up()
    desk.site.at(MONDAY - HOUR)
    desk.collect({"title": "Nobody cares for the graph", "arxiv_id": "2603.20000", "votes": 1})
    desk.site.at(MONDAY)
    desk.mail()
    told = desk.told("2603.20000")
    assert told["verdict"] == "below the floor"
    assert "ranking.floor asks for 500" in told["why"]


def test_a_paper_that_two_sources_had_under_two_ids_is_told_as_one(desk: Desk) -> None:
    desk.sign_up()
    desk.mail()
    first = desk.picked()[0]
    desk.site.later(hours=1)
    desk.collect({"title": "Another face of it", "doi": "10.5555/face"})
    desk.collect({"title": "Another face of it", "doi": "10.5555/face", "arxiv_id": first})
    assert desk.told("10.5555/face")["verdict"] == "got"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("explain bob@example.org 2603.10000", "bob@example.org is not a subscriber"),
        ("explain ann@example.org 2603.99999", "there is no paper 2603.99999"),
        ("explain ann@example.org 2603.10000 --date 2026-02-01", "no edition of 2026-02-01 is frozen"),
        ("explain ann@example.org 2603.10000 --date yesterday", "'yesterday' is not a date"),
        ("explain ann@example.org 2603.10000", "no edition is frozen yet"),
    ],
)
def test_what_cannot_be_explained_is_a_mistake_of_the_one_who_asks(desk: Desk, line: str, words: str) -> None:
    desk.sign_up()
    done = desk.operator.call(*line.split(), now=MONDAY)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
