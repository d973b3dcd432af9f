"""What a change of keys does to mails that are out: real mails, real commands, real requests."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from support.operator import Operator
from support.site import MONDAY, Site

from digest.store import suppressions
from digest.subscribers.address import EmailAddress

DAY = timedelta(days=1)
ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"


def paths(mail: Any) -> tuple[str, str]:
    """Where a mail's way out leads, and its first link that rates a paper."""
    (leave,) = re.findall(r"<https://papers\.example\.org(/u/[\w-]+)>", mail.message["List-Unsubscribe"])
    text = mail.message.get_body(("html",)).get_content()
    return leave, re.findall(r"https://papers\.example\.org(/f/[\w-]+/p\d+/more)", text)[0]


def doctor(operator: Operator) -> list[Any]:
    """What there is to say of the keys."""
    checks = operator.call("doctor", "--json", now=MONDAY + DAY).json["checks"]
    return [one for one in checks if one["check"] == "secret"]


def test_a_mail_outlives_a_change_of_keys_and_its_way_out_the_end_of_the_old_one_too(
    make_site: Callable[..., Site], operator: Operator, serving: Callable[..., Any]
) -> None:
    operator.forget("site__secret_key")
    before = make_site(site__secret_key=None)
    ann, bob = before.readers(2)
    with before.app.store.write() as connection:
        suppressions.add(connection, EmailAddress.parse("eve@example.org"), "operator", MONDAY)
    before.publish()
    before.deliver()
    leave, rate = paths(before.sink.by_recipient[ann][0])

    assert operator.call("keys", "rotate", now=MONDAY).code == 0
    (waiting,) = doctor(operator)
    assert "signed the last edition" in waiting["what"]
    assert "restart" in waiting["fix"]
    after = make_site(site__secret_key=None)
    with serving(after.app) as web:
        assert web("POST", rate).status == 200
    after.at(MONDAY + DAY)
    after.publish()
    after.deliver()
    assert doctor(operator) == []
    _, rate_later = paths(after.sink.by_recipient[bob][1])
    told = operator.call("keys", "list", "--json", now=MONDAY + DAY).json["keys"]
    assert [(one["last_edition"][:10], one["needed_until"][:10]) for one in told] == [
        ("2026-03-03", "2026-05-03"),
        ("2026-03-02", "2026-05-02"),
    ]

    asked = operator.call("keys", "retire", now=MONDAY + DAY)
    assert "rate papers are dead in mails of 2026-03-02" in asked.err
    assert "undo" in asked.err
    assert operator.call("keys", "retire", "--yes", now=MONDAY + DAY).code == 0
    last = make_site(site__secret_key=None)
    with serving(last.app) as web:
        assert web("POST", rate).status == 404
        assert web("POST", rate_later).status == 200
        assert web("POST", leave, ONE_CLICK, Content_Type=FORM).status == 200
    assert last.reader(ann).state == "unsubscribed"
    with last.app.store.read() as connection:
        assert suppressions.find(connection, EmailAddress.parse("eve@example.org"))
