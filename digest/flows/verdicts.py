"""What a relay's verdicts mean: for a message and its row, and for the run where they are about us or the relay itself."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from digest.clock import Clock
from digest.errors import ServerUnavailable
from digest.feedback.policy import refuses_us
from digest.flows.commit import GroupCommit
from digest.flows.jobs import Jobs
from digest.flows.mails import Job
from digest.flows.refusals import Refusals
from digest.flows.terms import Relay, Report
from digest.outbox.retry import ENDS, after_deferral
from digest.outbox.verdict import Verdict
from digest.store.ledger import Outcome
from digest.subscribers.address import EmailAddress

MAX_LOSSES = 3
"""Connections that one message may see break before its content; then it is deferred like one that was refused."""
MAX_SENDER_REFUSALS = 3
"""How often in a row the relay may refuse the sender that it took before: quotas are told in this way."""
ENOUGH = 100
"""So many recipients refused for the sake of who writes, and none taken, and the others need not be tried."""
LOGIN_WANTED = 530
"""The reply of a relay that wants a login (RFC 4954 6) or TLS (RFC 3207 4) first."""


class Verdicts:
    """Judges the verdicts of one run. For the event loop alone."""

    def __init__(
        self,
        clock: Clock,
        relay: Relay,
        sender: EmailAddress,
        jobs: Jobs,
        commits: GroupCommit,
        refusals: Refusals,
        report: Report,
        progress: Callable[[Report], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        """`fail` ends the run with an error; `progress` is called after each mail."""
        self._clock, self._relay, self._sender = clock, relay, sender
        self._jobs, self._commits, self._refusals = jobs, commits, refusals
        self._report, self._progress, self._fail = report, progress, fail
        self._losses: Counter[tuple[str, int]] = Counter()
        self._losses_in_a_row = 0
        self._suspects: list[tuple[Job, Verdict]] = []
        self._turned_down: list[tuple[Job, Verdict]] = []
        self._sender_accepted = False
        self._sender_refusals = 0
        self._jitter = random.Random()  # noqa: S311 - spreads retries; nobody gains by guessing it

    def ended(self, job: Job, verdict: Verdict) -> Outcome:
        """The outcome of a message whose mark was durable: counted here, to be written by the caller."""
        if verdict.kind == "lost":
            # It is marked already, and would be in doubt: its row is freed and claimed anew.
            if self._suspected(job, verdict):
                outcome = self._judged(job, self._deferred(verdict))
            else:
                outcome = Outcome(job.table, job.row, "queued", verdict.reply, tried=False)
        else:
            if verdict.kind == "in_doubt":
                self._lost_in_a_row(verdict)
            else:
                self._heard()
            self._refusals.recipient_accepted = True
            self._believe()
            outcome = self._judged(job, verdict)
        self._jobs.settled(job, verdict)
        return self.counted(outcome)

    def unopened(self, job: Job, verdict: Verdict, *, alone: bool) -> bool:
        """A message whose content the relay did not ask for; returns whether it is to be tried again at once.

        `alone`: no other message ended in the same turn.
        """
        if verdict.kind == "lost":
            if not alone:
                return self._again(job, verdict)  # its connection broke with the message before: by itself it may well go
            # A connection that broke before any content cost nothing. But a message that breaks connections is deferred.
            if not self._suspected(job, verdict):
                return self._again(job, verdict)
            # Message or relay? The next verdict tells; until then nobody is deferred for what may be the relay's fault.
            self._suspects.append((job, self._deferred(verdict)))
        elif verdict.phase == "mail" and verdict.kind == "rejected":
            self._sender_refused(verdict)
            return self._again(job, verdict)
        elif refuses_us(verdict) and not self._refusals.recipient_accepted:
            # This recipient or all of them? The next that is taken tells; until then nobody is rejected for what is our fault.
            self._heard()
            self._turned_down.append((job, verdict))
            if len(self._turned_down) >= ENOUGH:
                self._turned_away()
        else:
            self._heard()
            self.finish(self._judged(job, verdict))
            self._refusals.add(job, verdict)
        self._jobs.settled(job, verdict)
        return False

    async def settle_suspects(self) -> None:
        """Judge what waited for a verdict on another message, for there is none."""
        self._defer_suspects()
        if await self._refusals.are_many(job for job, _ in self._turned_down):
            self._turned_away()
        else:
            self._believe()

    def _defer_suspects(self) -> None:
        for job, verdict in self._suspects:
            self.finish(self._judged(job, verdict))
        self._suspects.clear()

    def _believe(self) -> None:
        for job, verdict in self._turned_down:
            self.finish(self._judged(job, verdict))
        self._turned_down.clear()

    def put_off(self, job: Job, seconds: float) -> None:
        """A message that may not go soon: it is claimed again when its time comes."""
        again = self._clock.now() + timedelta(seconds=seconds)
        self.finish(Outcome(job.table, job.row, "queued", "its domain takes no more for now", again, tried=False))

    def finish(self, outcome: Outcome) -> None:
        """Have it written down how a mail ended for now."""
        self._commits.finish(self.counted(outcome))

    def counted(self, outcome: Outcome) -> Outcome:
        """The same, reported. One put back unlooked at (queued, neither tried nor failed) did not end."""
        if outcome.state != "queued" or outcome.tried or outcome.failed:
            self._report.states["deferred" if outcome.state == "queued" else outcome.state] += 1
            self._progress(self._report)
        return outcome

    def _again(self, job: Job, verdict: Verdict) -> bool:
        if verdict.code:
            # Silence is told when the message is settled: one that breaks connections says nothing of its domain.
            self._jobs.learn(job, verdict)
        return True

    def _judged(self, job: Job, verdict: Verdict) -> Outcome:
        step = ENDS.get(verdict.kind)
        if step is None:
            now, jitter = self._clock.now(), self._jitter.random()
            step = after_deferral(due_at=job.due_at, attempts=job.attempts, now=now, jitter=jitter)
        return Outcome(
            job.table,
            job.row,
            step.state,
            verdict.reply,
            step.next_try_at,
            tried=step.tried,
            subscriber_id=job.subscriber_id,
            seen=job.seen,
        )

    def _heard(self) -> None:
        """The relay said something about a message."""
        self._sender_accepted = True
        self._sender_refusals = self._losses_in_a_row = 0
        if self._suspects:
            self._defer_suspects()

    def _deferred(self, verdict: Verdict) -> Verdict:
        text = f"the connection broke {MAX_LOSSES} times: {verdict.text}"
        return Verdict("deferred", verdict.phase, verdict.code, text)

    def _suspected(self, job: Job, verdict: Verdict) -> bool:
        self._losses[job.table.name, job.row] += 1
        self._lost_in_a_row(verdict)
        return self._losses[job.table.name, job.row] >= MAX_LOSSES

    def _lost_in_a_row(self, verdict: Verdict) -> None:
        """A relay that breaks all connections is not to be had; if it does so after the content, all would be in doubt."""
        self._losses_in_a_row += 1
        if self._losses_in_a_row > MAX_LOSSES * self._relay.connections:
            self._fail(
                ServerUnavailable(
                    f"the mail server {self._relay.url} keeps ending our connections: {verdict.reply}",
                    fix="see its log; try again later, or with fewer smtp.connections",
                )
            )

    def _sender_refused(self, verdict: Verdict) -> None:
        """The relay does not know yet whom the mail is for: that it refuses our sender is no reader's fault, and none pays."""
        self._sender_refusals += 1
        if self._sender_accepted and self._sender_refusals < MAX_SENDER_REFUSALS:
            return
        if verdict.code == LOGIN_WANTED:
            fix = "it wants a login or TLS first: see smtp.url, and docs/how-to/smtp.md"
        elif self._sender_accepted:
            fix = "it took the sender before: perhaps there is a quota; try again later"
        else:
            fix = "set email.from to an address that this account may use"
        self._fail(ServerUnavailable(f"the mail server refuses the sender {self._sender}: {verdict.reply}", fix=fix))

    def _turned_away(self) -> None:
        """The relay has taken no recipient: that it will not relay for us is no reader's fault either."""
        job, verdict = self._turned_down[-1]
        self._fail(
            ServerUnavailable(
                f"the mail server {self._relay.url} takes no mail of ours for anybody: {job.recipient.left_out(verdict.reply)}",
                fix="see whether it wants a login, or must be told of this machine: docs/how-to/smtp.md",
            )
        )
