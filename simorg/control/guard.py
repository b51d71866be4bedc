"""Who may use the control API: loopback, or who holds ``--control-token``.

A browser page must not reach it behind the user's back, so requests that carry another site's
Origin are refused, and so are those whose Host is no loopback name while no token is set
(DNS rebinding).
"""

from __future__ import annotations

import hmac
import ipaddress
from urllib.parse import urlsplit

from flask import request

from simorg.control.errors import ControlError


def check(token: str | None) -> None:
    """Raise ``ControlError`` unless this request may go on."""
    origin = request.headers.get("Origin")
    if origin and origin.partition("://")[2].lower() != request.host.lower():
        raise ControlError(403, "forbidden", "Requests from other sites' pages are refused.")
    if token is not None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode(), token.encode())
        if scheme.lower() != "bearer" or not same:
            raise ControlError(401, "unauthorized", "Send Authorization: Bearer <control token>.")
    elif not (_loopback(request.remote_addr or "") and _local_name(request.host)):
        raise ControlError(
            403, "forbidden", "The control API answers on loopback only; see --control-token."
        )


def _loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback


def _local_name(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:  # an open bracket
        return False
    return name == "localhost" or name.endswith(".localhost") or _loopback(name)
