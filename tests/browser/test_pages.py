"""What is asked of every page: by anybody, on any screen, in light and dark, with the keyboard alone."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from browser.judging import DESKTOP, PHONE, Checker, look_at
from browser.places import PLACES, Place
from playwright.sync_api import ConsoleMessage, Page
from support.house import TOKEN, House

MANY = 300
"""Presses of Tab, after which one is not caught in a page but in a trap."""
Open = Callable[..., Page]


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
        # Who goes to one place comes from there to no other: none is kept from it for what was done at another.
        headers = {"X-Forwarded-For": f"203.0.113.{PLACES.index(place)}"}
        if place.desk:
            root = lived_in.desk
            headers |= {"Authorization": f"Bearer {TOKEN}"} if place.enters else {}
        elif "{}" in path:
            path = lived_in.links(path, place.reader)[0]
        page, complaints = new_page(extra_http_headers=headers, **how), list[str]()
        for number in range(place.often):
            page.request.post(f"{root}/subscribe", form={"email": f"zoe{number}@example.org"})

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


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_page_is_in_nobodys_way(
    place: Place, visit: Callable[..., Visit], checker: Checker, request: pytest.FixtureRequest
) -> None:
    """All of it on one visit, for to get there takes longer than to look."""
    visited = visit(place, viewport=DESKTOP)
    assert visited.complaints == []
    assert not re.search(r"<script|<[^>]+\s(style|on\w+)=|javascript:", visited.html, re.IGNORECASE)
    assert checker.faults(visited.html) == []
    pictures = request.config.getoption("pictures")
    for name, page in look_at(visited.page):
        if pictures:
            page.screenshot(path=pictures / f"{place.name} {name}.png", full_page=True)
    _use_by_keyboard(visited.page)


def test_a_site_with_a_long_name_is_no_wider_than_a_phone(visit: Callable[..., Visit]) -> None:
    page = visit(PLACES[0], viewport=PHONE).page
    page.locator(".site").evaluate("one => one.textContent = 'The Institute of ' + 'Trending'.repeat(9)")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def _use_by_keyboard(page: Page) -> None:
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


_MARK = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
    .filter(one => one.tabIndex >= 0 && !one.disabled && one.checkVisibility())
    // Of a group of radio buttons, the chosen one is stopped at; arrows lead to the others.
    .filter(one => one.type !== "radio" || one.checked)
    .forEach((one, place) => one.dataset.place = place)"""
_FOCUS = """() => {
    const one = document.activeElement, look = getComputedStyle(one);
    return [Number(one.dataset.place ?? -1), look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2];
}"""
