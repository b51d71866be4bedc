"""OAuth 2.0: one module per flow, plus the identity, login and approval endpoints.

``blueprint(catalogue)`` is the whole surface; the modules behind it load at the first request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Blueprint

    from simorg.org.catalogue import OrgCatalogue


def blueprint(catalogue: OrgCatalogue) -> Blueprint:
    """The OAuth endpoints of a server's orgs."""
    from simorg.oauth.views import make_blueprint
    from simorg.traffic.overtaken import again

    return again(make_blueprint(catalogue), catalogue)
