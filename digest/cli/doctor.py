"""`digest doctor`: one line a check, and what to do where one fails."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from digest.cli.common import AsJson, Resolver, application, emit, emit_json

if TYPE_CHECKING:
    from digest.smtp.connection import Connection
    from digest.wiring import App

Grade = Literal["ok", "warn", "fail"]

OVERDUE = timedelta(hours=1)
"""So long may a mail wait, be the edition large or its sources slow."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `exit_code` is what a failure ends the command with."""

    check: str
    grade: Grade
    what: str
    fix: str = ""
    exit_code: int = 0


def register(parent: typer.Typer) -> None:
    parent.command()(doctor)


def doctor(
    context: typer.Context,
    smtp: Annotated[bool, typer.Option("--smtp", help="Connect to the mail server, with TLS and login.")] = False,
    send_to: Annotated[str | None, typer.Option("--send-to", help="And mail a test to this address.")] = None,
    dns: Annotated[bool, typer.Option("--dns", help="Ask the DNS for the sender's DKIM, SPF and DMARC.")] = False,
    resolver: Resolver = "",
    as_json: AsJson = False,
) -> None:
    """Check settings, database, times, templates and the mail server."""
    with application(context) as app:
        findings = [finding for check in _CHECKS for finding in _guarded(check.__name__.strip("_"), partial(check, app))]
        if smtp or send_to:
            findings += _guarded("smtp", partial(_smtp, app, send_to))
        if dns or resolver:
            findings += _guarded("dns", partial(_dns, app, resolver))
    if as_json:
        emit_json(
            {"checks": [{"check": one.check, "grade": one.grade, "what": one.what, "fix": one.fix or None} for one in findings]}
        )
    else:
        for one in findings:
            emit(f" {one.grade:5} {one.check:10} {one.what}" + (f"\n{'':18}{one.fix}" if one.fix else ""))
        grades = [one.grade for one in findings]
        emit(f"{grades.count('ok')} ok, {grades.count('warn')} to look at, {grades.count('fail')} failed")
    code = next((one.exit_code for one in findings if one.grade == "fail"), 0)
    if code:
        raise typer.Exit(code)


