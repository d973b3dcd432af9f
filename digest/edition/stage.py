"""What is the same for all readers of an edition, worked out once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digest.edition.field import Field, alikeness
from digest.edition.model import Edition
from digest.ranking.matching import Matching
from digest.ranking.scoring import Scorer
from digest.ranking.select import Selection
from digest.ranking.vocabulary import Rows, Vocabulary


@dataclass(frozen=True, eq=False, slots=True)
class Stage:
    """An edition, ready for readers to be chosen for. Without a vocabulary there are no rows, and nobody can score by them."""

    edition: Edition
    options: Selection
    field: Field
    matching: Matching
    vocabulary: Vocabulary | None
    rows: Rows | None
    scorer: Scorer | None
    alike: NDArray[np.uint8] | None
    meanings: NDArray[np.float32] | None

    @classmethod
    def of(
        cls, edition: Edition, vocabulary: Vocabulary | None, options: Selection, meanings: NDArray[np.float32] | None
    ) -> "Stage":
        """For the arguments see `digest.edition.compose.Composer`."""
        works = [entry.work for entry in edition.entries]
        rows = vocabulary.rows(works) if vocabulary is not None and works else None
        field = Field(edition.entries, options.floor)
        return cls(
            edition=edition,
            options=options,
            field=field,
            matching=Matching(works, field.survivor),
            vocabulary=vocabulary,
            rows=rows,
            scorer=None if rows is None else Scorer(rows),
            alike=None if rows is None or options.diversity == 0 else alikeness(rows),
            meanings=meanings,
        )
