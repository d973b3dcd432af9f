"""An operator who holds digests back while they go out: what is on the wire is finished, and nothing else begins."""

from support.sink import Session
from support.site import Site

from digest.store import holding


def test_no_content_goes_out_after_the_word_and_all_of_it_when_it_is_taken_back(site: Site) -> None:
    addresses = site.readers(12)
    site.publish()
    begun: list[str] = []
    at_the_word: list[str] = []

    def hold(_session: Session, recipient: str) -> None:
        # Two connections: the other mail may be marked already, and then it is finished.
        if recipient == addresses[5]:
            with site.app.store.write() as connection:
                assert holding.pause(connection, site.now, "ann")
            at_the_word.extend(begun)

    def note(_session: Session, recipient: str) -> None:
        begun.append(recipient)

    site.sink.on |= {"DATA": hold, "BODY": note}
    site.deliver()
    accepted = {one.recipient for one in site.sink.accepted}
    assert at_the_word
    assert addresses[5] not in accepted
    assert len(accepted) <= len(set(at_the_word)) + 1
    assert {site.row(address).state for address in accepted} == {"submitted"}
    assert {site.row(address).state for address in set(addresses) - accepted} == {"queued"}
    with site.app.store.write() as connection:
        holding.resume(connection, site.now, "ann")
    site.sink.on.clear()
    site.deliver()
    assert sorted(one.recipient for one in site.sink.accepted) == sorted(addresses)
    assert set(site.states().values()) == {"submitted"}
