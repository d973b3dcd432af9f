"""The seeds that the program is shipped with."""

import csv
from datetime import UTC, datetime
from pathlib import Path

from digest.papers.identity import normalised_title
from digest.sources.formats import FORMATS, guess_format
from digest.subscribers.address import EmailAddress
from digest.subscribers.model import parse_cadence, parse_days, parse_hour, parse_interest, parse_size, parse_zone

SEEDS = Path(__file__).parents[3] / "seeds"
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


def test_the_seed_page_holds_exactly_224_papers() -> None:
    path = SEEDS / "trending-papers-page.txt"
    parsed = FORMATS[guess_format(path)](path.read_bytes(), source="page", seen_at=NOW)
    assert parsed.problems == ()
    assert len(parsed.sightings) == 224
    first, last = parsed.sightings[0], parsed.sightings[-1]
    assert first.work.title == "An Architecture for Meeting Quality-of-Service Requirements in Multi-User Quantum Networks"
    assert first.work.abstract.startswith("Quantum communication can enhance")
    assert last.work.title == "Quantifying the Knowledge in GNNs for Reliable Distillation into MLPs"
    assert [reading.value for reading in last.readings] == [224]


def test_no_abstract_of_the_seed_page_is_cut() -> None:
    path = SEEDS / "trending-papers-page.txt"
    lines = {" ".join(line.split()) for line in path.read_text(encoding="utf-8").splitlines()}
    parsed = FORMATS["page"](path.read_bytes(), source="page", seen_at=NOW)
    assert all(sighting.work.abstract in lines for sighting in parsed.sightings)


def test_the_four_demo_readers_differ_in_topics_zones_and_hours() -> None:
    with (SEEDS / "subscribers.csv").open(encoding="utf-8", newline="") as file:
        readers = list(csv.DictReader(file))
    assert list(readers[0]) == ["email", "name", "topics", "zone", "hour", "days", "cadence", "size"]
    assert len(readers) == 4
    for key in ("email", "name", "topics", "zone", "hour"):
        assert len({reader[key] for reader in readers}) == 4
    for reader in readers:
        assert EmailAddress.parse(reader["email"]).domain == "example.org"
        assert parse_zone(reader["zone"])
        assert parse_hour(reader["hour"])
        assert parse_days(reader["days"])
        assert parse_cadence(reader["cadence"]) == "daily"
        assert parse_size(reader["size"])


def test_every_topic_of_the_demo_readers_is_found_in_the_seed_page() -> None:
    page = normalised_title((SEEDS / "trending-papers-page.txt").read_text(encoding="utf-8"))
    with (SEEDS / "subscribers.csv").open(encoding="utf-8", newline="") as file:
        topics = [parse_interest("topic", topic).value for row in csv.DictReader(file) for topic in row["topics"].split(";")]
    assert all(normalised_title(topic) in page for topic in topics)
