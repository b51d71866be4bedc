"""The gate: may this token be issued, may this call be made? Pure functions over facts."""

from __future__ import annotations

from simorg.access.call_rules import CALL_RULES, USED_UP
from simorg.access.model import (
    AccessSettings,
    AppFacts,
    Decision,
    Flow,
    SessionFacts,
    Step,
    UserFacts,
)
from simorg.access.questions import Question, Rule
from simorg.access.token_rules import TOKEN_RULES


def decide_token(
    settings: AccessSettings,
    app: AppFacts | None,
    user: UserFacts,
    flow: Flow,
    *,
    immediate: bool = False,
    ip_allowed: bool = True,
    hours_allowed: bool = True,
    high_assurance: bool = True,
) -> Decision:
    """Whether ``user`` gets a token of ``app`` (None: SOAP login, UI) by that flow.

    Secrets, redirect URIs, passwords and assertions are the caller's to check before.
    Word a refusal with ``refusals.oauth_error``, ``redirect_error`` or ``login_error``.
    """
    return _ask(
        TOKEN_RULES,
        Question(
            settings,
            app,
            user,
            flow,
            immediate=immediate,
            ip_allowed=ip_allowed,
            hours_allowed=hours_allowed,
            high_assurance=high_assurance,
        ),
    )


def decide_call(
    settings: AccessSettings,
    app: AppFacts | None,
    user: UserFacts,
    session: SessionFacts,
    surface: str,
    *,
    limit_reached: bool = False,
) -> Decision:
    """Whether a call on ``surface`` (rest, soap, bulk, ...; "ui", "identity") may be made.

    Word a refusal with ``refusals.call_error``.
    """
    question = Question(
        settings, app, user, session.flow, session, surface, limit_reached=limit_reached
    )
    return _ask(CALL_RULES, question)


def out_of_requests(decision: Decision) -> Decision:
    """What becomes of a call that was let in, in an org with no API requests left."""
    rule = CALL_RULES[-1]
    step = Step(rule.id, rule.title, False, USED_UP, rule.source)
    return Decision(False, rule.id, (*decision.trail, step), "request_limit")


def _ask(rules: tuple[Rule, ...], question: Question) -> Decision:
    trail: list[Step] = []
    for rule in rules:
        answer = rule.ask(question)
        if answer is None:
            continue
        refusal, reason = answer
        trail.append(Step(rule.id, rule.title, refusal is None, reason, rule.source))
        if refusal is not None:
            return Decision(False, rule.id, tuple(trail), refusal)
    return Decision(True, None, tuple(trail))
