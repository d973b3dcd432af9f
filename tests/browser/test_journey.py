"""From the field on the first page to the last mail: a reader with a browser that runs no script."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from support.house import House
from support.site import MONDAY
from support.waiting import until

ANN = "ann@example.org"
EARLY, MORNING = MONDAY - timedelta(minutes=30), MONDAY + timedelta(minutes=1)
PREFERENCES = "Your preferences at Trending Papers"


@pytest.mark.parametrize(
    "look",
    [
        {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark", "has_touch": True, "is_mobile": True},
        {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    ],
    ids=["phone", "desktop"],
)
def test_a_reader_comes_rates_changes_and_leaves(look: dict[str, object], house: House, new_page: Callable[..., Page]) -> None:
    page = new_page(java_script_enabled=False, **look)

    # Before the edition: choices, one field, one mail, one press.
    house.live(EARLY)
    page.goto(house.root)
    page.get_by_role("link", name="Choose first what you want to read").click()
    page.get_by_label("Topics").fill("protein folding")
    press(page, "Show me tomorrow’s digest")
    says(page, "This is what you would get.")
    assert state(house) == []
    page.get_by_label("Your email address").fill(ANN)
    press(page, "Subscribe")
    says(page, "Check your inbox.")
    open_mail(page, house.mail(ANN))
    page.get_by_role("link", name="Confirm my subscription").click()
    says(page, "One press, and you are in.")
    assert state(house) == ["pending"]
    press(page, "Confirm my subscription")
    says(page, "Your subscription is confirmed.")
    assert state(house) == ["active"]
    assert wanted(house, "topic") == ["protein folding"]
    house.mail(ANN, 2)
    assert house.subjects(ANN)[1].startswith("Welcome")

    # The digest, and a word about a paper, taken back again.
    house.live(MORNING)
    digest = house.mail(ANN, 3)
    open_mail(page, digest)
    page.get_by_role("link", name="More like this").first.click()
    assert wanted(house, "liked") == []
    press(page, "More like this")
    says(page, "Noted: more like this.")
    assert len(wanted(house, "liked")) == 1
    press(page, "Take it back")
    says(page, "Forgotten.")
    assert wanted(house, "liked") == []

    # Out by the link of the same mail, and back by the button of the page.
    open_mail(page, digest)
    page.get_by_role("link", name="Unsubscribe").click()
    assert state(house) == ["active"]
    press(page, "Unsubscribe")
    says(page, "You are unsubscribed.")
    assert state(house) == ["unsubscribed"]
    press(page, "Undo")
    says(page, "All is as it was.")
    assert state(house) == ["active"]

    # Another wish, by the link that opens the preferences for an hour.
    open_mail(page, digest)
    page.get_by_role("link", name="Preferences or a pause").click()
    press(page, "Mail me the link")
    says(page, "Look into your inbox.")
    until(lambda: PREFERENCES in house.subjects(ANN), "the link to the preferences")
    page.goto(house.root + house.links("/p/{}", ANN)[0])
    page.get_by_label("Topics").fill("protein folding\ngalaxies")
    press(page, "Show me the next digest first")
    says(page, "This is what you would get.")
    assert wanted(house, "topic") == ["protein folding"]
    press(page, "Keep these choices")
    expect(page.get_by_role("status")).to_contain_text("Your choices are kept.")
    assert wanted(house, "topic") == ["galaxies", "protein folding"]

    # And out for good: nothing of her is left, and the edition of the day after is not for her.
    page.get_by_role("link", name="Erase all of it").click()
    assert state(house) == ["active"]
    press(page, "Erase everything")
    says(page, "Everything is erased.")
    had = len(house.subjects(ANN))
    house.live(MORNING + timedelta(days=1))
    until(lambda: house.ask("SELECT date FROM edition WHERE date = '2026-03-03'"), "the next edition")
    house.rest()
    assert [house.ask(f"SELECT * FROM {table}") for table in ("subscriber", "interest", "delivery")] == [[], [], []]
    assert len(house.subjects(ANN)) == had
    assert ANN not in house.log()


def open_mail(page: Page, html: str) -> None:
    page.goto("about:blank")  # what is written over another page keeps its policy and, on a phone, its width
    page.set_content(html)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def says(page: Page, heading: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def state(house: House) -> list[str]:
    """Of everybody who is known: that is Ann or nobody."""
    return [state for (state,) in house.ask("SELECT state FROM subscriber")]


def wanted(house: House, kind: str) -> list[str]:
    found = house.ask(f"SELECT value FROM interest WHERE kind = '{kind}' AND valid_to IS NULL ORDER BY value")
    return [value for (value,) in found]
