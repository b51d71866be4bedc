"""What commands share: how they fail, and how they ask a running server.

Exit codes: 0 success, 1 the command found what it looks for to be wrong (demo), 2 usage,
3 the server could not be started or reached.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

USAGE = 2
UNREACHABLE = 3
URL = click.option(
    "--url",
    default="http://127.0.0.1:8080",
    envvar="SIMORG_URL",
    show_default=True,
    help="A running server.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def in_path(name: str) -> str:
    """A name as a segment of a control API path."""
    from urllib.parse import quote

    return quote(name, safe="")


def fail(message: str, code: int = UNREACHABLE) -> NoReturn:
    """End with one line on standard error."""
    click.echo(f"simorg: {message}", err=True)
    sys.exit(code)


def call(
    url: str,
    path: str,
    body: Any = None,
    *,
    method: str | None = None,
    refused: Callable[[str | None], None] | None = None,
) -> Any:
    """A control API answer, or exit with the server's own words. None: it answered nothing.

    ``refused`` is told which member of the body was refused, and may know better words.
    """
    text = fetch(url, path, body, method=method, refused=refused)
    try:
        return json.loads(text) if text else None
    except ValueError:
        fail(f"{url} is no simorg server")


def fetch(
    url: str,
    path: str,
    body: Any = None,
    *,
    method: str | None = None,
    refused: Callable[[str | None], None] | None = None,
) -> bytes:
    """The bytes of a control API answer; POST with a body, else GET, unless ``method`` is told."""
    import http.client
    import urllib.error
    import urllib.request

    if body is None or isinstance(body, bytes):  # bytes are a file
        data, kind = body, "application/octet-stream"
    else:
        data, kind = json.dumps(body).encode(), "application/json"
    headers = {"Content-Type": kind}
    if token := os.environ.get("SIMORG_CONTROL_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    # never through a proxy: the environment may name simorg's own
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        request = urllib.request.Request(
            f"{url.rstrip('/')}/_simorg/{path}", data, headers, method=method
        )
        with opener.open(request, timeout=30) as response:
            answer: bytes = response.read()
            return answer
    except urllib.error.HTTPError as error:
        message, member = _refusal(error.read())
        if message is None:
            fail(f"{url} is no simorg server")
        if refused is not None:
            refused(member)
        fail(message if member is None or member in message else f"{member}: {message}", USAGE)
    except (OSError, ValueError, http.client.HTTPException) as error:
        fail(f"no server answers at {url}: {error}")


def _refusal(body: bytes) -> tuple[str | None, str | None]:
    """The control API's own words, and the member they are about. No words: another server."""
    try:
        error = json.loads(body)["error"]
        return str(error["message"]), error.get("path")
    except (ValueError, KeyError, TypeError):
        return None, None
