"""arXiv on loopback: its feed, OAI-PMH and query API over one set of invented papers, with their pages and faults."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlencode, urlsplit
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

from support.website import XML, Answer, Asked, Website

EASTERN = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class Paper:
    """An invented paper. `day` is the date of the feed that announces it; `changed`, of its record (its day, if not told)."""

    id: str
    day: date = date(2026, 4, 27)
    title: str = "An invented title"
    abstract: str = "We invent a paper."
    authors: str = "Jane Doe, Max Roe"
    categories: tuple[str, ...] = ("cs.AI", "cs.LG")
    kind: str = "new"
    submitted: datetime | None = None
    changed: date | None = None
    versions: int = 1
    doi: str = ""
    comments: str = ""
    size: str = "120kb"
    source_type: str = "D"
    deleted: bool = False

    @property
    def submitted_at(self) -> datetime:
        """Two days before a feed's day, in the afternoon; before a Monday's and a Tuesday's lies the weekend."""
        back = 4 if self.day.weekday() < 2 else 2
        return self.submitted or datetime.combine(self.day - timedelta(days=back), datetime.min.time(), UTC).replace(hour=21)

    @property
    def changed_on(self) -> date:
        return self.changed or self.day


def rss(papers: Iterable[Paper], *, built: date, title: str = "cs.AI updates on arXiv.org", description: str = "") -> bytes:
    """A feed in RSS 2.0, built at midnight of a day."""
    items = "".join(_item(paper) for paper in papers)
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<rss xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:atom="http://www.w3.org/2005/Atom"
     xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0">
  <channel>
    <title>{escape(title)}</title>
    <link>http://rss.arxiv.org/rss/cs.AI</link>
    <description>{escape(description or "updates on the arXiv.org e-print archive.")}</description>
    <atom:link href="http://rss.arxiv.org/rss/cs.AI" rel="self" type="application/rss+xml"/>
    <lastBuildDate>{_mail_date(built)}</lastBuildDate>
    <pubDate>{_mail_date(built)}</pubDate>
    <skipDays><day>Saturday</day><day>Sunday</day></skipDays>
{items}  </channel>
</rss>""".encode()


def _item(paper: Paper) -> str:
    head = f"arXiv:{paper.id}v{paper.versions} Announce Type: {paper.kind}"
    return f"""    <item>
      <title>{escape(paper.title)}</title>
      <link>https://arxiv.org/abs/{paper.id}</link>
      <description>{head} \nAbstract: {escape(paper.abstract)}</description>
      <guid isPermaLink="false">oai:arXiv.org:{paper.id}v{paper.versions}</guid>
      {"".join(f"<category>{category}</category>" for category in paper.categories)}
      <pubDate>{_mail_date(paper.day)}</pubDate>
      <arxiv:announce_type>{paper.kind}</arxiv:announce_type>
      <dc:rights>http://creativecommons.org/licenses/by/4.0/</dc:rights>
      {f"<arxiv:DOI>{escape(paper.doi)}</arxiv:DOI>" if paper.doi else ""}
      <dc:creator>{escape(paper.authors)}</dc:creator>
    </item>
"""


def atom(papers: Iterable[Paper], *, built: date) -> bytes:
    """The same feed in Atom, where an entry's `updated` is when the feed was built."""
    entries = "".join(
        f"""  <entry>
    <id>oai:arXiv.org:{paper.id}v{paper.versions}</id>
    <title>{escape(paper.title)}</title>
    <updated>{built}T04:00:19.866337+00:00</updated>
    <link href="https://arxiv.org/abs/{paper.id}" rel="alternate" type="text/html"/>
    <summary>arXiv:{paper.id}v{paper.versions} Announce Type: {paper.kind} \nAbstract: {escape(paper.abstract)}</summary>
    {"".join(f'<category term="{category}"/>' for category in paper.categories)}
    <published>{datetime.combine(paper.day, datetime.min.time(), EASTERN).isoformat()}</published>
    <arxiv:announce_type>{paper.kind}</arxiv:announce_type>
    <dc:creator>{escape(paper.authors)}</dc:creator>
  </entry>
"""
        for paper in papers
    )
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/"
      xmlns="http://www.w3.org/2005/Atom" xml:lang="en-us">
  <id>http://rss.arxiv.org/atom/cs.AI</id>
  <title>cs.AI updates on arXiv.org</title>
  <updated>{built}T04:00:19.866337+00:00</updated>
  <subtitle>cs.AI updates on the arXiv.org e-print archive.</subtitle>
{entries}</feed>""".encode()


def no_feed(query: str) -> bytes:
    """What a category that does not exist gives, with a status of 200."""
    words = f"Bad archive '{query}'. Valid archive names are: astro-ph, cond-mat, cs."
    title = f"Feed error for query: http://rss.arxiv.org/rss/{query}"
    return rss([], built=date(2026, 4, 27), title=title, description=words)


def oai(papers: Iterable[Paper], *, token: str = "", verb: str = "ListRecords") -> bytes:
    """A page of records in arXivRaw."""
    records = "".join(_record(paper) for paper in papers)
    going_on = f'<resumptionToken expires="2026-04-28T00:00:00Z">{escape(token)}</resumptionToken>' if token else ""
    return _envelope(f"  <{verb}>\n{records}{going_on}</{verb}>")


def oai_error(code: str, words: str = "") -> bytes:
    return _envelope(f"  <error code={quoteattr(code)}>{escape(words)}</error>")


def _envelope(content: str) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/ http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">
  <responseDate>2026-04-27T05:00:00Z</responseDate>
  <request verb="ListRecords">http://oaipmh.arxiv.org/oai</request>
{content}
</OAI-PMH>""".encode()


