"""What an operator may set about the web."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

_BIND = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})")


def _bind(text: str) -> str:
    match = _BIND.fullmatch(text)
    if match is None or int(match["port"]) > 65535:
        raise ValueError(f"{text[:60]!r} is not an address to listen on; write it like 127.0.0.1:8000 or [::1]:8000")
    return text


class WebSettings(BaseModel):
    """Where the web listens, in plain HTTP: a proxy in front of it speaks TLS."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bind: Annotated[str, AfterValidator(_bind)] = "127.0.0.1:8000"

    @property
    def host(self) -> str:
        return self.bind.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.bind.rpartition(":")[2])
