"""Looking after others: what a worker that died held, and the jobs of one that fell silent. Any number may look at once."""

import logging
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from digest.store import workers
from digest.store.engine import Store
from digest.store.process import is_alive

if TYPE_CHECKING:
    from procrastinate import App

log = logging.getLogger("digest")


async def defer_again(app: "App", silent: float) -> None:
    """Defer again the jobs of workers that have not been heard of for `silent` seconds: the package does so by itself never.

    Raises ConnectorException when the database fails.
    """
    from procrastinate.exceptions import ConnectorException, UniqueViolation
    from procrastinate.jobs import Status

    manager = app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=silent):
        assert job.id is not None
        with suppress(ConnectorException):  # another worker was quicker
            try:
                await manager.retry_job(job)
            except UniqueViolation:
                # One like it waits already, and the queueing lock lets no second one wait.
                await manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
            log.warning("the job %s (%s) of a worker that fell silent was taken over", job.id, job.task_name)


def free_mails(store: Store, now: datetime) -> None:
    """Queue again what dead workers had claimed; what was on their wires is in doubt. Raises DigestError."""
    with store.read() as connection:
        gone = workers.dead(connection, now, is_alive)
    if gone:
        with store.write() as connection:
            free, in_doubt = workers.bury(connection, gone, now)
        if free or in_doubt:
            log.warning("workers died: %s of their mails are free again, %s are in doubt", free, in_doubt)
