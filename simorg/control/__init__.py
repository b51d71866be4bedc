"""The simulator's own API under ``/_simorg/``: put orgs into the state under test."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Blueprint, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from simorg import __version__
from simorg.control import errors, guard
from simorg.control.answers import answer
from simorg.control.context import Context
from simorg.control.routes import ROUTES, Route, openapi

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

PREFIX = "/_simorg"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def blueprint(context: Context) -> Blueprint:
    """All routes of ``control.routes``, behind the guard, with the control API's errors."""
    control = Blueprint("control", __name__, url_prefix=PREFIX)
    control.before_request(lambda: guard.check(context.config.control_token))
    for route in ROUTES:
        control.add_url_rule(
            route.rule,
            endpoint=f"{route.method} {route.path}".replace(".", "_"),
            view_func=_view(route, context),
            methods=[route.method],
            provide_automatic_options=False,
        )
    document = openapi(__version__)
    control.add_url_rule("/openapi.json", "openapi", lambda: answer(document))
    control.add_url_rule("/", "nothing", _nothing, methods=_METHODS)
    control.add_url_rule("/<path:path>", "nothing", _nothing, methods=_METHODS)
    control.register_error_handler(errors.ControlError, errors.respond)
    control.register_error_handler(HTTPException, _http_error)
    return control


def _view(route: Route, context: Context) -> Callable[..., ResponseReturnValue]:
    def view(**values: str) -> ResponseReturnValue:
        return route.function(context, **values)

    return view


def _nothing(path: str = "") -> Response:
    known = {rule.method for rule in ROUTES if _fits(rule.path, path)}
    if known:
        raise errors.ControlError(
            405, "method_not_allowed", f"Allowed here: {', '.join(sorted(known))}."
        )
    raise errors.ControlError(404, "not_found", "There is no such path in the control API.")


def _fits(pattern: str, path: str) -> bool:
    wanted, given = pattern.strip("/").split("/"), path.strip("/").split("/")
    return len(wanted) == len(given) and all(
        w.startswith("{") or w == g for w, g in zip(wanted, given, strict=True)
    )


def _http_error(error: HTTPException) -> Response:
    code = "method_not_allowed" if isinstance(error, MethodNotAllowed) else "invalid"
    own = errors.ControlError(error.code or 400, code, error.description or error.name)
    return errors.respond(own)
