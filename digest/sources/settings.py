"""Settings of the sources: `[sources.*]`."""

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class HuggingFaceSettings(BaseModel):
    """`[sources.huggingface]`"""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(True, description="collect the daily papers of Hugging Face")
    url: str = Field("https://huggingface.co", description="where they are asked for; a mirror's address may stand here")

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("write it like https://huggingface.co")
        return url.rstrip("/")


class FolderSettings(BaseModel):
    """`[sources.folder]`"""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(False, description="collect from files that somebody drops into a folder")
    path: str = Field("", description="that folder; *.txt is a page's text, *.jsonl papers, *.json a Hugging Face answer")

    @model_validator(mode="after")
    def _has_a_path(self) -> "FolderSettings":
        if self.enabled and not self.path:
            raise ValueError("sources.folder.path is needed where sources.folder.enabled is true")
        return self


class SourcesSettings(BaseModel):
    """`[sources]`: a section for each source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    huggingface: HuggingFaceSettings = HuggingFaceSettings()
    folder: FolderSettings = FolderSettings()
