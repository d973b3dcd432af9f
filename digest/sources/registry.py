"""The sources, by name. A new one is a file in this package and a line here."""

from digest.sources.base import Source
from digest.sources.folder import Folder
from digest.sources.formats import FORMATS, guess_format
from digest.sources.huggingface import HuggingFace

__all__ = ["FORMATS", "SOURCES", "guess_format"]

_ALL: tuple[Source, ...] = (
    HuggingFace(),
    Folder(),
)
SOURCES: dict[str, Source] = {source.name: source for source in _ALL}
