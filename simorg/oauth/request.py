"""Reading a call to an OAuth endpoint: form, query and Basic credentials, strictly and bounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from simorg.errors import OAuthError

if TYPE_CHECKING:
    from flask import Request

    from simorg.org.catalogue import OrgCatalogue

#: a token request is small: the largest honest part is an assertion of some kilobytes
MAX_BODY = 256 * 1024
MAX_PARAMETERS = 100
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class OAuthCall:
    """One HTTP call to an OAuth endpoint, parsed once. ``params`` holds form over query."""

    catalogue: OrgCatalogue
    method: str
    scheme: str
    host: str  # with port, as the client wrote it
    path: str
    params: Mapping[str, str] = field(repr=False)
    source_ip: str = "127.0.0.1"
    user_agent: str = ""
    #: credentials of ``Authorization: Basic``
    basic: tuple[str, str] | None = field(default=None, repr=False)
    #: the token of ``Authorization: Bearer`` or ``OAuth``
    bearer: str | None = field(default=None, repr=False)
    #: the request's WSGI environment, for the trace of who asks (``access.trace``)
    environ: MutableMapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def base_url(self) -> str:
        """``instance_url``: the client's own scheme and Host, no trailing slash."""
        return f"{self.scheme}://{self.host}"

    @property
    def hostname(self) -> str:
        """Host without port, lower case."""
        return _hostname(self.host)

    def get(self, name: str) -> str:
        """A parameter, empty when absent."""
        return self.params.get(name, "")

    def require(self, name: str) -> str:
        """A parameter that must be there: ``invalid_request`` otherwise."""
        value = self.params.get(name, "")
        if not value:
            raise OAuthError("invalid_request", f"missing required parameter: {name}")
        return value

    @property
    def client_id(self) -> str:
        return self.get("client_id") or (self.basic[0] if self.basic else "")

    @property
    def client_secret(self) -> str:
        return self.get("client_secret") or (self.basic[1] if self.basic else "")


def read_call(catalogue: OrgCatalogue, request: Request) -> OAuthCall:
    """Parse a Flask request. Repeated parameters, a body that is no form and huge bodies are
    refused; an ``Authorization: OAuth oauth_nonce=...`` header (nforce) is ignored."""
    params = _single(request.args.items(multi=True))
    if request.method == "POST":
        params |= _single(_form(request))
    return OAuthCall(
        catalogue=catalogue,
        method=request.method,
        scheme=request.scheme,
        host=request.host,
        path=request.path,
        params=params,
        source_ip=request.remote_addr or "127.0.0.1",
        user_agent=request.headers.get("User-Agent", "")[:255],
        basic=_basic(request.headers.get("Authorization", "")),
        bearer=bearer_token(request.headers.get("Authorization", "")),
        environ=request.environ,
    )


def bearer_token(header: str) -> str | None:
    """The token of ``Bearer x`` or ``OAuth x``; None for anything else."""
    scheme, _, value = header.strip().partition(" ")
    value = value.strip()
    if scheme.lower() not in ("bearer", "oauth") or not value or "=" in value.split("!")[0]:
        return None
    return value


def _form(request: Request) -> list[tuple[str, str]]:
    raw = _body(request)
    if not raw:
        return []
    if request.mimetype != FORM:
        raise OAuthError("invalid_request", "invalid content type, must be " + FORM)
    try:
        return parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise OAuthError("invalid_request", "malformed request body") from None


def _body(request: Request) -> bytes:
    """The body; one byte beyond the limit is read, so that a chunked one is not cut short."""
    from werkzeug.exceptions import RequestEntityTooLarge

    request.max_content_length = MAX_BODY + 1
    raw: bytes | None
    try:
        raw = request.get_data()  # kept: an overtaken request is handled again
    except RequestEntityTooLarge:
        raw = None
    if raw is None or len(raw) > MAX_BODY:
        raise OAuthError("invalid_request", "request body is too large", status=413)
    return raw


def _single(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise OAuthError("invalid_request", "request parameter repeated: " + _printable(name))
        found[name] = value
    return found


def _basic(header: str) -> tuple[str, str] | None:
    if not header[:6].lower() == "basic ":
        return None
    from authlib.oauth2.rfc6749.util import (  # type: ignore[import-untyped]
        extract_basic_authorization,
    )

    try:
        name, secret = extract_basic_authorization({"Authorization": header})
    except UnicodeDecodeError:
        name = secret = None
    if name is None or secret is None:
        raise OAuthError("invalid_basic_auth_header", "invalid basic authorization header")
    return name, secret


def _hostname(host: str) -> str:
    name, bracket, _ = host.partition("]")
    if bracket:
        return (name + bracket).lower()
    return host.partition(":")[0].lower()


def _printable(text: str) -> str:
    return "".join(c for c in text[:40] if c.isascii() and c.isprintable() and c not in '"\\')
