"""API versions: what is served, what was retired, what they are called.

https://help.salesforce.com/s/articleView?id=000354473 (21.0 to 30.0 retired: REST answers
410 GONE), https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_versions.htm
"""

from __future__ import annotations

from simorg.errors import NotFoundError, SalesforceError
from simorg.org.org import Org

OLDEST_NAMED = 20
OLDEST_SERVED = 31
NEWEST = 67

_SEASONS = ("Winter", "Spring", "Summer")


class Gone(SalesforceError):
    """A retired API version is asked."""

    status = 410
    code = "GONE"
    template = (
        "The requested resource has been retired or removed. "
        "Delete or update any references to the resource."
    )


def label(version: int) -> str:
    """``Summer '26`` for 67: three releases a year, 20.0 was Winter '11."""
    year, season = divmod(version - OLDEST_NAMED, 3)
    return f"{_SEASONS[season]} '{11 + year}"


def listing() -> list[dict[str, str]]:
    """The body of ``GET /services/data``, oldest first."""
    return [
        {"label": label(n), "url": f"/services/data/v{n}.0", "version": f"{n}.0"}
        for n in range(OLDEST_SERVED, NEWEST + 1)
    ]


def _known() -> dict[str, int]:
    return {f"v{n}.0": n for n in range(OLDEST_NAMED, NEWEST + 1)}


_KNOWN = _known()


def parse(segment: str) -> int:
    """67 for ``v67.0``; raises NotFoundError for anything that never was a version."""
    version = _KNOWN.get(segment)
    if version is None:
        raise NotFoundError()
    return version


def check_served(version: int, org: Org) -> None:
    """Refuse a retired version unless the org's setting ``api.retiredVersionsServed`` is on."""
    if version < OLDEST_SERVED and not org.settings.get("api").get("retiredVersionsServed"):
        raise Gone()
