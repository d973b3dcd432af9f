"""What an operator may set about the web."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr, field_validator, model_validator

from digest.tokens import MIN_KEY_LENGTH

_BIND = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})")
Network: TypeAlias = IPv4Network | IPv6Network


def _bind(text: str) -> str:
    match = _BIND.fullmatch(text)
    if match is None or int(match["port"]) > 65535:
        raise ValueError(f"{text[:60]!r} is not an address to listen on; write it like 127.0.0.1:8000 or [::1]:8000")
    return text


def _network(text: object) -> Network:
    try:
        return ip_network(str(text).strip())
    except ValueError:
        raise ValueError(f"{str(text)[:60]!r} is not a network; write it like 127.0.0.1 or 10.0.0.0/8") from None


class WebSettings(BaseModel):
    """Where the web listens, in plain HTTP: a proxy in front of it speaks TLS. And who sees the operator's pages."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bind: Annotated[str, AfterValidator(_bind)] = "127.0.0.1:8000"
    trusted_proxies: tuple[Annotated[Network, BeforeValidator(_network)], ...] = ()
    """Whose X-Forwarded-For is believed."""
    operator_bind: Annotated[str, AfterValidator(lambda text: text and _bind(text))] = ""
    """Where the operator's pages listen; empty: there are none."""
    operator_token: SecretStr | None = None
    operator_header: str = ""
    """In which a trusted proxy names the operator that it let in."""

    @field_validator("operator_token")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is None or not secret.get_secret_value().strip():
            return None
        if len(secret.get_secret_value().strip()) < MIN_KEY_LENGTH:
            raise ValueError(f"a token needs {MIN_KEY_LENGTH} characters or more")
        return SecretStr(secret.get_secret_value().strip())

    @field_validator("operator_header")
    @classmethod
    def _is_a_header(cls, name: str) -> str:
        if name and not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,60}", name):
            raise ValueError("the name of a header, such as X-Forwarded-User")
        return name.lower()

    @model_validator(mode="after")
    def _somebody_may_enter(self) -> "WebSettings":
        if self.operator_header and not self.trusted_proxies:
            raise ValueError("operator_header is believed of proxies in trusted_proxies alone, and there are none")
        if self.operator_bind and not self.operator_token and not self.operator_header:
            raise ValueError("operator_bind needs operator_token or operator_header: nobody could enter")
        return self

    @property
    def host(self) -> str:
        return self.bind.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.bind.rpartition(":")[2])
