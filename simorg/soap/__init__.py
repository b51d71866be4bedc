"""SOAP: the Partner API and the Metadata API's settings calls, on Spyne behind one seam."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from simorg.org.catalogue import OrgCatalogue


def application(catalogue: OrgCatalogue) -> WSGIApplication:
    """The WSGI application for everything under ``/services/Soap/``.

    Spyne is imported here, not before: a server that nobody calls by SOAP never pays for it.
    """
    from simorg.soap.endpoint import Endpoint

    return Endpoint(catalogue)
