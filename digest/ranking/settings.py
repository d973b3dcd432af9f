"""What an operator may set about ranking."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from digest.clock import Duration

_CONFIG = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

Weight = Annotated[float, Field(ge=0, le=1_000_000)]
"""Above it there is none, so that every score is a finite number."""


class RankingWeights(BaseModel):
    """How much each signal counts; 0 leaves it out."""

    model_config = _CONFIG

    votes: Weight = 1.0
    prior: Weight = 1.0
    outlook: Weight = 1.0
    growth: Weight = 1.0
    comments: Weight = 1.0
    stars: Weight = 1.0
    editor: Weight = 1.0
    standing: Weight = 1.0
    freshness: Weight = 1.0


class RankingSettings(BaseModel):
    """How many papers a mail has, from how far back, and what speaks for them."""

    model_config = _CONFIG

    size: int = Field(default=10, ge=1, le=25)
    also: int = Field(default=10, ge=0, le=20)
    window: Duration = Field(default=timedelta(days=14), gt=timedelta(0), le=timedelta(days=365))
    share: float = Field(default=0.5, ge=0, le=1)
    floor: float = Field(default=5.0, ge=0, le=1000)
    diversity: float = Field(default=0.5, ge=0, le=1)
    explore: int = Field(default=1, ge=0, le=3)
    semantic: Path | None = None
    weights: RankingWeights = RankingWeights()
