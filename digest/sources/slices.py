"""What the settings of every source have in common; each source declares its own slice beside its code."""

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Slice(BaseModel):
    """The settings of one source: `[sources.NAME]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    enabled: bool = False


class WebSlice(Slice):
    """The settings of a source that is asked over HTTP. The host that the operator writes is allowed as it stands."""

    url: str = Field("", description="where it is asked")

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        return address(url)


def address(url: str) -> str:
    """An address that can be asked, without a slash at its end. Raises ValueError."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or not url.isprintable() or " " in url or parts.fragment:
        raise ValueError("write it like https://huggingface.co")
    return url.rstrip("/")
