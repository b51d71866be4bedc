"""``/services/Soap/{u|m}/{version}[/anything]`` as a WSGI application.

What stands behind the version (an org id, ``deployRequest``), the query string and the SOAPAction
are clients' habits and mean nothing here; all of it is accepted.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from simorg.soap.apis import APIS, PARTNER, Api
from simorg.soap.call import Call
from simorg.soap.faults import WireFault, api_fault, client_fault
from simorg.soap.reader import MAX_BYTES
from simorg.soap.records import RecordWriters
from simorg.soap.versions import unsupported
from simorg.soap.wsdl import PLACEHOLDER
from simorg.soap.xmltext import attribute

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from simorg.org.catalogue import OrgCatalogue

LEAST_VERSION, MOST_VERSION = 20, 67

_PATH = re.compile(r"/services/soap/(?P<letter>[^/]*)(?:/(?P<version>[^/]*)(?:/.*)?)?\Z", re.I)
_VERSION = re.compile(r"(\d{1,3})(?:\.\d)?\Z")
_BY_LETTER = {api.letter: api for api in APIS}
_STATUS = {
    200: "200 OK",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    413: "413 Request Entity Too Large",
    500: "500 Internal Server Error",
}


class Refused(Exception):
    """An HTTP answer decided before there is a call."""

    def __init__(self, status: int, fault: WireFault, **headers: str) -> None:
        self.status = status
        self.fault = fault
        self.headers = headers
        super().__init__(fault.faultstring)


def _version(text: str | None) -> int:
    """58 for ``58.0``. https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/ names the
    code; the words are seen at every client that asked for too new a version."""
    match = _VERSION.match(text or "")
    number = int(match[1]) if match else 0
    if not LEAST_VERSION <= number <= MOST_VERSION:
        raise Refused(500, unsupported())
    return number


def _too_large() -> Refused:
    return Refused(
        413, api_fault("EXCEEDED_MAX_SIZE_REQUEST", "The request exceeds the size limit of 50 MB")
    )


def _read_body(environ: WSGIEnvironment) -> bytes:
    """The body, bounded; the server has decoded chunks and usually gzip."""
    length = environ.get("CONTENT_LENGTH")
    wanted = MAX_BYTES + 1
    if length:
        if not length.isdigit() or int(length) > MAX_BYTES:
            raise _too_large()
        wanted = int(length)
    elif not environ.get("wsgi.input_terminated"):
        return b""
    pieces, left = [], wanted
    while left > 0:
        piece = environ["wsgi.input"].read(min(left, 1 << 20))
        if not piece:
            break
        pieces.append(piece)
        left -= len(piece)
    body = b"".join(pieces)
    if environ.get("HTTP_CONTENT_ENCODING", "").strip().lower() in ("gzip", "x-gzip"):
        body = _inflate(body)
    if len(body) > MAX_BYTES:
        raise _too_large()
    return body


def _inflate(body: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(body, MAX_BYTES + 1)
    except zlib.error:
        raise Refused(500, client_fault("The request body is not valid gzip data")) from None


def request_root(environ: WSGIEnvironment) -> str:
    """Scheme and Host as the client addressed us: ``https://localhost:8443``."""
    host = environ.get("HTTP_HOST")
    if not host:
        host = f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    return f"{environ['wsgi.url_scheme']}://{quote(host, safe=':[]')}"


class Endpoint:
    """The WSGI application over a catalogue of orgs."""

    def __init__(self, catalogue: OrgCatalogue) -> None:
        self._catalogue = catalogue
        self._records = RecordWriters()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        match = _PATH.match(environ.get("PATH_INFO", ""))
        letter = match["letter"] if match else ""
        api = _BY_LETTER.get(letter, PARTNER)
        headers: dict[str, str] = {}
        try:
            if match is None or letter not in _BY_LETTER:
                raise Refused(404, client_fault(f"No service found at /services/Soap/{letter}"))
            status, body = self._answer(api, match["version"], environ)
        except Refused as refused:
            status, body, headers = refused.status, api.fault(refused.fault), refused.headers
        start_response(_STATUS[status], [*headers.items(), *_headers(body)])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answer(self, api: Api, version: str | None, environ: WSGIEnvironment) -> tuple[int, bytes]:
        method = environ["REQUEST_METHOD"].upper()
        if method in ("GET", "HEAD") and _asks_wsdl(environ):
            return 200, _wsdl(api, _version(version), request_root(environ))
        if method != "POST":
            fault = client_fault(f"HTTP method {method} is not allowed here; use POST")
            raise Refused(405, fault, Allow="POST")
        call = Call(
            catalogue=self._catalogue,
            records=self._records,
            root=request_root(environ),
            version=_version(version),
            client_ip=environ.get("REMOTE_ADDR", ""),
            path=environ["PATH_INFO"],
            environ=environ,
        )
        succeeded, document = api.answer(_read_body(environ), call)
        return (200 if succeeded else 500), document


def _asks_wsdl(environ: WSGIEnvironment) -> bool:
    query = str(environ.get("QUERY_STRING", ""))
    return query.split("=")[0].split("&")[0].lower() == "wsdl"


def _wsdl(api: Api, version: int, root: str) -> bytes:
    """The checked-in WSDL with this server's address in it."""
    ours = f'location="{PLACEHOLDER}/services/Soap/{api.letter}/'.encode()
    address = f'location="{attribute(root)}/services/Soap/{api.letter}/{version}.0"'.encode()
    head, found, tail = api.packaged_wsdl.partition(ours)
    return head + address + tail.partition(b'"')[2] if found else api.packaged_wsdl


def _headers(body: bytes) -> list[tuple[str, str]]:
    return [
        ("Content-Type", "text/xml; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-cache,must-revalidate,max-age=0,no-store,private"),
        ("X-Content-Type-Options", "nosniff"),
    ]
