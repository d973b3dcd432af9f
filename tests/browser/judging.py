"""What is judged of a page or a mail as a browser shows it, and the two programs that know the rules."""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import httpx2
from playwright.sync_api import Page, ViewportSize
from support.sink import free_port
from support.waiting import until

HERE = Path(__file__).parent / "node_modules"
AXE = HERE / "axe-core/axe.min.js"
VNU = HERE / "vnu-jar/build/dist/vnu.jar"
FOR_ALL = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RULES = [*FOR_ALL, "best-practice"]
"""Of pages. Mail programs show a mail within a page of their own: it needs no landmarks, and perhaps no first heading."""
OF_COLOURS = ["color-contrast", "link-in-text-block"]
"""Rules whose answer is another one in the dark, where nothing but the colours changes."""
PHONE, DESKTOP = ViewportSize(width=320, height=640), ViewportSize(width=1280, height=800)
"""320 px is also what is left of 1280 at a zoom of 400 % (WCAG 1.4.10)."""


def look_at(page: Page, rules: Sequence[str] = RULES) -> Iterator[tuple[str, Page]]:
    """Judge what a page shows on a phone and at a desk, in light and dark; gives each look, by name, when it was found good."""
    page.evaluate(AXE.read_text())
    for screen, size in (("desktop", DESKTOP), ("phone", PHONE)):
        page.set_viewport_size(size)
        for colours in ("light", "dark"):
            page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
            assert _violations(page, rules if colours == "light" else OF_COLOURS) == [], f"{screen}, {colours}"
            yield f"{screen} {colours}", page
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"], f"wider than a {screen}"
    page.set_viewport_size(DESKTOP)


def _violations(page: Page, rules: Sequence[str]) -> list[str]:
    """What axe finds by these rules or kinds of rules; whatever is worth a word in its eyes is serious in ours."""
    found: Any = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", list(rules))
    return [f"{one['id']}: {one['help']}: {node['html']}" for one in found["violations"] for node in one["nodes"]]


class Checker:
    """The HTML checker of the W3C, as a server: to start it takes longer than to check all that there is."""

    def __init__(self) -> None:
        port = free_port()
        self._url = f"http://127.0.0.1:{port}/"
        on_loopback = "-Dnu.validator.servlet.bind-address=127.0.0.1"
        command = ["java", on_loopback, "-cp", str(VNU), "nu.validator.servlet.Main", str(port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._web = httpx2.Client(trust_env=False, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._web.close()
        self._process.kill()
        self._process.wait()

    def faults(self, html: str) -> list[str]:
        """What is not as the standard has it."""
        until(self._answers, "the checker")
        headers = {"Content-Type": "text/html; charset=utf-8"}
        answer = self._web.post(self._url, params={"out": "json"}, content=html.encode(), headers=headers)
        return [f"{one.get('lastLine')}: {one['message']}" for one in answer.raise_for_status().json()["messages"]]

    def _answers(self) -> bool:
        assert self._process.poll() is None, "the checker has ended; it needs Java"
        try:
            return self._web.get(self._url).status_code == 200
        except httpx2.TransportError:
            return False
