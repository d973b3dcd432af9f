"""`digest keys`: what an operator sees and what is written, in a folder of its own."""

import re
import stat
from pathlib import Path

import pytest
from support.operator import Operator

from digest.settings import load
from digest.tokens import key_name

OLD = "o" * 40
ENV = "DIGEST_SITE__SECRET_KEY"


@pytest.fixture
def operator(empty_home: Path) -> Operator:
    """Somebody whose key stands in `.env`."""
    alone = Operator(empty_home, "smtp://127.0.0.1:1")
    alone.forget("site__secret_key")
    (empty_home / ".env").write_text(f"# mine\n{ENV}={OLD} # of March\nDIGEST_SMTP__PASSWORD=pw\n")
    (empty_home / ".env").chmod(0o600)
    return alone


def keys(operator: Operator) -> tuple[str, ...]:
    return load(operator.home, {}).site.keys


def test_a_new_key_signs_and_the_old_one_stays(operator: Operator) -> None:
    done = operator.call("keys", "rotate")
    new, old = keys(operator)
    assert (done.code, done.out, old) == (0, "", OLD)
    assert len(new) >= 64
    text = (operator.home / ".env").read_text()
    assert text == f"# mine\n{ENV}='{new} {OLD}' # of March\nDIGEST_SMTP__PASSWORD=pw\n"
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in operator.home.glob(".env*")}
    assert files == {".env": 0o600, ".env.bak": 0o600}


def test_no_command_shows_a_key_unless_asked(operator: Operator) -> None:
    calls = [("rotate",), (), ("list",), ("list", "--json"), ("retire",), ("retire", "--yes"), ("retire", "--yes")]
    said = [operator.call("keys", *words) for words in calls]
    hidden = {OLD, *keys(operator)}
    assert [one.code for one in said] == [0, 0, 0, 0, 2, 0, 2]
    assert not [key for key in hidden for one in said if key in one.out + one.err]


def test_the_list_tells_who_signs_and_where_they_stand(operator: Operator) -> None:
    operator.call("keys", "rotate")
    names = [key_name(key) for key in keys(operator)]
    bare, listed = operator.call("keys"), operator.call("keys", "list", "--json").json
    assert re.findall(r"^(\w+)  (signs|verifies)", bare.out, re.MULTILINE) == [(names[0], "signs"), (names[1], "verifies")]
    assert [(one["key"], one["signs"], one["last_edition"]) for one in listed["keys"]] == [
        (names[0], True, None),
        (names[1], False, None),
    ]
    assert listed["where"] == f"{operator.home / '.env'}, line 2"


def test_the_oldest_goes_first_and_the_last_one_stays(operator: Operator) -> None:
    operator.call("keys", "rotate")
    new = keys(operator)[0]
    asked = operator.call("keys", "retire")
    assert (asked.code, keys(operator)) == (2, (new, OLD))
    done = operator.call("keys", "retire", "--yes")
    assert (done.code, keys(operator)) == (0, (new,))
    assert key_name(OLD) in done.err
    assert "unsubscribing works from every mail" in done.err
    last = operator.call("keys", "retire", "--yes")
    assert (last.code, keys(operator)) == (2, (new,))
    assert "keys rotate" in last.err


def test_the_key_of_the_database_goes_on_verifying_when_a_new_one_is_made(empty_home: Path) -> None:
    operator = Operator(empty_home, "smtp://127.0.0.1:1")
    operator.forget("site__secret_key")
    before = operator.call("keys", "list", "--json").json
    assert before["where"] == "the database"
    done = operator.call("keys", "rotate")
    assert (done.code, "as it was before" in done.err) == (0, (empty_home / ".env.bak").exists())
    after = operator.call("keys", "list", "--json").json
    assert [one["key"] for one in after["keys"]][1:] == [one["key"] for one in before["keys"]]
    assert len(keys(operator)) == 2


@pytest.mark.parametrize("kept", ["environment", "file", "toml"])
def test_keys_that_others_keep_are_printed_for_them_and_not_written(operator: Operator, kept: str) -> None:
    own = operator.home / ".env"
    elsewhere = operator.home / "secret"
    elsewhere.write_text(OLD + "\n")
    own.write_text({"environment": f"{ENV}={'x' * 40}\n", "file": f"{ENV}_FILE={elsewhere}\n", "toml": ""}[kept])
    if kept == "environment":
        operator.set(site__secret_key=OLD)
    if kept == "toml":
        (operator.home / "digest.toml").write_text(f'[site]\nsecret_key = "{OLD}"\n')
        operator.call("db", "upgrade")
    before = {path.name: path.read_text() for path in operator.home.glob("[.sd]e*") if path.suffix != ".db"}
    refused = operator.call("keys", "rotate")
    assert refused.code == 2
    assert "--print" in refused.err
    printed = operator.call("keys", "rotate", "--print")
    new, old = printed.out.split()
    assert (printed.code, old, len(new) >= 64) == (0, OLD, True)
    assert OLD not in printed.err + refused.err
    assert {path.name: path.read_text() for path in operator.home.glob("[.sd]e*") if path.suffix != ".db"} == before
    operator.set(site__secret_key=f"{new} {OLD}")
    assert operator.call("keys", "retire", "--print").out.split() == [new]


def test_a_file_that_is_a_link_stays_one(operator: Operator, tmp_path: Path) -> None:
    own, real = operator.home / ".env", tmp_path / "real"
    own.rename(real)
    own.symlink_to(real)
    done = operator.call("keys", "rotate")
    assert done.code == 0
    assert own.is_symlink()
    assert OLD in real.read_text()
    assert len(keys(operator)) == 2
    assert f"as it was before, it is {tmp_path / 'real.bak'}." in done.err


def test_a_key_with_a_quote_is_kept_as_it_is(operator: Operator) -> None:
    odd = "it's" + 'a"\\key' * 8
    (operator.home / ".env").write_text(f"{ENV}={odd}\n")
    assert keys(operator) == (odd,)
    assert operator.call("keys", "rotate").code == 0
    assert keys(operator)[1:] == (odd,)


def test_a_file_that_cannot_be_read_is_not_written_over(operator: Operator) -> None:
    own = operator.home / ".env"
    own.write_text(own.read_text() + "no equals sign here\n")
    before = own.read_text()
    assert operator.call("keys", "rotate").code == 78
    assert own.read_text() == before
