"""The Flask face of the REST surface: one rule for everything below ``/services/data``.

One catch-all view instead of a Flask rule per resource, because Salesforce's path rules are not
Werkzeug's: doubled and trailing slashes mean nothing, every verb reaches the resource (which
answers 405 itself), ``.json``/``.xml`` endings choose the format, and composite subrequests are
routed by the same table without a WSGI environment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import BadHost

from simorg.rest.surface import Surface

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from simorg.org.catalogue import OrgCatalogue

ENDPOINT = "rest.serve"
PATHS = ("/services/data", "/services/data/", "/services/data/<path:rest>")


class Answer(Response):
    """A finished answer: the headers given are the headers sent.

    Werkzeug's own ``__call__`` copies and corrects them first, which costs more than the look-up
    of the session.
    """

    default_mimetype = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(self.status, self.headers.to_wsgi_list())
        return () if environ["REQUEST_METHOD"] == "HEAD" else self.response  # type: ignore


def blueprint(catalogue: OrgCatalogue) -> Blueprint:
    """The REST API of the orgs of ``catalogue``; register it without a prefix."""
    surface = Surface(catalogue)
    respond = surface.respond

    def serve(rest: str = "") -> Response:
        entity, status, headers = respond(request.environ, rest, request.get_data)
        return Answer([entity], status, headers)

    def unroutable(error: BadHost) -> Response | BadHost:
        """A Host header that is none keeps Flask from routing at all."""
        if not request.path.startswith(PATHS[0]):
            return error
        entity, status, headers = surface.refuse(request.environ, error)
        return Answer([entity], status, headers)

    made = Blueprint("rest", __name__)

    @made.record
    def mount(state: BlueprintSetupState) -> None:
        _mount(state.app, serve)
        state.app.register_error_handler(BadHost, unroutable)

    return made


def _mount(app: Any, serve: Callable[..., Response]) -> None:
    """Add the rules past ``add_url_rule``, which cannot say "any verb" (``methods=None``)."""
    app.view_functions[ENDPOINT] = serve
    for path in PATHS:
        rule = app.url_rule_class(path, endpoint=ENDPOINT, strict_slashes=False)
        rule.provide_automatic_options = False
        app.url_map.add(rule)
