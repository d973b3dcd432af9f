"""BLAS is told how many threads it has before numpy is imported."""

import os
import subprocess
import sys

import pytest

NAME = "OPENBLAS_NUM_THREADS"


@pytest.mark.parametrize(("said", "meant"), [(None, "1"), ("3", "3")])
@pytest.mark.parametrize("module", ["digest.__main__", "digest.bench.worker", "digest.ranking.vocabulary"])
def test_the_program_has_one_thread_of_blas_unless_its_operator_wants_more(said: str | None, meant: str, module: str) -> None:
    environ = {name: value for name, value in os.environ.items() if name != NAME} | ({NAME: said} if said else {})
    look = f"import os, sys, digest; print('numpy' in sys.modules, os.environ[{NAME!r}]); import {module}"
    found = subprocess.run([sys.executable, "-c", look], env=environ, check=True, capture_output=True, text=True)
    assert found.stdout.split() == ["False", meant]
