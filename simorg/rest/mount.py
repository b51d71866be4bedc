"""The WSGI face of the REST surface: everything below ``/services/data``.

No web framework's router stands in front of the resources, because Salesforce's path rules are
none's: doubled and trailing slashes mean nothing, every verb reaches the resource (which answers
405 itself), ``.json``/``.xml`` endings choose the format, and composite subrequests are routed by
the same table without a WSGI environment. Flask's routing and contexts were over a third of what
reading a record took (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from werkzeug.exceptions import BadHost
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.sansio.utils import get_host
from werkzeug.wsgi import get_input_stream

from simorg.rest.surface import Surface

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from simorg.org.catalogue import OrgCatalogue

PREFIX = "/services/data/"


class Application:
    """The REST API of the orgs of a catalogue, as WSGI; whoever calls it bounds the body."""

    def __init__(self, catalogue: OrgCatalogue) -> None:
        self._surface = Surface(catalogue)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if _is_host(environ["wsgi.url_scheme"], environ.get("HTTP_HOST", "")):
            path: str = environ["PATH_INFO"]
            if not path.isascii():
                path = path.encode("latin-1").decode(errors="replace")
            read = partial(_read, environ)
            entity, status, headers = self._surface.respond(environ, path[len(PREFIX) :], read)
        else:
            entity, status, headers = self._surface.refuse(environ, BadHost())
        start_response(_STATUS_LINES.get(status) or f"{status} UNKNOWN", headers)
        return () if environ["REQUEST_METHOD"] == "HEAD" else (entity,)


_STATUS_LINES = {code: f"{code} {phrase.upper()}" for code, phrase in HTTP_STATUS_CODES.items()}


def _read(environ: WSGIEnvironment) -> bytes:
    return get_input_stream(environ).read()


@lru_cache(256)
def _is_host(scheme: str, host: str) -> bool:
    """Whether a Host header can be a name; cached, since clients hardly ever send another."""
    try:
        get_host(scheme, host).partition(":")[0].lower().encode("idna")
    except UnicodeError:
        return False
    return True
