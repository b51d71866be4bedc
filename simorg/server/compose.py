"""WSGI composition: which surface answers which path."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from typing import TYPE_CHECKING, Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from simorg.control.context import Context
from simorg.server.request_body import RequestBody

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from simorg.config import ServerConfig
    from simorg.org.catalogue import OrgCatalogue

_PAGE = '<!doctype html><html lang="en"><title>{title}</title><h1>{title}</h1><p>{text}</p></html>'
_GONE = _PAGE.format(
    title="URL No Longer Exists",
    text="You have attempted to reach a URL that no longer exists in this org.",
)


def context(
    catalogue: OrgCatalogue, config: ServerConfig, folder: Path, info: Callable[[], dict[str, Any]]
) -> Context:
    """What the control API may touch. JWT Robot's key comes from ``oauth``, its equal."""

    def robot_key() -> bytes:
        from simorg.oauth.robot_key import private_pem

        return private_pem(catalogue)

    return Context(catalogue, config, folder, info, robot_key)


def flask_app(context: Context) -> Flask:
    """REST, OAuth, Setup, Visualforce pages and the control API."""
    from simorg import control, oauth, rest, setup_ui, visualforce

    catalogue, config = context.catalogue, context.config
    app = Flask("simorg", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    # RequestBody refuses at the limit; Werkzeug would cut a chunked body off there without a word
    app.config["MAX_CONTENT_LENGTH"] = config.max_body + 1
    app.config["MAX_FORM_MEMORY_SIZE"] = config.max_body + 1
    app.register_blueprint(rest.blueprint(catalogue))
    app.register_blueprint(oauth.blueprint(catalogue))
    app.register_blueprint(control.blueprint(context))
    app.register_blueprint(setup_ui.blueprint(catalogue))
    app.register_blueprint(visualforce.blueprint(catalogue))
    app.register_error_handler(HTTPException, _page)
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


class _Dispatch:
    """SOAP by path prefix, everything else to Flask. SOAP is composed at its first request."""

    def __init__(self, flask: Flask, soap: Callable[[], WSGIApplication]) -> None:
        self._flask = flask.wsgi_app
        self._make_soap = soap
        self._soap: WSGIApplication | None = None

    def __call__(
        self, environ: WSGIEnvironment, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if environ["PATH_INFO"][:15].lower() == "/services/soap/":
            if self._soap is None:
                self._soap = self._make_soap()
            return self._soap(environ, start_response)
        return self._flask(environ, start_response)


def application(context: Context) -> WSGIApplication:
    """Everything under one WSGI application."""

    def soap() -> WSGIApplication:
        from simorg import soap as soap_package

        return soap_package.application(context.catalogue)

    return RequestBody(_Dispatch(flask_app(context), soap), context.config.max_body)
