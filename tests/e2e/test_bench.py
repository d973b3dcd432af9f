"""`digest bench` and `make bench` in small: what they tell is true; how fast anything is, no test asks."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from benchmarks import report
from benchmarks.peers.install import Peers
from sqlalchemy import event

from digest import loop
from digest.bench.measure import Wish, settings_of
from digest.bench.site import NOW, Scene, furnish, settle
from digest.flows.deliver import deliver
from digest.resources import checkout
from digest.smtp.sink import sinking
from digest.wiring import open_app

READERS = 200
STAGES = {"edition", "cards", "prepare", "rank", "build", "sign", "send", "record", "other"}


def bench(*options: str, home: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "digest", "bench", "--candidates", "100", *options]
    environ = os.environ | {"DIGEST_HOME": str(home)}
    return subprocess.run(command, capture_output=True, text=True, env=environ, cwd=checkout(), check=False)


def test_a_bench_counts_what_the_sink_took_and_leaves_no_trace(empty_home: Path) -> None:
    done = bench("--readers", str(READERS), "--connections", "4", "--picks", "5", "--json", home=empty_home)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["messages"], found["states"]) == (READERS, {"submitted": READERS})
    assert found["stages"].keys() == STAGES
    assert sum(found["stages"].values()) == pytest.approx(found["cpu_us_per_message"], abs=0.1)
    assert all(found["stages"][name] > 0 for name in ("edition", "cards", "prepare", "rank", "build", "send", "record"))
    assert found["messages_per_second"] == pytest.approx(READERS / found["wall_seconds"], rel=0.01)
    assert found["connections"] >= 1
    assert 5_000 < found["bytes_per_message"] < 100_000
    assert found["peak_rss_mib"] > 10
    assert found["of"]["readers"] == READERS
    assert not list(empty_home.iterdir())


def test_a_bench_signs_and_speaks_tls_and_shows_a_table(empty_home: Path) -> None:
    done = bench("--readers", "20", "--picks", "3", "--dkim", "both", "--tls", "starttls", "--workers", "2", home=empty_home)
    assert done.returncode == 0, done.stderr
    assert all(f" {name} " in done.stdout for name in STAGES)
    assert "in 2 workers" in done.stdout


def test_a_server_of_somebodys_is_not_filled_without_asking(empty_home: Path) -> None:
    without_domain = bench("--transport", "smtp://127.0.0.1:9", "--yes", home=empty_home)
    assert (without_domain.returncode, "--domain" in without_domain.stderr) == (2, True)
    unasked = bench("--transport", "smtp://127.0.0.1:9", "--domain", "bench.example.org", home=empty_home)
    assert (unasked.returncode, "--yes" in unasked.stderr) == (2, True)


def test_a_mail_costs_less_than_one_statement(tmp_path: Path) -> None:
    scene = Scene(READERS, candidates=100)
    with sinking() as sink:
        settle(tmp_path, settings_of(Wish(scene), "sqlite:///digest.db", f"smtp://127.0.0.1:{sink.port}"))
        furnish(tmp_path, scene)
        app = open_app(home=tmp_path, environ={}, now=NOW)
        said: list[str] = []
        event.listen(app.store.engine, "before_cursor_execute", lambda *asked: said.append(asked[2]))
        states = loop.run(deliver(app.store, app.clock, app.imprint, app.relay, app.rules)).states
        app.close()
    assert states == {"submitted": READERS}
    # COMMIT is not seen here, so BEGIN is not counted either.
    assert sum(not statement.startswith("BEGIN") for statement in said) < READERS


def test_the_page_of_benchmarks_shows_ratios_and_names_what_was_left_out() -> None:
    def run(each: float, octets: float | None = 50_000.0) -> SimpleNamespace:
        more = {"stages": {"rank": 20.0, "send": 80.0}, "peak_rss_mib": 120.0, "server": 30.0}
        return SimpleNamespace(each=each, octets=octets, more=more)

    found = {"chain by digest": run(100.0), "chain by django": run(5000.0), "chain, postgresql": run(150.0)}
    rates = {"chain by digest": 8000.0, "chain by django": 200.0, "chain, postgresql": 6000.0}
    peers = Peers(versions={"django": "5.2"}, missing={"nodemailer": "there is no npm here, see /opt/somewhere/npm."})
    page = report.text(found, rates, peers, 20_000, 3, "2026-11-22")
    assert "| 5,000.0 | 50x | 200 | 1/40 | 50,000 |" in page
    assert "- Left out: nodemailer (there is no npm here, see npm)." in page
    assert "| wire, 1 Gbit/s | 400 s | 5.6 h |" in page
    assert "| CPU of PostgreSQL itself, on one core | 30 s | 25 min |" in page
    assert "aiosmtplib calls" not in page
