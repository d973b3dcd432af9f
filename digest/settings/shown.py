"""Settings as they may be shown: as TOML and JSON would write them, and without any secret."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, time

from digest.settings.keys import flat, known_keys
from digest.settings.mask import SECRETS, masked
from digest.settings.model import Settings


def shown(settings: Settings) -> dict[str, object]:
    """Every setting by its dotted key, None where it is not set; secrets are masked."""
    values = dict(flat(settings.model_dump(mode="json", by_alias=True)))
    return {key: masked(key, str(values[key])) if key in SECRETS and values[key] else values[key] for key in known_keys()}


def toml_value(value: object) -> str:
    """A value in TOML."""
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{toml_value(str(key))} = {toml_value(inner)}" for key, inner in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, (date, time)):
        return value.isoformat()
    # Basic strings of TOML are those of JSON, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
