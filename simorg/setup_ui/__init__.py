"""Setup in a browser: one module per page, listed in ``pages.py``.

``blueprint(catalogue)`` is the whole surface; a page's module loads when it is first opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Blueprint

    from simorg.org.catalogue import OrgCatalogue


def blueprint(catalogue: OrgCatalogue) -> Blueprint:
    """The Setup pages of a server's orgs."""
    from simorg.setup_ui.views import make_blueprint
    from simorg.traffic.overtaken import again

    return again(make_blueprint(catalogue), catalogue)
