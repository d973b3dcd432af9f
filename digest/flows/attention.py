"""Attention: which papers a source is sent to look up."""

from datetime import datetime
from itertools import islice

from digest.sources.base import AttentionSource, Known
from digest.store import lookups
from digest.store.engine import Store


def wanted(store: Store, source: AttentionSource, now: datetime, seen_since: datetime) -> list[Known]:
    """The papers first seen after `seen_since` that `source` can say anything about and was not asked for lately, the most
    wanted first, as many as one run may look up."""
    with store.read() as connection:
        due = lookups.due(connection, source.name, seen_since=seen_since, asked_before=now - source.again_after)
        known = (Known(ids, code, has_categories) for _, ids, code, has_categories in due)
        return list(islice(filter(source.wants, known), source.limit))
