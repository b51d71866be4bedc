"""Org settings as Metadata API components: which there are, how they are read and changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simorg.access import settings
from simorg.access.model import AAC_EDITIONS
from simorg.access.settings import FeatureNotEnabled
from simorg.org.caller import Caller
from simorg.org.org import Org

_SECTION = "apiAccessControl"
#: element of ConnectedAppSettings -> switch of the apiAccessControl section
_ACCESS = {
    "enableAdminApprovedAppsOnly": "adminApprovedUsersOnly",
    "enableAdminApprovedAppsOnlyForExternalUser": "externalUsersInstalledOnly",
}
_SKIP_WIZARD = "enableSkipUserProvisioningWizardWelcomePage"
_VISUALFORCE = "enableVisualforceApiAccessAllowed"
#: first version without it: https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_sitesettings.htm
_VISUALFORCE_GONE = 52


@dataclass(frozen=True, slots=True)
class SettingsType:
    """A settings component: one per org, under a fixed full name."""

    name: str
    full_name: str
    elements: frozenset[str]
    #: (caller, API version) -> values; absent elements are not there for this org
    read: Callable[[Caller, int], Mapping[str, bool]]
    #: (caller, values, API version); raises SalesforceError
    update: Callable[[Caller, Mapping[str, bool], int], None]
    #: the first API version that knows the type
    since: int = 0


def _provisioned(org: Org) -> bool:
    return org.edition in AAC_EDITIONS and settings.api_access_control(org).provisioned


def _require_feature(org: Org) -> None:
    if not _provisioned(org):
        raise FeatureNotEnabled(
            reason="API Access Control is not enabled for this organization;"
            " Salesforce Customer Support provisions it"
        )


def _plain(org: Org, component: str, names: tuple[str, ...]) -> dict[str, bool]:
    """Switches that nothing else in the org reads, kept as they were set."""
    saved = org.documents.read(f"metadata.{component}") or {}
    return {name: bool(saved.get(name, False)) for name in names}


def _keep(org: Org, component: str, values: Mapping[str, bool]) -> None:
    saved = org.documents.read(f"metadata.{component}") or {}
    org.documents.write(f"metadata.{component}", {**saved, **values})


def _read_connected_apps(caller: Caller, version: int) -> Mapping[str, bool]:
    org = caller.org
    values = _plain(org, "ConnectedApp", (_SKIP_WIZARD,))
    if _provisioned(org):
        section = org.settings.get(_SECTION)
        values |= {element: bool(section[switch]) for element, switch in _ACCESS.items()}
    return values


def _update_connected_apps(caller: Caller, values: Mapping[str, bool], version: int) -> None:
    org = caller.org
    changes = {_ACCESS[name]: value for name, value in values.items() if name in _ACCESS}
    with org.store.writing():
        if changes:
            _require_feature(org)
            settings.update(org, _SECTION, changes)
        if _SKIP_WIZARD in values:
            _keep(org, "ConnectedApp", {_SKIP_WIZARD: values[_SKIP_WIZARD]})


_SITE_PLAIN = ("enableProxyLoginICHeader", "enableTopicsInSites")


def _read_sites(caller: Caller, version: int) -> Mapping[str, bool]:
    org = caller.org
    values = _plain(org, "Site", _SITE_PLAIN)
    if version < _VISUALFORCE_GONE and _provisioned(org):
        values[_VISUALFORCE] = settings.api_access_control(org).visualforce_allowed
    return values


def _update_sites(caller: Caller, values: Mapping[str, bool], version: int) -> None:
    org = caller.org
    with org.store.writing():
        if _VISUALFORCE in values:
            _require_feature(org)
            if version >= _VISUALFORCE_GONE:
                raise FeatureNotEnabled(
                    reason=f"{_VISUALFORCE} is not available in API version {version}.0"
                )
            settings.update(org, _SECTION, {"visualforceAllowed": values[_VISUALFORCE]})
        plain = {name: values[name] for name in _SITE_PLAIN if name in values}
        if plain:
            _keep(org, "Site", plain)


TYPES: Mapping[str, SettingsType] = {
    t.name: t
    for t in (
        SettingsType(
            "ConnectedAppSettings",
            "ConnectedApp",
            frozenset({*_ACCESS, _SKIP_WIZARD}),
            _read_connected_apps,
            _update_connected_apps,
            # https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_connectedappsettings.htm
            since=47,
        ),
        SettingsType(
            "SiteSettings",
            "Site",
            frozenset({*_SITE_PLAIN, _VISUALFORCE}),
            _read_sites,
            _update_sites,
        ),
    )
}
