"""What Flask serves: OAuth, the control API, Setup and Visualforce pages.

REST and SOAP have their own way through WSGI, so Flask is imported with the first page.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from simorg import control, oauth, setup_ui, visualforce

if TYPE_CHECKING:
    from simorg.control.context import Context

_PAGE = '<!doctype html><html lang="en"><title>{title}</title><h1>{title}</h1><p>{text}</p></html>'
_GONE = _PAGE.format(
    title="URL No Longer Exists",
    text="You have attempted to reach a URL that no longer exists in this org.",
)


def application(context: Context) -> Flask:
    """Every path that is not of REST or SOAP."""
    app = Flask("simorg", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    # RequestBody refuses at the limit; Werkzeug would cut a chunked body off there without a word
    app.config["MAX_CONTENT_LENGTH"] = context.config.max_body + 1
    app.config["MAX_FORM_MEMORY_SIZE"] = context.config.max_body + 1
    app.register_error_handler(HTTPException, _page)
    app.register_blueprint(oauth.blueprint(context.catalogue))
    app.register_blueprint(control.blueprint(context))
    app.register_blueprint(setup_ui.blueprint(context.catalogue))
    app.register_blueprint(visualforce.blueprint(context.catalogue))
    return app


def _page(error: HTTPException) -> Response:
    """What no surface answered."""
    status = error.code or 500
    if status == 404:
        return Response(_GONE, 404, mimetype="text/html")
    page = _PAGE.format(title=escape(error.name), text=escape(error.description or ""))
    made = Response(page, status, mimetype="text/html")
    made.headers.extend([h for h in error.get_headers() if h[0] in ("Allow", "Location")])
    return made
