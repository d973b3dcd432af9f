"""A mailer on Django, as its manual shows it: templates, EmailMultiAlternatives, one connection. It neither ranks nor records.

python django_mailer.py PORT COUNT FILE, FILE being JSON with `subject` and `papers`. Styles stand in the template, so that
nothing has to be inlined for each reader.
"""

import json
import random
import sys
import time
from pathlib import Path

import django
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import get_template

BASE = "https://papers.example.org"


def main(port: int, count: int, file: Path) -> None:
    settings.configure(
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        USE_TZ=True,
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [Path(__file__).with_name("templates")]}
        ],
    )
    django.setup()
    sample = json.loads(file.read_text())
    html, text = get_template("digest.html"), get_template("digest.txt")
    draw = random.Random(1)
    connection = get_connection()
    connection.open()
    cpu, began = time.process_time(), time.perf_counter()
    for number in range(count):
        to = f"reader{number}@example.org"
        leave = f"{BASE}/u/{number:022}"
        papers = draw.sample(sample["papers"], sample["picks"])
        shown = {"subject": sample["subject"], "papers": papers, "name": f"Reader {number}", "to": to, "leave": leave}
        headers = {"List-Unsubscribe": f"<{leave}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        mail = EmailMultiAlternatives(
            sample["subject"], text.render(shown), "digest@example.org", [to], connection=connection, headers=headers
        )
        mail.attach_alternative(html.render(shown), "text/html")
        mail.send()
    found = {"messages": count, "wall": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    connection.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
