import numpy as np
import pytest

from digest.bench.papers import invented
from digest.edition import field
from digest.edition.field import alikeness
from digest.ranking.rows import Rows
from digest.ranking.select import ALIKE
from digest.ranking.vocabulary import fit


@pytest.fixture(scope="module")
def rows() -> Rows:
    _, works = invented(np.random.default_rng(3), 300)
    return fit(works).rows(works)


def test_how_like_two_entries_are_is_their_cosine_in_steps_of_a_255th(rows: Rows) -> None:
    alike = alikeness(rows)
    cosines = (rows @ rows.T).toarray()
    assert np.abs(alike - np.clip(cosines / ALIKE, 0, 1) * 255).max() < 0.6
    assert (alike == alike.T).all()
    assert (alike.diagonal() == 255).all()


def test_how_likeness_is_reckoned_changes_nothing(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    alike = alikeness(rows)
    for name, value in (("FREQUENT", 0), ("FREQUENT", 10**6), ("BLOCK", 7)):
        monkeypatch.setattr(field, name, value)
        assert (alikeness(rows) == alike).all()


def test_no_entry_is_like_nothing(rows: Rows) -> None:
    assert alikeness(rows[:0]).shape == (0, 0)
