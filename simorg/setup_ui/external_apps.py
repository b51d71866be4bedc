"""Which connected apps the customers and partners of an Experience Cloud site can use.

Salesforce has no such page; it shows the effect of
https://help.salesforce.com/s/articleView?id=xcloud.security_api_access_control_external_users.htm
by asking the gate on behalf of a partner with API Enabled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simorg.access import apps, directory, settings, user_lists
from simorg.access.gate import decide_call, decide_token
from simorg.access.model import AppState, Flow, SessionFacts, UserFacts
from simorg.setup_ui.paging import paging

if TYPE_CHECKING:
    from flask import Response

    from simorg.access.directory import App
    from simorg.access.model import AccessSettings, AppFacts, Decision
    from simorg.setup_ui.visit import Visit

PATH = "/lightning/setup/SimorgExternalApps/home"
_PAGE = 50
_PARTNER = UserFacts("", user_type="PowerPartner", permissions=frozenset({"ApiEnabled"}))
_SESSION = SessionFacts(Flow.WEB_SERVER)
_STATES = {
    AppState.INSTALLED: ("Installed", "yes"),
    AppState.UNINSTALLED: ("Not installed", "late"),
    AppState.BLOCKED: ("Blocked", "no"),
}


@dataclass(frozen=True, slots=True)
class Use:
    """Whether customers and partners can use an app: "yes", "some" (those assigned) or "no"."""

    kind: str
    reason: str

    @property
    def words(self) -> str:
        return {"yes": "Yes", "some": "Assigned users only", "no": "No"}[self.kind]


def show(visit: Visit) -> Response:
    """Every app with its use now, and with the preference the other way."""
    org = visit.org
    switches = settings.read(org)
    other = replace(
        switches,
        provisioned=True,
        external_users_installed_only=not switches.external_on,
    )
    find = visit.asked("find")
    known = [
        app
        for app in directory.apps(org).by_id.values()
        if find.lower() in app.name.lower() and (app.installed or not app.first_party)
    ]
    known.sort(key=lambda app: app.name.lower())
    shown = paging(PATH, len(known), _PAGE, visit.asked("page"), {"find": find})
    return visit.render(
        "setup_external_apps.html",
        rows=[
            (app, _STATES[app.state], use(app, switches), use(app, other), _assigned(visit, app))
            for app in known[shown.offset : shown.offset + _PAGE]
        ],
        paging=shown,
        looking_for=find,
        switches=switches,
        people=user_lists.users(org, view="external").count(org),
    )


def use(app: App, switches: AccessSettings) -> Use:
    """What a customer or partner with API Enabled meets: at login, then at the first call."""
    plain = app.facts()
    refused = _refusal(plain, switches)
    if refused is None:
        return Use("yes", "")
    if _refusal(replace(plain, assigned=True), switches) is None:
        return Use("some", refused)
    return Use("no", refused)


def _refusal(app: AppFacts, switches: AccessSettings) -> str | None:
    asked = (
        decide_token(switches, app, _PARTNER, Flow.WEB_SERVER),
        decide_call(switches, app, _PARTNER, _SESSION, "rest"),
    )
    return next((_reason(decision) for decision in asked if not decision.allowed), None)


def _reason(decision: Decision) -> str:
    return next((step.reason for step in decision.trail if not step.passed), "")


def _assigned(visit: Visit, app: App) -> list[str]:
    profiles, sets = apps.assignments(visit.org, app)
    return [*profiles, *sets]
