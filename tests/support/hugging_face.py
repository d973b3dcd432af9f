"""Hugging Face on loopback: a list for each day, as long as it is up."""

import json
import threading
from collections.abc import Iterable
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.website import JSON, Answer, Asked, Website


class HuggingFace(Website):
    """`status` and `headers` are what it answers with; while `open` is clear, it lets everybody wait."""

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[str, list[dict[str, Any]]] = {}
        self.status = 200
        self.headers: dict[str, str] = dict(JSON)
        self.open = threading.Event()
        self.open.set()
        self.respond = self._respond

    def __exit__(self, *how: object) -> None:
        self.open.set()
        super().__exit__()

    def list(self, on: date, numbers: Iterable[int], votes: int = 7) -> None:
        """The papers of a day, by number."""
        self.lists[on.isoformat()] = [
            {
                "paper": {
                    "id": f"{on:%y%m}.{number:05}",
                    "title": f"An invented paper, number {number}",
                    "summary": "Nothing in it is true.",
                    "authors": [{"name": f"Ann Author{number}"}],
                    "upvotes": votes,
                }
            }
            for number in numbers
        ]

    def _respond(self, asked: Asked) -> Answer:
        self.open.wait()
        day = parse_qs(urlsplit(asked.path).query).get("date", [""])[0]
        return Answer(self.status, json.dumps(self.lists.get(day, [])).encode(), self.headers)
