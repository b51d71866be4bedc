"""WSGI composition: which surface answers which path."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from simorg.control.context import Context
from simorg.server.request_body import RequestBody
from simorg.traffic.traffic import traffic

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from simorg.config import ServerConfig
    from simorg.org.catalogue import OrgCatalogue
    from simorg.traffic.fault_answers import Told, Words


def context(
    catalogue: OrgCatalogue, config: ServerConfig, folder: Path, info: Callable[[], dict[str, Any]]
) -> Context:
    """What the control API may touch. JWT Robot's key comes from ``oauth``, its equal."""

    def robot_key() -> bytes:
        from simorg.oauth.robot_key import private_pem

        return private_pem(catalogue)

    found = traffic(catalogue, config, folder)
    found.faults.words = fault_words(catalogue)
    return Context(catalogue, config, folder, info, robot_key, found)


def fault_words(catalogue: OrgCatalogue) -> Words:
    """How the surfaces say the error of a fault; what words it loads with the first one."""

    def say(
        environ: WSGIEnvironment, start_response: Callable[..., Any], surface: str, told: Told
    ) -> Iterable[bytes]:
        from simorg.server.fault_words import words

        return words(catalogue)(environ, start_response, surface, told)

    return say


class _Later:
    """A WSGI application that is composed when it is first called."""

    def __init__(self, make: Callable[[], WSGIApplication]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._app: WSGIApplication | None = None

    def __call__(
        self, environ: WSGIEnvironment, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        app = self._app
        if app is None:
            with self._lock:
                app = self._app = self._app or self._make()
        return app(environ, start_response)


class _Dispatch:
    """REST and SOAP by path prefix, everything else to the pages.

    Nothing but REST is composed before somebody asks for it: Spyne and the pages take longer to
    import than all that a start needs.
    """

    def __init__(
        self, rest: WSGIApplication, soap: WSGIApplication, pages: WSGIApplication
    ) -> None:
        self._rest = rest
        self._soap = soap
        self._pages = pages

    def __call__(
        self, environ: WSGIEnvironment, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith("/services/data") and path[14:15] in ("", "/"):
            return self._rest(environ, start_response)
        if path[:15].lower() == "/services/soap/":
            return self._soap(environ, start_response)
        return self._pages(environ, start_response)


def application(context: Context) -> WSGIApplication:
    """Everything under one WSGI application."""
    from simorg import rest

    def soap() -> WSGIApplication:
        from simorg import soap as soap_package

        return soap_package.application(context.catalogue)

    def pages() -> WSGIApplication:
        from simorg.server import pages as pages_module

        return pages_module.application(context).wsgi_app

    dispatch = _Dispatch(rest.Application(context.catalogue), _Later(soap), _Later(pages))
    return context.traffic.around(dispatch, lambda app: RequestBody(app, context.config.max_body))
