"""Every page of Setup once: found by its links, told apart by the registry of pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from simorg.setup_ui.pages import HOME, PAGES
from tests.browser.conftest import Window
from tests.clients.conftest import NODE_FOLDER

AXE = NODE_FOLDER / "node_modules" / "axe-core" / "axe.min.js"
_MAP = Map([Rule(page.path, endpoint=page.path) for page in PAGES]).bind("localhost")


def rule_of(url: str) -> str | None:
    """The registry's path a URL belongs to."""
    try:
        return str(_MAP.match(urlsplit(url).path)[0])
    except HTTPException:
        return None


def _key(url: str) -> tuple[str, str] | None:
    """What makes a page worth another visit: its rule, and being opened for editing."""
    rule = rule_of(url)
    return None if rule is None else (rule, "edit" if "edit=" in urlsplit(url).query else "")


def walk(window: Window) -> Iterator[tuple[str, str]]:
    """Open each page reached by links from Setup's home: (rule, address)."""
    waiting, seen = [HOME], {_key(HOME)}
    while waiting:
        address = waiting.pop(0)
        answer = window.page.goto(window.base + address)
        assert answer is not None and answer.status == 200, f"{address}: {answer}"
        yield str(rule_of(address)), address
        links = "[...document.querySelectorAll('a[href]')].map(a => a.pathname + a.search)"
        for link in window.page.evaluate(links):
            key = _key(link)
            if key is not None and key not in seen:
                seen.add(key)
                waiting.append(link)


def violations(window: Window) -> list[str]:
    """What axe finds wrong with the page that is open."""
    window.page.evaluate(AXE.read_text())
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found: list[dict[str, Any]] = window.page.evaluate(
        "tags => axe.run(document, {runOnly: tags}).then(result => result.violations)", tags
    )
    return [
        f"{v['id']}: {node['html'][:160]} {node['failureSummary'].splitlines()[-1].strip()}"
        for v in found
        for node in v["nodes"][:3]
    ]


def overflow(window: Window) -> int:
    """By how many pixels the page is wider than the window."""
    width: int = window.page.evaluate(
        "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
    )
    return width
