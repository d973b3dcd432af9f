"""One paper out of several sightings: the fullest of what the sources say, and nothing that none of them said."""

from dataclasses import replace

from digest.papers.model import Work


def merge(known: Work, seen: Work) -> Work:
    """What is known after one more sighting.

    The title stays, for readers may have seen it; the longer abstract wins unless it is cut off, and the longer list of
    authors; dates are the earliest; links, categories, keywords and a summary are added where there was none.
    """
    summary = (known.summary, known.summary_by) if known.summary else (seen.summary, seen.summary_by)
    return replace(
        known,
        abstract=max(known.abstract, seen.abstract, key=_fullness),
        authors=max(known.authors, seen.authors, key=len),
        categories=tuple(dict.fromkeys(known.categories + seen.categories)),
        keywords=tuple(dict.fromkeys(known.keywords + seen.keywords)),
        organization=known.organization or seen.organization,
        summary=summary[0],
        summary_by=summary[1],
        published_at=min(filter(None, (known.published_at, seen.published_at)), default=None),
        listed_on=min(filter(None, (known.listed_on, seen.listed_on)), default=None),
        links={**seen.links, **known.links},
    )


def _fullness(abstract: str) -> tuple[bool, bool, int]:
    """What one abstract has over another: words at all, an end, and more of them."""
    return bool(abstract), not abstract.endswith(("…", "...")), len(abstract)