def _record(paper: Paper) -> str:
    header = f"""<header{' status="deleted"' if paper.deleted else ""}>
      <identifier>oai:arXiv.org:{paper.id}</identifier>
      <datestamp>{paper.changed_on}</datestamp>
      {"".join(f"<setSpec>{name}</setSpec>" for name in _sets(paper))}
    </header>"""
    if paper.deleted:
        return f"  <record>{header}</record>\n"
    dates = [f"{paper.submitted_at + timedelta(days=number):%a, %d %b %Y %H:%M:%S} GMT" for number in range(paper.versions)]
    content = f"<size>{paper.size}</size><source_type>{paper.source_type}</source_type>"
    versions = "".join(
        f'<version version="v{number}"><date>{text}</date>{content}</version>' for number, text in enumerate(dates, start=1)
    )
    return f"""  <record>
    {header}
    <metadata>
      <arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
        xsi:schemaLocation="http://arxiv.org/OAI/arXivRaw/ http://arxiv.org/OAI/arXivRaw.xsd">
        <id>{paper.id}</id><submitter>Jane Doe</submitter>
        {versions}<title>{escape(paper.title)}</title><authors>{escape(paper.authors)}</authors>
        <categories>{" ".join(paper.categories)}</categories>
        {f"<comments>{escape(paper.comments)}</comments>" if paper.comments else ""}
        {f"<doi>{escape(paper.doi)}</doi>" if paper.doi else ""}
        <license>http://creativecommons.org/licenses/by/4.0/</license>
        <abstract>  {escape(paper.abstract)}
        </abstract>
      </arXivRaw>
    </metadata>
  </record>
"""


def _sets(paper: Paper) -> list[str]:
    """All sets of a paper: `cs:cs:AI` is also in `cs:cs` and in `cs`."""
    sets: dict[str, None] = {}
    for category in paper.categories:
        archive, _, subject = category.partition(".")
        group = "physics" if archive in ("astro-ph", "hep-th", "physics", "math-ph") else archive
        sets |= dict.fromkeys(filter(None, (group, f"{group}:{archive}", subject and f"{group}:{archive}:{subject}")))
    return list(sets)


def api(papers: Sequence[Paper], *, total: int | None = None) -> bytes:
    """An answer of the query API."""
    entries = "".join(
        f"""  <entry>
    <id>http://arxiv.org/abs/{paper.id}v{paper.versions}</id>
    <title>{escape(paper.title)}</title>
    <updated>{paper.submitted_at:%Y-%m-%dT%H:%M:%SZ}</updated>
    <link href="https://arxiv.org/abs/{paper.id}v{paper.versions}" rel="alternate" type="text/html"/>
    <summary>  {escape(paper.abstract)}</summary>
    {"".join(f'<category term="{term}" scheme="http://arxiv.org/schemas/atom"/>' for term in paper.categories)}
    <published>{paper.submitted_at:%Y-%m-%dT%H:%M:%SZ}</published>
    <arxiv:primary_category term="{paper.categories[0]}"/>
    {"".join(f"<author><name>{escape(name)}</name></author>" for name in paper.authors.split(", "))}
    {f"<arxiv:doi>{escape(paper.doi)}</arxiv:doi>" if paper.doi else ""}
  </entry>
"""
        for paper in papers
    )
    return _search_results("arXiv Query: search_query=&amp;id_list=", entries, len(papers) if total is None else total)


