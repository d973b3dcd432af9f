"""GitHub: the stars of the repositories that known papers name as their code."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from digest.clock import Duration
from digest.errors import BadInput, ServerUnavailable
from digest.papers.model import Reading, Sighting, Work
from digest.papers.text import clean
from digest.sources.base import Brings, Collected, Errand, Known
from digest.sources.fields import Unusable, read_answer, read_count
from digest.sources.lookup import look_up
from digest.sources.parsed import Parsed, Problem
from digest.sources.slices import WebSlice
from digest.sources.web import HttpError, Site

NAME = "github"
TITLE = "GitHub"
NOT_SHOWN = "repositories that are not shown"
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_NOT_SHOWN = (301, 302, 307, 308, 403, 404, 410, 451)
"""Gone, moved out of reach, private, taken down or blocked: there is nothing to read, and nothing is wrong."""
_OWNER = re.compile(r"[A-Za-z0-9-]{1,39}")
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}")


class GitHubSettings(WebSlice):
    """`[sources.github]`"""

    url: str = "https://api.github.com"
    token: SecretStr | None = Field(None, description="a token without any right; with it 5,000 requests an hour, else 60")
    limit: int = Field(50, ge=1, le=5_000, description="how many papers one run looks up at most")
    again_after: Duration = Field(timedelta(hours=24), description="how long what it said of a paper is good for")


class GitHub:
    """The source: asks for each repository once, however many papers name it."""

    name = turn = NAME
    title = TITLE
    brings: Brings = "attention"

    def __init__(self, settings: GitHubSettings) -> None:
        self.enabled, self.limit, self.again_after = settings.enabled, settings.limit, settings.again_after
        self._url, self._token = settings.url, settings.token

    def wants(self, known: Known) -> bool:
        """Whether the paper's code lies in a repository there."""
        return repository(known.code) is not None

    def collect(self, errand: Errand) -> Collected:
        """The stars of the papers of the errand; *failed* with what there was if a request was.

        Raises:
            ServerUnavailable: no request was answered.
            ConfigurationError: the token is none that can be sent.
        """
        bearer = {"Authorization": f"Bearer {self._token.get_secret_value()}"} if self._token else {}
        site = errand.web.at(self._url, source=NAME, headers=_HEADERS | bearer)
        return look_up(
            errand,
            site,
            list(by_repository(errand.known, self.limit).items()),
            lambda path, papers: _look_up(site, path, papers, errand.now),
            told="the stars of {found} were read",
            gives_up=_is_final,
        )


def repository(address: str) -> str | None:
    """The `owner/name` that an address on GitHub leads to, in lower case, for GitHub knows no other; None if to none.

    >>> repository("https://github.com/Example/Net.git#readme")
    'example/net'
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return None
    owner, _, rest = parts.path.strip("/").partition("/")
    name = rest.partition("/")[0].removesuffix(".git")
    if parts.scheme not in ("http", "https") or host not in ("github.com", "www.github.com"):
        return None
    if not _OWNER.fullmatch(owner) or not _REPOSITORY.fullmatch(name) or not name.strip("."):
        return None
    return f"{owner}/{name}".lower()


def by_repository(known: Sequence[Known], limit: int) -> Mapping[str, list[Known]]:
    """The first `limit` papers that have one, by repository, in their order."""
    found = [(path, paper) for paper in known if paper.ids and (path := repository(paper.code))][:limit]
    papers: dict[str, list[Known]] = {}
    for path, paper in found:
        papers.setdefault(path, []).append(paper)
    return papers


def _look_up(site: Site, path: str, papers: Sequence[Known], now: datetime) -> Parsed:
    """The stars of a repository, for all papers that name it. Raises ServerUnavailable."""
    asked = f"{TITLE} was asked for {path}"
    try:
        return Parsed(_sightings(papers, read_stars(site.get(f"/repos/{path}", asked=asked)), now))
    except BadInput as error:
        raise HttpError(f"{asked}: {error}", fix="the next run asks again", status=200) from None
    except Unusable as error:
        return Parsed(problems=(Problem(None, f"{path}: {error}"),))
    except ServerUnavailable as fault:
        if _is_not_shown(fault):
            return Parsed(passed_over={NOT_SHOWN: 1})
        raise


def read_stars(raw: str | bytes) -> int:
    """The stars that a repository's record tells.

    Raises:
        BadInput: this is no such record.
        Unusable: it tells no number that stars can have.
    """
    answer = read_answer(raw)
    if not isinstance(answer, dict):
        raise BadInput("this is JSON, but no repository")
    if isinstance(says := answer.get("message"), str):
        raise BadInput(f"{TITLE} says: {clean(says, 200)}")
    return read_count("stars", answer.get("stargazers_count"))


def _sightings(papers: Sequence[Known], stars: int, now: datetime) -> tuple[Sighting, ...]:
    # Known papers have their titles; a look-up of code has none to tell.
    reading = Reading(NAME, "stars", stars, now)
    return tuple(Sighting(NAME, now, Work(title=""), paper.ids, (reading,), announces=False) for paper in papers)


def _is_not_shown(fault: ServerUnavailable) -> bool:
    """Whether this is an answer about the repository, and not about us or the server."""
    return isinstance(fault, HttpError) and fault.status in _NOT_SHOWN and not _is_spent(fault)


def _is_spent(fault: HttpError) -> bool:
    """Whether we asked too much: GitHub says so with 429, or with 403 and in words."""
    return fault.status == 429 or (fault.status == 403 and (fault.wait is not None or b"rate limit" in fault.body.lower()))


def _is_final(fault: ServerUnavailable) -> bool:
    """Whether another request would fare no better: nobody answers, the token is wrong, or we are told to stay away."""
    return not isinstance(fault, HttpError) or fault.wait is not None or fault.status == 401 or _is_spent(fault)
