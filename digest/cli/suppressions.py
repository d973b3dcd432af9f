"""`digest suppressions`: addresses that are never mailed again."""

from typing import Annotated

import typer

from digest.cli.common import AsJson, Yes, application, confirm, emit_json, moment, table, talk

Address = Annotated[str, typer.Argument(help="The email address.", metavar="ADDRESS")]
SHOWN_OF_HASH = 16


def register(parent: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True)
    for command in (add, remove, list_):
        group.command(command.__name__.rstrip("_"))(command)
    parent.add_typer(group, name="suppressions", help="Addresses that are never mailed again, kept as keyed hashes.")


def add(
    context: typer.Context,
    address: Address,
    reason: Annotated[str, typer.Option("--reason", help="bounce, complaint, or in your words.")] = "",
) -> None:
    """Never mail this address again; its subscription ends, and what waits for it is withdrawn."""
    from digest.papers.text import clean
    from digest.store import suppressions as store
    from digest.subscribers.address import EmailAddress

    mail = EmailAddress.parse(address)
    kind: store.Reason = "operator"
    if reason in ("bounce", "complaint"):
        kind, reason = ("bounce" if reason == "bounce" else "complaint"), ""
    with application(context) as app:
        now = moment(app)
        with app.store.write() as connection:
            new = store.suppress(connection, mail, kind, now, note=clean(reason, 300))
    talk(f"{mail} is suppressed" if new else f"{mail} was suppressed already")


def remove(context: typer.Context, address: Address, yes: Yes = False) -> None:
    """Take an address off the list. Its subscription stays ended: he has to sign up again."""
    from digest.store import events, subscribers
    from digest.store import suppressions as store
    from digest.subscribers.address import EmailAddress

    mail = EmailAddress.parse(address)
    with application(context) as app:
        now = moment(app)
        with app.store.read() as connection:
            entry = store.find(connection, mail)
        if entry is None:
            talk(f"{mail} is not suppressed")
            return
        confirm(f"{mail} was suppressed on {entry.since:%Y-%m-%d} ({entry.reason}). Allow mail to it again?", yes=yes)
        with app.store.write() as connection:
            store.remove(connection, mail)
            known = subscribers.by_address(connection, mail)
            events.record(connection, "unsuppressed", known.id if known else None, now, {"was": entry.reason})
    if known is not None and known.state == "complained":
        talk(f"{mail} has complained, and stays complained; to forget that too: digest subscribers erase {mail}")
    else:
        talk(f"{mail} may be mailed again, once it signs up: digest subscribers add {mail}")


def list_(
    context: typer.Context,
    address: Annotated[str | None, typer.Option("--address", help="Only the entry of this address.", metavar="ADDRESS")] = None,
    as_json: AsJson = False,
) -> None:
    """The list. A hash tells no address; to look one up: --address."""
    from digest.store import suppressions as store
    from digest.subscribers.address import EmailAddress

    mail = None if address is None else EmailAddress.parse(address)
    with application(context) as app, app.store.read() as connection:
        one = None if mail is None else store.find(connection, mail)
        found = store.listing(connection) if mail is None else [one] if one else []
    if as_json:
        rows = [{"hash": entry.hash, "reason": entry.reason, "note": entry.note, "since": entry.since} for entry in found]
        emit_json({"suppressions": rows})
        return
    table(
        ("hash", "since", "reason", "note"),
        [(entry.hash[:SHOWN_OF_HASH], f"{entry.since:%Y-%m-%d}", entry.reason, entry.note) for entry in found],
    )
    talk(f"{len(found)} suppressed" if mail is None else f"{mail} is {'' if found else 'not '}suppressed")
