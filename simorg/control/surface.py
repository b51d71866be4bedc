"""The control API's blueprint: the table of routes behind the guard."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from simorg.control import console, errors, guard
from simorg.control.context import Context
from simorg.control.routes import ROUTES, Route
from simorg.org.catalogue import CatalogueError
from simorg.traffic.overtaken import again

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

PREFIX = "/_simorg"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def make_blueprint(context: Context) -> Blueprint:
    """All routes of ``control.routes``, behind the guard, with the control API's errors."""
    control = Blueprint("control", __name__, url_prefix=PREFIX)
    control.before_request(lambda: _check(context.config.control_token))
    console.add_to(control)
    for route in ROUTES:
        control.add_url_rule(
            route.rule,
            endpoint=f"{route.method} {route.path}".replace(".", "_"),
            view_func=_view(route, context),
            methods=[route.method],
            provide_automatic_options=False,
        )
    control.add_url_rule("/", "nothing", _nothing, methods=_METHODS)
    control.add_url_rule("/<path:path>", "nothing", _nothing, methods=_METHODS)
    control.register_error_handler(errors.ControlError, errors.respond)
    control.register_error_handler(HTTPException, errors.of_http)
    control.register_error_handler(CatalogueError, errors.of_catalogue)
    control.register_error_handler(Exception, errors.unexpected)
    return again(control, context.catalogue, errors.ControlError, CatalogueError)


def _check(token: str | None) -> None:
    if console.is_asset(request.path.removeprefix(PREFIX)) and request.method in ("GET", "HEAD"):
        console.check(token)
    else:
        guard.check(token)


def _view(route: Route, context: Context) -> Callable[..., ResponseReturnValue]:
    def view(**values: str) -> ResponseReturnValue:
        return route.function(context, **values)

    return view


def _nothing(path: str = "") -> Response:
    known = {rule.method for rule in ROUTES if _fits(rule.path, path)}
    if console.is_asset(f"/{path}"):
        known.add("GET")
    if known:
        raise errors.MethodRefused(known)
    raise errors.ControlError(404, "not_found", "There is no such path in the control API.")


def _fits(pattern: str, path: str) -> bool:
    wanted, given = pattern.strip("/").split("/"), path.strip("/").split("/")
    return len(wanted) == len(given) and all(
        w.startswith("{") or w == g for w, g in zip(wanted, given, strict=True)
    )
