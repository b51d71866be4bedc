"""Requests for Visualforce pages: from a browser's login to a session of the page's own.

On Salesforce pages live on a domain of their own, so a login is carried over to it by
``/visualforce/session``; we imitate that for Visualforce hosts. Below ``/apex/`` of any other
host a page is served without it, and there no script of a page runs: it would be on the same
origin as Setup.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, make_response, render_template, request

from simorg.access import page_sessions, sessions, visualforce
from simorg.access.model import Flow
from simorg.oauth.browser import (
    caller_of,
    current_user,
    guarded,
    here,
    login_url,
    redirect,
    safe_start_url,
    set_cookie,
)
from simorg.org.query import query
from simorg.visualforce.markup import render
from simorg.visualforce.merge import Context, MarkupError

if TYPE_CHECKING:
    from simorg.access.sessions import Session
    from simorg.org.caller import Caller
    from simorg.org.catalogue import OrgCatalogue
    from simorg.org.org import Org

COOKIE = "visualforce_sid"
_REFERRER = "same-origin"
_NAME = re.compile(r"[A-Za-z]\w{0,79}\Z", re.A)
_CSP = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
_AT_HOST = (
    f"{_CSP}script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'"
)
_BY_PATH = f"{_CSP}script-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:"


def make_blueprint(catalogue: OrgCatalogue) -> Blueprint:
    """``/apex/...`` and what carries a login over to a Visualforce host."""
    made = Blueprint("visualforce", __name__, template_folder="templates")
    for path, view in (
        (f"{visualforce.PAGE_PATH}<name>", page),
        ("/visualforce/session", carry_over),
        ("/visualforce/enter", enter),
        ("/visualforce/getSessionId", get_session_id),
    ):
        made.add_url_rule(path, view.__name__, partial(view, catalogue), methods=("GET",))
    return made


# -- pages ---------------------------------------------------------------------------------------


def page(catalogue: OrgCatalogue, name: str) -> Response:
    """A page, with a Visualforce session of whoever is logged in."""
    known = _page_session(catalogue)
    if isinstance(known, Response):
        return known
    caller, token = known
    found = _find(caller.org, name)
    if found is None:
        return _problem(404, "Page not found", f"Page {name[:80]} does not exist")
    title, markup = found
    context = Context(caller, token, request.host_url.rstrip("/"), title, request.args.to_dict())
    try:
        response = make_response(render(markup, context))
    except MarkupError as error:
        return _problem(400, "Visualforce Error", str(error))
    return _keep(response, token)


def get_session_id(catalogue: OrgCatalogue) -> Response:
    """``getSessionId()`` as JSON; ``context``: page (default), external or lightning."""
    context = request.args.get("context", "page")
    if context not in ("page", "external", "lightning"):
        problem = "context is page, external or lightning"
        return guarded(make_response(jsonify(error=problem), 400), _REFERRER)
    known = _page_session(catalogue)
    if isinstance(known, Response):
        return known
    caller, token = known
    given = token
    if context == "lightning":
        given = page_sessions.open_lightning(
            caller.org, caller.user_id, parent_id=caller.session_id, source_ip=_address()
        ).token
    return _keep(make_response(jsonify(context=context, sessionId=given)), token)


def _page_session(catalogue: OrgCatalogue) -> tuple[Caller, str] | Response:
    """The caller and token of the page's session; or where to go first."""
    token = request.cookies.get(COOKIE, "")
    caller = _visualforce_caller(catalogue, token)
    domain = visualforce.domain_of(_hostname())
    if domain is not None:
        if caller is not None and domain == caller.org.my_domain.lower():
            return caller, token
        return _redirect(_home_url())
    person = current_user(catalogue)
    if person is None:
        return _redirect(login_url(here()))
    if caller is not None and caller.user_id == person.user_id and caller.org is person.org:
        return caller, token
    if person.may("ApiUserOnly"):
        return _problem(403, "Insufficient Privileges", "API Only users cannot open pages")
    opened = page_sessions.open_visualforce(
        person.org, person.user_id, parent_id=person.session_id, source_ip=_address()
    )
    return _opened(catalogue, opened)


