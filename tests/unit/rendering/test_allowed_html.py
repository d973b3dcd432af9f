"""Mails use only what mail clients support (caniemail: at least nine of ten; more only where a mail is right without it)."""

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

import pytest

from digest.rendering.environment import Environments
from digest.rendering.model import Rendered
from digest.rendering.notice_mail import render_notice
from digest.rendering.settings import SiteSettings
from digest.subscribers.language import LANGUAGES

TAGS = frozenset("html head meta title style body table tr td div span p h1 h2 a strong code".split())
ATTRIBUTES = frozenset(
    (
        "lang dir charset name content role class align width height cellpadding cellspacing border valign bgcolor style href"
    ).split()
)
PROPERTIES = {
    "background-color": r"#[0-9a-f]{6}",
    "border-bottom": r"\d+px solid #[0-9a-f]{6}",
    "border-radius": r"\d+px",
    "border-top": r"\d+px solid #[0-9a-f]{6}",
    "color": r"#[0-9a-f]{6}",
    "display": r"none|block",
    "font": r"700 \d+px/\d+px [\w ,'-]+",
    "font-family": r"[\w ,'-]+",
    "font-size": r"\d+px|0",
    "font-weight": r"400|700",
    "letter-spacing": r"-?[\d.]+px",
    "line-height": r"\d+px|0",
    "margin": r"\d+(px)?( \d+(px)?){1,3}|0",
    "max-height": r"0",
    "max-width": r"\d+px",
    "mso-hide": r"all",
    "overflow": r"hidden",
    "padding": r"\d+(px)?( \d+(px)?){1,3}|0",
    "text-decoration": r"none|underline",
    "white-space": r"nowrap",
}
ONLY_ON = {"padding": {"td", "body"}, "margin": {"p", "h1", "h2", "body"}, "overflow": {"div"}, "max-height": {"div"}}
IN_STYLE_SHEET = PROPERTIES.keys() | {"padding-left", "padding-right", "width", "text-align", "border-color", "overflow-wrap"}
NOTICES: dict[str, dict[str, object]] = {
    "confirm": {
        "confirm_url": "https://papers.example.org/confirm/x",
        "address": "a@example.org",
        "asked_on": "2026-11-22",
        "asked_at": "20:00",
        "asked_from": "papers.example.org",
    },
    "welcome": {
        "name": "Ann",
        "topics": ["a", "b"],
        "unsubscribe_url": "https://papers.example.org/u/x",
        "preferences_url": "https://papers.example.org/p/ask/x",
    },
    "preferences": {"access_url": "https://papers.example.org/p/x", "address": "a@example.org", "valid_until": "14:05 (UTC)"},
    "paused": {"undo_url": "https://papers.example.org/undo/x", "until": "2026-12-07"},
    "goodbye": {
        "name": "Ann",
        "subscribe_url": "https://papers.example.org/",
        "undo_url": "https://papers.example.org/undo/x",
    },
    "operator": {"subject": "It went", "lines": ["well"], "facts": [["mails", "3"]], "advice": "digest status"},
}


