"""The guarded client: what a source needs of it. See `client` for the door, `exchange` for one question and its answer."""

from digest.sources.web.client import Abandoned, HttpError, Kind, Limits, Site, Web

__all__ = ["Abandoned", "HttpError", "Kind", "Limits", "Site", "Web"]
