"""Connected apps made, changed and deleted by an administrator.

Members follow the Metadata API's ConnectedApp type:
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_connectedapp.htm
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from simorg.access import apps, audit, certificates, directory, menu, needs, rows, settings
from simorg.access.directory import App
from simorg.access.session_ends import end_sessions_of_app
from simorg.errors import BadRequest

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.org import Org

_OBJECT = "ConnectedApplication"
_EMAIL = re.compile(r"[^@\s<>\"']+@[^@\s<>\"']+\.[^@\s<>\"'.]+\Z")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*\Z")
#: schemes that run or read something in the browser itself
_FORBIDDEN = frozenset({"javascript", "data", "vbscript", "file", "about", "blob"})
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_MAX_URLS = 2000

#: config keys of an app's flows, with their words in Setup and their default
#: (https://help.salesforce.com/s/articleView?id=xcloud.connected_app_create_api_integration.htm)
FLAGS: Mapping[str, tuple[str, bool]] = {
    "isPkceRequired": ("Require Proof Key for Code Exchange (PKCE) Extension", False),
    "isSecretRequiredForWebServer": ("Require Secret for Web Server Flow", True),
    "isSecretRequiredForRefreshToken": ("Require Secret for Refresh Token Flow", True),
    "isClientCredentialEnabled": ("Enable Client Credentials Flow", False),
    "isDeviceFlowEnabled": ("Enable for Device Flow", False),
    "isTokenExchangeEnabled": ("Enable Token Exchange Flow", False),
    "isSecretRequiredForTokenExchange": ("Require Secret for Token Exchange Flow", True),
    "isNamedUserJwtEnabled": (
        "Issue JSON Web Token (JWT)-based Access Tokens for Named Users",
        False,
    ),
    "isRefreshTokenRotationEnabled": ("Enable Refresh Token Rotation", False),
    "isIntrospectAllTokens": ("Introspect All Tokens", False),
}


class AppRefused(BadRequest):
    """The app cannot be saved so; ``fields`` of the message maps are those of ``AppDraft``."""

    code = "FIELD_INTEGRITY_EXCEPTION"

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()), fields=tuple(problems))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class AppDraft:
    """An app as its form has it."""

    name: str
    contact_email: str
    description: str = ""
    callback_urls: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    certificate: str = ""
    flags: Mapping[str, bool] = field(default_factory=dict)


def draft_of(app: App) -> AppDraft:
    """What the form shows of an app there is."""
    config = app.config
    flags = {key: bool(config.get(key, default)) for key, (_, default) in FLAGS.items()}
    flags["isSecretRequiredForWebServer"] = not config.get("isConsumerSecretOptional", False)
    return AppDraft(
        app.name,
        str(config.get("contactEmail", "")),
        str(config.get("description", "")),
        app.callback_urls,
        app.scopes,
        app.certificate or "",
        flags,
    )


def problems(
    org: Org, draft: AppDraft, known_scopes: Mapping[str, str], app: App | None = None
) -> dict[str, str]:
    """What is wrong, by field. ``known_scopes`` are those the OAuth endpoints understand."""
    found: dict[str, str] = {}
    if not draft.name:
        found["name"] = "Connected App Name: You must enter a value"
    elif len(draft.name) > 80:
        found["name"] = "Connected App Name: data value too large (max length=80)"
    elif not draft.name.isprintable():
        found["name"] = "Connected App Name: control characters are not allowed"
    else:
        other = directory.apps(org).by_name.get(draft.name.lower())
        if other is not None and (app is None or other.id != app.id):
            found["name"] = "Connected App Name: an app of this name exists already"
    if not draft.contact_email:
        found["contact_email"] = "Contact Email: You must enter a value"
    elif len(draft.contact_email) > 80 or not _is_email(draft.contact_email):
        found["contact_email"] = "Contact Email: Invalid Email Address"
    if len(draft.description) > 256:
        found["description"] = "Description: data value too large (max length=256)"
    elif not draft.description.isprintable():
        found["description"] = "Description: control characters are not allowed"
    _urls(draft, found)
    if not draft.scopes:
        found["scopes"] = "Selected OAuth Scopes: choose at least one"
    elif unknown := [scope for scope in draft.scopes if scope not in known_scopes]:
        found["scopes"] = f"Selected OAuth Scopes: there is no scope {unknown[0][:40]}"
    if draft.certificate:
        try:
            certificates.check(draft.certificate)
        except certificates.BadCertificate as error:
            found["certificate"] = f"Use digital signatures: {error}"
    return found


def _is_email(text: str) -> bool:
    return text.isprintable() and _EMAIL.match(text) is not None


def _urls(draft: AppDraft, found: dict[str, str]) -> None:
    if not draft.callback_urls:
        found["callback_urls"] = "Callback URL: You must enter a value"
    elif sum(map(len, draft.callback_urls)) > _MAX_URLS:
        found["callback_urls"] = f"Callback URL: data value too large (max length={_MAX_URLS})"
    for url in draft.callback_urls:
        reason = _bad_url(url)
        if reason:
            found.setdefault("callback_urls", f"Callback URL: {url[:100]} {reason}")


def _bad_url(url: str) -> str | None:
    if not (url.isascii() and url.isprintable()):
        return "has characters that no URL has"
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return "is no valid URL"
    scheme = parts.scheme.lower()
    if not _SCHEME.match(scheme) or scheme in _FORBIDDEN:
        return "must begin with https://, http://localhost or the scheme of an app"
    if scheme in ("http", "https") and not host:
        return "names no host"
    local = host is not None and (host in _LOCAL or host.endswith(".localhost"))
    if scheme == "http" and not local:
        return "must use https (http is for localhost)"
    if parts.fragment or url.endswith("#"):
        return "must have no fragment"
    return None


def create(caller: Caller, draft: AppDraft, known_scopes: Mapping[str, str]) -> App:
    """A new app of this org: installed, with a new consumer key and secret.

    Raises ``InsufficientAccess``, ``AppRefused``.
    """
    needs.require(caller, needs.MANAGE_APPS)
    org = caller.org
    control = settings.api_access_control(org)
    with org.store.writing() as tx:
        _refuse(problems(org, draft, known_scopes))
        admin = control.new_install_policy == apps.ADMIN_APPROVED and settings.read(org).internal_on
        now = org.clock.text()
        app_id = rows.insert(
            org,
            tx,
            _OBJECT,
            {
                **_values(draft, {}),
                "simorg_ConsumerKey": new_key(),
                "simorg_ConsumerSecret": new_secret(),
                "simorg_Installed": True,
                "simorg_StoredPolicy": admin,
                "CreatedById": caller.user_id,
                "CreatedDate": now,
                **_stamps(caller, now),
            },
        )
        display = f"Created connected app {draft.name}"
        audit.note(caller, tx, "connectedAppCreated", audit.CONNECTED_APPS, display)
        tx.touch_access()
        tx.on_commit(lambda: menu.sync(org))
    return directory.apps(org).by_id[app_id]


def edit(caller: Caller, app: App, draft: AppDraft, known_scopes: Mapping[str, str]) -> None:
    """Save the form of an app there is.

    Raises ``InsufficientAccess``, ``AppRefused``, ``NoSuchApp``."""
    needs.require(caller, needs.MANAGE_APPS)
    org = caller.org
    with org.store.writing() as tx:
        app = apps.find(org, app.id)  # as it is now: its configuration is saved as a whole
        _refuse(problems(org, draft, known_scopes, app))
        values = {**_values(draft, app.config), **_stamps(caller, org.clock.text())}
        rows.change(org, tx, _OBJECT, values, where="Id", equals=app.id)
        if draft.name != app.name:
            for table, column in (("OauthToken", "AppName"), ("AppMenuItem", "Label")):
                key = "simorg_AppId" if table == "OauthToken" else "ApplicationId"
                rows.change(org, tx, table, {column: draft.name}, where=key, equals=app.id)
        display = f"Changed connected app {draft.name}"
        audit.note(caller, tx, "connectedAppChanged", audit.CONNECTED_APPS, display)
        tx.touch_access()


def delete(caller: Caller, app: App) -> None:
    """Delete an app with its tokens, sessions and assignments. Salesforce's own stay."""
    needs.require(caller, needs.MANAGE_APPS)
    if app.first_party:
        raise apps.AppOperationRefused(f"{app.name} belongs to Salesforce; uninstall or block it")
    org = caller.org
    with org.store.writing() as tx:
        end_sessions_of_app(org, app.id)
        for table, column in (
            ("OauthToken", "simorg_AppId"),
            ("SetupEntityAccess", "SetupEntityId"),
            ("AppMenuItem", "ApplicationId"),
            (_OBJECT, "Id"),
        ):
            rows.remove(org, tx, table, where=column, equals=app.id)
        display = f"Deleted connected app {app.name}"
        audit.note(caller, tx, "connectedAppDeleted", audit.CONNECTED_APPS, display)
        tx.touch_access()


