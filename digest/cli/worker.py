"""`digest worker`."""

import typer

from digest import loop
from digest.cli.common import application
from digest.cli.daemon import start_log


def register(parent: typer.Typer) -> None:
    parent.command()(worker)


def worker(context: typer.Context) -> None:
    """Share the daemon's work with workers on other machines, over one PostgreSQL: for systemd."""
    from digest.scheduling import jobs
    from digest.scheduling.notify import Notifier
    from digest.scheduling.worker import Worker

    start_log()
    with application(context) as app:
        url = app.settings.database_url
        jobs.require(url)
        plan = app.plan

        async def work() -> None:
            one = Worker(plan, url, Notifier())
            loop.when_told_to_end(one.stop)
            await one.run()

        loop.run(work())
