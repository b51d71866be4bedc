"""WSGI composition: which surface answers which path."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response

from simorg.control.context import Context
from simorg.server.request_body import RequestBody

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from simorg.org.catalogue import OrgCatalogue

_GONE = """<!doctype html><html lang="en"><title>URL No Longer Exists</title>
<h1>URL No Longer Exists</h1><p>You have attempted to reach a URL that no longer exists in this
org.</p></html>"""
_HOME = """<!doctype html><html lang="en"><title>simorg</title>
<h1>simorg</h1><p>A simulated Salesforce org is running here. REST at
<a href="/services/data">/services/data</a>, SOAP at /services/Soap/u/{version}, OAuth at
/services/oauth2/token, the control API at <a href="/_simorg/health">/_simorg/</a>.</p></html>"""


def flask_app(catalogue: OrgCatalogue, context: Context) -> Flask:
    """REST, OAuth and the control API."""
    from simorg import control, oauth, rest

    config = context.config
    app = Flask("simorg", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = config.max_body
    app.config["MAX_FORM_MEMORY_SIZE"] = config.max_body
    app.register_blueprint(rest.blueprint(catalogue))
    app.register_blueprint(oauth.blueprint(catalogue))
    app.register_blueprint(control.blueprint(context))
    app.add_url_rule("/", "home", lambda: Response(_HOME, mimetype="text/html"))
    app.register_error_handler(404, lambda _error: Response(_GONE, 404, mimetype="text/html"))
    return app


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
    catalogue, config = context.catalogue, context.config

    def soap() -> WSGIApplication:
        from simorg import soap as soap_package

        return soap_package.application(catalogue)

    return RequestBody(_Dispatch(flask_app(catalogue, context), soap), config.max_body)
