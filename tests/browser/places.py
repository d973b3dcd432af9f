"""Every page that there is. A page is added in one line, and all that `test_pages.py` asks of a page is asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from support.house import House
from support.site import MONDAY

SIGNED_UP, READING = MONDAY - timedelta(hours=12), MONDAY + timedelta(minutes=1)
ANN, BOB, CAY = "ann@example.org", "bob@example.org", "cay@example.org"
"""Ann has not confirmed yet, Bob reads, and Cay is about to leave: whoever needs a reader in another state adds one."""


@dataclass(frozen=True)
class Place:
    """A page, and how one gets there.

    Args:
        path: of the page, or of the one before it. With `{}` in it: of the first such link in the mails to `reader`.
        fill: what is written into which field, by its label.
        press: the buttons that lead on, one after the other.
        status: what the server answers at last.
    """

    name: str
    path: str
    reader: str = BOB
    fill: Mapping[str, str] = field(default_factory=dict)
    press: tuple[str, ...] = ()
    status: int = 200


PLACES = (
    Place("landing", "/"),
    Place("no address", "/", fill={"Your email address": "ann@nowhere"}, press=("Subscribe",), status=422),
    Place("check your inbox", "/check-inbox"),
    Place("confirm", "/confirm/{}", ANN),
    Place("confirmed", "/confirm/{}"),
    Place("confirmation too old", "/confirm/0123456789abcdefghijkl", status=404),
    Place("unsubscribe", "/u/{}", CAY),
    Place("unsubscribed", "/u/{}", CAY, press=("Unsubscribe",)),
    Place("more like this", "/f/{}/{}/more"),
    Place("less like this", "/f/{}/{}/less"),
    Place("rated", "/f/{}/{}/more", press=("More like this",)),
    Place("rating taken back", "/f/{}/{}/less", press=("Less like this", "Take it back")),
    Place("rating unknown", "/f/1/2/more", status=404),
    Place("leaving taken back", "/u/{}", CAY, press=("Unsubscribe", "Undo")),
    Place("ask for preferences", "/p/ask/{}"),
    Place("choose first", "/choose"),
    Place("preview", "/preview?topics=graphs"),
    Place("archive", "/archive"),
    Place("edition", f"/archive/{MONDAY.date()}"),
    Place("paper", "/papers/arxiv:2603.10000"),
    Place("search", "/search?q=graph"),
    Place("how ranking works", "/how-ranking-works"),
    Place("privacy", "/privacy"),
    Place("no such page", "/nowhere", status=404),
)


def settle_in(house: House) -> None:
    """Bring about what the places need: an edition, three readers, and their mails."""
    house.live(SIGNED_UP)
    house.join(BOB, CAY)
    house.post("/subscribe", email=ANN)
    house.mail(ANN)
    house.live(READING)
    for reader in (BOB, CAY):
        house.mail(reader, 3)
