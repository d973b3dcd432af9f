"""An operator takes copies of templates, changes them, and is told of mistakes before a reader is due."""

from pathlib import Path

import pytest
from support.operator import Operator

CARD = "email/digest/card.html"


@pytest.fixture
def own(operator: Operator) -> Path:
    return operator.home / "templates"


def test_a_copy_is_what_is_shipped_and_listed_as_his_own(operator: Operator, own: Path) -> None:
    before = operator.call("template", "list", "--json").json["templates"]
    assert {"name": CARD, "own": False, "shipped": True} in before
    done = operator.call("template", "eject", CARD, "email/welcome", "--json")
    assert done.json["ejected"] == [CARD, *(f"email/welcome/{part}" for part in ("body.html", "body.txt", "subject.txt"))]
    assert (own / CARD).read_text() == (Path(__file__).parents[3] / "templates" / CARD).read_text()
    assert {"name": CARD, "own": True, "shipped": True} in operator.call("template", "list", "--json").json["templates"]
    assert operator.call("template", "lint").code == 0


def test_what_he_has_changed_is_not_overwritten(operator: Operator, own: Path) -> None:
    assert operator.call("template", "eject", CARD).code == 0
    (own / CARD).write_text("mine")
    done = operator.call("template", "eject", CARD, "--json")
    assert (done.code, done.json["ejected"], done.json["kept"]) == (0, [], [CARD])
    assert (own / CARD).read_text() == "mine"


def test_a_name_that_is_none_is_told(operator: Operator, own: Path) -> None:
    assert operator.call("template", "eject", "email/nothing.html").code == 2
    assert operator.call("template", "eject", "../config/digest.toml").code == 2
    assert not own.exists()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("email/digest/subject.txt", "{{ subject", "line 1"),
        ("email/welcome/body.txt", "one\n{{ nothing_of_that_name }}\n", "line 2"),
        ("web/privacy.html", "{% if %}", "privacy.html"),
        (CARD, "{{ card.place + 1 }}", "differs from reader to reader"),
    ],
    ids=["not-closed", "unknown-name", "page", "slot"],
)
def test_a_mistake_is_told_with_its_place(operator: Operator, own: Path, name: str, text: str, said: str) -> None:
    (own / name).parent.mkdir(parents=True)
    (own / name).write_text(text)
    done = operator.call("template", "lint")
    assert done.code == 78
    assert Path(name).name in done.err
    assert said in done.err
    assert "Traceback" not in done.err
    told = operator.call("template", "lint", "--json")
    assert (told.code, told.json["ok"], len(told.json["problems"])) == (78, False, 1)


def test_a_template_under_a_wrong_name_is_warned_of(operator: Operator, own: Path) -> None:
    (own / "email").mkdir(parents=True)
    (own / "email/subjct.txt").write_text("x")
    done = operator.call("template", "lint", "--json")
    assert (done.code, done.json["in_no_place_of_ours"]) == (0, ["email/subjct.txt"])
    assert "email/subjct.txt" in done.err
