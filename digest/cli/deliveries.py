"""`digest deliveries`: who got what, and what came of it."""

from datetime import datetime
from typing import Annotated, Any, Literal

import typer

from digest.cli.common import AsJson, Limit, Yes, application, confirm, emit, emit_json, table, talk

deliveries = typer.Typer(help="Look at deliveries; settle those that are in doubt.", no_args_is_help=True)


def _number(number: int) -> int:
    from digest.errors import UsageError

    if number >= 2**63:  # more is no number to a database
        raise UsageError(f"there is no delivery {number}", fix="digest deliveries list")
    return number


Number = Annotated[int, typer.Argument(help="As digest deliveries list shows it.", metavar="DELIVERY", callback=_number)]
Notices = Annotated[bool, typer.Option("--notices", help="Of single mails (confirm, welcome, goodbye, operator) instead.")]


def register(parent: typer.Typer) -> None:
    parent.add_typer(deliveries, name="deliveries")


@deliveries.command("list")
def list_(
    context: typer.Context,
    state: Annotated[str | None, typer.Option("--state", help="Only those in this state.")] = None,
    only: Annotated[str | None, typer.Option("--only", help="Only those to this address.")] = None,
    notices: Notices = False,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Deliveries, the latest due first."""
    from typing import get_args

    from digest.cli.views import delivery_json
    from digest.errors import UsageError
    from digest.outbox.retry import State
    from digest.store import deliveries as store
    from digest.subscribers.address import EmailAddress

    if state is not None and state not in get_args(State):
        raise UsageError(f"there is no state {state!r}", fix=f"the states are {', '.join(get_args(State))}")
    if notices:
        _list_notices(context, state, limit, as_json=as_json)
        return
    with application(context) as app, app.store.read() as connection:
        key = EmailAddress.parse(only).key if only else None
        rows = store.listed(connection, state=state, address_key=key, limit=limit)
    if as_json:
        emit_json({"deliveries": [delivery_json(row) for row in rows]})
        return
    shown = [delivery_json(row) for row in rows]
    table(
        ("", "edition", "email", "state", "tried", "due", "in doubt", "reply"),
        [
            (
                one["id"],
                one["edition"],
                one["email"],
                one["state"],
                one["attempts"],
                f"{one['due_at']:%m-%d %H:%M}Z",
                f"{one['in_doubt_at']:%m-%d %H:%M}Z" if one["in_doubt_at"] else "",
                one["reply"] or "",
            )
            for one in shown
        ],
    )
    talk(f"{len(rows):,} deliveries")


@deliveries.command()
def show(context: typer.Context, number: Number, as_json: AsJson = False) -> None:
    """One delivery, with its picks."""
    from digest.cli.views import delivery_json
    from digest.store import deliveries as store
    from digest.store import editions
    from digest.store.rows import picks_from_json

    with application(context) as app, app.store.read() as connection:
        row = _found(store.find(connection, number), number)
        titles = {entry.paper_id: entry.work.title for entry in editions.load(connection, row.edition_id).entries}
    picks = [
        {"id": pick.paper_id, "section": pick.section, "title": titles.get(pick.paper_id), "matched": pick.matched or None}
        for pick in picks_from_json(row.picks)
    ]
    shown = delivery_json(row) | {"picks": picks}
    if as_json:
        emit_json(shown)
        return
    for name, value in shown.items():
        if name != "picks":
            shown_as = f"{value:%Y-%m-%d %H:%M}Z" if isinstance(value, datetime) else "" if value is None else value
            emit(f"{name:12} {shown_as}")
    table(("section", "paper", "matched"), [(pick["section"], pick["title"], pick["matched"] or "") for pick in picks])


@deliveries.command()
def retry(context: typer.Context, number: Number, notices: Notices = False) -> None:
    """Queue a delivery again that ended without being submitted."""
    from digest.errors import UsageError
    from digest.flows.settling import RETRIABLE
    from digest.store import ledger
    from digest.store.schema import delivery, notice

    with application(context) as app, app.store.write() as connection:
        if not ledger.retry(connection, notice if notices else delivery, number, app.clock.now(), from_states=RETRIABLE):
            raise UsageError(f"delivery {number} did not end in a way that can be tried again", fix="digest deliveries show")
    talk("Queued. It goes out with the next: digest deliver")


@deliveries.command()
def resolve(
    context: typer.Context,
    number: Number,
    state: Annotated[Literal["submitted", "rejected", "queued"], typer.Argument(help="What the relay's log says of it.")],
    notices: Notices = False,
    yes: Yes = False,
) -> None:
    """Settle a delivery that is in doubt, held or parked; `queued` mails it again."""
    from digest.errors import UsageError
    from digest.flows.settling import settle, settle_notice

    with application(context) as app:
        if state == "queued":
            confirm("The reader may get this mail twice. Mail it again?", yes=yes)
        if not (settle_notice if notices else settle)(app.store, app.clock.now(), number, state):
            raise UsageError(f"delivery {number} is neither in doubt nor held nor parked", fix="digest deliveries list")
    talk(f"Delivery {number} is {state}.")


def _list_notices(context: typer.Context, state: str | None, limit: int | None, *, as_json: bool) -> None:
    from digest.store import notices as store

    with application(context) as app, app.store.read() as connection:
        rows = store.listed(connection, state=state, limit=limit)
    names = ("id", "kind", "recipient", "state", "attempts", "due_at", "message_id", "in_doubt_at", "reply")
    shown = [{name: getattr(row, name) for name in names} for row in rows]
    if as_json:
        emit_json({"notices": shown})
        return
    table(
        ("", "kind", "email", "state", "tried", "due", "reply"),
        [
            (
                one["id"],
                one["kind"],
                one["recipient"],
                one["state"],
                one["attempts"],
                f"{one['due_at']:%m-%d %H:%M}Z",
                one["reply"],
            )
            for one in shown
        ],
    )
    talk(f"{len(rows):,} notices")


def _found(row: Any, number: int) -> Any:
    from digest.errors import UsageError

    if row is None:
        raise UsageError(f"there is no delivery {number}", fix="digest deliveries list")
    return row
