"""API Access Control: the preference and what it overrides.

https://help.salesforce.com/s/articleView?id=xcloud.security_api_access_control_all_users.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simorg.access import directory, needs, policy, preferences, settings
from simorg.access.model import AAC_EDITIONS, Flow, Policy
from simorg.access.settings import FeatureNotEnabled

if TYPE_CHECKING:
    from flask import Response

    from simorg.org.org import Org
    from simorg.setup_ui.visit import Visit

PATH = "/lightning/setup/ApiAccessControl/home"
_SECTION = "apiAccessControl"
_HELP = {
    "adminApprovedUsersOnly": "Every installed connected app then admits only users whose profile"
    " or permission set is assigned to it, whatever its own Permitted Users policy says.",
    "visualforceAllowed": "Calls from Visualforce domains stay possible for users with API"
    " Enabled.",
    "externalUsersInstalledOnly": "Customers and partners reach the APIs only through apps that"
    " are installed and not blocked.",
}


def listed(org: Org) -> bool:
    """The menu has the page once Salesforce provisioned the feature."""
    return settings.read(org).feature


def show(visit: Visit) -> Response:
    """The preferences; with ``?edit=1`` the form that changes them."""
    if not listed(visit.org):
        return _absent(visit)
    editing = bool(visit.asked("edit"))
    if editing:
        needs.require(visit.caller, needs.MANAGE_APPS)
    return _render(visit, editing, dict(visit.org.settings.get(_SECTION)))


def save(visit: Visit) -> Response:
    """Save the three checkboxes."""
    if not listed(visit.org):
        return _absent(visit)
    wanted = {key: visit.ticked(key) for key in _HELP}
    try:
        changed = preferences.change(visit.caller, _SECTION, wanted)
    except FeatureNotEnabled:
        return _absent(visit)
    message = "API Access Control was saved." if changed else "Nothing was changed."
    return visit.redirect(PATH, message)


def _render(visit: Visit, editing: bool, values: dict[str, Any]) -> Response:
    switches = settings.read(visit.org)
    apps = sorted(directory.apps(visit.org).by_id.values(), key=lambda app: app.name.lower())
    facts = [app.facts() for app in apps]
    diverging = [app for app in facts if policy.ui_policy(app, switches) is not app.stored_policy]
    return visit.render(
        "setup_api_access_control.html",
        editing=editing,
        boxes=[
            (key, preferences.switch(_SECTION, key).label, words, values[key])
            for key, words in _HELP.items()
        ],
        may_edit=needs.holds(visit.caller, needs.MANAGE_APPS),
        diverging=[(app, policy.api_value(app, switches, Flow.JWT_BEARER)) for app in diverging],
        would=sum(app.installed and app.stored_policy is Policy.ALL for app in facts),
        on=switches.internal_on,
    )


def _absent(visit: Visit) -> Response:
    org = visit.org
    if org.edition not in AAC_EDITIONS:
        editions = ", ".join(sorted(AAC_EDITIONS))
        lines = [
            f"API Access Control is not available in {org.edition} Edition.",
            f"Available in: {editions} Editions.",
        ]
    else:
        lines = [
            "API Access Control is not enabled for this organization.",
            "Salesforce Customer Support has to provision it. In simorg: set"
            " apiAccessControl.provisioned with the control API or in the org's definition.",
        ]
    return visit.render("setup_message.html", 404, title="API Access Control", lines=lines)
