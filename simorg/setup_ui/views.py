"""Routes of Setup: who may come in, what a form must carry, and what strangers are shown."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request

from simorg.access import needs
from simorg.access.needs import InsufficientAccess
from simorg.errors import NotFoundError
from simorg.oauth.browser import (
    LOGIN_PATH,
    SESSION_COOKIE,
    current_user,
    here,
    login_url,
    redirect,
    safe_start_url,
)
from simorg.setup_ui import pages
from simorg.setup_ui.pages import Page
from simorg.setup_ui.visit import Visit, csrf_valid, guarded

if TYPE_CHECKING:
    from simorg.org.catalogue import OrgCatalogue

_MAX_FORM = 1024 * 1024
_LOST = Page("/lightning/setup/<path:rest>", "Page not found", "views:lost")


def make_blueprint(catalogue: OrgCatalogue) -> Blueprint:
    """All pages of the registry, bound to a catalogue."""
    made = Blueprint(
        "setup_ui",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/setup-static",
    )
    for page in (*pages.PAGES, _LOST):
        name = page.view.replace(":", "_").replace(".", "_")
        made.add_url_rule(page.path, name, partial(visit, catalogue, page), methods=("GET", "POST"))
    made.add_url_rule("/", "front", partial(front, catalogue), methods=("GET",))
    for short in (
        "/lightning",
        "/lightning/page/home",
        "/lightning/setup",
        "/setup/forcecomHomepage.apexp",
    ):
        made.add_url_rule(short, f"short{short}".replace(".", "_"), to_home, methods=("GET",))
    return made


def visit(catalogue: OrgCatalogue, page: Page, **parameters: str) -> Response:
    """One page for whoever is logged in; others log in first and come back."""
    caller = current_user(catalogue)
    if caller is None:
        return guarded(redirect(login_url(here())))
    visit = Visit(catalogue, caller, page, request.cookies.get(SESSION_COOKIE, ""))
    if caller.may("ApiUserOnly"):
        return refuse(visit, (), "API Only users cannot open Setup")
    lacking = needs.missing(caller, page.need)
    if lacking:
        return refuse(visit, lacking)
    if request.method == "POST":
        request.max_content_length = request.max_form_memory_size = _MAX_FORM
        if page.action is None:
            return visit.render("setup_message.html", 405, title="Nothing to save here", lines=[])
        if not csrf_valid(visit.sid):
            lines = ["The page has expired. Nothing was changed. Go back, reload and try again."]
            return visit.render("setup_message.html", 403, title="Page expired", lines=lines)
    try:
        view = pages.resolve(page.view if request.method != "POST" else str(page.action))
        answer: Response = view(visit, **parameters)
    except InsufficientAccess as error:
        return refuse(visit, error.missing)
    except NotFoundError as error:  # no such thing, or gone since the page was looked at
        return not_found(visit, f"{error.message}.")
    return answer


def refuse(visit: Visit, lacking: tuple[str, ...], reason: str = "") -> Response:
    """Insufficient Privileges, with the permissions that are missing."""
    return visit.render("setup_refused.html", 403, lacking=lacking, reason=reason)


def not_found(visit: Visit, what: str) -> Response:
    """There is no such app, user or page."""
    return visit.render("setup_message.html", 404, title="Page not found", lines=[what])


def lost(visit: Visit, rest: str) -> Response:
    """An address below Setup that has no page."""
    return not_found(visit, "There is no Setup page at this address.")


def front(catalogue: OrgCatalogue) -> Response:
    """``/``: where a login without a destination ends."""
    start = request.args.get("startURL", "")
    caller = current_user(catalogue)
    if start:
        known = safe_start_url(start)
        query = urlencode({"startURL": known})
        return guarded(redirect(known if caller and known != "/" else f"{LOGIN_PATH}?{query}"))
    html = render_template("setup_front.html", caller=caller, home=pages.HOME)
    return guarded(make_response(html))


def to_home() -> Response:
    """Short addresses of Setup."""
    return guarded(redirect(pages.HOME))
