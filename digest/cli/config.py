"""`digest config`: what is set, where, and whether it is right."""

import json
from typing import Annotated

import typer

app = typer.Typer(help="See and check the settings.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")]


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="config")


@app.command()
def show(
    as_json: AsJson = False,
    origin: Annotated[bool, typer.Option("--origin", help="Say for each setting where it was set.")] = False,
) -> None:
    """Show every setting, as it counts now; secrets are masked."""
    from digest.settings import load
    from digest.settings.shown import shown, toml_value

    settings = load()
    values = shown(settings)
    if as_json:
        rows = {key: {"value": value, "origin": settings.place(key)} for key, value in values.items()}
        typer.echo(json.dumps({"home": str(settings.home), "settings": rows}, ensure_ascii=False, indent=2))
        return
    typer.echo(f"# DIGEST_HOME is {settings.home}")
    for key, value in values.items():
        line = f"# {key} is not set" if value is None else f"{key} = {toml_value(value)}"
        typer.echo(f"{line:<60}  # {settings.place(key)}" if origin and value is not None else line)


@app.command()
def check(as_json: AsJson = False) -> None:
    """Check every setting; a wrong or unknown one ends this with code 78."""
    from digest.settings import load
    from digest.settings.model import DEFAULT
    from digest.settings.shown import shown

    settings = load()
    chosen = [key for key in shown(settings) if settings.place(key) != DEFAULT]
    files = [str(path) for name in ("digest.toml", ".env") if (path := settings.home / name).exists()]
    missing = settings.missing("site.public_url", "site.secret_key", "email.from", "smtp.url")
    if as_json:
        report = {"ok": True, "home": str(settings.home), "files": files, "set": chosen, "not_set": missing}
        typer.echo(json.dumps(report, ensure_ascii=False, indent=2))
        return
    typer.echo(f"The settings are right: {len(chosen)} set, the others have their defaults.")
    typer.echo(f"Read from: {', '.join(files) or f'no file in {settings.home}'}")
    if missing:
        typer.echo(f"Not set, and needed before mails can go out: {', '.join(missing)}", err=True)
        typer.echo("Set them with: digest init", err=True)
