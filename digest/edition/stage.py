"""What is the same for all readers of an edition, worked out once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digest.edition.field import Field, alikeness
from digest.edition.model import Edition
from digest.ranking.matching import Matching
from digest.ranking.rows import Rows
from digest.ranking.scoring import Scorer
from digest.ranking.select import Selection


@dataclass(frozen=True, eq=False, slots=True)
class Stage:
    """An edition, ready for readers to be chosen for. Without rows, nobody can score by the words of its papers."""

    edition: Edition
    options: Selection
    field: Field
    matching: Matching
    rows: Rows | None
    scorer: Scorer | None
    alike: NDArray[np.uint8] | None
    meanings: NDArray[np.float32] | None

    @classmethod
    def of(cls, edition: Edition, rows: Rows | None, options: Selection, meanings: NDArray[np.float32] | None) -> "Stage":
        """For the arguments see `digest.edition.compose.Composer`."""
        works = [entry.work for entry in edition.entries]
        rows = rows if works else None
        field = Field(edition.entries, options.floor)
        return cls(
            edition=edition,
            options=options,
            field=field,
            matching=Matching(works, field.survivor),
            rows=rows,
            scorer=None if rows is None else Scorer(rows),
            alike=None if rows is None or options.diversity == 0 else alikeness(rows),
            meanings=meanings,
        )
