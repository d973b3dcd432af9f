"""Every kind of mail, as a mail program with the rules of a browser shows it: on a phone and at a desk, in light and dark."""

from collections.abc import Callable

import pytest
from browser.judging import FOR_ALL, look_at
from browser.places import DAN, GUS
from playwright.sync_api import Page
from support.house import House

MAILS = {"confirm": (DAN, 0), "welcome": (DAN, 1), "digest": (DAN, 2), "goodbye": (DAN, 3), "preferences": (GUS, 2)}
"""Whom each went to, and as which of his mails."""


@pytest.mark.parametrize("kind", MAILS)
def test_a_mail_is_in_nobodys_way(
    kind: str, lived_in: House, new_page: Callable[..., Page], request: pytest.FixtureRequest
) -> None:
    reader, number = MAILS[kind]
    page, asked = new_page(), list[str]()
    page.on("request", lambda one: asked.append(one.url))
    page.set_content(lived_in.letters(reader)[number])
    pictures = request.config.getoption("pictures")
    for name, shown in look_at(page, FOR_ALL):
        if pictures:
            shown.screenshot(path=pictures / f"mail, {kind} {name}.png", full_page=True)
    assert asked == []
