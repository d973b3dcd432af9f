"""Settings of the sources: `[sources]`, and a section for each source, declared beside its code."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from digest.clock import Duration
from digest.sources.arxiv.api import ArxivApiSettings
from digest.sources.arxiv.oai import ArxivOaiSettings
from digest.sources.arxiv.rss import ArxivRssSettings
from digest.sources.biorxiv import BiorxivSettings
from digest.sources.feed import FeedSettings
from digest.sources.folder import FolderSettings
from digest.sources.github import GitHubSettings
from digest.sources.huggingface import HuggingFaceSettings
from digest.sources.openalex import OpenAlexSettings
from digest.sources.semantic_scholar import SemanticScholarSettings


class SourcesSettings(BaseModel):
    """`[sources]`: what holds for all of them, and a section for each."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    at_once: int = Field(4, ge=1, le=50, description="requests at the same time, to all sources together")
    budget: Duration = Field(
        timedelta(minutes=5),
        ge=timedelta(seconds=1),
        le=timedelta(hours=24),
        description="how long one run of one source may take",
    )
    alarm_after: Duration = Field(timedelta(hours=24), description="how long a source must be missing for an alarm")
    keep: int = Field(64, ge=0, le=10_000, description="how many of each source's last answers are kept; 0: none")

    huggingface: HuggingFaceSettings = HuggingFaceSettings()
    arxiv_rss: ArxivRssSettings = ArxivRssSettings()
    arxiv_oai: ArxivOaiSettings = ArxivOaiSettings()
    arxiv_api: ArxivApiSettings = ArxivApiSettings()
    biorxiv: BiorxivSettings = BiorxivSettings()
    medrxiv: BiorxivSettings = BiorxivSettings()
    semantic_scholar: SemanticScholarSettings = SemanticScholarSettings()
    openalex: OpenAlexSettings = OpenAlexSettings()
    github: GitHubSettings = GitHubSettings()
    feed: FeedSettings = FeedSettings()
    folder: FolderSettings = FolderSettings()
