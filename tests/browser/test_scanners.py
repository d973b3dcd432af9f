"""Mail scanners open every link of a mail in a browser, run what there is to run, and wait. Nothing may come of it."""

from collections.abc import Callable

from browser.places import ANN, READING, settle_in
from playwright.sync_api import Page
from support.house import House

WAITED = 10_000
"""Milliseconds that a scanner looks at a page."""


def test_a_scanner_that_opens_every_link_and_waits_changes_nothing(house: House, new_page: Callable[..., Page]) -> None:
    settle_in(house)
    # Only what answers visitors goes on, so whatever changes from here on, a visit has changed it.
    house.live(READING, "web")
    before = house.everything()
    links = house.all_links()
    assert {link.split("/")[1] for link in links} >= {"confirm", "u", "f"}
    for link in links:
        page = new_page()
        answer = page.goto(house.root + link)
        assert answer
        assert answer.status == 200, link
        _wait(page)
        assert page.url == house.root + link
        page.context.close()
    house.rest()
    assert house.everything() == before


def test_pressing_a_button_is_what_changes_something(house: House, new_page: Callable[..., Page]) -> None:
    settle_in(house)
    house.live(READING, "web")
    before = house.everything()
    page = new_page()
    page.goto(house.root + house.links("/confirm/{}", ANN)[0])
    page.get_by_role("button").click()
    page.get_by_text("Your subscription is confirmed.").wait_for()
    house.rest()
    assert {name for name, rows in house.everything().items() if rows != before[name]} >= {"subscriber", "event", "notice"}


def _wait(page: Page) -> None:
    """Ten seconds pass for the page, with all that it has timed for them; for us they are over at once."""
    page.evaluate("milliseconds => { window.over = new Promise(done => setTimeout(done, milliseconds)) }", WAITED)
    time = page.context.new_cdp_session(page)
    time.send("Emulation.setVirtualTimePolicy", {"policy": "advance", "budget": WAITED + 1000})
    page.evaluate("window.over")
