"""readMetadata and updateMetadata of org settings."""

from __future__ import annotations

from typing import Any

import pytest

from simorg.access import settings
from simorg.org.catalogue import OrgCatalogue
from simorg.org.org import Org

from ..conftest import username
from .wire import Answer, Wire

M = "http://soap.sforce.com/2006/04/metadata"


def call(wire: Wire, session: str, body: str, version: str = "59.0", headers: str = "") -> Answer:
    envelope = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns="{M}" xmlns:met="{M}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<e:Header><SessionHeader><sessionId>{session}</sessionId></SessionHeader>{headers}"
        f"</e:Header><e:Body>{body}</e:Body></e:Envelope>"
    )
    return wire.post(envelope, f"/services/Soap/m/{version}/00D000000000001")


def read(wire: Wire, session: str, kind: str, name: str, version: str = "59.0") -> dict[str, str]:
    answer = call(
        wire,
        session,
        f"<readMetadata><type>{kind}</type><fullNames>{name}</fullNames></readMetadata>",
        version,
    )
    assert answer.status == 200, answer.text
    (record,) = answer.find("//m:result/m:records")
    assert record.get("{http://www.w3.org/2001/XMLSchema-instance}type") in (kind, None)
    return {e.tag.rpartition("}")[2]: e.text for e in record}


def update(wire: Wire, session: str, kind: str, name: str, *args: Any, **values: str) -> Answer:
    fields = "".join(f"<{k}>{v}</{k}>" for k, v in values.items())
    return call(
        wire,
        session,
        f'<updateMetadata><metadata xsi:type="{kind}"><fullName>{name}</fullName>{fields}'
        "</metadata></updateMetadata>",
        *args,
    )


CONNECTED = ("ConnectedAppSettings", "ConnectedApp")


def test_connected_app_settings_are_the_preference(wire: Wire, org: Org) -> None:
    """What the Metadata API writes is what the gate enforces, and the other way round."""
    session = wire.login(username(org, "admin"))
    assert read(wire, session, *CONNECTED) == {
        "fullName": "ConnectedApp",
        "enableAdminApprovedAppsOnly": "false",
        "enableAdminApprovedAppsOnlyForExternalUser": "false",
        "enableSkipUserProvisioningWizardWelcomePage": "false",
    }
    saved = update(
        wire,
        session,
        *CONNECTED,
        enableAdminApprovedAppsOnly="true",
        enableSkipUserProvisioningWizardWelcomePage="1",
    )
    assert saved.one("//m:result/m:success") == "true"
    assert saved.one("//m:result/m:fullName") == "ConnectedApp"
    access = settings.api_access_control(org)
    assert (access.admin_approved_users_only, access.external_users_installed_only) == (True, False)
    # the session that did it has locked itself out
    assert call(wire, session, "<readMetadata/>").fault[1] == (
        "INVALID_SESSION_ID: This session is not valid for use with the API"
    )
    settings.update(org, "apiAccessControl", {"adminApprovedUsersOnly": False})
    again = read(wire, session, *CONNECTED)
    assert again["enableAdminApprovedAppsOnly"] == "false"
    assert again["enableSkipUserProvisioningWizardWelcomePage"] == "true"


def test_without_the_feature_its_elements_are_absent(wire: Wire, org: Org) -> None:
    """https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_connectedappsettings.htm"""
    session = wire.login(username(org, "admin"))
    settings.update(org, "apiAccessControl", {"provisioned": False})
    assert set(read(wire, session, *CONNECTED)) == {
        "fullName",
        "enableSkipUserProvisioningWizardWelcomePage",
    }
    for value in ("true", "false"):
        refused = update(wire, session, *CONNECTED, enableAdminApprovedAppsOnly=value)
        assert refused.one("//m:result/m:success") == "false"
        assert refused.one("//m:errors/m:statusCode") == "FUNCTIONALITY_NOT_ENABLED"
    assert not settings.api_access_control(org).admin_approved_users_only


def test_visualforce_belongs_to_site_settings_until_version_52(wire: Wire, org: Org) -> None:
    session = wire.login(username(org, "admin"))
    site = ("SiteSettings", "Site")
    assert "enableVisualforceApiAccessAllowed" not in read(wire, session, *site)
    assert read(wire, session, *site, "51.0")["enableVisualforceApiAccessAllowed"] == "false"
    flag = {"enableVisualforceApiAccessAllowed": "true"}
    refused = update(wire, session, *site, "52.0", **flag)
    assert refused.one("//m:result/m:success") == "false"
    assert update(wire, session, *site, "51.0", **flag).one("//m:result/m:success") == "true"
    assert settings.api_access_control(org).visualforce_allowed


def test_connected_app_settings_begin_with_version_47(wire: Wire, org: Org) -> None:
    session = wire.login(username(org, "admin"))
    assert "enableAdminApprovedAppsOnly" in read(wire, session, *CONNECTED, version="47.0")
    asked = f"<readMetadata><type>{CONNECTED[0]}</type><fullNames>x</fullNames></readMetadata>"
    for answer in (
        call(wire, session, asked, "46.0"),
        update(wire, session, *CONNECTED, "46.0", enableAdminApprovedAppsOnly="true"),
    ):
        assert answer.fault[0] == "sf:INVALID_TYPE"
    assert settings.read(org).internal_on is False


