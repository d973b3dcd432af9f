"""Servers on loopback that speak the look-up APIs: Semantic Scholar's batch, OpenAlex's works, GitHub's repositories."""

import json
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

JSON = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True)
class Asked:
    """One request as it came in; the names of headers are in lower case."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """What goes out, as it is."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)


def said(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer in JSON."""
    return Answer(status, json.dumps(value).encode(), JSON | dict(headers or {}))


PAGE = Answer(200, b"<!DOCTYPE html><html><body>Down for repairs</body></html>", {"Content-Type": "text/html"})
HIDDEN_PAGE = Answer(200, PAGE.body)
"""A web page that calls itself JSON."""


def left_alone(seconds: int) -> Answer:
    """429, and how long the server wants to be left alone."""
    return said({"message": "Too Many Requests", "code": "429"}, 429, {"Retry-After": str(seconds)})


class Server:
    """One of them, in a thread of its own; `asked` is what came in."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._instead: list[Answer | None] = []

    def will_say(self, *answers: Answer | None) -> None:
        """What is said to the next requests, in turn, instead of the usual (None: the usual)."""
        self._instead = list(answers)

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"api": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def handle(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        instead = self._instead.pop(0) if self._instead else None
        return instead or self.usual(asked)

    def usual(self, asked: Asked) -> Answer:
        raise NotImplementedError


class _Handler(BaseHTTPRequestHandler):
    api: Server

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Any) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), headers, body)
        answer = self.api.handle(asked)
        try:
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is inherited
        """Nothing: a test's output is its own."""


class SemanticScholarServer(Server):
    """POST /paper/batch: at most 500 ids, answers in their order, null for the unknown, 400 if it knows none.

    Args:
        papers: records by the id that finds them, such as `ARXIV:2511.04321`.
        key: the only one that it takes, if it takes one.
    """

    FIELDS = frozenset(
        "paperId corpusId externalIds url title abstract venue publicationVenue year publicationDate authors referenceCount"
        " citationCount influentialCitationCount isOpenAccess openAccessPdf fieldsOfStudy s2FieldsOfStudy publicationTypes"
        " journal tldr".split()
    )

    def __init__(self, papers: Mapping[str, Mapping[str, object]], key: str = "") -> None:
        super().__init__()
        self._papers, self._key = papers, key

    def usual(self, asked: Asked) -> Answer:
        if asked.headers.get("x-api-key", "") not in ("", self._key):
            return said({"message": "Forbidden"}, 403)
        if (asked.method, asked.path) != ("POST", "/paper/batch"):
            return said({"error": "Not found"}, 404)
        fields = asked.params["fields"].split(",")
        if unknown := [name for name in fields if name not in self.FIELDS]:
            return said({"error": f"Unrecognized or unsupported fields: [{', '.join(unknown)}]"}, 400)
        if len(asked.body["ids"]) > 500:
            return said({"error": "Too many paper ids: at most 500"}, 400)
        found = [self._papers.get(id_) for id_ in asked.body["ids"]]
        if not any(found):
            return said({"error": "No valid paper ids given"}, 400)
        return said([paper and {key: paper[key] for key in ("paperId", *fields) if key in paper} for paper in found])


class OpenAlexServer(Server):
    """GET /works?filter=doi:a|b: at most 100 values, in pages.

    Args:
        key: the only one that it takes, if it takes one.
        longest_page: how many works it puts on a page, whatever it is asked for.
    """

    def __init__(self, works: Iterable[Mapping[str, Any]], key: str = "", longest_page: int = 100) -> None:
        super().__init__()
        self._works, self._key, self._longest_page = list(works), key, longest_page

    def usual(self, asked: Asked) -> Answer:
        if asked.params.get("api_key", "") not in ("", self._key):
            return said({"error": "Invalid API key", "message": f"API key {asked.params['api_key']} is not valid"}, 401)
        if asked.path != "/works":
            return said({"error": "Not found"}, 404)
        filters = asked.params["filter"].split(",")
        name, _, values = filters[0].partition(":")
        wanted = values.split("|")
        if len(filters) > 1 or name != "doi" or len(wanted) > 100:
            return said({"error": "Invalid query parameters error.", "message": f"{asked.params['filter']} is no filter"}, 400)
        found = [work for work in self._works if work["doi"].lower().removeprefix("https://doi.org/") in wanted]
        length = min(int(asked.params.get("per_page", "25")), self._longest_page)
        page = int(asked.params.get("page", "1"))
        fields = asked.params["select"].split(",")
        shown = [{key: work[key] for key in fields if key in work} for work in found[(page - 1) * length : page * length]]
        return said({"meta": {"count": len(found), "page": page, "per_page": length}, "results": shown})


class GitHubServer(Server):
    """GET /repos/{owner}/{name}: renamed ones redirect; a limit that is counted, but not for what has not changed.

    Args:
        stars: by `owner/name`.
        moved: the name now of what had another.
        token: the only one that it takes, if it takes one.
        remaining: requests until the limit is reached; None: it never is.
    """

    def __init__(
        self, stars: Mapping[str, object], moved: Mapping[str, str] | None = None, token: str = "", remaining: int | None = None
    ) -> None:
        super().__init__()
        self.stars = dict(stars)
        self._moved, self._token, self._remaining = dict(moved or {}), token, remaining

    def usual(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization", "") not in ("", f"Bearer {self._token}"):
            return said({"message": "Bad credentials", "status": "401"}, 401)
        first, _, path = asked.path.strip("/").partition("/")
        if first == "repositories":
            path = list(self.stars)[int(path)]
        elif path in self._moved:
            number = list(self.stars).index(self._moved[path])
            return said({"message": "Moved Permanently"}, 301, {"Location": f"{self.url}/repositories/{number}"})
        tag = f'W/"{self.stars.get(path)}"'
        if asked.headers.get("if-none-match") == tag:
            return Answer(304, b"", {"ETag": tag})
        if self._remaining is not None:
            if self._remaining == 0:
                spent = {
                    "X-RateLimit-Limit": "60",
                    "X-RateLimit-Remaining": "0",
                    "X-RateLimit-Reset": str(int(time.time()) + 3000),
                }
                return said({"message": "API rate limit exceeded for 192.0.2.1."}, 403, spent)
            self._remaining -= 1
        if path not in self.stars:
            return said({"message": "Not Found", "status": "404"}, 404)
        return said({"full_name": path, "archived": False, "stargazers_count": self.stars[path]}, 200, {"ETag": tag})
