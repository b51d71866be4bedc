"""Pictures of the main pages for the docs: ``python -m tests.browser.screenshots docs/images``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS, Window, opened
from tests.browser.divergence_picture import divergence
from tests.clients.conftest import Live, start, stop

WIDTH, HEIGHT = 1180, 720


def _login(window: Window) -> None:
    window.authorize()


def _approval(window: Window) -> None:
    window.authorize()
    window.log_in("standard")


def _setup(path: str) -> Callable[[Window], None]:
    def open_page(window: Window) -> None:
        window.setup()
        window.open(f"/lightning/setup/{path}/home")

    return open_page


def _app(window: Window) -> None:
    """An app whose record says something else than Setup."""
    _setup("ConnectedApplication")(window)
    window.follow(window.page.get_by_role("link", name="Self Service", exact=True))


def _why(window: Window) -> None:
    _setup("SimorgAccessMatrix")(window)
    window.follow(window.page.locator("a.cell.no").first)


SHOTS: dict[str, Callable[[Window], None]] = {
    "login": _login,
    "allow-access": _approval,
    "api-access-control": _setup("ApiAccessControl"),
    "oauth-usage": _setup("ConnectedAppsUsage"),
    "connected-app": _app,
    "divergence": divergence,
    "access-matrix": _setup("SimorgAccessMatrix"),
    "access-matrix-why": _why,
}
#: shown in dark as well
DARK = ("access-matrix",)


def take(live: Live, folder: Path) -> list[Path]:
    """All pictures, of the default org with its preference on; the files written."""
    org = live.control("GET", "orgs/default")
    org["users"] = [{**user, "password": "simorg123"} for user in org["users"]]
    preference = {"apiAccessControl": {"adminApprovedUsersOnly": True}}
    live.control("PATCH", f"orgs/{org['id']}/settings", preference)
    wanted = [(name, "light") for name in SHOTS] + [(name, "dark") for name in DARK]
    made = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=[*FLAGS, "--force-device-scale-factor=1"]
        )
        for name, scheme in wanted:
            preference["apiAccessControl"]["adminApprovedUsersOnly"] = name != "allow-access"
            live.control("PATCH", f"orgs/{org['id']}/settings", preference)
            size = {"width": WIDTH, "height": HEIGHT}
            with opened(browser, live, org, viewport=size, color_scheme=scheme) as window:
                SHOTS[name](window)
                path = folder / f"{name}{'-dark' if scheme == 'dark' else ''}.png"
                window.page.screenshot(path=path, animations="disabled")
                made.append(path)
        browser.close()
    return made


def main(folder: Path) -> None:
    """Start a server, take the pictures, stop it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        process, live = start(Path(scratch))
        try:
            for path in take(live, folder):
                print(f"{path}  {path.stat().st_size // 1024} KB")
        finally:
            stop(process)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
