"""What the API takes and gives, for programs and those who write them: an OpenAPI 3.1 document."""

from typing import Any

from digest import __version__
from digest.papers.model import METRICS
from digest.rendering.data import Data
from digest.subscribers.model import CADENCES

EDITIONS = 50
"""Editions on a page, about."""
USUAL, MOST = 20, 100
"""Papers that a search gives where nobody says how many, and at most."""
MAX_ASKED = 200
"""Characters of a search."""

_TEXT: Data = {"type": "string"}
_URL: Data = {"type": "string", "format": "uri"}
_DATE: Data = {"type": "string", "format": "date"}
_MOMENT: Data = {"type": "string", "format": "date-time"}
_WHOLE: Data = {"type": "integer"}
_NUMBER: Data = {"type": "number"}
_WORDS: Data = {**_TEXT, "minLength": 1, "maxLength": MAX_ASKED}
_LIMIT: Data = {**_WHOLE, "minimum": 1, "maximum": MOST, "default": USUAL}


def description(name: str, url: str, contact: str) -> Data:
    """The document. `url` is the address of the site, with a slash at its end; `contact` an address of mail or of a page."""
    contacts = {} if not contact else {"contact": {"url": contact} if "/" in contact else {"email": contact}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": name,
            "version": __version__,
            "description": (
                "Trending papers: the editions, why each paper is in them, and search. All is public, needs no key, and may be"
                " read from pages of other sites. Answers carry an ETag: ask with If-None-Match, and at most once a minute."
            ),
            **contacts,
        },
        "servers": [{"url": url.rstrip("/")}],
        "paths": {
            "/api/v1/editions": _get(
                "listEditions",
                "The editions that have something to show, the latest first",
                "Editions",
                [_asked("before", "Only those before this date, as in `next` of the answer before.", _DATE, "2026-11-22")],
                refuses=True,
            ),
            "/api/v1/editions/{date}": _get("getEdition", "The edition of a day", "Issue", [_DAY], missing="edition"),
            "/api/v1/editions/week/{date}": _get(
                "getWeeklyEdition", "The edition of a week, by the day it is dated", "Issue", [_WEEK], missing="edition"
            ),
            "/api/v1/papers/{key}": _get(
                "getPaper",
                "A paper, its readings over time, and the editions that it was in",
                "PaperInFull",
                [_KEY],
                missing="paper",
                gone=True,
            ),
            "/api/v1/search": _get(
                "searchPapers",
                "Papers that have all of these words in title, abstract or authors, or one of these ids; the best first",
                "Found",
                [
                    _asked("q", "Words, or ids of papers.", _WORDS, "language models", required=True),
                    _asked("limit", "How many at most.", _LIMIT, USUAL),
                ],
                refuses=True,
            ),
            "/api/v1/openapi.json": _get("getDescription", "This document", "Description", []),
        },
        "components": {"schemas": _SCHEMAS},
    }


def _asked(name: str, says: str, schema: Data, example: Any, *, required: bool = False) -> Data:
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": says,
        "schema": schema,
        "example": example,
    }


_DAY: Data = {
    "name": "date",
    "in": "path",
    "required": True,
    "description": "Its date.",
    "schema": _DATE,
    "example": "2026-11-22",
}
_WEEK: Data = {**_DAY, "example": "2026-11-16"}
_KEY: Data = {
    "name": "key",
    "in": "path",
    "required": True,
    "description": "Any id of it, such as `doi:10.1000/182`; a slash may stand as it is.",
    "schema": {**_TEXT, "minLength": 1},
    "example": "arxiv:2401.01234",
}
_HEADERS: Data = {
    "ETag": {"description": "Names this answer, for If-None-Match.", "schema": _TEXT},
    "Cache-Control": {"description": "For how many seconds it may be kept.", "schema": _TEXT},
    "Access-Control-Allow-Origin": {"description": "`*`", "schema": _TEXT},
}
_AGAIN: Data = {"Retry-After": {"description": "Seconds to wait.", "schema": _WHOLE}}
_IF_NONE_MATCH: Data = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the answer that you have.",
    "schema": _TEXT,
}


