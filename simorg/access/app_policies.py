"""Edit Policies: IP relaxation, refresh tokens, sessions and Run As of a connected app.

https://help.salesforce.com/s/articleView?id=xcloud.connected_app_manage_oauth.htm
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simorg.access import apps, audit, directory, needs, policy, rows, settings
from simorg.access.app_editing import AppRefused
from simorg.access.directory import App

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.org import Org

#: ``oauthPolicy.ipRelaxation`` and the words of Setup
IP_RELAXATION: Mapping[str, str] = {
    "ENFORCE": "Enforce IP restrictions",
    "ENFORCE_RELAXREFRESH": "Enforce IP restrictions but relax for refresh tokens",
    "BYPASS_2FACTOR": "Relax IP restrictions for activated devices",
    "BYPASS": "Relax IP restrictions",
}
#: ``oauthPolicy.refreshTokenPolicy`` (its first word) and the words of Setup
REFRESH: Mapping[str, str] = {
    "infinite": "Refresh token is valid until revoked",
    "zero": "Immediately expire refresh token",
    "specific_inactivity": "Expire refresh token if not used for",
    "specific_lifetime": "Expire refresh token after",
}
UNITS: Mapping[str, str] = {"HOURS": "Hour(s)", "DAYS": "Day(s)", "MONTHS": "Month(s)"}
#: seconds as text ("" is the org's own) and the words of Setup
TIMEOUTS: Mapping[str, str] = {
    "": "None (Session Settings of the org)",
    "900": "15 minutes",
    "1800": "30 minutes",
    "3600": "1 hour",
    "7200": "2 hours",
    "14400": "4 hours",
    "28800": "8 hours",
    "43200": "12 hours",
    "86400": "24 hours",
}
#: ``sessionPolicy.policyAction`` ("" is no session level policy) and the words of Setup
HIGH_ASSURANCE: Mapping[str, str] = {
    "": "No",
    "RaiseSessionLevel": "Yes: raise the session level",
    "Block": "Yes: block access",
}
_LONGEST = {"HOURS": 8760, "DAYS": 365, "MONTHS": 12}


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """The policies of an app as the form has them; texts come as they were typed."""

    permitted_users: str | None  # None: the form had no such field
    ip_relaxation: str
    refresh: str
    refresh_amount: str = ""
    refresh_unit: str = "DAYS"
    timeout: str = ""
    run_as: str = ""  # username
    high_assurance: str = ""  # a key of ``HIGH_ASSURANCE``


def shown_policy(org: Org, app: App) -> str:
    """Permitted Users as Setup shows it: the policy in force."""
    return apps.POLICY_NAMES[policy.ui_policy(app.facts(), settings.read(org))]


def draft_of(org: Org, app: App) -> PolicyDraft:
    """What the form shows."""
    config = app.config
    kind, _, rest = str(config.get("refreshTokenPolicy", "infinite")).partition(":")
    amount, _, unit = rest.partition(":")
    timeout = config.get("sessionTimeoutSeconds")
    person = directory.person(org, app.run_as_user_id) if app.run_as_user_id else None
    return PolicyDraft(
        shown_policy(org, app),
        str(config.get("ipRelaxation", "ENFORCE")),
        kind if kind in REFRESH else "infinite",
        amount,
        unit.upper() if unit.upper() in UNITS else "DAYS",
        "" if timeout is None else str(timeout),
        person.username if person else "",
        session_level_policy(app),
    )


def session_level_policy(app: App) -> str:
    """The key of ``HIGH_ASSURANCE`` that holds for an app."""
    if not app.high_assurance:
        return ""
    told = app.config.get("sessionPolicy")
    blocks = isinstance(told, dict) and told.get("policyAction") == "Block"
    return "Block" if blocks else "RaiseSessionLevel"


def problems(org: Org, app: App, draft: PolicyDraft) -> dict[str, str]:
    """What is wrong, by field."""
    found: dict[str, str] = {}
    choices = (
        ("permitted_users", draft.permitted_users, "Permitted Users", apps.POLICY_NAMES.values()),
        ("ip_relaxation", draft.ip_relaxation, "IP Relaxation", IP_RELAXATION),
        ("refresh", draft.refresh, "Refresh Token Policy", REFRESH),
        ("high_assurance", draft.high_assurance, "High assurance session required", HIGH_ASSURANCE),
        ("timeout", draft.timeout, "Timeout Value", {*TIMEOUTS, draft_of(org, app).timeout}),
    )
    for name, value, label, options in choices:
        if value is not None and value not in options:
            found[name] = f"{label}: bad value for restricted picklist field"
    if draft.refresh.startswith("specific_"):
        _span(draft, found)
    if draft.run_as and draft.run_as != draft_of(org, app).run_as:
        user_id = directory.find_user(org, draft.run_as)
        person = directory.person(org, user_id) if user_id else None
        if person is None:
            found["run_as"] = f"Run As: there is no user {draft.run_as[:80]}"
        elif not person.facts.active:
            found["run_as"] = "Run As: the user is inactive"
    return found


def _span(draft: PolicyDraft, found: dict[str, str]) -> None:
    longest = _LONGEST.get(draft.refresh_unit)
    amount = draft.refresh_amount
    if longest is None:
        found["refresh_amount"] = "Refresh Token Policy: choose a unit of time"
    elif not (amount.isascii() and amount.isdigit() and len(amount) <= 5):
        found["refresh_amount"] = "Refresh Token Policy: enter a whole number"
    elif not 1 <= int(amount) <= longest:
        unit = UNITS[draft.refresh_unit].lower()
        found["refresh_amount"] = f"Refresh Token Policy: enter 1 to {longest} {unit}"


def save(caller: Caller, app: App, draft: PolicyDraft) -> None:
    """Save Edit Policies: all of it, or nothing.

    Permitted Users is written only when it differs from what is shown: under API Access Control
    the form shows the override, and saving other policies must not turn it into the record.
    Raises ``InsufficientAccess``, ``AppRefused``, ``AppOperationRefused``, ``NoSuchApp``.
    """
    needs.require(caller, needs.MANAGE_APPS)
    org = caller.org
    with org.store.writing() as tx:
        app = apps.find(org, app.id)  # as it is now: its configuration is saved as a whole
        found = problems(org, app, draft)
        if found:
            raise AppRefused(found)
        if draft.permitted_users not in (None, shown_policy(org, app)):
            apps.set_policy(caller, app, str(draft.permitted_users))
        values = _values(org, app, draft)
        now = org.clock.text()
        stamps = {
            "LastModifiedById": caller.user_id,
            "LastModifiedDate": now,
            "SystemModstamp": now,
        }
        rows.change(
            org, tx, "ConnectedApplication", {**values, **stamps}, where="Id", equals=app.id
        )
        display = f"Changed policies of connected app {app.name}"
        audit.note(caller, tx, "connectedAppPolicies", audit.CONNECTED_APPS, display)
        tx.touch_access()


def _values(org: Org, app: App, draft: PolicyDraft) -> dict[str, Any]:
    refresh, period = draft.refresh, None
    if refresh.startswith("specific_"):
        period = int(draft.refresh_amount)
        refresh = f"{refresh}:{period}:{draft.refresh_unit}"
    config = {
        **app.config,
        "ipRelaxation": draft.ip_relaxation,
        "refreshTokenPolicy": refresh,
        "sessionTimeoutSeconds": int(draft.timeout) if draft.timeout else None,
    }
    config.pop("sessionPolicy", None)
    if draft.high_assurance:
        level = {"sessionLevel": "HIGH_ASSURANCE", "policyAction": draft.high_assurance}
        config["sessionPolicy"] = level
    run_as = app.run_as_user_id
    if draft.run_as != draft_of(org, app).run_as:
        run_as = directory.find_user(org, draft.run_as) if draft.run_as else None
    return {
        "simorg_Config": json.dumps(config),
        "simorg_RunAsUserId": run_as,
        "OptionsHasSessionLevelPolicy": bool(draft.high_assurance),
        "RefreshTokenValidityPeriod": period,
        "OptionsRefreshTokenValidityMetric": draft.refresh == "specific_inactivity",
    }
