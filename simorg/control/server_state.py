"""The server itself: health, the JWT Robot's key, explanations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask import Response

from simorg import __version__
from simorg.access.explain import explain
from simorg.control.answers import answer, body
from simorg.control.context import Context
from simorg.control.errors import invalid
from simorg.control.trail import as_text
from simorg.errors import SalesforceError

if TYPE_CHECKING:
    from simorg.org.org import Org

SURFACES = ("rest", "soap", "bulk")


def health(context: Context) -> Response:
    return answer({"status": "ok", "version": __version__, **context.info()})


def jwt_robot_key(context: Context) -> Response:
    """The private key (PEM) whose certificate the JWT Robot app of every org carries."""
    return Response(context.robot_key(), mimetype="application/x-pem-file")


def certificate(context: Context) -> Response:
    """The local CA's certificate (PEM), for clients that do not share our file system."""
    pem = Path(context.info()["ca"]).read_bytes()
    return Response(pem, mimetype="application/x-pem-file")


#: characters of a username
_LONGEST_NAME = 80


def _full_name(org: Org, name: str) -> str:
    """``standard`` -> ``standard@acme.example``: the one user whose name so begins."""
    if "@" in name or not name.isprintable() or len(name) > _LONGEST_NAME:
        return name
    table = org.store.table("User")
    begins = org.store.folded(table.c.Username).startswith(f"{name.lower()}@", autoescape=True)
    with org.store.reading() as reader:
        found = reader.rows(org.store.prepare(sa.select(table.c.Username).where(begins)))
    return str(found[0][0]) if len(found) == 1 else name


def explanation(context: Context, id: str) -> Response:
    """``{user, app?, flow?, surface?}``: would it get in, and every rule asked on the way.

    Without a flow it is the password flow, without an app too the SOAP login.
    """
    org = context.org(id)
    asked = body()
    for key, value in asked.items():
        if key not in ("user", "app", "flow", "surface"):
            raise invalid(f"There is no member {key}.", key)
        if value is not None and not isinstance(value, str):
            raise invalid(f"{key} must be a string.", key)
    surface = asked.get("surface") or SURFACES[0]
    if surface not in SURFACES:
        raise invalid(f"surface must be one of {', '.join(SURFACES)}.", "surface")
    if not asked.get("user"):
        raise invalid("user is required.", "user")
    try:
        found = explain(
            org,
            _full_name(org, asked["user"]),
            asked.get("app"),
            asked.get("flow") or ("password" if asked.get("app") else "soap_login"),
            surface,
        )
    except SalesforceError as error:
        raise invalid(error.message) from None
    return answer({**found, "text": as_text(found)})
