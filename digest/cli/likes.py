"""What readers say of papers, on the command line: `digest subscribers rate`, and `--like` of `add` and `set`."""

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.common import AsJson, application, counted, emit_json, moment, talk

if TYPE_CHECKING:
    from datetime import datetime

    from digest.subscribers.address import EmailAddress
    from digest.subscribers.library import Like
    from digest.wiring import App

SHOWN = 10
BY = "the operator's command line"


def rate(
    context: typer.Context,
    address: Annotated[str, typer.Argument(help="The email address.", metavar="ADDRESS")],
    paper: Annotated[str, typer.Argument(help="An arXiv id, a DOI, or a number that `papers list` shows.", metavar="PAPER")],
    verdict: Annotated[str, typer.Argument(help="Which he wants.", metavar="more|less|neither")],
    as_json: AsJson = False,
) -> None:
    """Note that a reader wants more or less like a paper, as the links in his mails do; neither takes it back."""
    from digest.errors import UsageError
    from digest.flows import liking
    from digest.store import subscribers as store
    from digest.subscribers.address import EmailAddress

    said = next((one for one in liking.RATING if one == verdict.strip().lower()), None)
    if said is None:
        raise UsageError(f"{verdict[:20]!r} is no verdict", fix=f"one of {', '.join(liking.RATING)}")
    mail = EmailAddress.parse(address)
    with application(context) as app:
        now = moment(app)
        with app.store.read() as connection:
            known = store.by_address(connection, mail)
        if known is None:
            raise UsageError(f"{mail} is no subscriber", fix="list them: digest subscribers list")
        key, title = _named(app, paper)
        new = liking.rate(app.store, now, known.id, key, said, by=BY)
    if as_json:
        emit_json({"email": mail.text, "paper": key, "title": title or None, "verdict": said, "new": new})
    talk(
        f"{known.address}: {said} like {title or key}"
        if new
        else f"{known.address} said so before, or nothing of {title or key}"
    )


def pasted(given: Sequence[str] | None) -> list["Like"]:
    """The papers that `--like` names, be it by ids or by files; what cannot be read is told.

    Raises:
        UsageError: a file cannot be read.
        BadInput: none of it names a paper.
    """
    from digest.errors import BadInput, UsageError
    from digest.subscribers.library import MAX_TEXT, find_ids, read

    likes: dict[str, Like] = {}
    for one in given or ():
        if one != "-" and not Path(one).exists() and find_ids(one):
            library = read(one)
        else:
            try:
                with nullcontext(sys.stdin.buffer) if one == "-" else Path(one).open("rb") as file:
                    raw = file.read(4 * MAX_TEXT + 1)
            except OSError as error:
                raise UsageError(f"cannot read {one}: {error.strerror}", fix="give an arXiv id, a DOI, or a file") from None
            library = read(raw.decode("utf-8-sig", "replace"))
        where = "" if one == "-" else f"{one}, "
        for what in library.unread[:SHOWN]:
            talk(f"{where}line {what.line}: {what.why}" + (f": {what.text}" if what.text else ""))
        if len(library.unread) > SHOWN:
            talk(f"{where}and {len(library.unread) - SHOWN} more that cannot be read")
        likes.update((like.ids[0], like) for like in library.likes)
    if given and not likes:
        raise BadInput("none of what --like gives names a paper", fix="give arXiv ids, DOIs or BibTeX")
    return list(likes.values())


def liked(app: "App", now: "datetime", address: "EmailAddress", papers: Sequence["Like"]) -> None:
    """Note that he likes these, and say what came of it."""
    from digest.flows.liking import like_all
    from digest.subscribers.model import MAX_RATED

    done = like_all(app.store, now, address, papers, by=BY)
    words = [f"{counted(done.new, 'paper')} liked"]
    words += [f"{done.already:,} already"] * bool(done.already)
    words += [f"{done.too_many:,} left out, for a reader has {MAX_RATED:,} at most"] * bool(done.too_many)
    talk("; ".join(words))


def _named(app: "App", text: str) -> tuple[str, str]:
    """The canonical id of a paper and, if it is known, its title."""
    from digest.cli.papers import find
    from digest.store import papers
    from digest.subscribers.model import parse_interest

    if text.isascii() and text.isdecimal():
        found = find(app, text)
        return found.key, found.work.title
    key = parse_interest("liked", text).value
    with app.store.read() as connection:
        known = papers.find(connection, [key])
    return (known[0].key, known[0].work.title) if known else (key, "")
