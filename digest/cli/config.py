"""`digest config`: what is set, where, and whether it is right."""

from typing import Annotated

import typer

from digest.cli.common import AsJson, emit, emit_json, talk

app = typer.Typer(help="See and check the settings.", no_args_is_help=True)


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
        emit_json({"home": str(settings.home), "settings": rows})
        return
    emit(f"# DIGEST_HOME is {settings.home}")
    for key, value in values.items():
        line = f"# {key} is not set" if value is None else f"{key} = {toml_value(value)}"
        emit(f"{line:<60}  # {settings.place(key)}" if origin and value is not None else line)


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
        emit_json({"ok": True, "home": str(settings.home), "files": files, "set": chosen, "not_set": missing})
        return
    emit(f"The settings are right: {len(chosen)} set, the others have their defaults.")
    emit(f"Read from: {', '.join(files) or f'no file in {settings.home}'}")
    if missing:
        talk(f"Not set, and needed before mails can go out: {', '.join(missing)}")
        talk("Set them with: digest init")
