"""Measures in the words of Prometheus."""

import re

from hypothesis import given
from hypothesis import strategies as some

from digest.flows.measures import Family, Sample
from digest.web.exposition import exposition

LINE = re.compile(r'digest_x(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\\\|\\"|\\n)*",?)*\})? -?[0-9.]+(?:e[+-]?[0-9]+)?')


def test_a_number_stands_with_its_name_its_meaning_and_what_it_is_of() -> None:
    family = Family("digest_x", "How many.", (Sample((("state", "queued"), ("of", "all")), 1234567.0), Sample((), 0.5)))
    assert exposition([family]) == (
        '# HELP digest_x How many.\n# TYPE digest_x gauge\ndigest_x{state="queued",of="all"} 1234567\ndigest_x 0.5\n'
    )


def test_what_is_of_nothing_is_not_named() -> None:
    assert exposition([Family("digest_x", "How many.", ())]) == ""


@given(some.text(), some.floats(min_value=0, max_value=1e12))
def test_no_name_breaks_out_of_its_line(name: str, value: float) -> None:
    _, _, line, end = exposition([Family("digest_x", "How many.", (Sample((("source", name),), value),))]).split("\n")
    assert LINE.fullmatch(line)
    assert end == ""


def test_a_moment_keeps_its_seconds() -> None:
    family = Family("digest_x", "When.", (Sample((), 1795413600.25),))
    assert exposition([family]).endswith("digest_x 1795413600.25\n")