def _opened(catalogue: OrgCatalogue, opened: Session) -> tuple[Caller, str]:
    caller = sessions.authenticate(
        catalogue, opened.token, surface="ui", enforce=False, environ=request.environ
    )
    return caller, opened.token


def _visualforce_caller(catalogue: OrgCatalogue, token: str) -> Caller | None:
    caller = caller_of(catalogue, token)
    if caller is None:
        return None
    located = sessions.locate(catalogue, token)
    kind = located[1].session_type if located else None
    return caller if caller.flow is Flow.VISUALFORCE and kind == "Visualforce" else None


def _find(org: Org, name: str) -> tuple[str, str] | None:
    """Name and markup of the page of that name (any case)."""
    if not _NAME.match(name):
        return None
    found = query(org.system_caller(), f"SELECT Name, Markup FROM ApexPage WHERE Name = '{name}'")
    columns = {item.name: item.index for item in found.layout.items}  # type: ignore[union-attr]
    for row in found.rows:
        return str(row[columns["Name"]]), str(row[columns["Markup"]] or "")
    return None


# -- from the login's host to the page's ---------------------------------------------------------


def carry_over(catalogue: OrgCatalogue) -> Response:
    """On the login's host: send whoever is logged in on to the Visualforce host."""
    host, start = request.args.get("host", "").lower(), safe_start_url(request.args.get("url", ""))
    person = current_user(catalogue)
    if person is None:
        return _redirect(login_url(here()))
    if visualforce.domain_of(host) != person.org.my_domain.lower():
        text = "You are logged in to another org than the page's."
        return _problem(403, "Insufficient Privileges", text)
    if person.may("ApiUserOnly"):
        return _problem(403, "Insufficient Privileges", "API Only users cannot open pages")
    ticket = page_sessions.open_exchange(
        person.org, person.user_id, parent_id=person.session_id, source_ip=_address()
    )
    query_string = urlencode({"token": ticket.token, "url": start})
    return _redirect(f"{request.scheme}://{host}{_port()}/visualforce/enter?{query_string}")


def enter(catalogue: OrgCatalogue) -> Response:
    """On the Visualforce host: take the page's session, once."""
    token, start = request.args.get("token", ""), safe_start_url(request.args.get("url", ""))
    org = catalogue.living(token[:15]) if token[15:16] == "!" else None
    here = org is not None and visualforce.domain_of(_hostname()) == org.my_domain.lower()
    opened = (
        page_sessions.redeem_exchange(org, token, source_ip=_address()) if org and here else None
    )
    if opened is None:
        return _problem(403, "Session expired", "Please open the page again.")
    response = _redirect(start)
    set_cookie(response, COOKIE, opened.token)
    return response


def _home_url() -> str:
    hostname = _hostname()
    query_string = urlencode({"host": hostname, "url": here()})
    home = visualforce.home_of(hostname)
    return f"{request.scheme}://{home}{_port()}/visualforce/session?{query_string}"


# -- answers -------------------------------------------------------------------------------------


def _redirect(location: str) -> Response:
    return guarded(redirect(location), _REFERRER)


def _keep(response: Response, token: str) -> Response:
    at_host = visualforce.domain_of(_hostname()) is not None
    response.headers["Content-Security-Policy"] = _AT_HOST if at_host else _BY_PATH
    if request.cookies.get(COOKIE) != token:
        set_cookie(response, COOKIE, token)
    return guarded(response, _REFERRER)


def _problem(status: int, title: str, text: str) -> Response:
    html = render_template("visualforce_error.html", title=title, text=text)
    response = make_response(html, status)
    response.headers["Content-Security-Policy"] = _CSP
    return guarded(response, _REFERRER)


def _hostname() -> str:
    return request.host.rpartition(":")[0] if _port() else request.host


def _port() -> str:
    _, colon, port = request.host.rpartition(":")
    return f":{port}" if colon and port.isdigit() else ""


def _address() -> str:
    return request.remote_addr or "127.0.0.1"
