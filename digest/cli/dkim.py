"""`digest dkim`: keys that sign mails, what to publish of them, and whether it is published."""

from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.common import AsJson, Resolver, application, emit, emit_json, me, talk

if TYPE_CHECKING:
    from digest.outbox.dkim import Key
    from digest.settings import Settings

app = typer.Typer(help="Sign mails: make keys, publish them, check what is published.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="dkim")


@app.command()
def keygen(
    context: typer.Context,
    selector: Annotated[
        str, typer.Option("--selector", help="Its name in the DNS; else that of dkim.selector, or of today.")
    ] = "",
    ed25519: Annotated[bool, typer.Option("--ed25519", help="An Ed25519 key besides.")] = False,
) -> None:
    """Make keys in the state folder; none that is there is overwritten."""
    from digest.errors import UsageError
    from digest.outbox.dkim_keys import new_key
    from digest.outbox.settings import checked_selector
    from digest.settings.signing import key_file
    from digest.settings.write import write_new

    with application(context) as opened:
        home, dkim = opened.settings.home, opened.settings.dkim
        chosen = selector or ("" if dkim.key else dkim.selector) or f"digest{opened.clock.now():%Y%m}"
        beside = dkim.ed25519_selector if dkim.ed25519_selector and not (selector or dkim.ed25519_key) else f"{chosen}-ed"
        try:
            names = {"rsa": checked_selector(chosen)} | ({"ed25519": checked_selector(beside)} if ed25519 else {})
        except ValueError as error:
            raise UsageError(str(error)) from None
        files = {algorithm: key_file(home, name) for algorithm, name in names.items()}
        if all(path.exists() for path in files.values()):
            there = " and ".join(map(str, files.values()))
            raise UsageError(f"there already, and not overwritten: {there}", fix="a key beside it: --selector OTHER")
        for algorithm, path in files.items():
            if path.exists():
                talk(f"kept {path}")
            else:
                write_new(path, new_key("rsa" if algorithm == "rsa" else "ed25519"))
                emit(f"wrote {path}")
        talk(f"1. publish it:                    {me()} dkim dns")
        talk(f"2. see that the world has it:     {me()} dkim check")
        talk("3. sign with it, in digest.toml:  [dkim]")
        for algorithm, name in names.items():
            talk(f'{"":34}{"selector" if algorithm == "rsa" else "ed25519_selector"} = "{name}"')


@app.command()
def dns(context: typer.Context, as_json: AsJson = False) -> None:
    """What to publish: a TXT record for each key, those first that sign."""
    from digest.outbox.dkim_keys import record, record_name, strings
    from digest.settings.signing import signing_domain

    with application(context) as opened:
        domain = signing_domain(opened.settings)
        keys = _keys(opened.settings)
    if as_json:
        records = [
            {
                "name": record_name(key, domain),
                "type": "TXT",
                "value": record(key),
                "strings": strings(record(key)),
                "algorithm": key.algorithm,
                "bits": key.bits,
                "in_use": in_use,
            }
            for key, in_use in keys
        ]
        emit_json({"domain": domain, "records": records})
        return
    for key, in_use in keys:
        emit(f"# {key.algorithm}, {key.bits} bits, {'signs' if in_use else 'does not sign yet'}")
        emit(f"name:  {record_name(key, domain)}\ntype:  TXT\nvalue: {record(key)}")
        emit("# the same in a zone file:")
        emit(f"{record_name(key, domain)}. IN TXT (" + "".join(f'\n  "{part}"' for part in strings(record(key))) + " )\n")


@app.command()
def check(context: typer.Context, resolver: Resolver = "", as_json: AsJson = False) -> None:
    """Ask the DNS whether the keys are published, and right."""
    from digest.errors import ConfigurationError
    from digest.outbox.dkim_keys import record_name
    from digest.outbox.published import judge_dkim
    from digest.settings.signing import signing_domain
    from digest.smtp.dns import Texts

    with application(context) as opened:
        domain = signing_domain(opened.settings)
        keys = _keys(opened.settings)
        texts = Texts(resolver)
        rows = [(key, in_use, judge_dkim(key, texts.at(record_name(key, domain)))) for key, in_use in keys]
    if as_json:
        found = [
            {"name": record_name(key, domain), "in_use": in_use, "grade": one.grade, "what": one.what, "fix": one.fix or None}
            for key, in_use, one in rows
        ]
        emit_json({"domain": domain, "keys": found})
    else:
        for key, in_use, one in rows:
            emit(f" {one.grade:5} {record_name(key, domain)}: {one.what}{'' if in_use else ' (does not sign yet)'}")
            if one.fix:
                emit(f"{'':7}{one.fix}")
    # A key that lies ready need not be published yet, unless none signs.
    signing = any(in_use for _, in_use, _ in rows)
    if any(one.grade == "fail" and in_use == signing for _, in_use, one in rows):
        raise typer.Exit(ConfigurationError.exit_code)


def _keys(settings: "Settings") -> "list[tuple[Key, bool]]":
    """Every key, those that sign first, and whether it does."""
    from digest.errors import ConfigurationError
    from digest.settings.signing import keys_in_use, keys_ready

    keys = [(key, True) for key in keys_in_use(settings)] + [(key, False) for key in keys_ready(settings)]
    if not keys:
        raise ConfigurationError(f"there is no key in {settings.home / 'dkim'}", fix="make one: digest dkim keygen")
    return keys
