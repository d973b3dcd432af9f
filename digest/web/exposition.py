"""Measures as Prometheus reads them: its text format, version 0.0.4."""

from collections.abc import Iterable

from digest.flows.measures import Family

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(families: Iterable[Family]) -> str:
    """The text of an answer; a family without a sample is left out."""
    return "".join(_lines(family) for family in families if family.samples)


def _lines(family: Family) -> str:
    head = f"# HELP {family.name} {_escaped(family.help, quotes=False)}\n# TYPE {family.name} gauge\n"
    return head + "".join(f"{family.name}{_labels(one.labels)} {one.value:.15g}\n" for one in family.samples)


def _labels(labels: Iterable[tuple[str, str]]) -> str:
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{inside}}}" if inside else ""


def _escaped(text: str, *, quotes: bool = True) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quotes else text
