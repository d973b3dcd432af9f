"""The names of all settings, and what was meant by a name that is none."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from inspect import isclass
from typing import get_origin

from pydantic import BaseModel

from digest.errors import ConfigurationError
from digest.settings.model import Settings


@cache
def known_keys() -> tuple[str, ...]:
    """Every setting by its dotted key, in the order of declaration."""
    return tuple(key for key, _ in _walk(Settings, ""))


@cache
def table_keys() -> frozenset[str]:
    """The settings whose value is a table of the operator's own keys, such as `smtp.per_domain`."""
    return frozenset(key for key, annotation in _walk(Settings, "") if get_origin(annotation) in (dict, Mapping))


@cache
def list_keys() -> frozenset[str]:
    """The settings whose value is a list of texts, such as `sources.arxiv_rss.categories`."""
    return frozenset(key for key, annotation in _walk(Settings, "") if get_origin(annotation) is tuple)


def _walk(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, object]]:
    for name, field in model.model_fields.items():
        key = prefix + (field.alias or name)
        if isclass(field.annotation) and issubclass(field.annotation, BaseModel):
            yield from _walk(field.annotation, key + ".")
        elif not field.exclude:
            yield key, field.annotation


def flat(tables: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Nested tables as dotted keys, down to where a setting or an unknown name is met."""
    for name, value in tables.items():
        key = prefix + name
        if isinstance(value, Mapping) and any(known.startswith(key + ".") for known in known_keys()):
            yield from flat(value, key + ".")
        else:
            yield key, value


def nested(values: Mapping[str, object]) -> dict[str, object]:
    """The inverse of `flat`."""
    tables: dict[str, object] = {}
    for key, value in values.items():
        *sections, name = key.split(".")
        table = tables
        for section in sections:
            inner = table.setdefault(section, {})
            assert isinstance(inner, dict)
            table = inner
        table[name] = value
    return tables


def unknown(name: str, place: str, known: Iterable[str], *, noun: str = "setting") -> ConfigurationError:
    """The error for a name that is no setting, with the one that was probably meant; never with the value."""
    names = list(known)
    leaf = name.rpartition(".")[2]
    in_other_sections = [other for other in names if "." in other and other.rpartition(".")[2] == leaf]
    near = get_close_matches(name, names, n=1, cutoff=0.7) or in_other_sections[:1] or get_close_matches(name, names, n=1)
    fix = f"did you mean {near[0]}?" if near else "see what can be set: digest config show"
    return ConfigurationError(f"unknown {noun} {name[:80]} in {place}", fix=fix)


def unknown_in_toml(name: str, value: object, place: str) -> ConfigurationError:
    """The error for a name in a TOML file: an unknown setting, an unknown section, or a section written like a setting."""
    sections = {key.rpartition(".")[0] for key in known_keys()} | {key.partition(".")[0] for key in known_keys()}
    if name in sections:
        return ConfigurationError(
            f"{name} in {place} is a section, not a setting", fix=f"write [{name}], and its settings below it"
        )
    if isinstance(value, Mapping) and name not in known_keys():
        return unknown(name, place, sections, noun="section")
    return unknown(name, place, known_keys())
