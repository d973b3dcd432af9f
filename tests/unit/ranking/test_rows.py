import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.papers.model import Work
from digest.ranking.rows import rows_from_bytes, rows_to_bytes
from digest.ranking.vocabulary import fit

WORKS = [Work("Robots that fold proteins", "We show graphs."), Work("Sparse attention", "Graphs of graphs."), Work("", "")]
ROWS = fit(WORKS).rows(WORKS)


def test_rows_are_read_as_they_were_stored() -> None:
    found = rows_from_bytes(rows_to_bytes(ROWS))
    assert found.shape == ROWS.shape
    assert (found != ROWS).nnz == 0
    assert found.dtype == np.float32


def test_the_rows_of_no_paper_are_rows_all_the_same() -> None:
    assert rows_from_bytes(rows_to_bytes(ROWS[:0])).shape == (0, ROWS.shape[1])


@given(st.data())
@settings(max_examples=200, derandomize=True, deadline=None)
def test_what_was_spoilt_is_refused(data: st.DataObject) -> None:
    stored = bytearray(rows_to_bytes(ROWS))
    if data.draw(st.booleans()):
        stored[data.draw(st.integers(0, len(stored) - 1))] ^= data.draw(st.integers(1, 255))
    else:
        del stored[data.draw(st.integers(0, len(stored) - 1)) :]
    with pytest.raises(ValueError, match="stored rows"):
        rows_from_bytes(bytes(stored))
