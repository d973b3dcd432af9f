"""Trending papers in your email inbox, once a day."""

__version__ = "0.1.0"
