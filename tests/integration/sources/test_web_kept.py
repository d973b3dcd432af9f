"""Answers that are kept, and confirmed instead of sent again."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.website import JSON, PAGE, XML, Website

from digest.errors import ServerUnavailable
from digest.sources.web import HttpError, Site
from digest.sources.web.answers import Answers


class Ticking:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return Answers(tmp_path / "answers", 5, now=Ticking())


@pytest.fixture
def at(site: Website, open_web: Any, answers: Answers) -> Site:
    return open_web(answers).at(site.url, source="example")


TAGGED = JSON | {"ETag": '"v1"', "Last-Modified": "Mon, 02 Mar 2026 05:00:00 GMT"}
NOT_MODIFIED = {"status": 304, "body": b"", "headers": {"ETag": '"v1"'}}


def kept(answers: Answers, pattern: str = "*") -> list[Path]:
    return sorted(answers.folder.glob(f"example/{pattern}"))


def conditions(site: Website) -> list[tuple[str | None, str | None]]:
    return [(asked.headers["If-None-Match"], asked.headers["If-Modified-Since"]) for asked in site.requests]


def test_an_answer_that_still_holds_is_not_sent_again(site: Website, at: Site, answers: Answers) -> None:
    site.will_answer({"body": b"[1]", "headers": TAGGED}, NOT_MODIFIED)
    assert [at.get("/", {"a": "b"}, asked="The site") for _ in range(3)] == [b"[1]"] * 3
    condition = ('"v1"', "Mon, 02 Mar 2026 05:00:00 GMT")
    assert conditions(site) == [(None, None), condition, condition]
    assert len(kept(answers)) == 2


def test_an_answer_that_changed_replaces_the_kept_one(site: Website, at: Site) -> None:
    newer = TAGGED | {"ETag": '"v2"'}
    site.will_answer({"body": b"[1]", "headers": TAGGED}, {"body": b"[2]", "headers": newer}, NOT_MODIFIED)
    assert [at.get("/", asked="The site") for _ in range(3)] == [b"[1]", b"[2]", b"[2]"]
    assert [tag for tag, _since in conditions(site)] == [None, '"v1"', '"v2"']


def test_a_compressed_answer_is_kept_and_confirmed_unpacked(site: Website, at: Site, answers: Answers) -> None:
    site.will_answer({"body": gzip.compress(b"[1]"), "headers": TAGGED | {"Content-Encoding": "gzip"}}, NOT_MODIFIED)
    assert [at.get("/", asked="The site") for _ in range(2)] == [b"[1]"] * 2
    assert [path.read_bytes() for path in kept(answers, "*.json")] == [b"[1]"]


def test_another_question_is_asked_without_a_condition(site: Website, at: Site) -> None:
    site.will_answer({"headers": TAGGED})
    for params in ({"a": "b"}, {"a": "c"}, {}):
        at.get("/", params, asked="The site")
    assert conditions(site) == [(None, None)] * 3


def test_a_fresh_answer_is_never_a_kept_one(site: Website, at: Site) -> None:
    site.will_answer({"body": b"[1]", "headers": TAGGED}, {"body": b"[2]", "headers": TAGGED}, NOT_MODIFIED)
    at.get("/", asked="The site")
    assert at.get("/", asked="The site", fresh=True) == b"[2]"
    assert at.get("/", asked="The site") == b"[2]"
    assert [tag for tag, _since in conditions(site)] == [None, None, '"v1"']


def test_a_kept_answer_that_is_gone_is_asked_for_anew(site: Website, at: Site, answers: Answers) -> None:
    def lose(handler: Any) -> None:
        for path in kept(answers):
            path.unlink()
        handler.wfile.write(b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n")

    site.will_answer({"body": b"[1]", "headers": TAGGED}, {"write": lose}, {"body": b"[2]"})
    assert [at.get("/", asked="The site") for _ in range(2)] == [b"[1]", b"[2]"]
    assert [tag for tag, _since in conditions(site)] == [None, '"v1"', None]


def test_a_304_that_nobody_asked_for_is_an_error(site: Website, at: Site) -> None:
    site.will_answer(NOT_MODIFIED)
    with pytest.raises(HttpError, match="it answered 304"):
        at.get("/", asked="The site")


def test_an_answer_that_was_cut_short_is_asked_for_anew(site: Website, at: Site) -> None:
    site.will_answer({"body": b"[1, ", "headers": TAGGED}, {"body": b"[1, 2]", "headers": TAGGED})
    assert [at.get("/", asked="The site") for _ in range(2)] == [b"[1, ", b"[1, 2]"]
    assert conditions(site) == [(None, None)] * 2


def test_a_tag_goes_only_to_the_address_that_it_came_from(site: Website, at: Site) -> None:
    redirect = {"status": 302, "headers": {"Location": "/new"}}
    site.will_answer(redirect, {"body": b"[1]", "headers": TAGGED}, redirect, NOT_MODIFIED)
    assert [at.get("/old", asked="The site") for _ in range(2)] == [b"[1]"] * 2
    assert site.paths == ["/old", "/new"] * 2
    assert [tag for tag, _since in conditions(site)] == [None, None, None, '"v1"']


def test_another_address_cannot_confirm_what_it_was_not_asked(site: Website, at: Site) -> None:
    first, second = ({"status": 302, "headers": {"Location": path}} for path in ("/new", "/other"))
    site.will_answer(first, {"body": b"[1]", "headers": TAGGED}, second, NOT_MODIFIED)
    at.get("/old", asked="The site")
    with pytest.raises(HttpError, match="it answered 304"):
        at.get("/old", asked="The site")


def test_a_posted_question_is_never_conditional_but_its_answer_kept(site: Website, at: Site, answers: Answers) -> None:
    site.will_answer({"headers": TAGGED})
    at.post("/", [], asked="The site")
    at.post("/", [], asked="The site")
    assert conditions(site) == [(None, None)] * 2
    assert kept(answers, "*.json")


def test_what_is_no_use_is_kept_to_be_looked_at(site: Website, at: Site, answers: Answers) -> None:
    site.will_answer({"body": PAGE, "headers": XML}, {"status": 404, "body": b"no such day"})
    for _ in range(2):
        with pytest.raises(HttpError):
            at.get("/", kind="xml", asked="The site")
    assert [path.read_bytes() for path in kept(answers, "*.txt")] == [PAGE, b"no such day"]
    assert [json.loads(path.read_text())["status"] for path in kept(answers, "*.head")] == [200, 404]


def test_a_kept_answer_outlives_the_ones_that_are_no_use(site: Website, at: Site) -> None:
    site.will_answer({"body": b"[1]", "headers": TAGGED}, {"status": 404}, NOT_MODIFIED)
    at.get("/", asked="The site")
    with pytest.raises(HttpError):
        at.get("/", asked="The site")
    assert at.get("/", asked="The site") == b"[1]"


def test_no_secret_is_kept_or_quoted_though_the_server_repeats_it(site: Website, open_web: Any, answers: Answers) -> None:
    echo = b'{"error": "Unknown key sesame-1 or sesame%202", "you": "open-3"}'
    at = open_web(answers).at(
        site.url,
        source="example",
        headers={"Authorization": "Bearer open-3"},
        secrets={"key": "sesame-1", "other": "sesame 2"},
    )
    headers = JSON | {"Location": "/?key=sesame-1", "X-RateLimit-Key": "open-3"}
    site.will_answer({"status": 401, "body": echo, "headers": headers}, {"body": echo, "headers": headers})
    with pytest.raises(HttpError) as caught:
        at.get("/", {"q": "a"}, asked="The site")
    assert caught.value.body == b'{"error": "Unknown key *** or ***", "you": "***"}'
    assert at.get("/", {"q": "a"}, asked="The site") == echo
    assert len(kept(answers)) == 4
    everything = b"".join(path.read_bytes() for path in kept(answers)) + str(caught.value).encode()
    assert b"sesame" not in everything
    assert b"open-3" not in everything
    assert f"GET {site.url}/?q=a (json)".encode() in everything


def test_a_disk_that_takes_nothing_never_costs_an_answer(site: Website, open_web: Any, tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("in the way")
    site.will_answer({"body": b"[1]", "headers": TAGGED})
    at = open_web(Answers(tmp_path / "answers", 5)).at(site.url, source="example")
    assert [at.get("/", asked="The site") for _ in range(2)] == [b"[1]"] * 2


def test_where_no_answers_are_kept_nothing_is_conditional(site: Website, open_web: Any, tmp_path: Path) -> None:
    site.will_answer({"body": b"[1]", "headers": TAGGED})
    at = open_web(Answers(tmp_path / "answers", 0)).at(site.url, source="example")
    assert [at.get("/", asked="The site") for _ in range(2)] == [b"[1]"] * 2
    assert conditions(site) == [(None, None)] * 2
    assert not (tmp_path / "answers").exists()


def test_no_answer_at_all_leaves_nothing_behind(open_web: Any, answers: Answers) -> None:
    with pytest.raises(ServerUnavailable):
        open_web(answers, resolve=lambda _: []).at("http://papers.example.org", source="example").get("/", asked="The site")
    assert kept(answers) == []
