"""Building alone, of the mails of one site: by splicing, or each rendered by the same templates, through premailer, and put
together by `EmailMessage`; and signing, ours beside dkimpy.

python building.py ours|premailer|signed|dkimpy|dkimpy-relaxed HOME COUNT
"""

import json
import logging
import random
import sys
import time
from collections.abc import Callable
from email.message import EmailMessage
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.sample import jobs

from digest.bench.site import NOW
from digest.edition.model import Pick
from digest.outbox.dkim import Signing
from digest.outbox.dkim_keys import new_key, read_key
from digest.rendering.digest_mail import DigestRenderer
from digest.rendering.model import Pages, Reader
from digest.store import editions
from digest.wiring import App, open_app

Act = Callable[[int], object]
PAGES = Pages("https://papers.example.org/u/", "https://papers.example.org/f/", "https://papers.example.org/p/ask/")


def spliced(app: App, count: int) -> Act:
    """With the papers' pieces known, as for all but the first readers."""
    mails = jobs(app, count)
    for mail in mails:
        mail.build()
    return lambda number: mails[number].build()


def premailed(app: App, _count: int) -> Act:
    from premailer import transform

    with app.store.read() as connection:
        edition = editions.find(connection, NOW.date(), "daily")
    assert edition is not None
    renderer, draw = DigestRenderer(app.settings.site, app.environments, edition, PAGES), random.Random(1)

    def build(number: int) -> bytes:
        picks = [Pick(entry.paper_id, "card") for entry in draw.sample(edition.entries[:300], app.settings.ranking.size)]
        to = f"reader{number}@example.org"
        rendered = renderer.render(picks, Reader(to, f"Reader {number}", NOW.date(), f"{number:022}"))
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "digest@example.org", to, rendered.subject
        mail.set_content(rendered.text)
        mail.add_alternative(transform(rendered.html, cssutils_logging_level=logging.CRITICAL), subtype="html")
        return mail.as_bytes()

    return build


def signed(app: App, count: int) -> Act:
    signing = Signing("example.org", (read_key(new_key("rsa"), "bench"),))
    parts = [mail.build().partition(b"\r\n\r\n") for mail in jobs(app, count)]
    return lambda number: signing.fields(parts[number][0] + b"\r\n", parts[number][2], NOW)


def by_dkimpy(app: App, count: int, body: bytes) -> Act:
    import dkim

    key, mails = new_key("rsa"), [mail.build() for mail in jobs(app, count)]
    return lambda number: dkim.sign(mails[number], b"bench", b"example.org", key, canonicalize=(b"relaxed", body))


WAYS: dict[str, Callable[[App, int], Act]] = {
    "ours": spliced,
    "premailer": premailed,
    "signed": signed,
    "dkimpy": partial(by_dkimpy, body=b"simple"),
    "dkimpy-relaxed": partial(by_dkimpy, body=b"relaxed"),
}


def main(how: str, home: Path, count: int) -> None:
    app = open_app(home=home, environ={}, now=NOW)
    act = WAYS[how](app, count)
    act(0)
    cpu, began = time.process_time(), time.perf_counter()
    for number in range(count):
        act(number)
    print(json.dumps({"messages": count, "wall": time.perf_counter() - began, "cpu": time.process_time() - cpu}))
    app.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
