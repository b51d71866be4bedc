"""A browser for the pages: follows redirects within the server, fills and submits forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.oauth.conftest import APPROVED, PASSWORD, Surface

CALLBACK = "http://localhost/callback"
AUTHORIZE = "/services/oauth2/authorize"


class Page(HTMLParser):
    """Form fields, buttons and headings of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.buttons: list[str] = []
        self.labels: list[str] = []
        self.heading = ""
        self.action = ""
        self.text = text
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._inside = tag
        if tag == "form":
            self.action = found["action"] or ""
        if tag == "input":
            self.fields[found["name"] or ""] = found.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "button":
            self.buttons.append(data)
        elif self._inside == "label":
            self.labels.append(data)
        elif self._inside == "h1":
            self.heading = data


@dataclass
class Browser:
    """Cookies live in the test client."""

    surface: Surface
    log: list[int] = field(default_factory=list)

    def open(self, path: str) -> Any:
        """Follow redirects that stay on this server; the last response."""
        response = self.surface.get(path)
        while response.status_code == 302 and response.headers["Location"].startswith("/"):
            response = self.surface.get(response.headers["Location"])
        return response

    def authorize(self, app: dict[str, str] = APPROVED, **params: str) -> Any:
        """Open the authorize endpoint."""
        query = {
            "response_type": "code",
            "client_id": app["client_id"],
            "redirect_uri": CALLBACK,
            **params,
        }
        return self.open(f"{AUTHORIZE}?{urlencode(query)}")

    def log_in(self, page: Any, user: str = "standard", password: str = PASSWORD) -> Any:
        """Fill the login page."""
        form = Page(page.get_data(as_text=True))
        data = {**form.fields, "username": f"{user}@acme.example", "pw": password}
        return self._follow(self.surface.post(form.action, data=data))

    def answer(self, page: Any, decision: str) -> Any:
        """Press Allow or Deny."""
        form = Page(page.get_data(as_text=True))
        return self._follow(
            self.surface.post(form.action, data={**form.fields, "decision": decision})
        )

    def _follow(self, response: Any) -> Any:
        if response.status_code == 302 and response.headers["Location"].startswith("/"):
            return self.open(response.headers["Location"])
        return response

    def approve(self, app: dict[str, str] = APPROVED, user: str = "standard", **params: str) -> Any:
        """Log in where asked, allow where asked: the redirect back to the client."""
        response = self.authorize(app, **params)
        if response.status_code == 200 and "login_form" in response.get_data(as_text=True):
            response = self.log_in(response, user)
        if response.status_code == 200:
            response = self.answer(response, "allow")
        return response

    def tokens(
        self, app: dict[str, str] = APPROVED, user: str = "standard", **params: str
    ) -> dict[str, Any]:
        """The whole web server flow."""
        code = sent_back(self.approve(app, user, **params))["code"]
        response = self.surface.token("authorization_code", app, code=code, redirect_uri=CALLBACK)
        assert response.status_code == 200, response.get_json()
        found: dict[str, Any] = response.get_json()
        return found


def sent_back(response: Any) -> dict[str, str]:
    """Parameters of the redirect to the client (query or fragment)."""
    assert response.status_code == 302, response.get_data(as_text=True)
    location = response.headers["Location"]
    assert location.startswith(CALLBACK), location
    parts = urlsplit(location)
    return dict(parse_qsl(parts.query or parts.fragment))
