"""`digest daemon` and `digest web`."""

import logging
import sys
from typing import Annotated

import typer

from digest import loop
from digest.cli.common import application


def register(parent: typer.Typer) -> None:
    parent.command()(daemon)
    parent.command()(web)


def daemon(
    context: typer.Context,
    no_web: Annotated[bool, typer.Option("--no-web", help="Without the web part.")] = False,
) -> None:
    """Collect, publish and deliver all day long, and answer readers: for systemd."""
    from digest.scheduling.daemon import Daemon
    from digest.scheduling.notify import Notifier

    start_log()
    with application(context) as app:
        plan = app.plan

        async def work() -> None:
            worker = Daemon(plan, Notifier())
            loop.when_told_to_end(worker.stop)
            if no_web:
                await worker.run()
                return
            from digest.web.server import serve_until

            await worker.run(lambda stop: serve_until(app, stop, noted=worker.wake))

        loop.run(work())


def web(context: typer.Context) -> None:
    """Answer readers: everything on the web. Put a proxy with TLS in front of it."""
    from digest.web.server import serve

    start_log()
    with application(context) as app:
        serve(app)


def start_log() -> None:
    """Log to stderr; systemd and cron add the time, a terminal gets it from us."""
    stamp = "%(asctime)s " if sys.stderr.isatty() else ""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format=f"{stamp}%(levelname)s %(name)s: %(message)s")
    for talkative in ("apscheduler", "alembic"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    for excited in ("procrastinate", "psycopg"):
        logging.getLogger(excited).setLevel(logging.CRITICAL)  # when the database fails, we say so ourselves, and once
