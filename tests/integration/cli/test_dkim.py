"""`digest dkim` and what `doctor` says of the sender: what an operator sees, with a real name server beside him."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path

import dns.rcode
import pytest
from support.name_server import NameServer
from support.operator import Operator
from support.signed import ED25519, ED25519_PEM, RSA, RSA_PEM, SHORT_PEM
from support.site import MONDAY

from digest.outbox.dkim_keys import record

NAME = "rsa1._domainkey.example.org"
BESIDE = "ed1._domainkey.example.org"


@pytest.fixture
def names() -> Iterator[NameServer]:
    """What is published for the keys of `signing`."""
    with NameServer(**{NAME: record(RSA), BESIDE: record(ED25519)}) as server:
        yield server


@pytest.fixture
def operator(empty_home: Path) -> Operator:
    return Operator(empty_home, "smtp://127.0.0.1:1")


@pytest.fixture
def signing(operator: Operator) -> Operator:
    """Somebody whose mails are signed with two keys."""
    put(operator, "rsa1", RSA_PEM)
    put(operator, "ed1", ED25519_PEM)
    operator.set(dkim__selector="rsa1", dkim__ed25519_selector="ed1")
    return operator


def put(operator: Operator, selector: str, pem: bytes) -> Path:
    path = operator.home / "dkim" / f"{selector}.pem"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(pem)
    path.chmod(0o600)
    return path


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_keys_are_made_for_their_owner_alone_and_the_way_on_is_told(operator: Operator) -> None:
    done = operator.call("dkim", "keygen", "--ed25519", now=MONDAY)
    assert done.code == 0, done.err
    assert modes(operator.home / "dkim") == {"digest202603.pem": 0o600, "digest202603-ed.pem": 0o600}
    assert [line.rpartition("/")[2] for line in done.out.splitlines()] == ["digest202603.pem", "digest202603-ed.pem"]
    for word in ("dkim dns", "dkim check", 'selector = "digest202603"', 'ed25519_selector = "digest202603-ed"'):
        assert word in done.err
    operator.set(dkim__selector="digest202603", dkim__ed25519_selector="digest202603-ed")
    told = operator.call("dkim", "dns", "--json")
    assert [row["algorithm"] for row in told.json["records"]] == ["rsa", "ed25519"]


def test_no_key_is_overwritten_but_a_second_one_can_be_made_beside_it(operator: Operator) -> None:
    operator.call("dkim", "keygen", "--selector", "one")
    path = operator.home / "dkim" / "one.pem"
    before = path.read_bytes()
    again = operator.call("dkim", "keygen", "--selector", "one")
    assert (again.code, path.read_bytes()) == (2, before)
    assert str(path) in again.err
    beside = operator.call("dkim", "keygen", "--selector", "one", "--ed25519")
    assert (beside.code, path.read_bytes()) == (0, before)
    assert sorted(modes(operator.home / "dkim")) == ["one-ed.pem", "one.pem"]
    assert sorted(modes(operator.home)) == ["dkim"]


@pytest.mark.parametrize("selector", ["a b", "../x", "-a", "a" * 64, "ä"])
def test_a_selector_that_the_dns_cannot_hold_is_refused(operator: Operator, selector: str) -> None:
    done = operator.call("dkim", "keygen", f"--selector={selector}")
    assert (done.code, "is no selector" in done.err, list(operator.home.iterdir())) == (2, True, [])


def test_without_a_key_it_is_said_how_to_make_one(operator: Operator) -> None:
    for command in ("dns", "check"):
        done = operator.call("dkim", command)
        assert (done.code, "digest dkim keygen" in done.err) == (78, True)


def test_what_to_publish_is_told_before_anything_is_set_and_in_both_forms(operator: Operator) -> None:
    put(operator, "rsa1", RSA_PEM)
    done = operator.call("dkim", "dns")
    assert done.code == 0, done.err
    assert f"name:  {NAME}\ntype:  TXT\nvalue: {record(RSA)}\n" in done.out
    zone = done.out.partition(f"{NAME}. IN TXT (")[2]
    assert "".join(re.findall(r'"(.*)"', zone)) == record(RSA)
    (row,) = operator.call("dkim", "dns", "--json").json["records"]
    assert "".join(row["strings"]) == row["value"] == record(RSA)
    assert (row["name"], row["in_use"], row["bits"]) == (NAME, False, 2048)


def test_keys_that_are_published_are_found(signing: Operator, names: NameServer) -> None:
    done = signing.call("dkim", "check", "--resolver", names.address, "--json")
    assert (done.code, done.err) == (0, "")
    assert [(row["name"], row["grade"], row["in_use"]) for row in done.json["keys"]] == [
        (NAME, "ok", True),
        (BESIDE, "ok", True),
    ]
    assert names.asked == [(NAME, "udp"), (BESIDE, "udp")]


def test_an_answer_that_does_not_fit_into_a_packet_is_fetched_over_tcp(signing: Operator, names: NameServer) -> None:
    names.short = True
    assert signing.call("dkim", "check", "--resolver", names.address).code == 0
    assert (NAME, "tcp") in names.asked


def test_a_key_may_be_published_by_an_alias(signing: Operator, names: NameServer) -> None:
    names.aliases[NAME] = "keys.example.net"
    names.texts["keys.example.net"] = names.texts.pop(NAME)
    assert signing.call("dkim", "check", "--resolver", names.address).code == 0


@pytest.mark.parametrize(
    ("published", "words"),
    [
        (None, "not published"),
        ([], "not published"),
        ([record(RSA), "v=DKIM1; p="], "2 TXT records"),
        (["v=DKIM1; k=rsa; p="], "revoked"),
        ([record(ED25519)], "published as k=ed25519"),
        ([record(RSA).replace("MIIBIj", "MIIBIk")], "p= holds no key"),
    ],
)
def test_what_is_not_published_rightly_ends_with_78_and_says_what_to_do(
    signing: Operator, names: NameServer, published: list[str] | None, words: str
) -> None:
    del names.texts[NAME]
    if published is not None:
        names.texts[NAME] = published
    done = signing.call("dkim", "check", "--resolver", names.address)
    assert (done.code, words in done.out) == (78, True), done.out
    assert "digest dkim" in done.out
    assert BESIDE in done.out


def test_a_record_marked_as_a_test_is_pointed_out(signing: Operator, names: NameServer) -> None:
    names.texts[NAME] = [f"v=DKIM1; t=y; p={RSA.public}"]
    done = signing.call("dkim", "check", "--resolver", names.address)
    assert (done.code, "t=y" in done.out) == (0, True)


def test_a_key_that_lies_ready_may_wait_for_its_record_while_another_signs(signing: Operator, names: NameServer) -> None:
    put(signing, "later", SHORT_PEM)
    done = signing.call("dkim", "check", "--resolver", names.address)
    assert done.code == 0
    assert re.search(r"later\._domainkey\S+ not published \(does not sign yet\)", done.out)
    signing.set(dkim__selector="", dkim__ed25519_selector="")
    assert signing.call("dkim", "check", "--resolver", names.address).code == 78


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED], ids=["servfail", "refused"])
def test_a_dns_that_does_not_answer_ends_with_69_and_says_nothing_of_the_key(
    signing: Operator, names: NameServer, rcode: dns.rcode.Rcode
) -> None:
    names.rcode = rcode
    done = signing.call("dkim", "check", "--resolver", names.address)
    assert (done.code, done.out) == (69, "")
    assert NAME in done.err
    assert "--resolver" in done.err


@pytest.mark.parametrize("server", ["dns.example.org", "127.0.0.1:x", "::1]:53", "[::1", "[]"])
def test_a_name_server_is_named_by_its_address(signing: Operator, server: str) -> None:
    done = signing.call("dkim", "check", "--resolver", server)
    assert (done.code, "is no name server's address" in done.err) == (2, True)


def test_the_doctor_looks_at_the_keys_without_asking_anybody(signing: Operator, caplog: pytest.LogCaptureFixture) -> None:
    path = signing.home / "dkim" / "rsa1.pem"
    path.chmod(0o640)
    done = signing.call("doctor", "--json")
    found = [row for row in done.json["checks"] if row["check"] == "dkim"]
    assert [row["grade"] for row in found] == ["ok", "warn"]
    assert "rsa1 (rsa) and ed1 (ed25519)" in found[0]["what"]
    assert found[1]["fix"] == f"chmod 600 {path}"
    assert f"chmod 600 {path}" in caplog.text


def test_the_doctor_asks_the_dns_for_what_receivers_ask(signing: Operator, names: NameServer) -> None:
    done = signing.call("doctor", "--dns", "--resolver", names.address, "--json")
    grades = {row["check"]: row["grade"] for row in done.json["checks"]}
    assert (grades["dkim"], grades["spf"], grades["dmarc"]) == ("ok", "warn", "warn")
    names.texts["example.org"] = ["v=spf1 -all"]
    names.texts["_dmarc.example.org"] = ["v=DMARC1; p=none"]
    del names.texts[NAME]
    done = signing.call("doctor", "--resolver", names.address, "--json")
    grades = {row["check"]: row["grade"] for row in done.json["checks"] if NAME not in row["what"]}
    assert (grades["dkim"], grades["spf"], grades["dmarc"], done.code) == ("ok", "ok", "ok", 78)


def test_the_doctor_leaves_signing_to_the_mail_server(operator: Operator, names: NameServer) -> None:
    done = operator.call("doctor", "--dns", "--resolver", names.address, "--json")
    (found,) = (row for row in done.json["checks"] if row["check"] == "dkim")
    assert (found["grade"], "the mail server must" in found["what"]) == ("ok", True)
