"""`digest explain`: why a reader did or did not get a paper."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digest.cli.common import AsJson, application, emit, emit_json, talk
from digest.cli.papers import Id, find

if TYPE_CHECKING:
    from digest.edition.explanation import Explanation, Standing
    from digest.flows.explain import Account

SHOWN = 0.05
"""What rounds to less is not told to people."""
SLOTS = {
    "": "trending",
    "topic": "his topic “{}”",
    "liked": "papers he liked ({})",
    "keyword": "his keywords, authors and categories",
    "author": "his keywords, authors and categories",
    "category": "his keywords, authors and categories",
    "explore": "the place for something else",
}


def register(parent: typer.Typer) -> None:
    parent.command()(explain)


def explain(
    context: typer.Context,
    address: Annotated[str, typer.Argument(help="The reader's email address.", metavar="ADDRESS")],
    paper: Id,
    date: Annotated[
        str | None, typer.Option("--date", help="The edition of this day; when left out, the latest that concerns both.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say why a reader did or did not get a paper, from what was stored that day."""
    from digest.cli.views import parse_date
    from digest.flows.explain import explain as told
    from digest.subscribers.address import EmailAddress

    on = parse_date(date)
    with application(context) as app:
        account = told(
            app.store,
            app.clock.now(),
            EmailAddress.parse(address),
            find(app, paper),
            window=app.settings.ranking.window,
            usual=app.usual,
            selection=app.selection,
            on=on,
            model=app.model,
        )
    if as_json:
        emit_json(_json(account))
        return
    emit(account.paper.work.title)
    emit(
        f"edition {account.edition.name}, frozen at {account.edition.frozen_at:%Y-%m-%d %H:%M}Z, for {account.reader.address}\n"
    )
    emit(verdict(account))
    for line in _numbers(account):
        emit(line)
    if account.again is not None:
        talk(
            "\nThe edition, its terms and the mail are as they were stored. How near the paper is to his interests, and the "
            "places in the lists, are reckoned again: from his interests, memory and choices at "
            f"{account.at:%Y-%m-%d %H:%M}Z, and from the settings of today."
        )


def verdict(account: "Account") -> str:
    """The answer in a sentence or two."""
    said = _verdict(account)
    if not account.differs:
        return said
    again = account.again
    assert again is not None
    now = "it would be picked" if again.outcome == "picked" else f"it would not be picked ({again.outcome})"
    return f"{said}\nReckoned again {now}: something has changed since, his choices or the settings. What was stored stands."


def _verdict(account: "Account") -> str:
    mail, again, pick = account.mail, account.again, account.pick
    match account.verdict:
        case "got" if pick and mail:
            where = "as a card" if pick.section == "card" else "in the short list"
            return (
                f"He got it: {where}, number {account.place} of {len(mail.picks or ())} in his mail, submitted at "
                f"{mail.updated_at:%Y-%m-%d %H:%M}Z. {_how(account)}"
            )
        case "got":
            return "He got it with this edition; what else his mail carried is forgotten by now."
        case "chosen" if mail:
            reply = f" ({mail.reply})" if mail.reply else ""
            place = f"number {account.place} in his mail"
            return f"It was chosen for him, {place}, and that mail is {mail.state}{reply}. {_how(account)}"
        case "due" if mail:
            return f"It would be in his mail, which was not made yet and is due at {mail.due_at:%Y-%m-%d %H:%M}Z."
        case "got earlier":
            return f"He had got it already, with the edition of {account.got_on}; nobody gets a paper twice."
        case "rated":
            return "He had rated it himself, so it was no news to him."
        case "not a candidate":
            return f"It was no candidate for this edition: {account.why}."
        case "empty edition":
            return f"The edition was empty: {account.why}."
        case "no mail":
            return f"He got no mail with this edition: {account.why}."
    assert again is not None, "all that follow are reckoned again"
    match account.verdict:
        case "muted":
            return f"He has muted {' and '.join(f'{one.value}' for one in again.mutes)}, which is in the paper."
        case "hidden":
            return "It was withdrawn before his mail was made: hidden by the operator, or retracted."
        case "below the floor":
            return (
                f"It drew too little attention: {again.score:.2f} expected votes, and ranking.floor asks for "
                f"{again.floor:g}. None of his interests is near enough to give it a place all the same."
            )
        case "too alike":
            return (
                "It gave way to papers that stood after it, for it is nearer to what his mail had already: it is most like "
                f"number {again.like} of them (likeness {again.likeness:.2f})."
            )
        case "not reached":
            return f"There was no room: {_rooms(again)}."
    return "It is not in his mail."


