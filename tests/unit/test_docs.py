"""What is written for people says what the program does."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
import typer

from digest.cli import build
from digest.cli.delivering import SOME_FAILED
from digest.cli.subscriber_lists import INTERRUPTED
from digest.errors import DigestError
from digest.outbox.retry import State
from digest.ranking.settings import RankingWeights
from digest.resources import checkout
from digest.settings.keys import known_keys
from digest.sources import jsonl
from digest.sources.base import Verdict
from digest.sources.formats import FORMATS
from digest.sources.registry import sources_of
from digest.sources.settings import SourcesSettings

TOP = checkout() or Path()
PAGES = sorted([*TOP.glob("*.md"), *TOP.glob("docs/**/*.md"), TOP / "seeds/README.md"])
FOR_OPERATORS = [TOP / "README.md", *(page for page in PAGES if page.is_relative_to(TOP / "docs"))]
FOR_CONTRIBUTORS = [TOP / "ARCHITECTURE.md", TOP / "CONTRIBUTING.md"]
EVERYWHERE = frozenset({"--help", "--now"})
OF_THE_PROGRAM = EVERYWHERE | {"--version", "--install-completion", "--show-completion"}
EDGE = r"(?![\w./-])"

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))


@cache
def commands() -> dict[str, frozenset[str]]:
    """Every command with its long options."""
    return dict(_walk(typer.main.get_command(build()), ""))


def _walk(command: object, name: str) -> Iterator[tuple[str, frozenset[str]]]:
    for word, inner in getattr(command, "commands", {}).items():
        if hasattr(inner, "commands"):
            yield from _walk(inner, f"{name}{word} ")
        else:
            options = (option for parameter in inner.params for option in parameter.opts)
            yield name + word, frozenset(option for option in options if option.startswith("--"))


def code(page: Path) -> Iterator[str]:
    """Every line in a fence and every word in backticks."""
    text = page.read_text()
    for fence in re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        yield from fence.splitlines()
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from (span.replace("\n", " ") for span in re.findall(r"`([^`]+)`", prose))


def first_cells(text: str) -> set[str]:
    """What stands in backticks in the first column of a table."""
    cells = re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)}


def test_the_reference_names_every_command_with_its_options() -> None:
    text = (TOP / "docs/reference/commands.md").read_text()
    rows = [re.split(r"(?<!\\)\|", line) for line in text.splitlines() if line.startswith("| `digest ")]
    named = {row[1].strip(" `").removeprefix("digest "): frozenset(re.findall(r"--[a-z0-9-]+", row[3])) for row in rows}
    assert named == commands()


def test_the_reference_names_every_exit_code() -> None:
    text = (TOP / "docs/reference/exit-codes.md").read_text()
    named = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    errors: list[type[DigestError]] = [DigestError, *DigestError.__subclasses__()]
    assert named == {0, SOME_FAILED, INTERRUPTED, *(error.exit_code for error in errors)}


def test_the_reference_of_json_lines_names_what_is_read_and_its_example_is_a_paper() -> None:
    text = (TOP / "docs/reference/jsonl.md").read_text()
    assert first_cells(text) == first_cells(jsonl.__doc__ or "")
    example = " ".join(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0].split("\n"))
    parsed = jsonl.parse(example, source="file", seen_at=datetime(2026, 11, 22, 6, tzinfo=UTC))
    assert [len(sighting.readings) for sighting in parsed.sightings] == [3]
    assert parsed.problems == ()


def test_the_reference_of_formats_names_every_format_in_its_order() -> None:
    text = (TOP / "docs/reference/formats.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(FORMATS)


def test_the_how_to_and_the_commands_name_every_source() -> None:
    names = set(sources_of(SourcesSettings()))
    assert first_cells((TOP / "docs/how-to/sources.md").read_text()) == names
    commands = (TOP / "docs/reference/commands.md").read_text()
    assert {name for name in names if f"`{name}`" in commands} == names


def test_the_how_to_and_the_explanation_say_what_each_verdict_means() -> None:
    rows = re.findall(r"^\| (\w+) \| .* \|$", (TOP / "docs/how-to/sources.md").read_text(), re.MULTILINE)
    assert set(get_args(Verdict)) <= set(rows)
    explained = re.findall(r"^- \*(\w+)\*: ", (TOP / "docs/explanation/sources.md").read_text(), re.MULTILINE)
    assert explained == list(get_args(Verdict))


def test_the_explanations_name_every_signal_with_its_weight_and_every_state() -> None:
    ranking = (TOP / "docs/explanation/ranking.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| .* \| ([\d.]+) \|$", ranking, re.MULTILINE)
    assert {name: float(weight) for name, weight in rows} == RankingWeights().model_dump()
    assert first_cells((TOP / "docs/explanation/delivery.md").read_text()) == set(get_args(State))


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert there.is_relative_to(TOP), target
        assert not anchor or anchor in anchors(there), target


@each_page
def test_every_command_that_a_page_tells_people_to_type_exists(page: Path) -> None:
    for line in code(page):
        for words in re.findall(r"(?:^|[\s/|])digest ((?:[a-z]+)(?: [^|#>&]*)?)", line.split(" #")[0]):
            first, _, rest = words.partition(" ")
            group = any(name.startswith(f"{first} ") for name in commands())
            name = f"{first} {rest.split(' ')[0]}".strip() if group else first
            if group and not rest:
                continue  # a page may speak of a whole group
            assert name in commands(), line
            assert frozenset(re.findall(r"(?<= )--[a-z0-9-]+", words)) <= commands()[name] | EVERYWHERE, line
        for option in re.findall(r"(?:^|\s)digest (--[a-z-]+)", line):
            assert option in OF_THE_PROGRAM, line


@each_page
def test_what_a_page_tells_people_to_make_is_made(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (TOP / "Makefile").read_text(), re.MULTILINE))
    told = {target for line in code(page) for target in re.findall(r"^make ([a-z-]+)", line)}
    assert told <= targets
    if page.name == "README.md" and page.parent == TOP:
        assert told == {"demo", "test"}


@pytest.mark.parametrize("page", FOR_OPERATORS, ids=lambda page: str(page.relative_to(TOP)))
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    sections = {key.partition(".")[0] for key in known_keys()}
    named = {
        key for line in code(page) for key in re.findall(rf"(?<![\w./@-])((?:{'|'.join(sections)})(?:\.[a-z_]+)+){EDGE}", line)
    }
    unknown = {key for key in named if not any(known == key or known.startswith(key + ".") for known in known_keys())}
    assert unknown == set()


@pytest.mark.parametrize("page", FOR_CONTRIBUTORS, ids=lambda page: page.name)
def test_every_file_that_contributors_are_sent_to_exists(page: Path) -> None:
    named = {path for line in code(page) for path in re.findall(r"[\w.-]+/[\w/.-]+\.[a-z]+\b", line)}
    to_be_made = re.compile(r"NAME|KIND|PAGE|NNNN")
    for path in named:
        assert to_be_made.search(path) or any((TOP / folder / path).exists() for folder in ("", "digest", "templates")), path


@each_page
def test_no_page_knows_somebodys_machine(page: Path) -> None:
    assert not re.findall(r"(?<![\w.])/(?:work|tmp|root|home|Users|mnt)/\S*", page.read_text())
