"""What ``access`` found out about a request, noted in its WSGI environment.

The journal, the log and the ``X-Simorg-Decided-By`` header read it; a request that nobody looks
at pays one dictionary entry.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simorg.access.model import Decision, Step
    from simorg.org.org import Org

#: where a WSGI environment holds the trace of its request
KEY = "simorg.trace"
#: a request that has it is told the deciding rule, whatever the org's setting
ASKED = "HTTP_X_SIMORG_EXPLAIN"

Environ = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trace:
    """Whose request it is, and what the gate said; None where nothing is known."""

    org_id: str | None = None
    username: str | None = None
    #: the connected app's name
    app: str | None = None
    #: AuthSession id, never the token
    session_id: str | None = None
    flow: str | None = None
    #: the last decision of the gate
    decision: Decision | None = None
    #: the org's setting ``diagnostics.decidingRuleHeader``
    explain: bool = False

    @property
    def step(self) -> Step | None:
        """The rule that refused, or the last one asked."""
        return self.decision.trail[-1] if self.decision and self.decision.trail else None


_NOTHING = Trace()


def explains(org: Org) -> bool:
    """Whether the org tells every client the deciding rule."""
    return bool(org.settings.read("diagnostics").deciding_rule_header)


def note(environ: Environ | None, org: Org | None = None, **known: Any) -> None:
    """Add what has become known (members of ``Trace``); ``environ`` None: nobody wants it."""
    if environ is None:
        return
    if org is not None:
        known |= {"org_id": org.id, "explain": explains(org)}
    environ[KEY] = replace(environ.get(KEY, _NOTHING), **known)


def decided_by(trace: Trace) -> str | None:
    """``G9 refused; API Access Control admits the session; https://...``, ASCII."""
    step = trace.step
    if step is None:
        return None
    outcome = "passed" if step.passed else "refused"
    text = f"{step.rule} {outcome}; {step.title}; {step.source}"
    return text.encode("ascii", "replace").decode()
