"""An operator moves to another database, and nobody gets a mail twice for it."""

from datetime import timedelta
from pathlib import Path

from support.operator import Operator
from support.sink import Sink
from support.site import MONDAY


def test_after_a_move_everybody_goes_on_where_he_was(operator: Operator, sink: Sink, tmp_path: Path) -> None:
    early = MONDAY - timedelta(hours=1)
    assert operator.call("subscribers", "add", "ann@example.org", "--confirmed", now=early).code == 0
    assert operator.call("run", now=MONDAY).code == 0
    target = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    done = operator.call("db", "move", target, "--json")
    assert (done.code, done.json["to"], done.json["rows"]["subscriber"]) == (0, target, 1)
    assert "Set database.url" in done.err
    assert operator.call("db", "move", target).code == 77
    operator.set(database__url=target)
    first = operator.call("deliveries", "list", "--json").json["deliveries"][0]["id"]
    mailed = {one["id"] for one in operator.call("deliveries", "show", str(first), "--json").json["picks"]}
    assert operator.call("run", now=MONDAY + timedelta(minutes=10)).code == 0
    assert len(sink.accepted) == 1
    assert operator.call("run", now=MONDAY + timedelta(days=1)).code == 0
    assert len(sink.accepted) == 2
    rows = operator.call("deliveries", "list", "--json").json["deliveries"]
    again = operator.call("deliveries", "show", str(rows[0]["id"]), "--json").json["picks"]
    assert not mailed & {one["id"] for one in again}


def test_an_address_that_is_none_is_told(operator: Operator) -> None:
    assert operator.call("db", "move", "mysql://somewhere").code == 78
    assert operator.call("db", "move", "sqlite:///digest.db").code == 2
