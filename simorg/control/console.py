"""The admin page: a page, a script and a style sheet that drive the control API from a browser.

They hold nothing of any org. Without a control token they are for loopback like the rest; with
one, anybody may load them, and the script asks for the token that every call needs.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources

from flask import Blueprint, Response

from simorg.control import guard

_FILES = {
    "/": ("console.html", "text/html"),
    "/console.js": ("console.js", "text/javascript"),
    "/console.css": ("console.css", "text/css"),
}
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def add_to(control: Blueprint) -> None:
    """Add the page's paths to the control API's blueprint."""
    for path, (name, kind) in _FILES.items():
        control.add_url_rule(
            path, f"console {name}".replace(".", "_"), _view(name, kind), methods=["GET"]
        )


def is_asset(path: str) -> bool:
    """Whether a path below ``/_simorg`` is the page's own."""
    return path in _FILES


def check(token: str | None) -> None:
    """Raise ``ControlError`` unless the page may be loaded: the token is asked for by its calls."""
    if token is None:
        guard.check(None)


def _view(name: str, kind: str) -> Callable[[], Response]:
    def view() -> Response:
        content = resources.files("simorg.control").joinpath("static", name).read_bytes()
        return Response(content, 200, _HEADERS, mimetype=kind)

    return view
