"""arXiv: its announcement feed, OAI-PMH and query API, the calendar that they follow, and how one route proves another."""
