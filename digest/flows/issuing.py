"""Issues: what everybody is shown of an edition is what a reader without interests gets who never missed one."""

from datetime import datetime, timedelta
from functools import partial

from digest.edition.calendar import WEEK
from digest.edition.compose import Composer, Taste
from digest.flows.choosing import rows_of
from digest.flows.drafts import vocabulary_of
from digest.ranking.select import Selection
from digest.ranking.settings import RankingSettings
from digest.store import editions, issues
from digest.store.engine import Store

LOOK_BACK = timedelta(days=2)
"""An edition that is older and has no issue was frozen before there were any."""


def choose(store: Store, ranking: RankingSettings, now: datetime) -> int:
    """Choose the issues that are lacking; returns how many. What an earlier one has shown is not shown again."""
    with store.read() as connection:
        numbers = issues.lacking(connection, now - LOOK_BACK)
    for number in numbers:
        with store.read() as connection:
            edition = editions.load(connection, number)
            shown = issues.shown_since(connection, edition.frozen_at - ranking.window - WEEK, edition.cadence)
            rows = rows_of(connection, edition, partial(vocabulary_of, store, edition))
        composer = Composer(edition, rows, Selection(ranking.floor, ranking.diversity, ranking.explore))
        picks = composer.picks(Taste(share=ranking.share, cards=ranking.size, also=ranking.also), shown)
        with store.write() as connection:
            issues.store_picks(connection, number, picks)
    return len(numbers)
