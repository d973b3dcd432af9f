"""The pages of the web part."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from jinja2 import UndefinedError

from digest.edition.model import Entry, Pick
from digest.rendering.choices import choices_view
from digest.rendering.environment import Environments
from digest.rendering.pages import Around, render_page, style_source
from digest.rendering.preview import preview_view
from digest.rendering.settings import SiteSettings
from digest.subscribers.form import sent

PAGES = (
    "ask",
    "asked",
    "check-inbox",
    "choose",
    "confirm",
    "confirmed",
    "erase",
    "erased",
    "error",
    "join-again",
    "landing",
    "late",
    "preferences",
    "preview",
    "paused",
    "rate",
    "rated",
    "undo",
    "undone",
    "unsubscribe",
    "unsubscribed",
)
FORM = choices_view(
    sent([("topics", "graphs"), ("size", "99")]),
    ["robots"],
    0.5,
    "As usual here (English)",
    rated=[("arxiv:1", True, None)],
    bibtex=True,
)
ISSUE = preview_view(date(2026, 11, 24), [], weekly=False, path_of=str)
VALUES = {
    "action": "/u/AbC",
    "undo_action": "/undo/AbC",
    "on_its_way": 1,
    "until": "7 December 2026",
    "what": "paused",
    "pauses": [{"action": "/p/pause/AbC/1", "label": "1 week"}],
    "leave": "/u/AbC",
    "address": "a***@example.org",
    "title": "Not valid",
    "message": "It was used before.",
    "first_digest": "on Monday at 07:30",
    "email": "ann@",
    "issue": ISSUE,
    "form": FORM,
    "save": "",
    "change": "/choose?topics=graphs",
    "note": "Your choices are kept.",
    "unread": (),
    "reads": True,
    "paused": True,
    "paused_until": "Monday, 30 November 2026",
    "ask": "/p/ask/AbC",
    "feed": "/feed/for/AbC.xml",
    "back": "/p/AbC",
    "contact": "",
    "wrong": "That is not an email address.",
    "paper": "On graphs",
    "verdict": "more",
    "more_action": "/f/t/1/more",
    "less_action": "/f/t/1/less",
    "neither_action": "/f/t/1/neither",
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_no_script_and_nothing_from_elsewhere(name: str, site: SiteSettings, environments: Environments) -> None:
    page = render_page(name, VALUES, site, environments, Around())
    assert page.startswith('<!DOCTYPE html>\n<html lang="en" dir="ltr">')
    assert not re.search(r"<script|<link|<img|<iframe|src=|https?://|\son\w+=|style=|url\(|@import", page)
    assert "<title>" in page
    assert page.count("<h1>") == 1


def test_what_a_token_opens_is_listed_nowhere_and_what_is_public_names_the_feed(
    site: SiteSettings, environments: Environments
) -> None:
    private, public = (render_page("landing", VALUES, site, environments, Around("/papers", one)) for one in (False, True))
    assert '<meta name="robots" content="noindex">' in private
    assert "robots" not in public
    assert '<link rel="alternate" type="application/atom+xml" title="Trending Papers" href="/papers/feed.xml">' in public


def test_a_summary_says_who_wrote_it_on_pages_too(
    site: SiteSettings, environments: Environments, entry: Callable[..., Entry]
) -> None:
    works = [entry(1, summary="It is fast.", summary_by="Hugging Face"), entry(2)]
    shown = [(str(one.paper_id), one, Pick(one.paper_id, "card")) for one in works]
    issue = preview_view(date(2026, 11, 22), shown, weekly=False, path_of=str)
    page = render_page("landing", {**VALUES, "issue": issue}, site, environments, Around("", public=True))
    assert 'It is fast. <span class="soft">(AI summary by Hugging Face)</span>' in page
    assert "(from the abstract)" in page


def test_all_links_of_a_page_lie_below_the_site(site: SiteSettings, environments: Environments) -> None:
    page = render_page("landing", {**VALUES, "issue": None}, site, environments, Around("/papers", public=True))
    links = re.findall(r'(?:href|action)="([^"]*)"', page)
    assert links
    assert all(link.startswith(("/papers/", "#")) for link in links)


@pytest.mark.parametrize("name", ["confirm", "unsubscribe", "undo", "rate", "erase"])
def test_a_page_that_acts_has_one_button_that_posts(name: str, site: SiteSettings, environments: Environments) -> None:
    page = render_page(name, VALUES, site, environments, Around())
    assert re.findall(r"<form[^>]*>", page) == ['<form method="post" action="/u/AbC">']
    assert page.count("<button") == 1


@pytest.mark.parametrize("name", ["confirmed", "asked", "undone", "error", "erased", "late"])
def test_a_page_that_tells_does_nothing(name: str, site: SiteSettings, environments: Environments) -> None:
    page = render_page(name, VALUES, site, environments, Around())
    assert not re.search(r"<form|<button", page)


@pytest.mark.parametrize(
    ("verdict", "says", "others"),
    [
        ("more", "Noted: more like this.", ["/f/t/1/less", "/f/t/1/neither"]),
        ("less", "Noted: less like this.", ["/f/t/1/more", "/f/t/1/neither"]),
        ("neither", "Forgotten.", ["/f/t/1/more", "/f/t/1/less"]),
    ],
)
def test_what_was_noted_can_be_taken_back_or_turned_round(
    site: SiteSettings, environments: Environments, verdict: str, says: str, others: list[str]
) -> None:
    page = render_page("rated", {**VALUES, "verdict": verdict}, site, environments, Around())
    assert f"<h1>{says}</h1>" in page
    assert re.findall(r'<form [^>]*method="post" action="([^"]*)"', page) == others


def test_all_pages_share_one_style_that_a_policy_can_name(site: SiteSettings, environments: Environments) -> None:
    sources = {style_source(render_page(name, VALUES, site, environments, Around())) for name in PAGES}
    assert len(sources) == 1
    assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", sources.pop())


def test_a_page_without_a_style_allows_none() -> None:
    assert style_source("<p>") == "'none'"


@pytest.mark.parametrize(("public", "action"), [(True, "/preview"), (False, "/u/AbC")])
def test_a_form_tells_what_is_wrong_where_it_is_wrong(
    site: SiteSettings, environments: Environments, public: bool, action: str
) -> None:
    page = render_page("choose" if public else "preferences", VALUES, site, environments, Around())
    assert f'action="{action}"' in page
    assert '<li><a href="#size">Papers in a mail</a>: &#39;99&#39; is not a size' in page
    assert 'value="99" aria-invalid="true" aria-describedby="size-wrong size-hint"' in page
    assert "<label" in page
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))


def test_values_do_not_become_markup(site: SiteSettings, environments: Environments) -> None:
    evil = "<style>*{}</style><b>{{ 7*7 }}</b>\" onclick='x'"
    page = render_page("error", {"title": evil, "message": evil, "fix": evil}, site, environments, Around())
    assert page.count("<style>") == 1
    assert "<b>" not in page
    assert "49" not in page
    assert style_source(page) == style_source(render_page("error", VALUES, site, environments, Around()))


def test_a_value_that_is_missing_is_an_error(site: SiteSettings, environments: Environments) -> None:
    with pytest.raises(UndefinedError, match="'action' is undefined"):
        render_page("unsubscribe", {}, site, environments, Around())
