"""Why was I refused? The gate's trail of rules as JSON, for the control API and the CLI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simorg.access import apps, directory, policy, refusals, settings
from simorg.access.gate import decide_call, decide_token
from simorg.access.model import (
    OAUTH_FLOWS,
    REDIRECT_FLOWS,
    AppFacts,
    Decision,
    Flow,
    SessionFacts,
    Step,
)
from simorg.access.sessions import SESSION_TYPES
from simorg.errors import BadRequest, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simorg.access.directory import Person
    from simorg.org.org import Org


class UnknownFlow(BadRequest):
    """There is no such flow."""

    code = "INVALID_FIELD"
    template = "There is no flow {flow}; there are: {flows}"


class NoSuchUser(NotFoundError):
    """The org has no user of that name."""

    template = "There is no user {username} in this org"


def explain(
    org: Org,
    username: str,
    app: str | None,
    flow: str,
    surface: str = "rest",
    *,
    scopes: Iterable[str] = ("api",),
    consented: bool | None = None,
) -> dict[str, Any]:
    """Both questions, asked now and without effect: may the user log in, may the call be made.

    ``app``: name, consumer key or id; None for flows without an app. ``consented``: pretend (not)
    to have approved the app before; None looks. Shape: ``{"allowed", "login": {"allowed", "rule",
    "refusal", "error", "trail": [{"rule", "title", "passed", "reason", "source"}]}, "call": ...,
    "policy": {...} | None, "preference": ...}``. ``call`` is judged as if the login had succeeded.
    Raises ``NoSuchUser``, ``apps.NoSuchApp``, ``UnknownFlow``.
    """
    way = _flow(flow)
    person = _person(org, username)
    switches = settings.read(org)
    record = apps.find(org, app) if app else None
    facts: AppFacts | None = None
    if way in OAUTH_FLOWS:
        facts = directory.UNKNOWN_APP
    if record is not None:
        given = (consented, consented)
        if consented is None:
            given = directory.consent(org, record.id, person.facts.id)
        facts = record.facts(person, consented=bool(given[0]), authorized=bool(given[1]))
    session = SessionFacts(way, SESSION_TYPES.get(way, "Oauth2"), frozenset(scopes))
    login = decide_token(switches, facts, person.facts, way)
    call = decide_call(switches, facts, person.facts, session, surface)
    return {
        "allowed": login.allowed and call.allowed,
        "user": person.username,
        "app": record.name if record else None,
        "flow": str(way),
        "surface": surface,
        "preference": {
            "provisioned": switches.feature,
            "adminApprovedUsersOnly": switches.internal_on,
            "externalUsersInstalledOnly": switches.external_on,
        },
        "policy": None
        if record is None or facts is None
        else {
            "stored": apps.POLICY_NAMES[facts.stored_policy],
            "ui": apps.POLICY_NAMES[policy.ui_policy(facts, switches)],
            "enforced": apps.POLICY_NAMES[policy.enforced_policy(facts, switches, person.facts)],
            "apiValue": policy.api_value(facts, switches, way),
            "assigned": facts.assigned,
        },
        "login": _decision(login, _login_error(login, way)),
        "call": _decision(call, _call_error(call)),
    }


def _flow(name: str) -> Flow:
    try:
        return Flow(name)
    except ValueError:
        raise UnknownFlow(flow=name, flows=", ".join(Flow)) from None


def _person(org: Org, username: str) -> Person:
    user_id = directory.find_user(org, username)
    person = directory.person(org, user_id) if user_id else None
    if person is None:
        raise NoSuchUser(username=username)
    return person


def _decision(decision: Decision, error: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "allowed": decision.allowed,
        "rule": decision.rule,
        "refusal": decision.refusal,
        "error": error,
        "trail": [_step(step) for step in decision.trail],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "rule": step.rule,
        "title": step.title,
        "passed": step.passed,
        "reason": step.reason,
        "source": step.source,
    }


def _login_error(decision: Decision, flow: Flow) -> dict[str, Any] | None:
    if decision.refusal is None:
        return None
    if flow is Flow.SOAP_LOGIN:
        fault = refusals.login_error(decision.refusal)
        return {"where": "SOAP login()", "code": fault.code, "message": fault.message}
    if flow in REDIRECT_FLOWS:
        error, description, on_page = refusals.redirect_error(decision.refusal)
        where = "Salesforce's error page" if on_page else "redirect_uri"
        return {"where": where, "code": error, "message": description}
    problem = refusals.oauth_error(decision.refusal)
    return {"where": "token endpoint", "code": problem.error, "message": problem.description}


def _call_error(decision: Decision) -> dict[str, Any] | None:
    if decision.refusal is None:
        return None
    error = refusals.call_error(decision.refusal)
    return {
        "where": "every call",
        "status": error.status,
        "code": error.code,
        "message": error.message,
        "soapMessage": error.soap_message,
    }
