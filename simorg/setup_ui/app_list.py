"""Manage Connected Apps: the installed apps, one app in detail, its keys, its end.

https://help.salesforce.com/s/articleView?id=xcloud.connected_app_manage.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.access import app_editing, apps, certificates, directory, needs, token_use
from simorg.access.app_policies import (
    HIGH_ASSURANCE,
    IP_RELAXATION,
    REFRESH,
    TIMEOUTS,
    UNITS,
    session_level_policy,
)
from simorg.access.apps import AppOperationRefused
from simorg.oauth.scopes import SCOPES
from simorg.setup_ui.apps_usage import APP, by_manifest
from simorg.setup_ui.listed import there
from simorg.setup_ui.paging import paging

if TYPE_CHECKING:
    from flask import Response

    from simorg.access.directory import App
    from simorg.setup_ui.visit import Visit

PATH = "/lightning/setup/ConnectedApplication/home"
_PAGE = 50


def path_of(app: App, what: str = "view") -> str:
    """The address of one of an app's pages."""
    return f"/lightning/setup/ConnectedApplication/{app.id}/{what}"


def show(visit: Visit) -> Response:
    """The installed apps with the Permitted Users that hold."""
    find = visit.asked("find")
    known = [
        app
        for app in directory.apps(visit.org).by_id.values()
        if app.installed and find.lower() in app.name.lower()
    ]
    known.sort(key=lambda app: app.name.lower())
    shown = paging(PATH, len(known), _PAGE, visit.asked("page"), {"find": find})
    return visit.render(
        "setup_app_list.html",
        rows=[
            (app, apps.readings(visit.org, app), path_of(app), path_of(app, "policies"))
            for app in known[shown.offset : shown.offset + _PAGE]
        ],
        labels=labels(),
        paging=shown,
        looking_for=find,
    )


def labels() -> dict[str, str]:
    """The control API's policy names -> Setup's words."""
    return {name: apps.POLICY_LABELS[policy] for policy, name in apps.POLICY_NAMES.items()}


def find_app(visit: Visit, app_id: str) -> App:
    """The app an address names, by 15 or 18 characters."""
    known = directory.apps(visit.org).by_id.values()
    return there(next((a for a in known if app_id in (a.id, a.id[:15])), None), APP)


def by_address(visit: Visit) -> Response:
    """``ConnectedApplication/page?address=/0H4...`` or ``/0Ci...``, as Salesforce has it."""
    app_id = visit.asked("address").strip("/").partition("?")[0]
    return visit.redirect(path_of(there(by_manifest(visit.org, app_id), APP)))


def detail(visit: Visit, app_id: str) -> Response:
    """One app: what it is, what holds for it, who it is for."""
    app = find_app(visit, app_id)
    return render_detail(visit, app)


def render_detail(visit: Visit, app: App, *, revealed: tuple[str, str] | None = None) -> Response:
    """The detail page; ``revealed``: consumer key and secret, after a click."""
    org = visit.org
    pem = None
    if app.certificate:
        try:
            pem = certificates.facts(app.certificate)
        except certificates.BadCertificate:
            pem = None
    run_as = directory.person(org, app.run_as_user_id) if app.run_as_user_id else None
    return visit.render(
        "setup_app_detail.html",
        app=app,
        told=apps.summary(org, app),
        labels=labels(),
        blocked=apps.looks_blocked(org, app),
        set_labels=set_labels(visit),
        users=token_use.user_counts(org).get(app.id, 0),
        scopes=[(scope, SCOPES.get(scope, "")) for scope in app.scopes],
        certificate=pem,
        flags=app_editing.draft_of(app).flags,
        flag_labels={key: label for key, (label, _) in app_editing.FLAGS.items()},
        ip_relaxation=IP_RELAXATION.get(str(app.config.get("ipRelaxation", "ENFORCE")), ""),
        refresh=refresh_words(str(app.config.get("refreshTokenPolicy", "infinite"))),
        high_assurance=HIGH_ASSURANCE[session_level_policy(app)],
        timeout=timeout_words(app.config.get("sessionTimeoutSeconds")),
        run_as=run_as.username if run_as else "",
        path=lambda what: path_of(app, what),
        revealed=revealed,
        may_rotate=needs.holds(visit.caller, needs.ROTATE),
        may_assign=needs.holds(visit.caller, needs.ASSIGN_APPS),
    )


def set_labels(visit: Visit) -> dict[str, str]:
    """API name of a permission set -> its label."""
    from simorg.access import audience

    return {choice.key: choice.label for choice in audience.permission_sets(visit.org)}


def refresh_words(rule: str) -> str:
    """``specific_lifetime:3:DAYS`` -> Expire refresh token after 3 day(s)."""
    kind, _, rest = rule.partition(":")
    amount, _, unit = rest.partition(":")
    words = REFRESH.get(kind, rule)
    return f"{words} {amount} {UNITS.get(unit.upper(), unit).lower()}" if amount else words


def timeout_words(seconds: int | None) -> str:
    """Session timeout for people."""
    key = "" if seconds is None else str(seconds)
    return TIMEOUTS.get(key, f"{key} seconds")


def act(visit: Visit, app_id: str) -> Response:
    """Reveal or rotate keys; delete the app."""
    app = find_app(visit, app_id)
    do = visit.text("do")
    if do == "reveal":
        return render_detail(visit, app, revealed=app_editing.reveal(visit.caller, app))
    if do == "rotateSecret":
        apps.rotate_secret(visit.caller, app)
        return visit.redirect(path_of(app), "There is a new consumer secret; the old one is dead.")
    if do == "rotateKey":
        app_editing.rotate_key(visit.caller, app)
        return visit.redirect(path_of(app), "There is a new consumer key; the old one is dead.")
    if do == "delete":
        try:
            app_editing.delete(visit.caller, app)
        except AppOperationRefused as error:
            return visit.redirect(path_of(app), f"{error.message}.", "problem")
        return visit.redirect(PATH, f"{app.name} was deleted.")
    return visit.redirect(path_of(app), "There is no such action.", "problem")
