"""`digest papers`: what was collected."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digest.cli.common import AsJson, Limit, application, emit, emit_json, table, talk

if TYPE_CHECKING:
    from digest.papers.model import Paper

papers = typer.Typer(help="Look at the papers collected; withdraw one, or put it first.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(help="An arXiv id, a DOI, or the number that digest papers list shows.", metavar="PAPER")]


def register(parent: typer.Typer) -> None:
    parent.add_typer(papers, name="papers")


@papers.command("list")
def list_(context: typer.Context, limit: Limit = None, as_json: AsJson = False) -> None:
    """All papers, the newest first."""
    from digest.store.papers import listed

    _show(context, lambda connection: listed(connection, limit=limit), as_json)


@papers.command()
def search(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(help="Each must stand in title, abstract or authors.")],
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Papers with all of these words, the best first."""
    from digest.store.papers import search

    _show(context, lambda connection: search(connection, " ".join(words), limit=limit), as_json)


@papers.command()
def show(context: typer.Context, paper: Id, as_json: AsJson = False) -> None:
    """One paper, with its ids and every reading."""
    from digest.cli.views import paper_json
    from digest.store import papers as store

    with application(context) as app:
        found = find(app, paper)
        with app.store.read() as connection:
            readings = store.readings_of(connection, found.id)
            aliases = store.aliases_of(connection, [found.id]).get(found.id, [])
    if as_json:
        rows = [{"source": r.source, "metric": r.metric, "value": r.value, "taken_at": r.taken_at} for r in readings]
        emit_json(paper_json(found, aliases) | {"aliases": aliases, "readings": rows})
        return
    emit(found.work.title)
    emit(", ".join(found.work.authors) or "(no authors known)")
    emit(f"ids: {', '.join(aliases)}   first seen {found.first_seen_at:%Y-%m-%d %H:%M}Z")
    if found.retracted:
        emit("retracted: a source says that it was retracted or taken back")
    emit(f"\n{found.work.abstract}\n" if found.work.abstract else "")
    table(
        ("when", "source", "metric", "value"),
        [(f"{r.taken_at:%Y-%m-%d %H:%M}Z", r.source, r.metric, r.value) for r in readings],
    )


@papers.command()
def hide(
    context: typer.Context, paper: Id, undo: Annotated[bool, typer.Option("--undo", help="Give it back.")] = False
) -> None:
    """Withdraw a paper from mails that are not yet built, and from the editions to come."""
    from digest.store import papers as store

    with application(context) as app:
        found = find(app, paper)
        with app.store.write() as connection:
            store.set_hidden(connection, found.id, None if undo else app.clock.now())
    talk(f"{'Given back' if undo else 'Hidden'}: {found.work.title}")


@papers.command()
def pin(context: typer.Context, paper: Id, undo: Annotated[bool, typer.Option("--undo", help="No longer.")] = False) -> None:
    """Put a paper first in the editions to come, while it is in the window."""
    from digest.store import papers as store

    with application(context) as app:
        found = find(app, paper)
        with app.store.write() as connection:
            store.set_pinned(connection, found.id, None if undo else app.clock.now())
    talk(f"{'Unpinned' if undo else 'Pinned'}: {found.work.title}")


def find(app: Any, text: str) -> Any:
    """The paper that somebody means: an arXiv id, a DOI, or a number. Raises UsageError where there is none."""
    from digest.errors import UsageError
    from digest.papers.identity import arxiv_id, doi
    from digest.store import papers as store

    with app.store.read() as connection:
        if text.isdecimal() and len(text) < 19:  # more is no number to a database
            found = store.by_id(connection, int(text))
        else:
            found = next(iter(store.find(connection, [key for key in (arxiv_id(text), doi(text), text) if key])), None)
    if found is None:
        raise UsageError(f"there is no paper {text}", fix="digest papers search WORDS")
    return found


def _show(context: typer.Context, find: Callable[[Any], list["Paper"]], as_json: bool) -> None:
    from digest.cli.views import paper_json
    from digest.store import papers as store

    with application(context) as app, app.store.read() as connection:
        found = find(connection)
        aliases = store.aliases_of(connection, [paper.id for paper in found])
    if as_json:
        emit_json({"papers": [paper_json(paper, aliases.get(paper.id, [])) for paper in found]})
        return
    table(("", "first seen", "key", "title"), [(p.id, f"{p.first_seen_at:%Y-%m-%d}", p.key[:40], p.work.title) for p in found])
    talk(f"{len(found)} papers")
