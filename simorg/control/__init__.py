"""The simulator's own API under ``/_simorg/``: put orgs into the state under test.

``blueprint(context)`` is the whole surface; the modules behind it load with the first request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Blueprint

    from simorg.control.context import Context


def blueprint(context: Context) -> Blueprint:
    """The control API of a server."""
    from simorg.control.surface import make_blueprint

    return make_blueprint(context)
