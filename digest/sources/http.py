"""One GET that cannot cost more than so many bytes and seconds, tried again once where that may help."""

import random
import time
import zlib
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from digest import __version__
from digest.errors import ServerUnavailable
from digest.sources.base import Sleep

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 10.0
READ_SECONDS = 20.0
TOTAL_SECONDS = 60.0
MAX_BODY = 16 * 2**20
DEFAULT_WAIT = 2.0
LONGEST_WAIT = 60.0


class _Refused(Exception):
    """This answer cannot be used, and another one would be no better."""


class _Again(Exception):
    """This attempt failed; one more, after `wait` seconds, may not."""

    def __init__(self, cause: str, wait: float = DEFAULT_WAIT) -> None:
        super().__init__(cause)
        self.wait = wait


def open_client(*, connect: float = CONNECT_SECONDS, read: float = READ_SECONDS) -> "httpx2.Client":
    """A client that follows no redirects, keeps nothing of the environment, and waits only so many seconds."""
    import httpx2

    return httpx2.Client(
        timeout=httpx2.Timeout(connect=connect, read=read, write=read, pool=connect),
        headers={"User-Agent": f"trending-papers-digest/{__version__}", "Accept-Encoding": "gzip"},
        follow_redirects=False,
        trust_env=False,
    )


def get_json(
    client: "httpx2.Client",
    url: str,
    params: Mapping[str, str],
    *,
    asked: str,
    sleep: Sleep,
    jitter: Callable[[float, float], float] = random.uniform,
    elapsed: Callable[[], float] = time.monotonic,
) -> bytes:
    """The body of a JSON answer, at most 16 MiB after decompression, at most 60 s an attempt.

    Tried once more after a broken connection, a 5xx or a 429, when `Retry-After` (RFC 9110 10.2.3) says, if that is within
    60 s. `asked` says who was asked for what.

    Raises:
        ServerUnavailable: there is no such answer; names `asked` and the cause.
    """
    for tries_left in (1, 0):
        try:
            return _attempt(client, url, params, elapsed)
        except _Again as fault:
            if not tries_left or fault.wait > LONGEST_WAIT:
                raise _unavailable(asked, str(fault)) from None
            sleep(fault.wait + jitter(0.0, 1.0))
        except _Refused as fault:
            raise _unavailable(asked, str(fault)) from None
    raise AssertionError("unreachable")


def _unavailable(asked: str, cause: str) -> ServerUnavailable:
    return ServerUnavailable(f"{asked}: {cause}", fix="the next run asks again; see whether the address opens in a browser")


def _attempt(client: "httpx2.Client", url: str, params: Mapping[str, str], elapsed: Callable[[], float]) -> bytes:
    import httpx2

    deadline = elapsed() + TOTAL_SECONDS
    try:
        with client.stream("GET", url, params=params, headers={"Accept": "application/json"}) as response:
            _check_status(response)
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise _Refused(f"the answer is not JSON but {kind[:60] or 'of no kind'}")
            return _body(response, deadline, elapsed)
    except httpx2.TimeoutException as error:
        raise _Again(f"no answer in time ({type(error).__name__})") from None
    except httpx2.TransportError as error:
        raise _Again(str(error) or type(error).__name__) from None
    except (httpx2.InvalidURL, httpx2.DecodingError) as error:
        raise _Refused(str(error)) from None


def _check_status(response: "httpx2.Response") -> None:
    status = response.status_code
    if status == 429 or status >= 500:
        wait = _retry_after(response)
        later = f" and asks to be left alone for {wait:.0f} s" if wait > LONGEST_WAIT else ""
        raise _Again(f"it answered {status}{later}", wait)
    if 300 <= status < 400:
        raise _Refused(f"it answered {status}, a redirect, which is not followed")
    if status != 200:
        raise _Refused(f"it answered {status}")


def _retry_after(response: "httpx2.Response") -> float:
    """Seconds to wait, from either form of the header; a date is read against the server's own."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(response.headers.get("date", ""))
    except (ValueError, TypeError, OverflowError):
        return DEFAULT_WAIT
    return max(wait.total_seconds(), 0.0)


def _body(response: "httpx2.Response", deadline: float, elapsed: Callable[[], float]) -> bytes:
    """The decompressed body; never holds more than the limit of it, whatever was compressed."""
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "gzip"):
        raise _Refused(f"the answer is coded as {coding[:40]}, which was not asked for")
    gzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16) if coding == "gzip" else None
    body = bytearray()
    for piece in response.iter_raw():
        try:
            body += gzip.decompress(piece, MAX_BODY + 1 - len(body)) if gzip else piece
        except zlib.error:
            raise _Refused("the compressed answer is damaged") from None
        if len(body) > MAX_BODY or response.num_bytes_downloaded > MAX_BODY:
            raise _Refused(f"the answer is larger than {MAX_BODY // 2**20} MiB")
        if elapsed() > deadline:
            raise _Again(f"the answer took longer than {TOTAL_SECONDS:.0f} s")
    if gzip and not gzip.eof:
        raise _Again("the answer breaks off")
    return bytes(body)
