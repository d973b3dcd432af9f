"""Leaving and coming back, on either database and by several at once."""

from contract.world import NOW, World, together
from sqlalchemy import select

from digest.flows.links import Acted, Links
from digest.store.schema import event, notice, subscriber
from digest.tokens import Signer


def test_who_presses_several_times_at_once_leaves_once_and_comes_back_once(world: World) -> None:
    ann = world.reader("ann")
    mail = world.mail(ann, world.edition())
    links, token = Links(world.store, Signer(["k" * 40]), "https://papers.example.org"), world.row(ann, subscriber).token

    def leave() -> Acted:
        return links.leave(NOW, token)

    acted = together(*[leave for _ in range(6)])
    assert (world.row(ann, subscriber).state, world.state(mail)) == ("unsubscribed", "skipped")
    assert set(acted) == {acted[0]}
    together(*[lambda: links.undo(NOW, acted[0].undo) for _ in range(6)])
    assert (world.row(ann, subscriber).state, world.state(mail)) == ("active", "queued")
    with world.store.read() as connection:
        assert list(connection.execute(select(event.c.kind).order_by(event.c.id)).scalars()) == ["unsubscribed", "resumed"]
        assert connection.execute(select(notice.c.kind, notice.c.state)).all() == [("goodbye", "skipped")]
