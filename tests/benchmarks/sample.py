"""One real digest of the bench's site, in the forms that the peers want."""

import email
import email.policy
import json
from dataclasses import asdict
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from digest.bench.site import NOW
from digest.flows.mails import Mails
from digest.flows.queueing import queue_due
from digest.rendering.cards import paper_view
from digest.store import editions, workers
from digest.wiring import App, open_app

PAPERS = 300
"""Of which a peer that renders by itself draws."""
RENDERED = ("subject", "date", "from", "to", "message-id", "mime-version", "content-type", "content-transfer-encoding")


def write(home: Path, folder: Path) -> Path:
    """Take a message from a furnished home: a JSON file, beside it the message as `.eml`, and with bare line feeds as `.lf`."""
    app = open_app(home=home, environ={}, now=NOW)
    try:
        message = jobs(app, 1)[0].build()
        papers = _papers(app)
    finally:
        app.close()
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    found: dict[str, Any] = {
        "message": message.decode("latin1"),
        "subject": str(parsed["Subject"]),
        "text": _part(parsed, "plain"),
        "html": _part(parsed, "html"),
        "headers": {name: str(value) for name, value in parsed.items() if name.lower() not in RENDERED},
        "papers": papers,
        "picks": app.settings.ranking.size,
    }
    path = folder / "sample.json"
    path.write_text(json.dumps(found))
    path.with_suffix(".eml").write_bytes(message)
    path.with_suffix(".lf").write_bytes(message.replace(b"\r\n", b"\n"))
    return path


def jobs(app: App, count: int) -> list[Any]:
    """The first mails that are due."""
    now = app.clock.now()
    queue_due(app.store, app.schedule, now)
    with app.store.write() as connection:
        worker = workers.register(connection, now)
    return Mails(app.store, app.imprint).prepare(worker, now, count)[0]


def _papers(app: App) -> list[dict[str, object]]:
    with app.store.read() as connection:
        edition = editions.find(connection, NOW.date(), "daily")
    assert edition is not None
    views = [paper_view(entry, edition.date) for entry in edition.entries[:PAPERS]]
    return [
        {
            **{name: str(getattr(view, name)) for name in ("title", "url", "byline", "category", "age", "count", "summary")},
            "summary_by": view.summary_by,
            "why": "; ".join(view.reasons) or view.otherwise,
            "links": [asdict(link) for link in view.links],
        }
        for view in views
    ]


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())