def _get(
    name: str,
    says: str,
    answer: str,
    parameters: list[Data],
    *,
    missing: str = "",
    gone: bool = False,
    refuses: bool = False,
) -> Data:
    """A path: `missing` is what may not be there, `gone` whether it may have been, `refuses` whether its query may be wrong."""
    problems = {
        "404": f"There is no such {missing}." if missing else "",
        "410": f"The {missing} was retracted." if gone else "",
        "422": "The query is not as described; `detail` says what is wrong." if refuses else "",
        "429": "You ask too often; try again after the seconds of Retry-After.",
        "503": "The site is busy; try again after the seconds of Retry-After.",
    }
    answers: Data = {
        "200": {"description": says, "headers": _HEADERS, "content": _content("application/json", answer)},
        "304": {"description": "You have it: nothing has changed.", "headers": _HEADERS},
    }
    for status, what in problems.items():
        if what:
            answers[status] = {"description": what, "content": _content("application/problem+json", "Problem")}
    for status in ("429", "503"):
        answers[status]["headers"] = _AGAIN
    return {
        "get": {"operationId": name, "summary": says, "parameters": [*parameters, _IF_NONE_MATCH], "responses": answers},
    }


def _content(kind: str, schema: str) -> Data:
    return {kind: {"schema": _one(schema)}}


def _one(schema: str) -> Data:
    return {"$ref": f"#/components/schemas/{schema}"}


def _many(items: Data) -> Data:
    return {"type": "array", "items": items}


def _or_null(schema: Data) -> Data:
    return {**schema, "type": [schema["type"], "null"]}


def _object(properties: Data) -> Data:
    """An object that has all of these. There may be more one day: programs pass over what they do not know."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _counts(says: str) -> Data:
    return {"type": "object", "description": says, "additionalProperties": _WHOLE}


_EDITION: Data = {
    "date": _DATE,
    "cadence": {"type": "string", "enum": list(CADENCES)},
    "frozen_at": _MOMENT,
    "url": {**_URL, "description": "Its page."},
    "api_url": {**_URL, "description": "Its papers, as data."},
}
_PLACE: Data = {
    "rank": {**_WHOLE, "minimum": 1, "description": "Its place among all papers of the edition."},
    "score": {**_NUMBER, "description": "The sum of its terms."},
    "terms": _many(_one("Term")),
    "numbers": _counts("The latest value of each metric when the edition was frozen: votes, comments, stars."),
    "first_seen_on": _DATE,
}
_PAPER: Data = {
    "key": {**_TEXT, "description": "Its strongest id."},
    "url": {**_URL, "description": "Our page about it."},
    "title": _TEXT,
    "authors": _many(_TEXT),
    "abstract": _TEXT,
    "categories": _many(_TEXT),
    "keywords": _many(_TEXT),
    "organization": _TEXT,
    "summary": _TEXT,
    "summary_by": {**_TEXT, "description": "Who wrote the summary."},
    "published_at": _or_null(_MOMENT),
    "listed_on": _or_null(_DATE),
    "links": {"type": "object", "description": "Addresses by kind: page, arxiv, pdf, code.", "additionalProperties": _TEXT},
}
_SCHEMAS: dict[str, Any] = {
    "Editions": _object(
        {
            "editions": _many(_one("Edition")),
            "next": {**_or_null(_URL), "description": "Where the older ones are; null where there are none."},
        }
    ),
    "Edition": _object(_EDITION),
    "Issue": _object(
        {
            **_EDITION,
            "missing_sources": {**_many(_TEXT), "description": "Sources that could not be read, by title."},
            "papers": _many(_one("Entry")),
        }
    ),
    "Entry": _object({"section": {"type": "string", "enum": ["card", "also"]}, **_PLACE, "paper": _one("Paper")}),
    "Term": {
        **_object({"signal": _TEXT, "value": _or_null(_NUMBER), "score": _NUMBER, "reason": _TEXT}),
        "description": "One addend of a score: the value as measured (null: nobody told us), as it counted, and in words.",
    },
    "Paper": _object(_PAPER),
    "PaperInFull": _object(
        {
            **_PAPER,
            "ids": {**_many(_TEXT), "description": "All that it is known by."},
            "readings": {**_many(_one("Reading")), "description": "The last of each day, source and metric."},
            "editions": {**_many(_one("Appearance")), "description": "Those that had it, the latest first."},
        }
    ),
    "Reading": _object({"source": _TEXT, "metric": {"type": "string", "enum": list(METRICS)}, "at": _MOMENT, "value": _WHOLE}),
    "Appearance": _object({**_EDITION, **_PLACE}),
    "Found": _object({"papers": _many(_one("Paper"))}),
    "Description": _object({"openapi": _TEXT, "info": {"type": "object"}, "paths": {"type": "object"}}),
    "Problem": {
        "type": "object",
        "description": "RFC 9457",
        "properties": {"type": _TEXT, "title": _TEXT, "status": _WHOLE, "detail": _TEXT},
        "required": ["type", "title", "status"],
    },
}