class Parts(HTMLParser):
    """Every start tag with its attributes; fails on a tag that is closed out of order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.starts: list[tuple[str, dict[str, str]]] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.starts.append((tag, {name: value or "" for name, value in attrs}))
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["digest", *NOTICES])
def mail(
    request: pytest.FixtureRequest,
    rendered: Callable[..., Rendered],
    site: SiteSettings,
    environments: Environments,
    language: str,
) -> Rendered:
    if request.param == "digest":
        return rendered(30, matched="topic", missing_sources=("arxiv_rss",), language=language)
    spoken = "en" if request.param == "operator" else language
    mail = render_notice(request.param, NOTICES[request.param] | {"language": language}, site, environments)
    assert f'<html lang="{spoken}" dir="ltr">' in mail.html
    return mail


def _declarations(style: str) -> Iterator[tuple[str, str]]:
    for declaration in filter(None, (part.strip() for part in style.split(";"))):
        name, _, value = declaration.partition(":")
        yield name.strip(), value.strip()


def test_tags_and_attributes_are_those_that_mail_clients_know(mail: Rendered) -> None:
    for tag, attributes in Parts(mail.html).starts:
        assert tag in TAGS
        assert attributes.keys() <= ATTRIBUTES, tag


def test_inline_styles_are_those_that_mail_clients_know(mail: Rendered) -> None:
    for tag, attributes in Parts(mail.html).starts:
        for name, value in _declarations(attributes.get("style", "")):
            assert re.fullmatch(PROPERTIES[name], value), f"{tag}: {name}: {value}"
            assert tag in ONLY_ON.get(name, {tag}), f"{name} on {tag}"


def test_the_one_style_sheet_only_adds(mail: Rendered) -> None:
    shown = re.sub(r"<!--.*?-->", "", mail.html, flags=re.DOTALL)
    (sheet,) = re.findall(r"<style>(.*?)</style>", shown, re.DOTALL)
    assert len(sheet) < 16_000
    assert "/*" not in sheet
    for body in re.findall(r"\{([^{}]*)\}", sheet):
        assert {name for name, _ in _declarations(body)} <= IN_STYLE_SHEET
    assert re.findall(r"@[\w-]+ ?\([^)]*\)", sheet) == ["@media (max-width: 620px)", "@media (prefers-color-scheme: dark)"]


def test_nothing_comes_from_another_place(mail: Rendered) -> None:
    assert not re.search(r"<(?:img|link|script|iframe|form)|url\(|@import|@font-face|var\(|calc\(|\bsrc=", mail.html)


def test_every_table_is_layout_and_says_so(mail: Rendered) -> None:
    starts = Parts(mail.html).starts
    assert all(attributes.get("role") == "presentation" for tag, attributes in starts if tag == "table")
    assert [tag for tag, _ in starts].count("h1") == 1
    (whole,) = (attributes for tag, attributes in starts if tag == "html")
    assert any(tag == "div" and attributes.items() >= whole.items() and whole for tag, attributes in starts)
    assert mail.html.count("<!--[if mso]>") == mail.html.count("<![endif]-->") == 3


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_can_be_read_in_light_and_in_dark(mail: Rendered) -> None:
    dark = dict(re.findall(r"^\.(\w+) \{ (?:background-)?color: (#[0-9a-f]{6})", mail.html, re.MULTILINE))
    assert dark.keys() == {"desk", "sheet", "tint", "ink", "soft", "rust"}
    starts = Parts(mail.html).starts
    light: dict[str, set[str]] = {name: set() for name in dark}
    for _, attributes in starts:
        style = dict(_declarations(attributes.get("style", "")))
        for name in attributes.get("class", "").split():
            if name in ("desk", "sheet", "tint") and "background-color" in style:
                light[name].add(style["background-color"])
            elif name in ("ink", "soft", "rust") and "color" in style:
                light[name].add(style["color"])
    for ground in ("desk", "sheet", "tint"):
        for ink in ("ink", "soft", "rust"):
            assert _contrast(dark[ground], dark[ink]) >= 4.5, f"dark {ink} on {ground}"
            for below in light[ground]:
                assert all(_contrast(below, above) >= 4.5 for above in light[ink]), f"light {ink} on {ground}"


def test_no_colour_is_so_pure_that_turning_it_round_blinds(mail: Rendered) -> None:
    assert not re.search(r"#(?:000|fff)(?:000|fff)?\b", mail.html, re.IGNORECASE)


def test_the_classes_that_turn_dark_stand_beside_every_colour(mail: Rendered) -> None:
    for tag, attributes in Parts(mail.html).starts:
        style = dict(_declarations(attributes.get("style", "")))
        classes = set(attributes.get("class", "").split())
        hidden = style.get("display") == "none"
        button = style.get("background-color") == "#a63d1f" or style.get("color") == "#fffdf8"
        if "color" in style and not hidden and not button:
            assert classes & {"ink", "soft", "rust"}, tag
        if "background-color" in style and not button:
            assert classes & {"desk", "sheet", "tint"}, tag
