"""The files that tell people about settings say what the program does."""

import re
import tomllib
from pathlib import Path

import pytest

from digest.resources import checkout, resource
from digest.settings import Settings, load
from digest.settings.keys import flat, known_keys
from digest.settings.mask import SECRETS
from digest.settings.missing import variable
from digest.settings.shown import shown, toml_value

TOP = checkout() or Path()
ENTRY = re.compile(r"(?P<off>#?)(?P<name>\w+) = (?P<value>.+)")


def entries() -> dict[str, tuple[str, str]]:
    """Every setting of the packaged file: its default as written, empty where it is not set, and its comment."""
    found: dict[str, tuple[str, str]] = {}
    section = comment = ""
    for line in resource("config/digest.toml").read_text().splitlines():
        if header := re.fullmatch(r"\[([\w.]+)\]", line):
            section = header[1]
        elif line.startswith("# "):
            comment = line[2:]
        elif entry := ENTRY.fullmatch(line):
            assert f"{section}.{entry['name']}" not in found
            assert comment, f"{line} has no comment of its own"
            found[f"{section}.{entry['name']}"] = ("" if entry["off"] else entry["value"], comment)
            comment = ""
    return found


def test_the_packaged_file_lists_exactly_the_settings() -> None:
    assert sorted(entries()) == sorted(known_keys())


def test_the_packaged_file_tells_the_defaults(home: Path) -> None:
    packaged = dict(flat(tomllib.loads(resource("config/digest.toml").read_text())))
    bare = Settings(home=home)
    for key in known_keys():
        if key in packaged:
            assert load(home, {}).value(key) == bare.value(key), key
        else:
            assert bare.value(key) is None, key
    assert shown(load(home, {})) == shown(bare)


def test_every_example_in_the_packaged_file_can_be_used(home: Path) -> None:
    text = re.sub(r"^#(\w+ = )", r"\1", resource("config/digest.toml").read_text(), flags=re.MULTILINE)
    text = re.sub(r'secret_key = ".*"', f'secret_key = "{"k" * 40}"', text)
    (home / "digest.toml").write_text(text)
    (home / "digest.toml").chmod(0o600)
    assert load(home, {}).missing(*known_keys()) == [key for key, (value, _) in entries().items() if value == '""']


def test_the_reference_says_of_each_setting_what_the_packaged_file_says() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| (.*?) \| (.*) \|$", (TOP / "docs/reference/settings.md").read_text(), re.MULTILINE)
    expected = [(key, f"`{value}`" if value else "not set", comment) for key, (value, comment) in entries().items()]
    assert [(key, default, meaning.replace("`", "")) for key, default, meaning in rows] == expected


def test_the_example_of_dotenv_holds_the_secrets_and_no_values() -> None:
    lines = [line for line in (TOP / ".env.example").read_text().splitlines() if line and not line.startswith("#")]
    assert sorted(lines) == sorted(f"{variable(key)}=" for key in SECRETS)


def test_a_copy_of_the_example_of_dotenv_sets_nothing(home: Path) -> None:
    (home / ".env").write_text((TOP / ".env.example").read_text())
    (home / ".env").chmod(0o600)
    assert shown(load(home, {})) == shown(Settings(home=home))


@pytest.mark.parametrize("key", ["ranking.window", "schedule.catch_up", "delivery.in_doubt_hold"])
def test_lengths_of_time_are_shown_as_they_are_written(home: Path, key: str) -> None:
    assert toml_value(shown(Settings(home=home))[key]) == entries()[key][0]
