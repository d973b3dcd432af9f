"""What is asked of every page: by anybody, on any screen, in light and dark, with the keyboard alone."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browser.places import PLACES, Place, settle_in
from playwright.sync_api import ConsoleMessage, Page, ViewportSize
from support.house import TOKEN, House
from support.sink import Sink

HERE = Path(__file__).parent / "node_modules"
AXE = HERE / "axe-core/axe.min.js"
CHECKER = HERE / "vnu-jar/build/dist/vnu.jar"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE, DESKTOP = ViewportSize(width=320, height=640), ViewportSize(width=1280, height=800)
"""320 px is also what is left of 1280 at a zoom of 400 % (WCAG 1.4.10)."""
MANY = 300
"""Presses of Tab, after which one is not caught in a page but in a trap."""
Open = Callable[..., Page]

each_place = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)


@pytest.fixture(scope="module")
def lived_in(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with readers in all states that the places need."""
    home = shutil.copytree(prepared_home, tmp_path_factory.mktemp("lived-in") / "home")
    with Sink() as sink, House(home, sink) as house:
        settle_in(house)
        yield house


@dataclass
class Visit:
    """A page that was reached."""

    page: Page
    html: str
    complaints: list[str]


@pytest.fixture
def visit(lived_in: House, new_page: Open) -> Callable[..., Visit]:
    """Goes to a place."""

    def go(place: Place, **how: object) -> Visit:
        root, path = lived_in.root, place.path
        if place.desk:
            root, how["extra_http_headers"] = lived_in.desk, {"Authorization": f"Bearer {TOKEN}"}
        elif "{}" in path:
            path = lived_in.links(path, place.reader)[0]
        page, complaints = new_page(**how), list[str]()

        def hear(said: ConsoleMessage) -> None:
            if f"status of {place.status}" not in said.text:
                complaints.append(said.text)

        page.on("console", hear)
        page.on("request", lambda one: complaints.append(one.url) if not one.url.startswith(root) else None)
        response = page.goto(root + path)
        for label, text in place.fill.items():
            page.get_by_label(label, exact=True).fill(text)
        for button in place.press:
            with page.expect_response(lambda one: one.request.is_navigation_request() and one.status != 303) as pressed:
                named = {"name": button, "exact": True}
                page.get_by_role("button", **named).or_(page.get_by_role("link", **named)).click()
            response = pressed.value
            page.wait_for_load_state()
        assert response
        assert response.status == place.status
        return Visit(page, response.text(), complaints)

    return go


@each_place
def test_nothing_serious_is_in_anybodys_way(place: Place, visit: Callable[..., Visit], request: pytest.FixtureRequest) -> None:
    visited = visit(place)
    page, pictures = visited.page, request.config.getoption("pictures")
    page.evaluate(AXE.read_text())
    for screen, size in (("phone", PHONE), ("desktop", DESKTOP)):
        page.set_viewport_size(size)
        for colours in ("light", "dark"):
            page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
            if pictures:
                page.screenshot(path=pictures / f"{place.name} {screen} {colours}.png", full_page=True)
            assert _violations(page) == [], f"{screen}, {colours}"
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"], f"wider than a {screen}"
    assert visited.complaints == []


@each_place
def test_every_page_is_used_by_keyboard(place: Place, visit: Callable[..., Visit]) -> None:
    page = visit(place, viewport=DESKTOP).page
    page.evaluate(_MARK)
    seen = [-1]
    for _ in range(MANY):
        page.keyboard.press("Tab")
        place_of, shown = page.evaluate(_FOCUS)
        if place_of in seen[:-1]:
            break
        if place_of != seen[-1]:  # a field for a time has places of its own for hour and minute
            assert shown, f"nothing shows where the focus is: {page.evaluate('document.activeElement.outerHTML')}"
            seen.append(place_of)
    assert seen[1:] == list(range(page.evaluate("document.querySelectorAll('[data-place]').length")))
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**#content")


def test_the_html_of_every_page_is_valid_and_has_no_script(visit: Callable[..., Visit], tmp_path: Path) -> None:
    for place in PLACES:
        html = visit(place, java_script_enabled=False).html
        assert not re.search(r"<script|<[^>]+\s(style|on\w+)=|javascript:", html, re.IGNORECASE), place
        (tmp_path / f"{place.name}.html").write_text(html, encoding="utf-8")
    done = subprocess.run(
        ["java", "-jar", CHECKER, "--format", "json", "--stdout", "--exit-zero-always", "--skip-non-html", tmp_path],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found = json.loads(done.stdout)["messages"]
    assert [f"{Path(one['url']).name}:{one.get('lastLine')}: {one['message']}" for one in found] == []


def _violations(page: Page) -> list[str]:
    """What axe finds; whatever is worth a word in its eyes is serious in ours."""
    found: Any = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    return [f"{one['id']}: {one['help']}: {node['html']}" for one in found["violations"] for node in one["nodes"]]


_MARK = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
    .filter(one => one.tabIndex >= 0 && !one.disabled && one.checkVisibility())
    // Of a group of radio buttons, the chosen one is stopped at; arrows lead to the others.
    .filter(one => one.type !== "radio" || one.checked)
    .forEach((one, place) => one.dataset.place = place)"""
_FOCUS = """() => {
    const one = document.activeElement, look = getComputedStyle(one);
    return [Number(one.dataset.place ?? -1), look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2];
}"""