def _how(account: "Account") -> str:
    from digest.rendering.reasons import personal

    assert account.pick is not None
    said = personal(account.pick.how, account.pick.matched)
    if not said:
        return "It was picked by the attention that it drew."
    return f"Why, as his mail said: {said}."


def _rooms(again: "Explanation") -> str:
    """Where it stood, and how far each list was used."""
    stood = [
        f"it is number {one.place} of {one.of} by {_slot(one)}, and his mail took "
        + (f"none after number {one.last}" if one.last else "none of them")
        for one in again.standings
        if one.place is not None
    ]
    return "; ".join(stood) or f"it ranks {again.rank} of {again.entries}, and {again.picks} papers are in his mail"


def _slot(one: "Standing") -> str:
    return SLOTS[one.how].format(one.label)


def _numbers(account: "Account") -> Iterator[str]:
    """What the answer is made of, a line each."""
    entry, again = account.entry, account.again
    if entry is not None:
        yield f"\nranked   {entry.rank} of {len(account.edition.entries)} for everybody, {entry.score:.1f} expected votes:"
        for term in entry.terms:
            if abs(term.score) >= SHOWN or term.reason:
                yield f"         {term.score:+8.1f}  {term.signal}{f': {term.reason}' if term.reason else ''}"
    if account.interests:
        yield f"wanted   {', '.join(f'{one.kind} “{one.value}”' for one in account.interests[:20])}{_more(account)}"
    if again is not None:
        for facet in again.facets:
            label = SLOTS[facet.kind].format(facet.label)
            near = f"a match of {facet.strength:.2f}" if facet.strength > 0 else "no match"
            yield f"near     {label}: {facet.score:+.1f} standard deviations from an average paper, {near}"
            words = [f"{word.term} {word.score:+.1f}" for word in facet.words if word.score >= SHOWN]
            if words:
                yield f"         by {', '.join(words)}"
        for one in again.matches:
            yield f"has      his {one.kind} “{one.value}”"
        for standing in again.standings:
            if standing.place is not None:
                yield f"place    {standing.place} of {standing.of} by {_slot(standing)}; taken down to {standing.last}"


def _more(account: "Account") -> str:
    more = len(account.interests) - 20
    return f" and {more} more" if more > 0 else ""


def _json(account: "Account") -> dict[str, Any]:
    """Everything, with what is stored and what is reckoned again kept apart."""
    entry, mail, again = account.entry, account.mail, account.again
    stored = {
        "frozen_at": account.edition.frozen_at,
        "candidates": len(account.edition.entries),
        "vocabulary": account.edition.vocabulary,
        "empty_because": account.edition.empty_because or None,
        "rank": entry and entry.rank,
        "score": entry and entry.score,
        "terms": [asdict(term) for term in entry.terms] if entry else [],
        "delivery": mail
        and {
            "id": mail.number,
            "state": mail.state,
            "due_at": mail.due_at,
            "updated_at": mail.updated_at,
            "reply": mail.reply or None,
            "picks": None
            if mail.picks is None
            else [
                {"id": pick.paper_id, "section": pick.section, "how": pick.how or None, "matched": pick.matched or None}
                for pick in mail.picks
            ],
        },
        "pick": account.pick and account.pick._asdict() | {"place": account.place},
        "got_with": account.got_on.isoformat() if account.got_on else None,
        "interests": [asdict(one) for one in account.interests],
    }
    return {
        "email": str(account.reader.address),
        "paper": {"id": account.paper.id, "key": account.paper.key, "title": account.paper.work.title},
        "edition": account.edition.name,
        "at": account.at,
        "verdict": account.verdict,
        "why": verdict(account),
        "stored": stored,
        "recomputed": again and asdict(again),
        "differs": account.differs,
    }
