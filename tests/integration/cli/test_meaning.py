"""A sentence model as an operator sees it: what `doctor` says, and that `run` has it read."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.operator import Operator
from support.site import MONDAY, SUBJECTS, Site
from support.tiny_model import tiny_model

WORDS = {
    word: [float(n == m) for m in range(10)]
    for n, word in enumerate(" ".join(SUBJECTS).replace("protein folding", "folding").split())
}


def doctor(operator: Operator) -> dict[str, Any]:
    """What is said of meaning; empty for nothing."""
    checks = operator.call("doctor", "--json", now=MONDAY).json["checks"]
    return next((check for check in checks if check["check"] == "meaning"), {})


def test_without_a_model_nothing_is_said_of_it(operator: Operator) -> None:
    assert doctor(operator) == {}


def test_a_relative_folder_counts_from_home_and_run_has_its_papers_read(operator: Operator, site: Site, home: Path) -> None:
    tiny_model(home / "minilm", WORDS)
    operator.set(ranking__semantic="minilm")
    before = doctor(operator)
    assert before["grade"] == "warn"
    assert "0 papers are read" in before["what"]
    site.subscribe("ann@example.org", topics=["protein folding"])
    assert operator.call("run", now=MONDAY + timedelta(minutes=1)).code == 0
    after = doctor(operator)
    assert after["grade"] == "ok"
    assert "60 papers are read" in after["what"]


@pytest.mark.parametrize("broken", ["nowhere", "empty", "rubbish"])
def test_a_model_that_cannot_be_used_is_a_failed_check_with_what_to_do(operator: Operator, home: Path, broken: str) -> None:
    (home / "empty").mkdir()
    tiny_model(home / "rubbish", WORDS)
    (home / "rubbish" / "model.onnx").write_bytes(b"not a model")
    operator.set(ranking__semantic=broken)
    found = doctor(operator)
    assert found["grade"] == "fail"
    assert broken in found["what"]
    assert "tokenizer.json" in found["fix"]


def test_mails_go_out_though_the_model_cannot_be_read(operator: Operator, site: Site, home: Path) -> None:
    tiny_model(home / "rubbish", WORDS)
    (home / "rubbish" / "model.onnx").write_bytes(b"not a model")
    operator.set(ranking__semantic=str(home / "rubbish"))
    site.readers(1)
    done = operator.call("run", now=MONDAY + timedelta(minutes=1))
    assert len(site.sink.accepted) == 1
    assert done.code == 78
    assert "holds no sentence model" in done.err
    assert "Traceback" not in done.err
