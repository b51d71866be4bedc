"""One request to a Setup page by a person who has logged in."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Response, make_response, render_template, request

from simorg.access import directory
from simorg.oauth import browser

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.catalogue import OrgCatalogue
    from simorg.org.org import Org
    from simorg.setup_ui.pages import Page

CSRF_FIELD = "csrf"
_FLASH_COOKIE = "setup_flash"
_FLASH_PATH = "/lightning"
_MAX_FLASH = 2000  # bytes; browsers keep cookies of 4 KB
#: no script but our own, nothing from other hosts, no frames
_CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Visit:
    """Who visits which page, and the ways to answer."""

    catalogue: OrgCatalogue
    caller: Caller
    page: Page
    sid: str

    @property
    def org(self) -> Org:
        return self.caller.org

    # -- input -----------------------------------------------------------------------------------

    def text(self, name: str, limit: int = 32_000) -> str:
        """A form field, trimmed; "" when it was not sent."""
        return request.form.get(name, "").strip()[:limit]

    def ticked(self, name: str) -> bool:
        """Whether a checkbox was sent."""
        return name in request.form

    def sent(self, name: str) -> bool:
        """Whether the form had that field."""
        return name in request.form

    def chosen(self, name: str) -> list[str]:
        """All values of a field."""
        return request.form.getlist(name)

    def asked(self, name: str, limit: int = 200) -> str:
        """A query parameter, trimmed; "" when it was not sent."""
        return request.args.get(name, "").strip()[:limit]

    def time(self, text: str | None) -> str:
        """A store text in the visitor's time zone, for people."""
        from simorg.setup_ui.times import shown

        return shown(text, self.caller.time_zone)

    # -- answers ---------------------------------------------------------------------------------

    def render(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page in the layout. Jinja escapes every value."""
        from simorg.setup_ui.pages import HOME, menu

        find = self.asked("setupSearch")
        html = render_template(
            template,
            visit=self,
            page=self.page,
            org=self.org,
            user=directory.person(self.org, self.caller.user_id),
            home=HOME,
            find=find,
            menu=menu(self.org, find),
            csrf=csrf_token(self.sid),
            flash=self._flash(),
            **values,
        )
        response = make_response(html, status)
        if _FLASH_COOKIE in request.cookies and status == 200:
            response.delete_cookie(_FLASH_COOKIE, path=_FLASH_PATH)
        return guarded(response)

    def redirect(self, path: str, message: str = "", kind: str = "done") -> Response:
        """Go to ``path`` (of this server) after a POST; the page there shows ``message`` once.

        ``kind``: "done" or "problem".
        """
        response = guarded(Response(b"", 303, {"Location": path}, mimetype="text/html"))
        if message:
            short = message.encode("utf-8", "replace")[:_MAX_FLASH].decode("utf-8", "ignore")
            text = json.dumps([kind, short], ensure_ascii=False).encode()
            value = f"{urlsafe_b64encode(text).decode()}.{_mac(self.sid, b'flash', text)}"
            browser.set_cookie(response, _FLASH_COOKIE, value, path=_FLASH_PATH)
        return response

    def _flash(self) -> tuple[str, str] | None:
        encoded, _, mac = request.cookies.get(_FLASH_COOKIE, "").partition(".")
        try:
            text = urlsafe_b64decode(encoded)
        except ValueError:
            return None
        if not mac or not hmac.compare_digest(
            mac.encode(), _mac(self.sid, b"flash", text).encode()
        ):
            return None
        kind, message = json.loads(text)
        return str(kind), str(message)


def csrf_token(sid: str) -> str:
    """What every form of a session carries; no other site knows the session id."""
    return _mac(sid, b"setup form", b"")


def csrf_valid(sid: str) -> bool:
    """Whether the posted form is one of this session's own pages."""
    given = request.form.get(CSRF_FIELD, "")
    return hmac.compare_digest(given.encode(), csrf_token(sid).encode())


def _mac(sid: str, purpose: bytes, text: bytes) -> str:
    return hmac.new(sid.encode(), purpose + b"\n" + text, hashlib.sha256).hexdigest()


def guarded(response: Response) -> Response:
    """Headers of every answer: private to this browser, this site and this page."""
    response.headers["Content-Security-Policy"] = _CSP
    return browser.guarded(response, "same-origin")
