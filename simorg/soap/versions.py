"""Retired API versions: SOAP answers UNSUPPORTED_API_VERSION unless the org still serves them.

https://help.salesforce.com/s/articleView?id=000354473 (21.0 to 30.0, Summer '25). Which org a
call belongs to is known from its session, for ``login`` from its username.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.soap.call import Call
from simorg.soap.faults import WireFault, api_fault

if TYPE_CHECKING:
    from simorg.org.org import Org

OLDEST_SERVED = 31


def unsupported() -> WireFault:
    """The fault for a version that is too new, was never one, or was retired."""
    return api_fault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")


def check_served(call: Call, org: Org) -> None:
    """Refuse a retired version unless the org's setting ``api.retiredVersionsServed`` is on."""
    if call.version < OLDEST_SERVED and not org.settings.get("api").get("retiredVersionsServed"):
        raise unsupported()


def check_login(call: Call, username: str) -> None:
    """The same before a login, by the org of the username; the default org's for an unknown one."""
    if call.version < OLDEST_SERVED:
        found = call.catalogue.find_user(username.strip()) if username else None
        check_served(call, found[0] if found is not None else call.catalogue.default)
