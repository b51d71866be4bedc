"""The org's switches as the gate reads them, and their change by the control API and Setup."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from simorg.access.model import AAC_EDITIONS, API_EDITIONS, AccessSettings
from simorg.access.sections import (
    SECTIONS,
    ApiAccessControl,
    ApiSettings,
    ConnectedApps,
    LoginSettings,
    OauthSettings,
    SessionSettings,
)
from simorg.access.state import state_of
from simorg.errors import BadRequest
from simorg.org.settings import SettingsError

if TYPE_CHECKING:
    from simorg.org.org import Org

_Section = TypeVar("_Section")
#: what cannot stay on when the feature goes
_WITH_FEATURE = ("adminApprovedUsersOnly", "externalUsersInstalledOnly", "visualforceAllowed")


class SettingRefused(BadRequest):
    """A switch the org does not have, or a value that does not fit."""

    code = "INVALID_FIELD"


class FeatureNotEnabled(BadRequest):
    """API Access Control is not there: wrong edition, or Salesforce Support was not asked."""

    code = "FUNCTIONALITY_NOT_ENABLED"
    template = "{reason}"


def _reader(kind: type[_Section]) -> Callable[[Org], _Section]:
    """The reader of the section of that kind."""
    name = next(name for name, known in SECTIONS.items() if known is kind)

    def section(org: Org) -> _Section:
        found: _Section = org.settings.read(name)
        return found

    return section


api_access_control = _reader(ApiAccessControl)
connected_apps = _reader(ConnectedApps)
login_settings = _reader(LoginSettings)
oauth_settings = _reader(OauthSettings)
session_settings = _reader(SessionSettings)
_api_settings = _reader(ApiSettings)


def read(org: Org) -> AccessSettings:
    """What the gate reads, kept until settings or access change."""
    state = state_of(org)
    mark = org.access_generation
    if state.settings is not None and state.settings[0] == mark:
        known: AccessSettings = state.settings[1]
        return known
    found = _read(org)
    state.settings = (mark, found)
    return found


def _read(org: Org) -> AccessSettings:
    control = api_access_control(org)
    apps = connected_apps(org)
    api = _api_settings(org)
    login = login_settings(org)
    return AccessSettings(
        edition=org.edition,
        provisioned=control.provisioned,
        admin_approved_users_only=control.admin_approved_users_only,
        external_users_installed_only=control.external_users_installed_only,
        visualforce_allowed=control.visualforce_allowed,
        visualforce_origin=control.visualforce_origin,
        jwt_reading=control.jwt_reading,
        usage_restrictions=apps.usage_restrictions,
        any_api_client_approves_uninstalled=apps.any_api_client_approves_uninstalled,
        soap_login_enabled=login.soap_login_enabled,
        block_password_flow=oauth_settings(org).block_username_password_flow,
        api_enabled=org.edition in API_EDITIONS if api.enabled is None else api.enabled,
        external_under_internal=control.external_users_under_internal,
        uninstalled_token_error=control.uninstalled_token_error,
        unassigned_password_error=control.unassigned_password_error,
        external_client_apps_exempt=control.external_client_apps_exempt,
        soap_login_needs_any_api_auth=login.soap_login_needs_any_api_auth,
        org_locked=login.org_locked,
        trial_expired=login.trial_expired,
    )


def update(org: Org, name: str, changes: Mapping[str, Any]) -> None:
    """Change switches of a section (control API names); every session meets them at once.

    Taking the feature away switches its preferences off. Raises ``FeatureNotEnabled`` when they
    are switched on where the feature is not, ``SettingRefused`` for unknown names and values.
    """
    changes = dict(changes)
    if name == "apiAccessControl":
        _check_feature(org, changes)
    try:
        with org.store.writing() as tx:
            org.settings.update(name, changes)
            if name == "apiAccessControl":
                tx.on_commit(lambda: _sync_menu(org, changes))
    except SettingsError as error:
        raise SettingRefused(str(error)) from None


def _sync_menu(org: Org, changes: Mapping[str, Any]) -> None:
    """AppMenuItem shows the policy too, in orgs where it follows Setup."""
    from simorg.access import menu

    if "appMenuPolicy" in changes or api_access_control(org).app_menu_policy == "ui":
        menu.sync(org)


def _check_feature(org: Org, changes: dict[str, Any]) -> None:
    if changes.get("provisioned") is False:
        for switch in _WITH_FEATURE:
            changes.setdefault(switch, False)
    provisioned = changes.get("provisioned", api_access_control(org).provisioned)
    asked = [switch for switch in _WITH_FEATURE if changes.get(switch)]
    if provisioned and org.edition not in AAC_EDITIONS and (asked or "provisioned" in changes):
        raise FeatureNotEnabled(
            reason=f"API Access Control is not available in {org.edition} Edition"
        )
    if asked and not provisioned:
        raise FeatureNotEnabled(
            reason="API Access Control is not enabled for this organization:"
            " Salesforce Customer Support has to provision it"
        )


@lru_cache(maxsize=64)
def _networks(
    ranges: tuple[str, ...],
) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(text, strict=False) for text in ranges)


def trusted_ip(org: Org, source_ip: str) -> bool:
    """Whether a password alone is enough from that address."""
    login = login_settings(org)
    if not login.security_token_required:
        return True
    try:
        address = ipaddress.ip_address(source_ip)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in _networks(login.trusted_ip_ranges))
