"""`digest keys`: what links and Message-IDs are signed with; a new key, and the end of an old one."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.common import AsJson, Yes, application, confirm, counted, emit, emit_json, me, talk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digest.flows.keyring import KeyUse
    from digest.wiring import App

app = typer.Typer(help="The keys that sign links: see them, make a new one, take the oldest away.")

Print = Annotated[bool, typer.Option("--print", help="Write nothing; print what site.secret_key is to be set to.")]


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="keys")


@app.callback(invoke_without_command=True)
def _keys(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_(context)


@app.command("list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """What keys there are, which one signs, and until when mails need the others."""
    from digest.flows.keyring import signed_last, uses

    with application(context) as opened:
        now, where = opened.clock.now(), _where(opened)
        found = uses(opened.store, opened.keys, now)
    if as_json:
        rows = [
            {"key": one.name, "signs": one.signs, "last_edition": one.last_edition, "needed_until": one.needed_until(now)}
            for one in found
        ]
        emit_json({"where": where, "keys": rows})
        return
    for one in found:
        emit(f"{one.name}  {'signs' if one.signs else 'verifies'}  {_known(one, now)}")
    talk(f"They stand in {where}.")
    last = signed_last(found)
    if last and not last.signs:
        talk(f"The last edition was signed with {last.name}. If {found[0].name} was there before it, restart what mails.")


@app.command()
def rotate(context: typer.Context, print_: Print = False) -> None:
    """Make a new key that signs from now on; the others go on verifying what they signed."""
    from digest.settings.rotation import new_key
    from digest.tokens import key_name

    with application(context) as opened:
        if not print_:
            _check_ours(opened)
        fresh = new_key()
        _set(opened, [fresh, *opened.keys], print_)
    talk(f"{key_name(fresh)} signs, as soon as every process is restarted: those that serve pages first, then those that mail.")
    talk(f"What {counted(len(opened.keys), 'older key')} signed is valid as before.")


@app.command()
def retire(context: typer.Context, yes: Yes = False, print_: Print = False) -> None:
    """Take the oldest key away; what it signed is no longer valid, but for the way out of every mail."""
    from digest.errors import UsageError
    from digest.flows.keyring import signed_last, uses

    with application(context) as opened:
        if not print_:
            _check_ours(opened)
        now = opened.clock.now()
        *others, oldest = uses(opened.store, opened.keys, now)
        if not others:
            raise UsageError(
                f"{oldest.name} is the only key, and something must sign", fix=f"{me()} keys rotate makes a new one"
            )
        if signed_last([*others, oldest]) == oldest:
            talk(f"The last edition was signed with {oldest.name}: unless what mails was restarted, its next links are dead.")
        for line in _ends(oldest, now):
            talk(line)
        if not print_:
            confirm(f"Take {oldest.name} away?", yes=yes)
        _set(opened, opened.keys[:-1], print_)
    talk(f"{oldest.name} is gone, as soon as every process is restarted.")


def _where(opened: "App") -> str:
    from digest.settings.rotation import KEY

    return opened.settings.place(KEY) if opened.settings.site.keys else "the database"


def _check_ours(opened: "App") -> None:
    """Make sure that the keys stand where this program writes."""
    from digest.errors import UsageError
    from digest.settings.missing import variable
    from digest.settings.rotation import KEY, is_ours

    if not is_ours(opened.settings):
        raise UsageError(
            f"{KEY} stands in {_where(opened)}, where this program writes nothing",
            fix=f"the same command with --print says what to set there, in place of the whole value of {variable(KEY)}",
        )


def _set(opened: "App", keys: "Sequence[str]", print_: bool) -> None:
    """Write the keys where they are kept, or print them for whoever keeps them."""
    from digest.settings.rotation import KEY, write_keys

    if print_:
        emit(" ".join(keys))
        talk(f"Set {KEY} to this one line; now it stands in {_where(opened)}.")
    else:
        before = write_keys(opened.settings, keys)
        talk(f"Wrote {opened.settings.home / '.env'}{f'; as it was before, it is {before}' if before else ''}.")


def _known(one: "KeyUse", now: datetime) -> str:
    if one.last_edition is None:
        return "no mail of the last two months is signed with it"
    until = one.needed_until(now)
    return f"its last edition: {one.last_edition:%Y-%m-%d}" + (f"; mails need it until {until:%Y-%m-%d}" if until else "")


def _ends(one: "KeyUse", now: datetime) -> list[str]:
    """What is no longer valid without this key."""
    from digest.flows.links import UNDONE_WITHIN

    lines = [f"Without {one.name}:"]
    if one.rated_until and one.rated_until > now:
        lines.append(f"- links that rate papers are dead in mails of {one.last_edition:%Y-%m-%d} and before;")
    if one.undone_until and one.undone_until > now:
        lines.append(f"- who left or paused in the last {UNDONE_WITHIN.days} days cannot undo it by the link that was mailed;")
    lines.append("- readers' own feeds whose address was copied while it signed end: the new address is in their preferences;")
    lines.append("- unsubscribing works from every mail, however old: that link hangs on no key.")
    return lines
