"""One Chromium per test process: Debian's, driven by Playwright.

Playwright's synchronous driver keeps an event loop in its thread, so there can be only one, and
tests that need a loop of their own run it in a thread of its own.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CALLBACK = "http://localhost/callback"
#: milliseconds until a page that does not answer fails a test: it only bounds a hang
PATIENCE = 45_000


def missing(reason: str) -> None:
    """Skip with the reason, or fail where nothing may be skipped."""
    if os.environ.get("SIMORG_REQUIRE_ALL"):
        pytest.fail(reason)
    pytest.skip(reason)


class _Client(BaseHTTPRequestHandler):
    """The client's callback: any page will do."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def client_port() -> Iterator[int]:
    """Where ``CALLBACK`` ends: a listener of our own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Client) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def chromium(client_port: int) -> Iterator[Browser]:
    binary = shutil.which("chromium")
    if binary is None:
        missing("needs Chromium (`make ci-setup` installs it)")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=binary,
            args=[*FLAGS, f"--host-resolver-rules=MAP localhost:80 127.0.0.1:{client_port}"],
        )
        yield browser
        browser.close()
