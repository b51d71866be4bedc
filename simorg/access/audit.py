"""SetupAuditTrail rows. Section and Display follow Salesforce's; the Action codes of API Access
Control and of connected app policies are documented nowhere, so those are our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.access import rows

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.store import Transaction

CONNECTED_APPS = "Connected Apps"
USERS = "Manage Users"
SECURITY = "Security Controls"


def note(caller: Caller, tx: Transaction, action: str, section: str, display: str) -> None:
    """Leave one row: who did what, now."""
    now = caller.org.clock.text()
    rows.insert(
        caller.org,
        tx,
        "SetupAuditTrail",
        {
            "Action": action,
            "Section": section,
            "Display": display[:1000],
            "CreatedById": caller.user_id,
            "CreatedDate": now,
            "SystemModstamp": now,
        },
    )
