"""Session Settings: how long a session lasts without use.

https://help.salesforce.com/s/articleView?id=xcloud.admin_sessions.htm
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simorg.access import needs, preferences, settings
from simorg.setup_ui.forms import FormErrors

if TYPE_CHECKING:
    from flask import Response

    from simorg.setup_ui.visit import Visit

PATH = "/lightning/setup/SecuritySession/home"
_TIMEOUTS = {
    900: "15 minutes",
    1800: "30 minutes",
    3600: "1 hour",
    7200: "2 hours",
    14400: "4 hours",
    28800: "8 hours",
    43200: "12 hours",
    86400: "24 hours",
}


def show(visit: Visit) -> Response:
    """The settings as a form."""
    return _render(visit, str(settings.session_settings(visit.org).timeout_seconds))


def save(visit: Visit) -> Response:
    """Save them. New sessions last so long; those that are open keep their timeout."""
    needs.require(visit.caller, needs.CUSTOMIZE)
    errors = FormErrors()
    asked = visit.text("timeout")
    errors.one_of("timeout", asked, "Timeout Value", dict(_options(visit)))
    if errors:
        return _render(visit, asked, errors)
    values = {"timeoutSeconds": int(asked)}
    changed = preferences.change(visit.caller, "sessions", values, needs.CUSTOMIZE)
    message = "Session Settings were saved." if changed else "Nothing was changed."
    return visit.redirect(PATH, message)


def _options(visit: Visit) -> list[tuple[str, str]]:
    """Salesforce's choices, and the org's own value where it is none of them."""
    own = settings.session_settings(visit.org).timeout_seconds
    known = _TIMEOUTS if own in _TIMEOUTS else {**_TIMEOUTS, own: f"{own} seconds (simorg)"}
    return [(str(seconds), words) for seconds, words in sorted(known.items())]


def _render(visit: Visit, timeout: str, errors: FormErrors | None = None) -> Response:
    return visit.render(
        "setup_session_settings.html",
        422 if errors else 200,
        errors=errors,
        timeout=timeout,
        options=_options(visit),
        may_edit=needs.holds(visit.caller, needs.CUSTOMIZE),
    )
