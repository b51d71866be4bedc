"""OAuth and OpenID Connect Settings: which flows the org allows at all.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_oauthoidcsettings.htm
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simorg.access import needs, preferences
from simorg.access.settings import SettingRefused
from simorg.setup_ui.forms import FormErrors

if TYPE_CHECKING:
    from flask import Response

    from simorg.setup_ui.visit import Visit

PATH = "/lightning/setup/OauthOidcSettings/home"


@dataclass(frozen=True, slots=True)
class Box:
    """A checkbox of the page over a switch of a settings section."""

    section: str
    key: str
    label: str
    help: str
    #: ticked means the switch is off: the page says Allow where the setting says block
    inverted: bool = False
    #: Salesforce's page has no such box
    own: bool = False


BOXES = (
    Box(
        "oauth",
        "blockUsernamePasswordFlow",
        "Allow OAuth Username-Password Flows",
        "Unticked, the flow answers invalid_grant, authentication failure.",
        inverted=True,
    ),
    Box(
        "oauth",
        "blockUserAgentFlow",
        "Allow OAuth User-Agent Flows",
        "Unticked, response_type=token is refused.",
        inverted=True,
    ),
    Box(
        "oauth",
        "pkceRequired",
        "Require Proof Key for Code Exchange (PKCE) Extension for Supported Authorization Flows",
        "Whatever the connected app says.",
    ),
    Box(
        "oauth",
        "clientCredentialsEnabled",
        "Allow Client Credentials Flows",
        "The connected app must allow the flow too and name the user it runs as.",
        own=True,
    ),
    Box(
        "oauth",
        "clientCredentialsMyDomainOnly",
        "Serve Client Credentials Flows at My Domain only",
        "As Salesforce does; a test server is often reached as localhost.",
        own=True,
    ),
    Box(
        "connectedApps",
        "usageRestrictions",
        "Restrict use of uninstalled connected apps",
        "Since September 2025: users without Approve Uninstalled Connected Apps cannot newly"
        " authorize an app that is not installed.",
        own=True,
    ),
    Box(
        "connectedApps",
        "anyApiClientApprovesUninstalled",
        "Use Any API Client also approves uninstalled connected apps",
        "As it did before 8 December 2025.",
        own=True,
    ),
    Box(
        "connectedApps",
        "reauthorizeAfterInstall",
        "Ask users to authorize an app anew after it is installed",
        "Tokens from before the installation end with it.",
        own=True,
    ),
)
_LIFETIME = "jwtLifetimeSeconds"
_LONGEST = 86_400


def show(visit: Visit) -> Response:
    """The settings as a form."""
    ticks = {
        box.key: bool(visit.org.settings.get(box.section)[box.key]) != box.inverted for box in BOXES
    }
    return _render(visit, ticks, str(visit.org.settings.get("oauth")[_LIFETIME]))


def save(visit: Visit) -> Response:
    """Save all of it, or nothing."""
    needs.require(visit.caller, needs.CUSTOMIZE)
    ticks = {box.key: visit.ticked(box.key) for box in BOXES}
    lifetime = visit.text(_LIFETIME, 100)
    errors = FormErrors()
    if not (lifetime.isascii() and lifetime.isdigit() and 0 < int(lifetime) <= _LONGEST):
        errors.add(_LIFETIME, f"JWT validity: a whole number of seconds from 1 to {_LONGEST}")
        return _render(visit, ticks, lifetime, errors)
    changes: dict[str, dict[str, Any]] = {"oauth": {_LIFETIME: int(lifetime)}}
    for box in BOXES:
        changes.setdefault(box.section, {})[box.key] = ticks[box.key] != box.inverted
    try:
        with visit.org.store.writing():
            changed = [
                key
                for section, values in changes.items()
                for key in preferences.change(visit.caller, section, values, needs.CUSTOMIZE)
            ]
    except SettingRefused as error:
        errors.add("", error.message)
        return _render(visit, ticks, lifetime, errors)
    words = "OAuth and OpenID Connect Settings were saved." if changed else "Nothing was changed."
    return visit.redirect(PATH, words)


def _render(
    visit: Visit, ticks: dict[str, bool], lifetime: str, errors: FormErrors | None = None
) -> Response:
    return visit.render(
        "setup_oauth_settings.html",
        422 if errors else 200,
        boxes=BOXES,
        ticks=ticks,
        lifetime=lifetime,
        errors=errors,
        may_edit=needs.holds(visit.caller, needs.CUSTOMIZE),
    )
