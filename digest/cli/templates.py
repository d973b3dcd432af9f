"""`digest template`: which templates there are, copies of one's own, and whether they can be used."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.common import AsJson, application, counted, emit, emit_json, talk

if TYPE_CHECKING:
    from digest.wiring import App

template = typer.Typer(
    help="The templates of mails and pages: see them, take copies to change, check those.", no_args_is_help=True
)


def register(parent: typer.Typer) -> None:
    parent.add_typer(template, name="template")


@template.command("list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """All templates, and which of them are your own."""
    with application(context) as app:
        shipped, own = _names(_shipped()), _names(_own(app))
    rows = [{"name": name, "own": name in own, "shipped": name in shipped} for name in sorted({*shipped, *own})]
    if as_json:
        emit_json({"templates": rows})
        return
    for row in rows:
        whose = "  (your own)" if row["shipped"] else "  (your own, in no place of ours)"
        emit(f"{row['name']}{whose if row['own'] else ''}")


@template.command()
def eject(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="A template, or a folder of them such as email/digest.")],
    as_json: AsJson = False,
) -> None:
    """Copy shipped templates into your own folder, where they take the place of ours; none that is there is overwritten."""
    from digest.errors import UsageError, unwritable

    with application(context) as app:
        shipped, own = sorted(_names(_shipped())), _own(app)
    wanted: list[str] = []
    for name in names:
        asked = name.strip("/")
        found = [one for one in shipped if one == asked or one.startswith(f"{asked}/")]
        if not found:
            raise UsageError(f"there is no template {name!r}", fix="digest template list")
        wanted += [one for one in found if one not in wanted]
    fresh = [one for one in wanted if not (own / one).exists()]
    for one in fresh:
        try:
            (own / one).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(_shipped() / one, own / one)
        except OSError as error:
            raise unwritable(own / one, error, fix="check owner and mode of the folder") from None
    if as_json:
        emit_json({"folder": str(own), "ejected": fresh, "kept": [one for one in wanted if one not in fresh]})
    else:
        for one in fresh:
            emit(str(own / one))
    if len(fresh) < len(wanted):
        talk(f"{counted(len(wanted) - len(fresh), 'template')} of yours stayed as they were; to begin anew, remove them first.")
    if fresh:
        talk("Change them, then look: digest template lint; digest preview --open")


@template.command()
def lint(context: typer.Context, as_json: AsJson = False) -> None:
    """Read all templates, and make every mail once with invented values; a mistake ends this with code 78."""
    from digest.errors import ConfigurationError
    from digest.flows.proofs import prove_mails

    problems: list[ConfigurationError] = []
    with application(context) as app:
        names = _names(_shipped()) | _names(_own(app))
        for name in sorted(names):
            try:
                app.environments.compile(name)
            except ConfigurationError as error:
                problems.append(error)
        strays = sorted(_names(_own(app)) - _names(_shipped()))
        if not problems:  # what cannot be read cannot be made either, and would be told twice
            try:
                prove_mails(app.settings.site, app.environments)
            except ConfigurationError as error:
                problems.append(error)
    if as_json:
        told = [{"what": str(problem), "fix": problem.fix} for problem in problems]
        emit_json({"ok": not problems, "templates": len(names), "problems": told, "in_no_place_of_ours": strays})
    elif not problems:
        emit(f"{counted(len(names), 'template')} can be used.")
    for name in strays:
        talk(f"warning: {name} takes the place of none of ours: it is used only where another of yours includes it")
    for problem in problems:
        talk(f"error: {problem}\n  fix: {problem.fix}")
    if problems:
        raise typer.Exit(ConfigurationError.exit_code)


def _shipped() -> Path:
    from digest.resources import resource

    return resource("templates")


def _own(app: "App") -> Path:
    return app.settings.home / "templates"


def _names(folder: Path) -> set[str]:
    """Templates by their paths below the folder; no catalogues and no files that editors leave behind."""
    endings = (".html", ".txt", ".xml", ".css")
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.suffix in endings}
