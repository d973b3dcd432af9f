"""The sources, by name. A new one is a file in this package, a line here, and its slice in `settings.py`."""

from digest.sources.arxiv.api import ArxivApi
from digest.sources.arxiv.oai import ArxivOai
from digest.sources.arxiv.rss import ArxivRss
from digest.sources.base import Source
from digest.sources.biorxiv import Biorxiv
from digest.sources.feed import feeds_of
from digest.sources.folder import Folder
from digest.sources.github import GitHub
from digest.sources.huggingface import HuggingFace
from digest.sources.openalex import OpenAlex
from digest.sources.semantic_scholar import SemanticScholar
from digest.sources.settings import SourcesSettings


def sources_of(settings: SourcesSettings) -> dict[str, Source]:
    """Every source, enabled or not, in the order in which they are asked and shown."""
    sources: tuple[Source, ...] = (
        HuggingFace(settings.huggingface),
        ArxivRss(settings.arxiv_rss, settings.arxiv_oai),
        ArxivOai(settings.arxiv_oai, settings.arxiv_rss.days_without_mailing),
        ArxivApi(settings.arxiv_api),
        Biorxiv("biorxiv", settings.biorxiv),
        Biorxiv("medrxiv", settings.medrxiv),
        SemanticScholar(settings.semantic_scholar),
        OpenAlex(settings.openalex),
        GitHub(settings.github),
        *feeds_of(settings.feed),
        Folder(settings.folder),
    )
    return {source.name: source for source in sources}
