"""Every page that there is. A page is added in one line, and all that `test_pages.py` asks of a page is asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from support.house import House
from support.site import MONDAY

SIGNED_UP, READING = MONDAY - timedelta(hours=12), MONDAY + timedelta(minutes=1)
ANN, BOB, CAY, DAN, EVE, FAY, GUS = (f"{name}@example.org" for name in ("ann", "bob", "cay", "dan", "eve", "fay", "gus"))
"""Ann has not confirmed yet, Bob reads, Cay is about to leave, Dan has left, Eve is about to pause, Fay has the link to her
preferences for hours, and Gus is about to be forgotten."""


@dataclass(frozen=True)
class Place:
    """A page, and how one gets there.

    Args:
        path: of the page, or of the one before it. With `{}` in it: of the first such link in the mails to `reader`.
        fill: what is written into which field, by its label.
        press: the buttons or links that lead on, one after the other.
        status: what the server answers at last.
        desk: whether it is one of the operator's pages.
        enters: whether whoever goes there is let in.
        often: how many more sign-ups come from where the visitor is.
    """

    name: str
    path: str
    reader: str = BOB
    fill: Mapping[str, str] = field(default_factory=dict)
    press: tuple[str, ...] = ()
    status: int = 200
    desk: bool = False
    enters: bool = True
    often: int = 0


PLACES = (
    Place("landing", "/"),
    Place("no address", "/", fill={"Your email address": "ann@nowhere"}, press=("Subscribe",), status=422),
    Place("too many sign-ups", "/", fill={"Your email address": "zoe@example.org"}, press=("Subscribe",), status=429, often=5),
    Place("check your inbox", "/check-inbox"),
    Place("choose", "/choose"),
    Place("choices that are none", "/choose?size=99&zone=Nowhere", status=422),
    Place("preview", "/choose?topics=protein", press=("Show me tomorrow’s digest",)),
    Place("confirm", "/confirm/{}", ANN),
    Place("confirmed", "/confirm/{}"),
    Place("confirmation too old", "/confirm/0123456789abcdefghijkl", status=404),
    Place("unsubscribe", "/u/{}", CAY),
    Place("unsubscribed", "/u/{}", CAY, press=("Unsubscribe",)),
    Place("undo", "/undo/{}", DAN),
    Place("undo too late", "/undo/0123456789abcdefghijkl", status=404),
    Place("undone", "/u/{}", CAY, press=("Unsubscribe", "Undo")),
    Place("ask for preferences", "/p/ask/{}"),
    Place("asked for preferences", "/p/ask/{}", press=("Mail me the link",)),
    Place("paused", "/p/ask/{}", EVE, press=("1 week",)),
    Place("preferences", "/p/{}"),
    Place("preferences that are none", "/p/{}", fill={"Papers in a mail": "99"}, press=("Keep these choices",), status=422),
    Place("preview for a reader", "/p/{}", press=("Show me the next digest first",)),
    Place("preferences too late", "/p/{}", FAY, status=410),
    Place("preferences of nobody", "/p/0123456789abcdefghijkl", status=404),
    Place("erased", "/p/{}", GUS, press=("Erase all of it", "Erase everything")),
    Place("erase", "/p/{}", press=("Erase all of it",)),
    Place("more like this", "/f/{}/{}/more"),
    Place("less like this", "/f/{}/{}/less"),
    Place("rated", "/f/{}/{}/more", press=("More like this",)),
    Place("rating taken back", "/f/{}/{}/less", press=("Less like this", "Take it back")),
    Place("rating unknown", "/f/1/2/more", status=404),
    Place("archive", "/archive"),
    Place("edition", "/archive/2026-03-02"),
    Place("edition of a week", "/archive/week/2026-03-02"),
    Place("editions of a month", "/archive/2026-03"),
    Place("no such edition", "/archive/2026-02-01", status=404),
    Place("search", "/search?q=protein"),
    Place("nothing found", "/search?q=zebra"),
    Place("paper", "/papers/arxiv:2603.10056"),
    Place("no such paper", "/papers/arxiv:2603.99999", status=404),
    Place("how ranking works", "/how-ranking-works"),
    Place("privacy", "/privacy"),
    Place("no such page", "/nowhere", status=404),
    Place("not to be read", "/subscribe", status=405),
    Place("operator, door", "/", status=401, desk=True, enters=False),
    Place("operator, status", "/", desk=True),
    Place("operator, editions", "/editions", desk=True),
    Place("operator, failures", "/failures", desk=True),
    Place("operator, preview", "/preview", desk=True),
    Place("operator, no such page", "/nowhere", desk=True, status=404),
)


def settle_in(house: House) -> None:
    """Bring about what the places need: an edition, readers in every state, and their mails."""
    house.live(SIGNED_UP)
    house.join(BOB, CAY, DAN, EVE, FAY)
    house.post(house.links("/p/ask/{}", FAY)[0])
    house.mail(FAY, 3)
    house.live(READING)
    house.post("/subscribe", email=ANN)
    house.join(GUS)
    house.mail(ANN)
    for reader in (BOB, CAY, DAN, EVE):
        house.mail(reader, 3)  # to confirm, welcome, and the edition
    house.post(house.links("/u/{}", DAN)[0])
    for reader in (BOB, GUS):
        house.post(house.links("/p/ask/{}", reader)[0])
    for reader, mails in ((BOB, 4), (DAN, 4), (GUS, 3)):
        house.mail(reader, mails)