def test_what_is_not_there_is_nil(wire: Wire, org: Org) -> None:
    session = wire.login(username(org, "admin"))
    answer = call(
        wire,
        session,
        "<readMetadata><type>ConnectedAppSettings</type><fullNames>Nope</fullNames>"
        "<fullNames>ConnectedApp</fullNames></readMetadata>",
    )
    first, second = answer.find("//m:records")
    assert first.get("{http://www.w3.org/2001/XMLSchema-instance}nil") == "true"
    assert second.findtext(f"{{{M}}}fullName") == "ConnectedApp"


def test_an_update_of_something_else_fails_and_changes_nothing(wire: Wire, org: Org) -> None:
    session = wire.login(username(org, "admin"))
    other = update(
        wire, session, "ConnectedAppSettings", "Nope", enableAdminApprovedAppsOnly="true"
    )
    assert other.one("//m:result/m:success") == "false"
    nameless = update(wire, session, "ConnectedAppSettings", "", enableAdminApprovedAppsOnly="true")
    assert nameless.one("//m:errors/m:statusCode") == "REQUIRED_FIELD_MISSING"
    assert not settings.api_access_control(org).admin_approved_users_only


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (
            "<readMetadata><type>Nope</type><fullNames>x</fullNames></readMetadata>",
            "sf:INVALID_TYPE",
        ),
        ("<readMetadata/>", "sf:MISSING_ARGUMENT"),
        (
            "<readMetadata><type>ConnectedAppSettings</type>"
            + "<fullNames>x</fullNames>" * 11
            + "</readMetadata>",
            "sf:LIMIT_EXCEEDED",
        ),
        ("<updateMetadata><metadata/></updateMetadata>", "soapenv:Client"),
        ('<updateMetadata><metadata xsi:type="Nope"/></updateMetadata>', "sf:INVALID_TYPE"),
        (
            '<updateMetadata><metadata xsi:type="ConnectedAppSettings"><nope>1</nope></metadata>'
            "</updateMetadata>",
            "soapenv:Client",
        ),
        (
            '<updateMetadata><metadata xsi:type="met:ConnectedAppSettings"><fullName>ConnectedApp'
            "</fullName><enableAdminApprovedAppsOnly>maybe</enableAdminApprovedAppsOnly></metadata>"
            "</updateMetadata>",
            "soapenv:Client",
        ),
        ("<deploy/>", "soapenv:Client"),
        ("<login/>", "soapenv:Client"),
    ],
)
def test_refusals(wire: Wire, org: Org, body: str, code: str) -> None:
    session = wire.login(username(org, "admin"))
    answer = call(wire, session, body)
    assert answer.fault[0] == code
    assert answer.fault[2] is None
    assert not settings.api_access_control(org).admin_approved_users_only


def test_all_or_none(wire: Wire, org: Org) -> None:
    session = wire.login(username(org, "admin"))
    body = (
        '<updateMetadata><metadata xsi:type="ConnectedAppSettings">'
        "<fullName>ConnectedApp</fullName><enableAdminApprovedAppsOnlyForExternalUser>true"
        "</enableAdminApprovedAppsOnlyForExternalUser></metadata>"
        '<metadata xsi:type="SiteSettings"><fullName>Nope</fullName></metadata></updateMetadata>'
    )
    header = "<AllOrNoneHeader><allOrNone>true</allOrNone></AllOrNoneHeader>"
    answer = call(wire, session, body, headers=header)
    assert answer.texts("//m:result/m:success") == ["false", "false"]
    assert not settings.api_access_control(org).external_users_installed_only
    answer = call(wire, session, body)
    assert answer.texts("//m:result/m:success") == ["true", "false"]
    assert settings.api_access_control(org).external_users_installed_only


@pytest.mark.parametrize("user", ["standard", "integration"])
def test_ordinary_users_may_not(wire: Wire, org: Org, user: str) -> None:
    session = wire.login(username(org, user))
    for body in (
        "<readMetadata><type>ConnectedAppSettings</type></readMetadata>",
        "<updateMetadata/>",
    ):
        assert call(wire, session, body).fault[:2] == (
            "sf:INSUFFICIENT_ACCESS",
            "INSUFFICIENT_ACCESS: use of the Metadata API requires a user with the ModifyAllData"
            " or ModifyMetadata permissions",
        )


def test_settings_of_one_org_are_not_those_of_another(
    wire: Wire, shared_catalogue: OrgCatalogue
) -> None:
    one, two = shared_catalogue.create(), shared_catalogue.create()
    try:
        first, second = (wire.login(username(o, "admin")) for o in (one, two))
        update(wire, first, *CONNECTED, enableAdminApprovedAppsOnlyForExternalUser="true")
        seen = read(wire, second, *CONNECTED)
        assert seen["enableAdminApprovedAppsOnlyForExternalUser"] == "false"
    finally:
        shared_catalogue.delete(one.id)
        shared_catalogue.delete(two.id)
