"""A mail that was submitted can be made once more, to the byte; and it is told when that can no longer be promised."""

from datetime import timedelta

import pytest
from support.operator import Operator
from support.site import MONDAY, Site

ANN = "ann@example.org"
DAY = "2026-03-02"


@pytest.fixture
def mailed(site: Site) -> Site:
    """A site whose reader got Monday's edition."""
    site.at(MONDAY - timedelta(hours=1))
    site.subscribe(ANN, topics=["protein folding"])
    site.at(MONDAY)
    site.publish()
    site.deliver()
    return site


def wire(site: Site) -> bytes:
    return site.sink.by_recipient[ANN][-1].content


def test_the_bytes_are_those_that_were_submitted(operator: Operator, mailed: Site) -> None:
    done = operator.call("replay", DAY, ANN, now=MONDAY + timedelta(days=3))
    assert (done.code, done.err) == (0, "")
    assert done.out.encode() == wire(mailed)


def test_neither_a_new_key_nor_other_interests_nor_a_hidden_paper_change_them(operator: Operator, mailed: Site) -> None:
    operator.set(site__secret_key=f"{'n' * 40} {'k' * 40}")
    assert operator.call("subscribers", "set", ANN, "--topic", "galaxies").code == 0
    assert operator.call("papers", "hide", str(min(mailed.paper_ids(mailed.row(ANN))))).code == 0
    assert operator.call("replay", DAY, ANN).out.encode() == wire(mailed)


def test_it_is_told_when_templates_have_changed_since(operator: Operator, mailed: Site) -> None:
    own = mailed.home / "templates/email/digest/subject.txt"
    own.parent.mkdir(parents=True)
    own.write_text("[Papers] {{ subject }}\n")
    done = operator.call("replay", DAY, ANN, "--json")
    assert done.json["changed"] == ["templates"]
    assert "Changed since it was submitted: templates" in done.err
    assert "[Papers]" in done.json["message"]


def test_it_is_told_when_settings_have_changed_since(operator: Operator, mailed: Site) -> None:
    operator.set(site__name="Another name")
    assert operator.call("replay", DAY, ANN, "--json").json["changed"] == ["settings"]


def test_mails_from_before_anybody_noted_what_they_are_made_with_are_replayed_with_a_word_of_doubt(
    operator: Operator, mailed: Site
) -> None:
    with mailed.app.store.write() as connection:
        connection.exec_driver_sql("DELETE FROM event WHERE kind = 'mails made with'")
    done = operator.call("replay", DAY, ANN, "--json")
    assert (done.code, done.json["changed"]) == (0, None)
    assert done.json["message"].encode() == wire(mailed)


def test_what_was_never_submitted_cannot_be_replayed(operator: Operator, mailed: Site) -> None:
    mailed.at(MONDAY + timedelta(days=1))
    mailed.publish()
    mailed.at(MONDAY + timedelta(days=2))
    mailed.deliver()
    for day, said in (("2026-03-03", "skipped (too late"), ("2026-02-01", "has no mail of 2026-02-01")):
        done = operator.call("replay", day, ANN)
        assert done.code == 2
        assert said in done.err
    assert operator.call("replay", DAY, "nobody@example.org").code == 2
    assert operator.call("replay", "Monday", ANN).code == 2


def test_what_mails_are_made_with_is_noted_once(mailed: Site) -> None:
    mailed.at(MONDAY + timedelta(days=1))
    mailed.publish()
    mailed.deliver()
    with mailed.app.store.read() as connection:
        noted = connection.exec_driver_sql("SELECT count(*) FROM event WHERE kind = 'mails made with'").scalar()
    assert noted == 1
