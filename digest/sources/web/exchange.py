"""One question and its answer, over as many redirects as are allowed, within all limits. Never twice."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from urllib.parse import urlencode

import httpcore2
import httpx2

from digest import __version__
from digest.papers.text import clean
from digest.sources.web.connecting import NotPublic, in_words
from digest.sources.web.kinds import ACCEPT
from digest.sources.web.question import Limits, Question, Reply, Server
from digest.sources.web.redirects import MAX_REDIRECTS, STATUSES, NotFollowed, is_own, next_address
from digest.sources.web.unpacking import Body, Damaged, TooLarge

AGENT = f"trending-papers-digest/{__version__}"
MAX_ERROR_BODY = 64 * 1024
"""So much of an answer that is no use is read, to be looked at."""


class Broken(Exception):
    """There was no whole answer; there may be one next time."""


class Unusable(Exception):
    """There was an answer, and another one would be no better. `reply` is the answer, `fix` what can be done."""

    def __init__(self, message: str, reply: Reply, fix: str = "") -> None:
        super().__init__(message)
        self.reply, self.fix = reply, fix


@dataclass(frozen=True, slots=True)
class Pools:
    """Connections to the origins that operators wrote, wherever they are, and to all others, which must be public."""

    own: httpcore2.AsyncConnectionPool
    public: httpcore2.AsyncConnectionPool


async def exchange(
    pools: Pools, limits: Limits, server: Server, question: Question, sleep: Callable[[float], Awaitable[None]]
) -> Reply:
    """What the server answers in the end, whatever its status. The server's gap is kept before a redirect is followed, too.

    Raises:
        Broken, Unusable
    """
    base, url = httpx2.URL(server.base), httpx2.URL(question.url)
    try:
        async with asyncio.timeout(limits.total):
            for followed in range(MAX_REDIRECTS + 1):
                if followed and server.gap:
                    await sleep(server.gap)
                reply = await _ask(pools, limits, server, question, url, own=is_own(url, base))
                if reply.status not in STATUSES:
                    return reply
                url = _follow(reply, url, server, question)
    except TimeoutError:
        raise Broken(f"no whole answer within {limits.total:g} s") from None
    raise Unusable(f"it redirects more than {MAX_REDIRECTS} times", reply)


def _follow(reply: Reply, url: httpx2.URL, server: Server, question: Question) -> httpx2.URL:
    try:
        there = next_address(url, reply.headers.get("location", ""), server)
    except NotFollowed as error:
        raise Unusable(str(error), reply, error.fix) from None
    shown = clean(server.masked(str(there)), 200)
    if question.content is not None:
        raise Unusable(f"it redirects to {shown}", reply, f"if that is where it has moved to, write that in {server.setting}")
    if not is_own(there, httpx2.URL(server.base)) and server.masked(str(there)) != str(there):
        raise Unusable(f"it redirects to {shown}, and would hand on the key of this source", reply)
    return there


async def _ask(pools: Pools, limits: Limits, server: Server, question: Question, url: httpx2.URL, *, own: bool) -> Reply:
    shown = server.masked(str(url))
    reply = Reply(shown, 0, {})
    try:
        async with (pools.own if own else pools.public).stream(
            question.method,
            _target(url, server.secrets if own else {}),
            headers=_headers(server, question, url, own=own),
            content=question.content,
            extensions={"timeout": {"connect": limits.connect, "read": limits.read, "write": limits.read}},
        ) as response:
            reply = Reply(shown, response.status, _read_headers(response.headers))
            body = await (_whole_body if response.status == 200 else _some_body)(response, reply, limits)
            return Reply(shown, reply.status, reply.headers, body)
    except Unusable:
        raise
    except NotPublic as error:
        raise Unusable(f"it redirects to {shown}, but {error}", reply) from None
    except Damaged as error:
        raise Broken(str(error)) from None
    except httpcore2.TimeoutException as error:
        raise Broken(_no_answer_in_time(error)) from None
    except Exception as error:  # noqa: BLE001 - nobody knows what hostile bytes make the protocol's parsers raise
        raise Broken(clean(server.masked(in_words(error)), 200)) from None


def _no_answer_in_time(error: httpcore2.TimeoutException) -> str:
    while_connecting = isinstance(error, httpcore2.ConnectTimeout)
    return "no answer in time: " + (str(error) or ("it could not be reached" if while_connecting else "it fell silent"))


def _target(url: httpx2.URL, secrets: Mapping[str, str]) -> httpcore2.URL:
    missing = urlencode({name: value for name, value in secrets.items() if name not in url.params}).encode()
    path = url.raw_path + ((b"&" if b"?" in url.raw_path else b"?") + missing if missing else b"")
    return httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=path)


def _headers(server: Server, question: Question, url: httpx2.URL, *, own: bool) -> list[tuple[bytes, bytes]]:
    headers = {"user-agent": AGENT, "accept": ACCEPT[question.kind], "accept-encoding": "gzip"}
    if question.content is not None:
        headers["content-type"] = "application/json"
    if own:
        headers |= {name.lower(): value for name, value in server.headers.items()}
    if question.validators and server.masked(str(url)) == question.kept_from:
        headers |= question.validators
    return [(b"host", url.netloc), *((name.encode(), value.encode()) for name, value in headers.items())]


def _read_headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw:
        key = name.decode("latin-1").lower()
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


async def _whole_body(response: httpcore2.Response, reply: Reply, limits: Limits) -> bytes:
    coding = reply.headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip"):
        raise Unusable(f"the answer is coded as {clean(coding, 40)}, which was not asked for", reply)
    length = reply.headers.get("content-length", "")
    too_large = f"the answer is larger than {_in_units(limits.body)}"
    if length.isascii() and length.isdigit() and int(length[:18]) > limits.body:
        raise Unusable(too_large, reply)
    body = Body(limits.body, gzip=coding.endswith("gzip"))
    try:
        async with aclosing(response.aiter_stream()) as pieces:
            async for piece in pieces:
                body.add(piece)
        return body.end()
    except TooLarge:
        raise Unusable(too_large, reply) from None


async def _some_body(response: httpcore2.Response, reply: Reply, limits: Limits) -> bytes:
    """The beginning of the body of an answer that is no use anyway: what is wrong with it does not matter."""
    body = Body(min(limits.body, MAX_ERROR_BODY), gzip="gzip" in reply.headers.get("content-encoding", "").lower())
    try:
        async with asyncio.timeout(limits.read), aclosing(response.aiter_stream()) as pieces:
            async for piece in pieces:
                body.add(piece)
    except (TooLarge, Damaged, TimeoutError, httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError):
        pass
    return body.so_far()[:MAX_ERROR_BODY]


def _in_units(size: int) -> str:
    return f"{size // 2**20} MiB" if size >= 2**20 else f"{size:,} bytes"
