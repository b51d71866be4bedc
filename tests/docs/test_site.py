"""The documentation as a site: it builds strictly, is whole, and loads nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest

from tests.chromium import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
#: what a page fetches as it loads, by element: attributes that hold addresses
FETCHED = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "object": ("data",),
    "embed": ("src",),
    "input": ("src",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
}
#: relations of a link element that make the browser fetch or connect
FETCHING = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "manifest"}
FETCHING |= {"modulepreload", "apple-touch-icon", "mask-icon", "shortcut"}
ABROAD = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?//", re.I)


class Reader(HTMLParser):
    """What a page fetches, where it leads, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.classes: set[str] = set()
        self.styles: list[str] = []
        self._in_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.anchors |= {told[name] for name in ("id", "name") if name in told}
        self.classes |= set(told.get("class", "").split())
        self.styles += [told["style"]] if "style" in told else []
        self._in_style = tag == "style"
        if tag == "a" and "href" in told:
            self.links.append(told["href"])
        if tag == "link" and set(told.get("rel", "").lower().split()) & FETCHING:
            self.fetched.append(told.get("href", ""))
        self.fetched += [told[name] for name in FETCHED.get(tag, ()) if name in told]

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.styles.append(data)


def fetched_by_css(text: str) -> list[str]:
    """Addresses in ``@import`` and ``url()``."""
    found = re.findall(r"@import\s+(?:url\()?[\"']?([^\"')\s;]+)", text)
    return found + re.findall(r"url\(\s*[\"']?([^\"')\s]+)", text)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``make docs`` builds it."""
    if not find_spec("mkdocs") or not find_spec("material"):
        missing("needs mkdocs-material (`make docs` installs it)")
    folder = tmp_path_factory.mktemp("site") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Reader]:
    """Every page by its path in the site."""
    return {
        path.relative_to(site).as_posix(): Reader(path.read_text("utf-8"))
        for path in site.rglob("*.html")
    }


def test_every_page_of_the_docs_is_there(pages: dict[str, Reader]) -> None:
    folder = ROOT / "docs"
    sources = [path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.md")]
    assert len(sources) > 30
    for source in [*sources, "examples", "changelog", "default-org"]:
        name = re.sub(r"(^|/)index$", "", source)
        assert f"{name}/index.html".lstrip("/") in pages, source


def test_pages_fetch_nothing_from_elsewhere(site: Path, pages: dict[str, Reader]) -> None:
    assert len(pages) > 30
    for name, page in pages.items():
        for address in [*page.fetched, *(a for s in page.styles for a in fetched_by_css(s))]:
            assert address.startswith("data:") or not ABROAD.match(address), f"{name}: {address}"
            if not address.startswith("data:") and name != "404.html":
                path = urljoin(f"/{name}", urldefrag(address).url)
                assert (site / unquote(path).lstrip("/")).is_file(), f"{name}: {address}"


def test_style_sheets_and_pictures_fetch_nothing_from_elsewhere(site: Path) -> None:
    sheets = list(site.rglob("*.css"))
    assert sheets
    for path in [*sheets, *site.rglob("*.svg")]:
        text = path.read_text("utf-8")
        fetched = fetched_by_css(text)
        if path.suffix == ".svg":
            fetched += re.findall(r"<(?:image|use|script)[^>]*href=\"([^\"]+)", text)
        assert not [address for address in fetched if ABROAD.match(address)], path.name


def test_scripts_name_no_other_host_they_would_load_from(
    site: Path, pages: dict[str, Reader]
) -> None:
    """The theme's script names hosts for things that this site has none of."""
    bundle = next(site.glob("assets/javascripts/bundle.*.js")).read_text("utf-8")
    loaded = set(re.findall(r"[\"'`](https?://[a-z0-9.-]+/[^\"'`]*)[\"'`]", bundle))
    for_mermaid = {url for url in loaded if "mermaid" in url}
    for_old_browsers = {url for url in loaded if "resize-observer-polyfill" in url}
    for_repositories = {url for url in loaded if url.startswith("https://api.github.com/")}
    assert loaded <= for_mermaid | for_old_browsers | for_repositories
    classes = set().union(*(page.classes for page in pages.values()))
    assert "mermaid" not in classes and "md-source" not in classes


def test_links_and_anchors_lead_somewhere(site: Path, pages: dict[str, Reader]) -> None:
    for name, page in pages.items():
        for link in page.links:
            if re.match(r"[a-z]+:", link) or name == "404.html":
                continue
            there, anchor = urldefrag(urljoin(f"/{name}", link))
            path = unquote(urlsplit(there).path).lstrip("/")
            path += "index.html" if not path or path.endswith("/") else ""
            assert (site / path).is_file(), f"{name}: {link}"
            if anchor and path in pages:
                assert unquote(anchor) in pages[path].anchors, f"{name}: {link}"


def test_blocks_have_their_names_as_titles(site: Path) -> None:
    text = (site / "getting-started" / "zeep" / "index.html").read_text("utf-8")
    assert '<span class="filename">zeep with an org of its own</span>' in text
    assert "snippet:" not in text


def test_pictures_tell_what_they_show(pages: dict[str, Reader], site: Path) -> None:
    for name in pages:
        text = (site / name).read_text("utf-8")
        for picture in re.findall(r"<img[^>]*>", text):
            assert re.search(r'alt="[^"]+"', picture), f"{name}: {picture}"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    handler = partial(_Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.mark.slow
@pytest.mark.browser
def test_a_browser_asks_no_other_host(
    chromium: Browser, served: str, pages: dict[str, Reader]
) -> None:
    from playwright.sync_api import TimeoutError as PlaywrightTimeout

    context = chromium.new_context()
    asked: set[str] = set()
    context.on("request", lambda request: asked.add(request.url))
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    for name in sorted(pages):
        page.goto(served + name.removesuffix("index.html"))
    page.goto(served)
    found = page.locator(".md-search-result__link").first  # the search is local too
    for _ in range(30):  # the theme misses what is typed before its script listens
        page.get_by_role("textbox", name="Search").fill("")
        page.get_by_role("textbox", name="Search").press_sequentially("matrix", delay=20)
        with suppress(PlaywrightTimeout):
            found.wait_for(timeout=3_000)
            break
    assert found.is_visible()
    context.close()
    assert len(asked) > len(pages) and not errors
    assert not [url for url in asked if not url.startswith((served, "data:", "blob:"))]
