"""The real program with every source there is, all of them on loopback: what it brings, and that nobody else is asked."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from support.arxiv import Arxiv, Paper
from support.hugging_face import HuggingFace
from support.operator import Operator
from support.scholarly import GitHubServer, OpenAlexServer, SemanticScholarServer
from support.sink import Sink
from support.site import MONDAY
from support.website import XML, Answer, Asked, Website

TODAY = MONDAY.date()
HOOK = """
import ipaddress, os, sys

def _write_down(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        host, port = arguments[1][:2] if isinstance(arguments[1], tuple) else ("a file", 0)
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host, port = arguments[0], 0
    else:
        return
    with open(os.environ["ASKED"], "a") as log:
        print(host, port, file=log)
    if host in ("a file", "localhost", None):
        return
    try:
        here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = False
    if not here:
        raise OSError(101, "the network is cut")

sys.addaudithook(_write_down)
sys.modules["uvloop"] = None  # what it connects to, no hook is told
"""
"""What a process runs at its start: every address that it wants to reach is written down, and none outside is reached."""
FEED = """<rss version="2.0"><channel><title>A blog</title>
<item><title>What the blog found</title><link>https://blog.example.org/1</link><guid>https://blog.example.org/1</guid>
<description>&lt;img src="https://tracker.example.org/pixel.gif"&gt; A long look at things.</description>
<pubDate>Mon, 02 Mar 2026 04:00:00 GMT</pubDate></item></channel></rss>"""


class World:
    """Every server that a source asks, each with something to bring, and some that lead away."""

    def __init__(self, stack: ExitStack) -> None:
        self.hugging_face = stack.enter_context(HuggingFace())
        self.hugging_face.list(TODAY, [1, 2], votes=40)
        self.hugging_face.lists[str(TODAY)][0]["paper"]["githubRepo"] = "https://github.com/ann/net"
        self.arxiv = Arxiv(
            stack.enter_context(Website()),
            [Paper("2603.00003", TODAY, "What arXiv announced"), Paper("2603.00001", TODAY, "An invented paper, number 1")],
            shown=TODAY,
            built=TODAY,
        )
        self.biorxiv = stack.enter_context(Website())
        self.biorxiv.respond = _posts
        self.scholar = stack.enter_context(
            SemanticScholarServer({"ARXIV:2603.00001": {"paperId": "a" * 40, "title": "An invented paper", "citationCount": 5}})
        )
        self.openalex = stack.enter_context(OpenAlexServer([]))
        self.github = stack.enter_context(GitHubServer({"ann/net": 321}))
        self.blog = stack.enter_context(Website())
        self.blog.will_answer({"body": FEED.encode(), "headers": XML})
        self.luring = stack.enter_context(Website())
        self.luring.will_answer({"status": 302, "headers": {"Location": "http://169.254.169.254/latest/meta-data/"}})
        self.expanding = stack.enter_context(Website())
        doctype = '<!DOCTYPE rss [<!ENTITY x SYSTEM "http://outside.example.org/x">]>'
        self.expanding.will_answer({"body": f"{doctype}<rss><channel>&x;</channel></rss>".encode(), "headers": XML})

    @property
    def ports(self) -> set[int]:
        sites = (self.hugging_face, self.arxiv.site, self.biorxiv, self.blog, self.luring, self.expanding)
        servers = (self.scholar, self.openalex, self.github)
        return {site.port for site in sites} | {int(server.url.rpartition(":")[2]) for server in servers}

    def settings(self, folder: Path) -> dict[str, str]:
        urls = {
            "huggingface": self.hugging_face.url,
            "arxiv_rss": self.arxiv.site.url,
            "arxiv_oai": f"{self.arxiv.site.url}/oai",
            "arxiv_api": f"{self.arxiv.site.url}/api/query",
            "biorxiv": self.biorxiv.url,
            "medrxiv": self.biorxiv.url,
            "semantic_scholar": self.scholar.url,
            "openalex": self.openalex.url,
            "github": self.github.url,
        }
        feeds = {"A blog": self.blog.url, "Luring": self.luring.url, "Expanding": self.expanding.url}
        return {
            **{f"sources__{name}__enabled": "true" for name in (*urls, "folder")},
            **{f"sources__{name}__url": url for name, url in urls.items()},
            "sources__arxiv_rss__categories": "cs.AI",
            "sources__arxiv_oai__categories": "cs.AI",
            "sources__folder__path": str(folder),
            **{f"sources__feed__urls__{name}": url for name, url in feeds.items()},
        }


def _posts(asked: Asked) -> Answer:
    server = asked.path.split("/")[2]
    post = {
        "doi": f"10.1101/2026.03.01.{sum(server.encode()):06}",
        "title": f"What {server} posted",
        "authors": "Doe, J.",
        "date": "2026-03-01",
        "version": "1",
        "category": "neuroscience",
        "abstract": "We invent it.",
        "published": "NA",
    }
    posts = [post] if asked.path.split("/")[5] == "0" else []
    message = {"status": "ok", "count": len(posts), "cursor": "0", "total": "1"}
    return Answer(body=json.dumps({"messages": [message], "collection": posts}).encode())


@pytest.fixture
def world() -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack)


@pytest.fixture
def watched(operator: Operator, world: World, tmp_path: Path) -> Operator:
    """Somebody who has enabled every source, and whose processes write down whom they ask."""
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(HOOK)
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "mine.jsonl").write_text('{"title": "What lay in the folder", "votes": 3}\n')
    settings = world.settings(tmp_path / "papers")
    feeds = {name: settings.pop(name) for name in list(settings) if "feed__urls" in name}
    lines = "".join(f'"{name.rpartition("__")[2]}" = "{url}"\n' for name, url in feeds.items())
    (operator.home / "digest.toml").write_text(f"[sources.feed.urls]\n{lines}")
    operator.set(**settings, ranking__size="20")
    operator.settings |= {"PYTHONPATH": str(tmp_path / "hook"), "ASKED": str(tmp_path / "asked")}
    return operator


def asked(tmp_path: Path) -> set[tuple[str, int]]:
    lines = (tmp_path / "asked").read_text().splitlines()
    return {(host, int(port)) for host, _, port in (line.rpartition(" ") for line in lines)}


def test_every_source_brings_something_and_nobody_else_is_asked(
    watched: Operator, world: World, sink: Sink, tmp_path: Path
) -> None:
    assert watched.call("subscribers", "add", "ann@example.org", "--confirmed", now=MONDAY - timedelta(hours=3)).code == 0
    collected = watched.run("collect", "--json", now=MONDAY - timedelta(hours=2))
    ran = watched.run("run", "--json", now=MONDAY)
    assert (collected.code, ran.code) == (0, 0), ran.err
    assert "Traceback" not in collected.err + ran.err

    brought = {one["source"]: one for one in [*collected.json["collected"], *ran.json["collected"]]}
    verdicts = {name: one["verdict"] for name, one in brought.items()}
    assert {name for name, verdict in verdicts.items() if verdict == "failed"} == {"feed:luring", "feed:expanding"}
    assert set(verdicts) == {
        *("huggingface", "arxiv_rss", "arxiv_oai", "arxiv_api", "biorxiv", "medrxiv"),
        *("semantic_scholar", "openalex", "github", "feed:a-blog", "feed:luring", "feed:expanding", "folder"),
    }
    titles = {paper["title"] for paper in watched.call("papers", "list", "--json").json["papers"]}
    assert titles >= {
        "An invented paper, number 1",
        "What arXiv announced",
        "What biorxiv posted",
        "What medrxiv posted",
        "What the blog found",
        "What lay in the folder",
    }
    shown = watched.call("papers", "show", "2603.00001", "--json").json
    assert {"huggingface", "semantic_scholar", "github"} <= {reading["source"] for reading in shown["readings"]}
    assert shown["categories"], "arXiv and Hugging Face tell of one paper"
    assert sink.recipients == ["ann@example.org"]

    everybody = asked(tmp_path)
    assert {host for host, _ in everybody} <= {"127.0.0.1", "localhost", "a file", "None"}
    assert {port for _, port in everybody} - {0} == world.ports | {sink.port}


def test_a_dry_run_of_every_source_leaves_no_trace(watched: Operator, world: World, tmp_path: Path) -> None:
    before = watched.call("papers", "list", "--json").json
    done = watched.run("collect", "--dry-run", "--json", now=MONDAY)
    assert done.code == 0, done.err
    assert sum(one["new"] for one in done.json["collected"]) >= 7
    assert watched.call("papers", "list", "--json").json == before
    assert not (watched.home / "answers").exists()


def test_nobody_at_all_is_asked_by_the_demo(empty_home: Path, tmp_path: Path) -> None:
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(HOOK)
    with Operator(empty_home, "") as visitor:
        visitor.settings = {"DIGEST_HOME": str(empty_home)}
        visitor.settings |= {"PYTHONPATH": str(tmp_path / "hook"), "ASKED": str(tmp_path / "asked")}
        assert visitor.run("demo", now=MONDAY).code == 0
    assert {host for host, _ in asked(tmp_path)} <= {"127.0.0.1", "localhost", "a file", "None"}
