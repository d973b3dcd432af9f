import numpy as np
import pytest
from support.editions import any_edition, any_reader, rows_of
from support.plain_choice import Own, Plain

from digest.edition.chunk import Chunk
from digest.edition.stage import Stage
from digest.ranking.select import Selection, length_of_lists


@pytest.mark.parametrize("seed", range(48))
def test_the_quick_choice_is_the_plain_one(seed: int) -> None:
    options = Selection(floor=[0.0, 3.0][seed % 2], diversity=[0.0, 0.5, 1.0][seed % 3], explore=seed % 3)
    issue = any_edition(seed, [20, 120, 300][seed % 3])
    stage = Stage.of(issue, rows_of(issue), options, None)
    field, barred = stage.field, stage.field.barred(())
    readers = [any_reader(100 * seed + n) for n in range(12)]
    for length in (24, 48):
        group = [one for one in readers if length_of_lists(one[0].cards, one[0].also) == length]
        if not group:
            continue
        chunk = Chunk(stage, group, barred, length)
        for reader, (taste, _) in enumerate(group):
            rows = [row for row in range(len(chunk.rows)) if chunk.rows[row].reader == reader]
            everywhere = np.broadcast_to(np.arange(len(field.entries)), (len(rows), len(field.entries)))
            deviations = chunk.deviations(np.array(rows, np.int64), everywhere)
            wanted = Plain(
                trending=field.trending.tolist(),
                trends=field.trends.tolist(),
                barred=frozenset(np.flatnonzero(chunk.barred[reader]).tolist()),
                pinned=field.pinned,
                own=[
                    Own(chunk.rows[row].weight, scores, chunk.near[row], chunk.full[row])
                    for row, scores in zip(rows, deviations, strict=True)
                ],
                share=taste.share,
                cards=taste.cards,
                also=taste.also,
                explore=options.explore if rows and taste.cards >= 4 * options.explore else 0,
                draw=int(chunk.wishes.draw[reader]),
                alike=None if stage.alike is None else stage.alike.tolist(),
                diversity=options.diversity,
            ).choose()
            places, slots = chunk.choice.places[reader], chunk.choice.slots[reader]
            assert [(place, slot) for place, slot in zip(places.tolist(), slots.tolist(), strict=True) if place >= 0] == wanted
