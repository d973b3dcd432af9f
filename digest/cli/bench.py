"""`digest bench`: what delivering costs on this machine, measured on invented readers."""

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from digest.cli.common import AsJson, Yes, confirm, counted, emit, emit_json, progress, table, talk

if TYPE_CHECKING:
    from digest.bench.measure import Measured, Wish

_DOMAIN = re.compile(r"(?:[a-z0-9-]+\.)+[a-z0-9-]+")
_MEANING = {
    "edition": "what all readers share, worked out once",
    "cards": "render and encode what is shown of a paper, once each",
    "prepare": "claim rows, read who they are and what they know",
    "rank": "choose their papers",
    "build": "make the messages",
    "sign": "DKIM",
    "send": "SMTP",
    "record": "durable marks and outcomes",
    "other": "all else in the process",
}


def register(parent: typer.Typer) -> None:
    parent.command()(bench)


def bench(
    readers: Annotated[int, typer.Option("--readers", min=1, max=10_000_000, help="How many readers are mailed.")] = 20_000,
    picks: Annotated[int, typer.Option("--picks", min=1, max=25, help="Papers in each mail.")] = 15,
    candidates: Annotated[int, typer.Option("--candidates", min=50, max=2000, help="Papers they are chosen from.")] = 2000,
    transport: Annotated[str, typer.Option("--transport", help="sink, or a mail server: smtp://127.0.0.1:25")] = "sink",
    domain: Annotated[str, typer.Option("--domain", help="Where the readers of a mail server live.")] = "",
    connections: Annotated[int, typer.Option("--connections", min=1, max=200, help="Of each worker.")] = 32,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes that deliver side by side.")] = 1,
    dkim: Annotated[
        Literal["off", "rsa", "both"], typer.Option("--dkim", help="Sign with fresh keys: RSA, or Ed25519 beside it.")
    ] = "off",
    tls: Annotated[Literal["off", "starttls", "tls"], typer.Option("--tls", help="How the sink is reached.")] = "off",
    database: Annotated[
        str, typer.Option("--database", help="sqlite, or a PostgreSQL server to make a database on.")
    ] = "sqlite",
    delay: Annotated[int, typer.Option("--delay", min=0, max=10_000, help="Milliseconds that the sink waits to reply.")] = 0,
    one_core: Annotated[bool, typer.Option("--one-core", help="Keep each worker to one core, the sink to the last.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Measure the whole delivery on invented readers, in a folder of its own; nothing of yours is read or written."""
    given = transport != "sink"
    if given:
        _allow(transport, domain, readers, yes=yes)
    from digest.bench.measure import Wish, measure
    from digest.bench.site import Scene

    wish = Wish(
        Scene(readers, picks, candidates, domain if given else ""),
        transport,
        connections,
        workers,
        dkim,
        tls,
        database,
        delay / 1000,
        one_core,
    )
    talk(f"Inventing {counted(candidates, 'paper')} and {counted(readers, 'reader')}, then mailing them.")
    with progress("readers", readers) as show:
        found = measure(wish, furnished=show)
    if as_json:
        emit_json(_as_json(wish, found))
    else:
        _tell(wish, found)


def _allow(transport: str, domain: str, readers: int, *, yes: bool) -> None:
    """Make sure that somebody's server is meant to be filled with mail, and that nobody is mailed."""
    from digest.errors import UsageError
    from digest.smtp.url import parse_smtp_url

    server = parse_smtp_url(transport)
    if not _DOMAIN.fullmatch(domain):
        raise UsageError(
            "a mail server is given, and no domain of readers", fix="pass --domain with one whose mail may be thrown away"
        )
    confirm(f"Mail {readers:,} messages to readers at {domain} through {server}?", yes=yes)


def _as_json(wish: "Wish", found: "Measured") -> dict[str, Any]:
    from digest.smtp.url import parse_smtp_url
    from digest.store.engine import shown

    of = asdict(wish.scene) | {name: getattr(wish, name) for name in ("connections", "workers", "dkim", "tls", "one_core")}
    of["transport"] = wish.transport if wish.transport == "sink" else str(parse_smtp_url(wish.transport))
    of["database"] = wish.database if wish.database == "sqlite" else shown(wish.database)
    of["delay_ms"] = round(wish.delay * 1000)
    return asdict(found) | {"of": of}


def _tell(wish: "Wish", found: "Measured") -> None:
    size = "" if found.bytes_per_message is None else f" of {found.bytes_per_message:,} bytes"
    emit(f"{found.messages_per_second:,.0f} messages a second{size}: {found.messages:,} in {found.wall_seconds:.1f} s")
    each = found.cpu_us_per_message
    rows = [(name, _MEANING[name], f"{spent:,.1f}", f"{spent / each:.0%}") for name, spent in found.stages.items()]
    table(("stage", "what it does", "CPU us", "share"), rows)
    further = each - found.stages["edition"] - found.stages["cards"]
    emit(f"CPU          {each:,.1f} us a message in {counted(wish.workers, 'worker')}; {further:,.1f} for a further reader")
    emit(f"Memory       {found.peak_rss_mib:,.0f} MiB at most in a process")
    if found.connections is not None:
        emit(f"Connections  {found.connections:,} were opened, {wish.connections} at a time in a process")
    if found.sink_cpu_us_per_message is not None:
        emit(f"The sink     {found.sink_cpu_us_per_message:,.1f} us of CPU a message, in a process of its own and not counted")
