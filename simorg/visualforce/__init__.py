"""Visualforce pages: records of the org, served from its Visualforce host or below ``/apex/``.

``blueprint(catalogue)`` is the whole surface (docs/visualforce.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Blueprint

    from simorg.org.catalogue import OrgCatalogue


def blueprint(catalogue: OrgCatalogue) -> Blueprint:
    """The Visualforce pages of a server's orgs."""
    from simorg.traffic.overtaken import again
    from simorg.visualforce.routes import make_blueprint

    return again(make_blueprint(catalogue), catalogue)
