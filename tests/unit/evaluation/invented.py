"""A small folder of daily lists that nobody ever published: four weeks, twelve papers a day, agents loved and surveys not."""

import csv
import json
from datetime import date, timedelta
from pathlib import Path

FIRST = date(2025, 9, 1)
DAYS = [FIRST + timedelta(days=day) for day in range(28) if (FIRST + timedelta(days=day)).weekday() < 5]
TOPICS = ("Agents that plan", "Retrieval of pages", "A survey of trees")
WORTH = (60, 20, 4)
FIELDS = ("date", "paper_id", "snapshot_time", "lag_hours", "upvotes", "comments", "stars", "source")


def paper_id(day: int, number: int) -> str:
    return f"2509.{day:02}{number:03}"


def entry(id_: str, topic: str, number: int, **extra: object) -> dict[str, object]:
    paper = {
        "id": id_,
        "title": f"{topic}, part {number}",
        "summary": f"We write about {topic.lower()} and show results of it. " * 3,
        "authors": [{"name": f"Author {n}", "hidden": False} for n in range(number % 4 + 1)],
        "publishedAt": "2025-08-30T00:00:00.000Z",
        **extra,
    }
    return {"paper": paper, "title": paper["title"], "numComments": 1}


def write(folder: Path, *, votes: bool = True, picks: bool = True) -> Path:
    """The folder, with later votes and an editor's picks or without."""
    rows = []
    for place, day in enumerate(DAYS):
        entries = []
        for number in range(12):
            id_, kind = paper_id(place, number), number % 3
            extra = {"githubRepo": "https://github.com/someone/something"} if kind == 0 else {}
            entries.append(entry(id_, TOPICS[kind], number, **extra))
            later = WORTH[kind] + (place * 7 + number * 5) % 9
            for source, lag, count in (("E", 3.0, number % 2), ("A", 8.0, later // 4), ("B", 26.0, later)):
                at = f"{day + timedelta(days=int(lag // 24))}T{int(lag % 24):02}:00:00Z"
                rows.append((day.isoformat(), id_, at, f"{lag}", count, 1, 100 * kind or "", source))
        path = folder / "hf_daily" / "morning" / f"{day}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(entries))
    if votes:
        _table(folder / "hf_trajectories.csv", FIELDS, rows)
    if picks:
        mondays = [day for day in DAYS if day.weekday() == 0]
        chosen = [(day, paper_id(DAYS.index(day) + n, 1)) for day in mondays for n in range(3)]
        named = [(day.isoformat(), (day + timedelta(days=6)).isoformat(), 1, id_, "Short") for day, id_ in chosen]
        _table(folder / "editorial_picks.csv", ("week_start", "week_end", "rank", "arxiv_id", "short_title"), named)
    return folder


def _table(path: Path, fields: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(fields)
        writer.writerows(rows)