def api_error(words: str) -> bytes:
    """An error as the query API tells it, with a status of 400 or of 200."""
    entry = f"""  <entry>
    <id>https://arxiv.org/api/errors#{words.replace(" ", "_")}</id>
    <title>Error</title>
    <summary>{escape(words)}</summary>
    <author><name>arXiv api core</name></author>
  </entry>
"""
    return _search_results("arXiv Search Results", entry, 1)


def _search_results(title: str, entries: str, total: int) -> bytes:
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom"
      xmlns="http://www.w3.org/2005/Atom">
  <id>https://arxiv.org/api/0</id>
  <title>{title}</title>
  <opensearch:itemsPerPage>100</opensearch:itemsPerPage>
  <opensearch:totalResults>{total}</opensearch:totalResults>
  <opensearch:startIndex>0</opensearch:startIndex>
{entries}</feed>""".encode()


def _mail_date(day: date) -> str:
    return f"{datetime.combine(day, datetime.min.time(), EASTERN):%a, %d %b %Y %H:%M:%S %z}"


@dataclass
class Arxiv:
    """All of arXiv behind one address. `papers` are all there are.

    The feed shows those of the day `shown`, built on the day `built`; OAI-PMH those that changed until `harvested`. `instead`
    are answers that a route ("rss", "oai", "api") gives once before it answers again; routes that are `down` answer with 502.
    """

    site: Website
    papers: list[Paper]
    shown: date
    built: date
    harvested: date = date.max
    per_page: int = 1000
    tokens_die: int = 0
    """How many resumption tokens are refused."""
    limit: int = 2000
    down: set[str] = field(default_factory=set)
    instead: defaultdict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Which route was asked for what."""

    def __post_init__(self) -> None:
        self.site.respond = self._answer

    @property
    def counts(self) -> Counter[str]:
        return Counter(route for route, _ in self.asked)

    def questions(self, route: str) -> list[dict[str, str]]:
        return [params for asked, params in self.asked if asked == route]

    def _answer(self, asked: Asked) -> Answer:
        parts = urlsplit(asked.path)
        params = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        route = parts.path.split("/")[1]
        if route == "rss":
            params["categories"] = unquote(parts.path.removeprefix("/rss/"))
        self.asked.append((route, params))
        if self.instead[route]:
            return self.instead[route].pop(0)
        if route in self.down:
            return Answer(502, b"<html><body>Bad gateway</body></html>", {"Content-Type": "text/html"})
        if route == "rss":
            return self._feed(params["categories"].split("+"))
        return self._records(params) if route == "oai" else self._query(params)

    def _feed(self, categories: list[str]) -> Answer:
        if unknown := [name for name in categories if name.partition(".")[0] not in ("cs", "math", "hep-th", "stat")]:
            return Answer(body=no_feed(unknown[0]), headers=XML)
        of_day = [paper for paper in self.papers if paper.day == self.shown and _is_in(paper, categories)]
        return Answer(body=rss(of_day[: self.limit], built=self.built), headers=XML)

    def _records(self, params: dict[str, str]) -> Answer:
        skip = 0
        if token := params.get("resumptionToken"):
            if self.tokens_die:
                self.tokens_die -= 1
                return Answer(body=oai_error("badResumptionToken", "Token has expired."), headers=XML)
            if set(params) != {"verb", "resumptionToken"}:
                return Answer(body=oai_error("badArgument", "No other parameters allowed"), headers=XML)
            params = {name: values[0] for name, values in parse_qs(unquote(token)).items()}
            skip = int(params["skip"])
        if params.get("verb") != "ListRecords" or params.get("metadataPrefix") != "arXivRaw":
            return Answer(body=oai_error("badArgument", "Expected ListRecords of arXivRaw"), headers=XML)
        since = date.fromisoformat(params["from"])
        found = sorted(
            (paper for paper in self.papers if since <= paper.changed_on <= self.harvested),
            key=lambda paper: (paper.changed_on, paper.id),
        )
        found = [paper for paper in found if params.get("set", "") in ("", *_sets(paper))]
        if not found:
            return Answer(body=oai_error("noRecordsMatch"), headers=XML)
        more = skip + self.per_page < len(found)
        token = urlencode({**params, "skip": skip + self.per_page}) if more else ""
        return Answer(body=oai(found[skip : skip + self.per_page], token=token), headers=XML)

    def _query(self, params: dict[str, str]) -> Answer:
        ids = params["id_list"].split(",")
        return Answer(body=api([paper for paper in self.papers if paper.id in ids]), headers=XML)


def _is_in(paper: Paper, categories: list[str]) -> bool:
    return any(name in categories or name.partition(".")[0] in categories for name in paper.categories)
