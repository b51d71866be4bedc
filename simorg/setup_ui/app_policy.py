"""Edit Policies of a connected app, and the profiles and permission sets it is for.

https://help.salesforce.com/s/articleView?id=xcloud.connected_app_manage_oauth.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.access import app_policies, apps, audience, needs, policy, settings
from simorg.access.app_editing import AppRefused
from simorg.access.app_policies import (
    HIGH_ASSURANCE,
    IP_RELAXATION,
    REFRESH,
    TIMEOUTS,
    UNITS,
    PolicyDraft,
)
from simorg.access.apps import AppOperationRefused
from simorg.errors import NotFoundError
from simorg.setup_ui.app_list import find_app, labels, path_of, timeout_words
from simorg.setup_ui.forms import FormErrors

if TYPE_CHECKING:
    from flask import Response

    from simorg.access.audience import Choice
    from simorg.access.directory import App
    from simorg.setup_ui.visit import Visit


def _installed(visit: Visit, app_id: str) -> App:
    app = find_app(visit, app_id)
    if not app.installed:
        raise NotFoundError("Install the app first: policies are managed for installed apps")
    return app


def show(visit: Visit, app_id: str) -> Response:
    """The form."""
    app = _installed(visit, app_id)
    return _render(visit, app, app_policies.draft_of(visit.org, app))


def save(visit: Visit, app_id: str) -> Response:
    """Save the form."""
    app = _installed(visit, app_id)
    draft = PolicyDraft(
        visit.text("permitted_users") if visit.sent("permitted_users") else None,
        visit.text("ip_relaxation"),
        visit.text("refresh"),
        visit.text("refresh_amount"),
        visit.text("refresh_unit"),
        visit.text("timeout"),
        visit.text("run_as", 255),
        visit.text("high_assurance"),
    )
    errors = FormErrors()
    try:
        app_policies.save(visit.caller, app, draft)
    except AppRefused as error:
        errors.take(error.problems)
    except AppOperationRefused as error:
        errors.add("permitted_users", f"Permitted Users: {error.message}")
    if errors:
        return _render(visit, app, draft, errors)
    return visit.redirect(path_of(app), f"The policies of {app.name} were saved.")


def _render(
    visit: Visit, app: App, draft: PolicyDraft, errors: FormErrors | None = None
) -> Response:
    switches = settings.read(visit.org)
    overridden = policy.overridden(app.facts(), switches)
    locked = overridden and settings.api_access_control(visit.org).permitted_users_locked
    timeouts = dict(TIMEOUTS)
    current = app_policies.draft_of(visit.org, app).timeout
    timeouts.setdefault(current, timeout_words(int(current) if current else None))
    return visit.render(
        "setup_app_policies.html",
        422 if errors else 200,
        app=app,
        draft=draft,
        errors=errors,
        told=apps.readings(visit.org, app),
        labels=labels(),
        policies=labels().items(),
        ip_relaxations=IP_RELAXATION.items(),
        refreshes=REFRESH.items(),
        units=UNITS.items(),
        timeouts=timeouts.items(),
        high_assurances=HIGH_ASSURANCE.items(),
        overridden=overridden,
        locked=locked,
        path=lambda what: path_of(app, what),
    )


# -- profiles and permission sets ----------------------------------------------------------------


def show_profiles(visit: Visit, app_id: str) -> Response:
    """Manage Profiles."""
    return _choices(visit, app_id, "profiles")


def show_permission_sets(visit: Visit, app_id: str) -> Response:
    """Manage Permission Sets."""
    return _choices(visit, app_id, "permission_sets")


def save_profiles(visit: Visit, app_id: str) -> Response:
    """The profiles ticked are those the app is for."""
    return _assign(visit, app_id, "profiles")


def save_permission_sets(visit: Visit, app_id: str) -> Response:
    """The permission sets ticked are those the app is for."""
    return _assign(visit, app_id, "permission_sets")


_TITLES = {"profiles": "Manage Profiles", "permission_sets": "Manage Permission Sets"}
_NOUNS = {"profiles": "profiles", "permission_sets": "permission sets"}


def _known(visit: Visit, kind: str) -> list[Choice]:
    find = audience.profiles if kind == "profiles" else audience.permission_sets
    return find(visit.org)


def _choices(visit: Visit, app_id: str, kind: str, problem: str = "") -> Response:
    app = find_app(visit, app_id)
    needs.require(visit.caller, needs.ASSIGN_APPS)
    errors = FormErrors()
    if problem:
        errors.add("", problem)
    return visit.render(
        "setup_app_assign.html",
        422 if errors else 200,
        app=app,
        title=_TITLES[kind],
        noun=_NOUNS[kind],
        choices=[(c, c.set_id in app.assigned_to) for c in _known(visit, kind)],
        told=apps.readings(visit.org, app),
        errors=errors,
        back=path_of(app),
    )


def _assign(visit: Visit, app_id: str, kind: str) -> Response:
    app = find_app(visit, app_id)
    chosen = list(dict.fromkeys(visit.chosen("assigned")))
    try:
        apps.assign(visit.caller, app, **{kind: chosen})
    except AppOperationRefused as error:
        return _choices(visit, app_id, kind, f"{error.message[:200]}.")
    count = f"{len(chosen)} {_NOUNS[kind]}"
    return visit.redirect(path_of(app), f"{app.name} is assigned to {count}.")
