"""Which org and which app a call means: by My Domain host, token, username and consumer key."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from simorg.access import directory, refusals, rows, trace
from simorg.errors import OAuthError
from simorg.oauth import policies, secrets

if TYPE_CHECKING:
    from simorg.access.directory import App
    from simorg.oauth.request import OAuthCall
    from simorg.org.catalogue import OrgCatalogue
    from simorg.org.org import Org

#: what follows the My Domain name in a host; ``.localhost`` resolves to the machine itself
_MY_DOMAIN = (
    ".my.salesforce.com",
    ".sandbox.my.salesforce.com",
    ".develop.my.salesforce.com",
    ".scratch.my.salesforce.com",
    ".trailblaze.my.salesforce.com",
    ".my.localhost",
    ".localhost",
)


def org_of_host(catalogue: OrgCatalogue, hostname: str) -> Org | None:
    """The org whose My Domain the host names; None at a login host or an IP address."""
    for suffix in _MY_DOMAIN:
        name = hostname.removesuffix(suffix)
        if name != hostname and name and "." not in name:
            return next((o for o in catalogue.list() if o.my_domain.lower() == name), None)
    return None


def audience_hosts(call: OAuthCall, org: Org) -> frozenset[str]:
    """Hosts a JWT may name as its audience besides the login hosts."""
    own = {call.host.lower(), call.hostname}
    return frozenset(own | {f"{org.my_domain.lower()}{suffix}" for suffix in _MY_DOMAIN})


def find_user(call: OAuthCall, username: str) -> tuple[Org, str] | None:
    """The org and id of a username; at a My Domain host only that org's users are known."""
    found = call.catalogue.find_user(username) if username else None
    at_home = org_of_host(call.catalogue, call.hostname)
    if found is None or (at_home is not None and at_home.id != found[0].id):
        return None
    person = directory.person(*found)
    trace.note(call.environ, found[0], username=person.username if person else username)
    return found


def org_of_secret(call: OAuthCall, mark: str, value: str) -> Org | None:
    """The org that an authorization code, refresh token or delete token belongs to."""
    org_id = secrets.org_of(mark, value)
    return call.catalogue.living(org_id) if org_id else None


def org_of_client(call: OAuthCall, consumer_key: str) -> Org:
    """The org meant when nothing but an app is named: the host's, the default one, any with it.

    Raises ``invalid_client_id`` when no org has the app, ``app_not_found`` when the host's
    does not.
    """
    at_home = org_of_host(call.catalogue, call.hostname)
    if at_home is not None:
        find_app(call, at_home, consumer_key)
        return at_home
    for org in (call.catalogue.default, *call.catalogue.list()):
        if app_of(org, consumer_key) is not None:
            return org
    raise refusals.oauth_error("client_unknown")


def find_app(call: OAuthCall, org: Org, consumer_key: str) -> App:
    """The org's app of that consumer key.

    Raises ``invalid_client_id`` for a key nobody has, ``app_not_found`` for another org's.
    """
    app = app_of(org, consumer_key)
    if app is not None:
        trace.note(call.environ, org, app=app.name)
        return app
    if consumer_key and known(call.catalogue, consumer_key):
        raise refusals.oauth_error("app_not_found")
    raise refusals.oauth_error("client_unknown")


def app_of(org: Org, consumer_key: str) -> App | None:
    """The org's app of that consumer key. Every org knows the Salesforce CLI, uninstalled."""
    app = directory.apps(org).by_key.get(consumer_key) if consumer_key else None
    if app is None and consumer_key == policies.PLATFORM_CLI:
        return _add_cli(org)
    return app


def _add_cli(org: Org) -> App:
    """An org definition need not name the Salesforce CLI: it shows up once somebody uses it."""
    now, user = org.clock.text(), org.system_caller().user_id
    with org.store.writing() as tx:
        found = directory.apps(org).by_key.get(policies.PLATFORM_CLI)
        if found is not None:
            return found
        rows.insert(
            org,
            tx,
            "ConnectedApplication",
            {
                "Name": "Salesforce CLI",
                "CreatedDate": now,
                "CreatedById": user,
                "LastModifiedDate": now,
                "LastModifiedById": user,
                "SystemModstamp": now,
                "simorg_ConsumerKey": policies.PLATFORM_CLI,
                "simorg_FirstParty": True,
                "simorg_Scopes": "refresh_token api web",
                "simorg_CallbackUrls": "http://localhost:1717/OauthRedirect",
            },
        )
        tx.touch_access()
    return directory.apps(org).by_key[policies.PLATFORM_CLI]


def known(catalogue: OrgCatalogue, consumer_key: str) -> bool:
    """Whether any org of this server has the app."""
    return any(consumer_key in directory.apps(org).by_key for org in catalogue.list())


def absence(catalogue: OrgCatalogue, consumer_key: str) -> str:
    """The authorize endpoint's refusal of an app that the user's org does not have.

    External client apps are local to the org that made them.
    """
    found = (directory.apps(org).by_key.get(consumer_key) for org in catalogue.list())
    local = any(app is not None and app.config.get("externalClientApp") for app in found)
    return "cross_org" if local else "app_not_found"


def check_secret(app: App, secret: str, *, required: bool = True) -> None:
    """Compare the consumer secret in constant time; one that is sent must always be right."""
    if not secret and not required:
        return
    expected = (app.consumer_secret or "").encode()
    if not expected or not hmac.compare_digest(secret.encode(), expected):
        raise OAuthError("invalid_client", "invalid client credentials")
