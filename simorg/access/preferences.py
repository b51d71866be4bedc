"""Switches changed by an administrator: permission, validation, one audit row per change.

``settings.update`` is the server's own way; this one acts for a person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from simorg.access import audit, needs, settings
from simorg.access.needs import Need

if TYPE_CHECKING:
    from simorg.org.caller import Caller


@dataclass(frozen=True, slots=True)
class Switch:
    """How Setup calls a setting, and under which heading the audit trail files its changes."""

    label: str
    section: str = audit.SECURITY


#: (settings section, key) -> the words of Setup; others are named by their key
#: labels: https://help.salesforce.com/s/articleView?id=xcloud.security_api_access_control_all_users.htm
#: and https://help.salesforce.com/s/articleView?id=xcloud.security_api_access_control_external_users.htm
SWITCHES: Mapping[tuple[str, str], Switch] = MappingProxyType(
    {
        ("apiAccessControl", "adminApprovedUsersOnly"): Switch(
            "For admin-approved users, limit API access to only allowlisted connected apps.",
            audit.CONNECTED_APPS,
        ),
        ("apiAccessControl", "externalUsersInstalledOnly"): Switch(
            "For customers and partners, limit API access to only installed connected apps.",
            audit.CONNECTED_APPS,
        ),
        ("apiAccessControl", "visualforceAllowed"): Switch(
            "Allow Visualforce pages to access APIs", audit.CONNECTED_APPS
        ),
        ("oauth", "blockUsernamePasswordFlow"): Switch("Block OAuth Username-Password Flows"),
        ("oauth", "blockUserAgentFlow"): Switch("Block OAuth User-Agent Flows"),
        ("oauth", "pkceRequired"): Switch(
            "Require Proof Key for Code Exchange (PKCE) Extension for Supported Authorization Flows"
        ),
        ("oauth", "clientCredentialsEnabled"): Switch("Allow Client Credentials Flows"),
        ("oauth", "clientCredentialsMyDomainOnly"): Switch(
            "Serve Client Credentials Flows at My Domain Only"
        ),
        ("oauth", "jwtLifetimeSeconds"): Switch("Longest Validity of a JWT in Seconds"),
        ("connectedApps", "usageRestrictions"): Switch(
            "Restrict Use of Uninstalled Connected Apps", audit.CONNECTED_APPS
        ),
        ("connectedApps", "anyApiClientApprovesUninstalled"): Switch(
            "Use Any API Client Also Approves Uninstalled Connected Apps", audit.CONNECTED_APPS
        ),
        ("connectedApps", "reauthorizeAfterInstall"): Switch(
            "Ask Users to Authorize an App Anew After It Is Installed", audit.CONNECTED_APPS
        ),
        ("sessions", "timeoutSeconds"): Switch("Session Timeout Value in Seconds"),
    }
)


def switch(section: str, key: str) -> Switch:
    """The words for a setting."""
    known = SWITCHES.get((section, key))
    return known or Switch(re.sub(r"(?<!^)(?=[A-Z])", " ", key).capitalize())


def change(
    caller: Caller, section: str, changes: Mapping[str, Any], need: Need = needs.MANAGE_APPS
) -> list[str]:
    """Change settings of a section (control API names); the keys whose values changed.

    All of them or none. Raises ``needs.InsufficientAccess``, ``settings.FeatureNotEnabled``,
    ``settings.SettingRefused``. Which permission a preference page asks for is not documented
    per switch: the default is what connected apps ask for.
    """
    needs.require(caller, need)
    org = caller.org
    with org.store.writing() as tx:
        before = dict(org.settings.get(section))
        changed = [key for key, value in changes.items() if before.get(key) != value]
        if not changed:
            return []
        settings.update(org, section, {key: changes[key] for key in changed})
        for key in changed:
            words = switch(section, key)
            display = f"{words.label.rstrip('.')}: {_change(before.get(key), changes[key])}"
            action = f"{section}{key[0].upper()}{key[1:]}"
            audit.note(caller, tx, action, words.section, display)
    return changed


def _change(old: Any, new: Any) -> str:
    if isinstance(new, bool):
        return "switched on" if new else "switched off"
    return f"changed from {_shown(old)} to {_shown(new)}"


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
