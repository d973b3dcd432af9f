"""Reads papers written one JSON object a line (JSON Lines, UTF-8).

| key | value |
|---|---|
| `title` | text; the only one that must be there |
| `abstract`, `organization`, `summary`, `summary_by` | text; `summary_by` is who wrote the summary |
| `authors` | list of texts, or one text: `Jane Doe, Max Roe and Ann Poe`, `Doe, J.; Roe, M.` |
| `categories`, `keywords` | list of texts |
| `arxiv_id`, `doi` | in any usual spelling |
| `url`, `code_url`, `project_url` | http or https address to link to |
| `published_at` | ISO 8601 date or time, UTC where no zone is given |
| `votes`, `comments`, `stars`, `citations` | whole number, as of now |
| `rank` | whole number, place in a list, 1 being the first |
| `readings` | list of `{"metric": "votes", "value": 12, "taken_at": "2026-11-22T21:00:00Z"}`; `taken_at` may be left out: now |

`null` means that the key is absent; unknown keys are ignored. A line that is no JSON object with a title is reported by its
number and skipped. Anything else that cannot be used is reported and left out, and its paper is kept.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from digest.papers.identity import arxiv_id, doi, of_one_paper, strongest_first
from digest.papers.model import METRICS, Metric, Reading, Sighting, Work
from digest.papers.text import MAX_ABSTRACT, MAX_AUTHORS, MAX_NAME, clean
from digest.sources.fields import MAX_SUMMARY, Unusable, read_count, read_instant, read_json, read_text, read_texts, read_title
from digest.sources.links import links_of_id, safe_url
from digest.sources.names import split_names
from digest.sources.parsed import Parsed, Problem

_LINKS = {"url": "page", "code_url": "code", "project_url": "project"}


def parse(text: str | bytes, *, source: str, seen_at: datetime) -> Parsed:
    """The papers of a file in its order; readings without a time of their own are taken at `seen_at`."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    sightings: list[Sighting] = []
    problems: list[Problem] = []
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        left_out: list[str] = []
        try:
            sightings.append(_sighting(_entry(line), source, seen_at, left_out))
        except Unusable as error:
            left_out = [str(error)]
        problems += [Problem(number, what) for what in left_out]
    return Parsed(tuple(sightings), tuple(problems))


def _entry(line: bytes) -> Mapping[str, object]:
    try:
        entry = read_json(line.decode(), pairs=_without_repeats)
    except UnicodeDecodeError:
        raise Unusable("not UTF-8 text") from None
    if not isinstance(entry, dict):
        raise Unusable("not a JSON object")
    return entry


class _Line:
    """The keys of one line. What cannot be used is absent, and named in `left_out`."""

    def __init__(self, entry: Mapping[str, object], left_out: list[str]) -> None:
        self.entry = entry
        self._left_out = left_out

    def leave_out(self, what: str) -> None:
        self._left_out.append(f"{what}; left out")

    def text(self, key: str, limit: int) -> str:
        try:
            return read_text(self.entry, key, limit)
        except Unusable as error:
            self.leave_out(str(error))
            return ""

    def texts(self, key: str, limit: int, most: int) -> tuple[str, ...]:
        """Those items of a list that are texts."""
        value = self.entry.get(key)
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            self.leave_out(f"some of `{key}` are not texts")
            value = [item for item in value if isinstance(item, str)]
        try:
            return read_texts({key: value}, key, limit, most)
        except Unusable as error:
            self.leave_out(str(error))
            return ()

    def authors(self) -> tuple[str, ...]:
        value = self.entry.get("authors")
        return split_names(value) if isinstance(value, str) else self.texts("authors", MAX_NAME, MAX_AUTHORS)


def _sighting(entry: Mapping[str, object], source: str, seen_at: datetime, left_out: list[str]) -> Sighting:
    """The paper of one line. Raises Unusable if it has no title."""
    line = _Line(entry, left_out)
    title = read_title(entry.get("title"))
    ids = _ids(line)
    work = Work(
        title=title,
        abstract=line.text("abstract", MAX_ABSTRACT),
        authors=line.authors(),
        categories=line.texts("categories", 40, 20),
        keywords=line.texts("keywords", 80, 30),
        organization=line.text("organization", MAX_NAME),
        summary=line.text("summary", MAX_SUMMARY),
        summary_by=line.text("summary_by", MAX_NAME),
        published_at=_published_at(line, seen_at),
        links=_links(line, ids),
    )
    return Sighting(source, seen_at, work, ids, tuple(_readings(line, source, seen_at)))


def _ids(line: _Line) -> tuple[str, ...]:
    """Canonical ids, strongest first: those that are told, and the one that the address tells."""
    found: list[str] = []
    for key, canonical in (("arxiv_id", arxiv_id), ("doi", doi)):
        if given := line.text(key, 300):
            if id_ := canonical(given):
                found.append(id_)
            else:
                line.leave_out(f"`{key}` is none: {clean(given, 60)!r}")
    address = _address(line, "url")
    found += [id_ for id_ in (arxiv_id(address), doi(address)) if id_]
    ids = of_one_paper(found)
    for other in sorted({*found} - {*ids}):
        line.leave_out(f"it names {other}, too")
    return strongest_first(ids)


def _published_at(line: _Line, seen_at: datetime) -> datetime | None:
    value = line.entry.get("published_at")
    if value is None:
        return None
    try:
        # Dates have no zone: the newest may lie a day ahead of UTC.
        return read_instant("published_at", value, seen_at + timedelta(days=1))
    except Unusable as error:
        line.leave_out(str(error))
        return None


def _links(line: _Line, ids: tuple[str, ...]) -> dict[str, str]:
    links: dict[str, str] = {}
    for id_ in ids:
        links |= links_of_id(id_)
    for key, kind in _LINKS.items():
        if given := line.text(key, 2000):
            if url := safe_url(given):
                links[kind] = url
            else:
                line.leave_out(f"`{key}` is no address to link to: {clean(given, 60)!r}")
    return links


def _address(line: _Line, key: str) -> str:
    """An address as it stands; `_links` reports one that is none."""
    value = line.entry.get(key)
    return clean(value, 2000) if isinstance(value, str) else ""


def _readings(line: _Line, source: str, seen_at: datetime) -> Iterator[Reading]:
    entry = line.entry
    told: list[object] = [{"metric": metric, "value": entry[metric]} for metric in METRICS if entry.get(metric) is not None]
    listed = entry.get("readings")
    if isinstance(listed, list):
        told += listed
    elif listed is not None:
        line.leave_out("`readings` is not a list")
    for item in told:
        try:
            yield _reading(item, source, seen_at)
        except Unusable as error:
            line.leave_out(str(error))


def _reading(item: object, source: str, seen_at: datetime) -> Reading:
    if not isinstance(item, dict):
        raise Unusable("a reading is not a JSON object")
    metric = _metric(item.get("metric"))
    value = read_count(metric, item.get("value"))
    given = item.get("taken_at")
    return Reading(source, metric, value, seen_at if given is None else read_instant("taken_at", given, seen_at))


def _metric(value: object) -> Metric:
    for metric in METRICS:
        if value == metric:
            return metric
    raise Unusable(f"a reading's `metric` is none of {', '.join(METRICS)}")


def _without_repeats(pairs: list[tuple[str, object]]) -> object:
    """A JSON object whose keys are unique (RFC 8259 section 4 leaves open which of two counts)."""
    entry = dict(pairs)
    if len(entry) != len(pairs):
        raise Unusable("the same key stands twice in it")
    return entry