def _guarded(name: str, check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """What a check finds; one that is stopped by an error has failed, under its name."""
    from digest.errors import DigestError

    found: list[Finding] = []
    try:
        found.extend(check())
    except DigestError as error:
        found.append(Finding(name, "fail", str(error), error.fix, error.exit_code))
    return found


def _settings(app: "App") -> Iterator[Finding]:
    yield Finding("settings", "ok", f"read, in {app.settings.home}")
    app.settings.require("site.public_url", "email.from", "smtp.url")
    if not app.settings.site.postal_address:
        yield Finding("settings", "warn", "site.postal_address is empty", "many countries want one below every mailing")
    if not app.settings.operator.email:
        yield Finding("settings", "warn", "operator.email is empty", "set it to be told when an edition is empty or lost mails")
    if app.settings.inbound.address:
        yield Finding("settings", "warn", "inbound.address is set, but this version reads no mail", "leave it empty")


def _database(app: "App") -> Iterator[Finding]:
    from digest.store import schema
    from digest.store.engine import shown

    with app.store.write() as connection:
        for table in schema.metadata.sorted_tables:
            connection.exec_driver_sql(f"DELETE FROM {table.name} WHERE 1 = 0")  # noqa: S608 - PostgreSQL begins any write
        pragmas = ""
        if app.store.is_sqlite:
            mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
            full = connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
            pragmas = f", {mode} with synchronous={'FULL' if full else 'not FULL'}"
    yield Finding("database", "ok", f"{shown(app.settings.database_url)}, schema {schema.HEAD}{pragmas}, can be written")


def _clock(app: "App") -> Iterator[Finding]:
    """Whether this machine's clock is the database server's, by which workers of several machines can be compared."""
    from digest.clock import SystemClock
    from digest.store import clocks
    from digest.store.workers import SILENT_AFTER

    with app.store.read() as connection:
        apart = clocks.ahead(connection, SystemClock().now)
    if abs(apart) > clocks.NEAR:
        what = f"this machine's clock is {abs(apart).total_seconds():.0f} s {'ahead of' if apart > timedelta(0) else 'behind'}"
        fix = (
            f"have both kept right (NTP): workers that differ by {SILENT_AFTER.total_seconds():.0f} s take each other for dead"
        )
        yield Finding("clock", "warn", f"{what} the database server's", fix)


def _secret(app: "App") -> Iterator[Finding]:
    """Which key signs links, and whether it is the one that should."""
    from digest.flows.keyring import signed_last, uses

    if not app.settings.site.keys:
        what = "site.secret_key is not set; the database's own key signs"
        yield Finding("secret", "warn", what, "digest keys rotate writes one")
    found = uses(app.store, app.keys, app.clock.now())
    last = signed_last(found)
    if last and not last.signs:
        what = f"{found[0].name} is to sign, and {last.name} signed the last edition"
        yield Finding("secret", "warn", what, "if nothing was restarted since, restart what mails and what serves pages")


def _times(app: "App") -> Iterator[Finding]:
    from digest.flows.queueing import next_edition

    now = app.clock.now()
    following = next_edition(app.store, app.schedule, now)
    when = f"frozen at {following:%Y-%m-%d %H:%M}Z" if following else "due now"
    yield Finding("times", "ok", f"it is {now:%Y-%m-%d %H:%M}Z; the next edition is {when}")


def _mails(app: "App") -> Iterator[Finding]:
    """Whether somebody holds digests back, and forgot it; or whether nobody mails what is due."""
    from digest.flows.queueing import next_mail
    from digest.store import holding

    with app.store.read() as connection:
        since = holding.since(connection)
    due_at = next_mail(app.store)
    if since is not None:
        yield Finding("mails", "warn", f"digests are held back since {since:%Y-%m-%d %H:%M}Z", "to let them go: digest release")
    elif due_at is not None and app.clock.now() - due_at > OVERDUE:
        what = f"mails are due since {due_at:%Y-%m-%d %H:%M}Z, and nobody mails them"
        yield Finding("mails", "warn", what, "digest run, which says why not; is the mail server there? digest doctor --smtp")


def _visitors(app: "App") -> Iterator[Finding]:
    """Whether the web part can tell visitors apart: we speak plain HTTP, so that https means a proxy in front."""
    if (app.settings.site.public_url or "").startswith("https:") and not app.settings.web.trusted_proxies:
        what = "web.trusted_proxies is empty: visitors who come by a proxy count as one, and what one may do, all may together"
        yield Finding("web", "warn", what, 'name the proxy there, as in web.trusted_proxies = ["127.0.0.1"]')


def _sources(app: "App") -> Iterator[Finding]:
    """What is enabled, what lacks a key, and what did not answer; nobody is asked."""
    from digest.sources.registry import sources_of
    from digest.store import runs

    enabled = {name: source for name, source in sources_of(app.settings.sources).items() if source.enabled}
    papers = [name for name, source in enabled.items() if source.brings == "papers"]
    if papers:
        yield Finding("sources", "ok", f"enabled: {', '.join(enabled)}")
    else:
        fix = "enable one ([sources.huggingface] enabled = true), or collect files: digest collect --file F"
        yield Finding("sources", "warn", "no source of papers is enabled", fix)
    for name in enabled:
        own = getattr(app.settings.sources, name, None)
        for secret in ("key", "token"):
            if hasattr(own, secret) and getattr(own, secret) is None:
                what = f"sources.{name}.{secret} is not set: few questions are answered without it"
                yield Finding("sources", "warn", what, f"DIGEST_SOURCES__{name.upper()}__{secret.upper()}= in .env")
    now = app.clock.now()
    with app.store.read() as connection:
        last = {run.source: run for run in runs.last(connection, now)}
        missing = runs.missing(connection, now, papers)
    for name in missing:
        run = last[name]
        said = run.error or run.evidence
        yield Finding(
            "sources", "warn", f"{name}: {run.verdict} at {run.finished_at:%Y-%m-%d %H:%M}Z: {said}", f"digest collect {name}"
        )


def _meaning(app: "App") -> Iterator[Finding]:
    """Whether the sentence model can be used, where one is set, and whether it has read enough."""
    from digest.ranking.meaning import MIN_BACKGROUND
    from digest.store import meanings

    encoder = app.encoder
    if encoder is None:
        return
    what = f"{encoder.model} gives {encoder.dimension} numbers for a text"
    with app.store.read() as connection:
        read = meanings.count(connection, encoder.model)
    if read >= MIN_BACKGROUND:
        yield Finding("meaning", "ok", f"{what}; {read:,} papers are read")
    else:
        fix = "digest run and the daemon read papers when mails are out"
        yield Finding("meaning", "warn", f"{what}; {read} papers are read, and below {MIN_BACKGROUND} words alone count", fix)


def _templates(app: "App") -> Iterator[Finding]:
    from digest.flows.proofs import prove_mails

    prove_mails(app.settings.site, app.environments)
    yield Finding("templates", "ok", "render")


def _dkim(app: "App") -> Iterator[Finding]:
    """Whether mails are signed here, and the keys are only ours; nobody is asked."""
    from digest.outbox.dkim_keys import GOOD_BITS
    from digest.settings.signing import key_files

    if app.signing is None:
        return
    who = " and ".join(f"{key.selector} ({key.algorithm})" for key in app.signing.keys)
    yield Finding("dkim", "ok", f"mails are signed for {app.signing.domain} by {who}", "whether receivers can tell: --dns")
    for path in key_files(app.settings):
        if path.stat().st_mode & 0o077:
            yield Finding("dkim", "warn", f"others can read the key in {path}", f"chmod 600 {path}")
    if any(key.algorithm == "rsa" and key.bits < GOOD_BITS for key in app.signing.keys):
        yield Finding("dkim", "warn", f"the RSA key is shorter than {GOOD_BITS} bits", "digest dkim keygen --selector OTHER")


_CHECKS = (_settings, _database, _clock, _secret, _visitors, _times, _mails, _sources, _meaning, _templates, _dkim)


def _dns(app: "App", resolver: str) -> Iterator[Finding]:
    """What receivers find about the sender."""
    from digest.errors import ConfigurationError
    from digest.outbox.dkim_keys import record_name
    from digest.outbox.published import judge_dkim, judge_dmarc, judge_spf, policy_places
    from digest.smtp.dns import Texts

    app.settings.require("email.from")
    sender, signing, texts = app.settings.email.sender, app.signing, Texts(resolver)
    assert sender is not None
    domain = sender.address.domain
    if signing is None:
        yield Finding("dkim", "ok", "not signed here: the mail server must", "look for DKIM-Signature in a mail that arrived")
    for key in signing.keys if signing else ():
        name = record_name(key, app.settings.signing_domain)
        found = judge_dkim(key, texts.at(name))
        yield Finding("dkim", found.grade, f"{name}: {found.what}", found.fix, ConfigurationError.exit_code)
    spf = judge_spf(texts.at(domain))
    yield Finding("spf", spf.grade, f"{domain}: {spf.what}", spf.fix)
    policies = {name: judge_dmarc(texts.at(name)) for name in policy_places(domain)}
    name = next((name for name, found in policies.items() if found.grade == "ok"), f"_dmarc.{domain}")
    yield Finding("dmarc", policies[name].grade, f"{name}: {policies[name].what}", policies[name].fix)


def _smtp(app: "App", send_to: str | None) -> Iterator[Finding]:
    from digest.flows.posting import PATIENCE
    from digest.smtp.connection import Connection

    relay = app.relay

    async def converse() -> str:
        connection = await Connection.open(relay.url, min(relay.timeout, PATIENCE))
        try:
            return await _submit_test(app, connection, send_to) if send_to else ""
        finally:
            await connection.close()

    said = asyncio.run(converse())
    login = f", logged in as {relay.url.username}" if relay.url.username else ""
    yield Finding("smtp", "ok", f"connected to {relay.url}{login}")
    if send_to:
        yield Finding("mail", "ok", f"a test was submitted to {send_to}: {said}", "look whether it arrives, and not as spam")


async def _submit_test(app: "App", connection: "Connection", send_to: str) -> str:
    from digest.flows.messages import notice_message
    from digest.flows.posting import submit
    from digest.subscribers.address import EmailAddress

    recipient, now = EmailAddress.parse(send_to), app.clock.now()
    words = {"subject": "A test of your digest", "lines": ["If you read this, mails from here arrive."], "facts": []}
    content = notice_message(app.imprint, "operator", recipient, f"test-{now:%Y%m%d%H%M%S}", words, now)
    return await submit(connection, app.imprint.sender.address, recipient, content)
