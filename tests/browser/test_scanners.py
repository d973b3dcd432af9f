"""Mail scanners open every link of a mail in a browser, run what there is to run, and wait. Nothing may come of it."""

from collections.abc import Callable

from browser.places import ANN, DAN, FAY, READING, settle_in
from playwright.sync_api import Page
from support.house import House

WAITED = 10_000
"""Milliseconds that a scanner looks at a page."""


def test_a_scanner_that_opens_every_link_changes_nothing_and_one_press_does(
    house: House, new_page: Callable[..., Page]
) -> None:
    settle_in(house)
    # Only what answers visitors goes on, so whatever changes from here on, a visit has changed it.
    house.live(READING, "web")
    before, refused = house.everything(), []
    links = house.all_links()
    assert {link.split("/")[1] for link in links} >= {"confirm", "f", "p", "u", "undo"}
    for number, link in enumerate(links):
        # From one machine alone it would come upon a limit, and see less.
        page = new_page(extra_http_headers={"X-Forwarded-For": f"198.51.100.{number % 250}"})
        answer = page.goto(house.root + link)
        assert answer
        if answer.status != 200:
            refused.append(link)
        _wait(page)
        assert page.url == house.root + link
        page.context.close()
    # Who has left does not come back by his first link, and the one to the preferences opened them for an hour.
    assert refused == house.links("/confirm/{}", DAN) + house.links("/p/{}", FAY)
    assert house.everything() == before

    page = new_page()
    page.goto(house.root + house.links("/confirm/{}", ANN)[0])
    page.get_by_role("button").click()
    page.get_by_text("Your subscription is confirmed.").wait_for()
    changed = {name for name, rows in house.everything().items() if rows != before[name]}
    assert changed >= {"subscriber", "event", "notice"}


def _wait(page: Page) -> None:
    """Ten seconds pass for the page, with all that it has timed for them; for us they are over at once."""
    page.evaluate("milliseconds => { window.over = new Promise(done => setTimeout(done, milliseconds)) }", WAITED)
    time = page.context.new_cdp_session(page)
    time.send("Emulation.setVirtualTimePolicy", {"policy": "advance", "budget": WAITED + 1000})
    page.evaluate("window.over")
