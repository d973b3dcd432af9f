"""From the field on the first page to the last mail: a reader with a browser that runs no script."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from support.house import House
from support.site import MONDAY
from support.waiting import until

ANN = "ann@example.org"
EVENING, MORNING = MONDAY - timedelta(hours=12), MONDAY + timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    "look",
    [
        {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark", "has_touch": True, "is_mobile": True},
        {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    ],
    ids=["phone", "desktop"],
)
def test_a_reader_comes_reads_rates_and_leaves(look: dict[str, object], house: House, new_page: Callable[..., Page]) -> None:
    page = new_page(java_script_enabled=False, **look)

    # The evening before: one field, one mail, one press.
    house.live(EVENING)
    page.goto(house.root)
    page.get_by_label("Your email address").fill(ANN)
    press(page, "Subscribe")
    says(page, "Check your inbox.")
    open_mail(page, house.mail(ANN))
    page.get_by_role("link", name="Confirm my subscription").click()
    says(page, "One press, and you are in.")
    assert state(house) == "pending"
    press(page, "Confirm my subscription")
    says(page, "Your subscription is confirmed.")
    assert state(house) == "active"

    # The next morning: the digest, and a word about a paper, taken back again.
    house.live(MORNING)
    open_mail(page, house.mail(ANN, 3))
    assert house.subjects(ANN)[1].startswith("Welcome")
    page.get_by_role("link", name="More like this").first.click()
    assert liked(house) == 0
    press(page, "More like this")
    says(page, "Noted: more like this.")
    assert liked(house) == 1
    press(page, "Take it back")
    says(page, "Forgotten.")
    assert liked(house) == 0

    # Out again by the link of the same mail.
    open_mail(page, house.mail(ANN, 3))
    page.get_by_role("link", name="Unsubscribe").click()
    assert state(house) == "active"
    press(page, "Unsubscribe")
    says(page, "You are unsubscribed.")
    assert state(house) == "unsubscribed"

    # The day after: a goodbye, and an edition that is not for her.
    house.live(MORNING + DAY)
    house.mail(ANN, 4)
    until(lambda: house.ask("SELECT date FROM edition WHERE date = '2026-03-03'"), "the next edition")
    assert house.ask("SELECT state FROM delivery") == [("submitted",)]
    assert [subject.split()[0] for subject in house.subjects(ANN)] == ["Confirm", "Welcome", "A", "You"]
    house.rest()
    assert ANN not in house.log()


def open_mail(page: Page, html: str) -> None:
    page.goto("about:blank")  # the policy of the page before would forbid the mail its style
    page.set_content(html)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def says(page: Page, heading: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def state(house: House) -> str:
    ((state,),) = house.ask("SELECT state FROM subscriber")
    return str(state)


def liked(house: House) -> int:
    ((number,),) = house.ask("SELECT count(*) FROM interest WHERE kind = 'liked' AND valid_to IS NULL")
    return int(number)