def _refuse(found: Mapping[str, str]) -> None:
    if found:
        raise AppRefused(found)


def _values(draft: AppDraft, config: Mapping[str, Any]) -> dict[str, Any]:
    flags = {key: bool(draft.flags.get(key, default)) for key, (_, default) in FLAGS.items()}
    optional = not flags.pop("isSecretRequiredForWebServer")
    told = {
        "contactEmail": draft.contact_email,
        "description": draft.description,
        "isConsumerSecretOptional": optional,
        **flags,
    }
    kept = {k: v for k, v in config.items() if k not in ("pkceRequired", "clientCredentials")}
    pem = certificates.check(draft.certificate) if draft.certificate else None
    return {
        "Name": draft.name,
        "simorg_CallbackUrls": "\n".join(draft.callback_urls),
        "simorg_Scopes": " ".join(draft.scopes),
        "simorg_Certificate": pem,
        "simorg_Config": json.dumps({**kept, **told}),
    }


def _stamps(caller: Caller, now: str) -> dict[str, Any]:
    return {"LastModifiedById": caller.user_id, "LastModifiedDate": now, "SystemModstamp": now}


def new_key() -> str:
    """A consumer key in the form Salesforce gives (85 characters)."""
    return "3MVG9" + secrets.token_urlsafe(60).replace("-", ".")[:80]


def new_secret() -> str:
    """A consumer secret in the form Salesforce gives (64 hexadecimal digits)."""
    return secrets.token_hex(32).upper()


def rotate_key(caller: Caller, app: App) -> str:
    """Give the app a new consumer key and return it; the old one is dead at once."""
    needs.require(caller, needs.ROTATE)
    key = new_key()
    org = caller.org
    with org.store.writing() as tx:
        values = {"simorg_ConsumerKey": key, **_stamps(caller, org.clock.text())}
        rows.change(org, tx, _OBJECT, values, where="Id", equals=app.id)
        display = f"Rotated the consumer key of connected app {app.name}"
        audit.note(caller, tx, "connectedAppKeyRotated", audit.CONNECTED_APPS, display)
        tx.touch_access()
    return key


def reveal(caller: Caller, app: App) -> tuple[str, str]:
    """Consumer key and secret, for eyes that may manage apps; the audit trail remembers."""
    needs.require(caller, needs.MANAGE_APPS)
    with caller.org.store.writing() as tx:
        display = f"Viewed the consumer key and secret of connected app {app.name}"
        audit.note(caller, tx, "connectedAppSecretViewed", audit.CONNECTED_APPS, display)
    return app.consumer_key or "", app.consumer_secret or ""
