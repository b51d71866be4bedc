"""Visualforce domains: their names, and whether a call comes from one.

Which header Salesforce itself goes by is not documented (docs/visualforce.md): what a browser
says of the page it runs, else the host that was called.
https://help.salesforce.com/s/articleView?id=xcloud.domain_name_url_formats.htm
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from simorg.org.org import Org

#: where pages are served below any other host (simorg's own, for a plain loopback address)
PAGE_PATH = "/apex/"
#: ``c`` is the package of pages without a namespace
_HOST = re.compile(
    r"(?P<domain>[a-z0-9-]+)--[a-z0-9_]+"
    r"(?P<zone>|\.sandbox|\.develop|\.scratch|\.trailblaze)\.vf\.(?P<root>force\.com|localhost)\Z"
)


def domain_of(hostname: str) -> str | None:
    """The My Domain name that a Visualforce host (no port) belongs to; None for others."""
    match = _HOST.match(hostname.lower().rstrip("."))
    return match["domain"] if match else None


def host_of(org: Org, root: str = "force.com") -> str:
    """The host that serves the org's pages; ``root``: ``force.com`` or ``localhost``."""
    return f"{org.my_domain.lower()}--c.vf.{root}"


def home_of(hostname: str) -> str | None:
    """The My Domain host that belongs to a Visualforce host."""
    match = _HOST.match(hostname.lower().rstrip("."))
    if match is None:
        return None
    zone = match["zone"] if match["root"] == "force.com" else ""
    root = "salesforce.com" if match["root"] == "force.com" else "localhost"
    return f"{match['domain']}{zone}.my.{root}"


def called_from(org: Org, environ: Mapping[str, Any]) -> bool:
    """Whether a call comes from a Visualforce domain of the org, by its WSGI environment.

    ``Origin`` of another site decides; then ``Referer``; then the host called. A page served by
    path is one too: its referrer is a page of the host called.
    """
    host = str(environ.get("HTTP_HOST", "")).lower()
    origin = str(environ.get("HTTP_ORIGIN", "")).lower()
    if origin and _netloc(origin) != host:
        return _ours(org, _netloc(origin))
    referrer = str(environ.get("HTTP_REFERER", ""))
    if referrer:
        place = _netloc(referrer.lower())
        if place == host and _path(referrer).startswith(PAGE_PATH):
            return True
        return _ours(org, place)
    return _ours(org, host)


def _ours(org: Org, netloc: str) -> bool:
    return domain_of(netloc.rpartition("@")[2].partition(":")[0]) == org.my_domain.lower()


def _netloc(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""
