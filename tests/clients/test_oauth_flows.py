"""Flows over the wire that no client library has: device, SAML bearer, exchange, hybrid, JWTs."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import yaml
from joserfc import jwt
from joserfc.jwk import RSAKey
from lxml import etree
from signxml.signer import XMLSigner
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceExpiredSession

from simorg.oauth import keys
from tests.clients.conftest import Live, user
from tests.clients.web import Fields

ROBOT = "3MVG9simorgJwtRobot"
SELF_SERVICE = {"client_id": "3MVG9simorgSelfService", "client_secret": "secretSelfService"}
ASSERTION = """<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a1"
 IssueInstant="{start}" Version="2.0"><saml:Issuer>{issuer}</saml:Issuer><saml:Subject><saml:NameID
 >{user}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"
 ><saml:SubjectConfirmationData NotOnOrAfter="{end}" Recipient="{recipient}"
 /></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{start}"
 NotOnOrAfter="{end}"><saml:AudienceRestriction
 ><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions
 ></saml:Assertion>"""


def token(live: Live, **form: str) -> requests.Response:
    return requests.post(f"{live.http}/services/oauth2/token", data=form, timeout=30)


def rest(live: Live, access_token: str, path: str = "query?q=SELECT+Id+FROM+Account") -> Any:
    headers = {"Authorization": f"Bearer {access_token}"}
    return requests.get(f"{live.http}/services/data/v64.0/{path}", headers=headers, timeout=30)


def configured(live: Live, org: dict[str, Any], **changes: Any) -> None:
    """Change settings of an org."""
    live.control("PATCH", f"orgs/{org['id']}/settings", changes)


def test_a_device_and_a_person(live: Live, fresh: dict[str, Any]) -> None:
    app = {"client_id": SELF_SERVICE["client_id"]}
    codes = token(live, **app, response_type="device_code", scope="api refresh_token").json()
    assert codes["verification_uri"] == f"{live.http}/setup/connect"
    poll = {**app, "grant_type": "device", "code": codes["device_code"]}
    assert token(live, **poll).json()["error"] == "authorization_pending"
    who = user(fresh, "standard")
    with requests.Session() as browser:

        def press(page: requests.Response, **fields: str) -> requests.Response:
            form = Fields(page.text)
            url = f"{live.http}{form.action}"
            return browser.post(url, data=form.found | fields, timeout=30)

        page = browser.get(codes["verification_uri"], timeout=30)
        page = press(page, username=who["username"], pw=who["password"])
        page = press(page, user_code=codes["user_code"].lower())
        assert "Allow Access?" in page.text
        assert "You&#39;re connected" in press(page, decision="allow").text
    given = token(live, **poll).json()
    assert given["access_token"].startswith(fresh["id"][:15])
    assert rest(live, given["access_token"]).status_code == 200
    renewed = token(
        live, **SELF_SERVICE, grant_type="refresh_token", refresh_token=given["refresh_token"]
    )
    assert renewed.status_code == 200


def test_saml_under_api_access_control(live: Live, fresh: dict[str, Any]) -> None:
    configured(live, fresh, apiAccessControl={"adminApprovedUsersOnly": True})
    pem = requests.get(f"{live.http}/_simorg/jwt-robot.pem", timeout=30).content

    def bearer(name: str) -> requests.Response:
        now = datetime.now(UTC)
        stamp = "%Y-%m-%dT%H:%M:%SZ"
        text = ASSERTION.format(
            issuer=ROBOT,
            user=user(fresh, name)["username"],
            recipient=f"{live.http}/services/oauth2/token",
            audience=live.http,
            start=(now - timedelta(seconds=5)).strftime(stamp),
            end=(now + timedelta(seconds=180)).strftime(stamp),
        )
        signer = XMLSigner(c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#")
        certificate = keys.self_signed_certificate(pem, "client")
        root = signer.sign(etree.fromstring(text.encode()), key=pem, cert=certificate)
        encoded = base64.urlsafe_b64encode(etree.tostring(root)).decode()
        return token(
            live, grant_type="urn:ietf:params:oauth:grant-type:saml2-bearer", assertion=encoded
        )

    assert bearer("standard").json()["error"] == "invalid_app_access"
    given = bearer("integration")
    assert given.status_code == 200, given.text
    assert rest(live, given.json()["access_token"]).status_code == 200


def test_exchange(live: Live, fresh: dict[str, Any]) -> None:
    """In an org of a definition whose app has the flow."""
    pem = keys.generate_private_pem()
    org = live.control("POST", "orgs", {"definition": definition(isTokenExchangeEnabled=True)})
    try:
        handler = {
            "apps": ["Tool"],
            "issuer": "https://idp.example",
            "certificate": keys.self_signed_certificate(pem, "idp"),
            "users": {"42": user(org, "worker")["username"]},
        }
        configured(live, org, oauth={"tokenExchangeHandlers": {"idp": handler}})
        claims = {"iss": "https://idp.example", "sub": "42", "exp": 4_000_000_000}
        text = jwt.encode({"alg": "RS256"}, claims, RSAKey.import_key(pem))
        answer = token(
            live,
            **TOOL,
            grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
            subject_token=text,
            subject_token_type="urn:ietf:params:oauth:token-type:jwt",
        )
        assert answer.status_code == 200, answer.text
        assert rest(live, answer.json()["access_token"]).status_code == 200
    finally:
        live.control("DELETE", f"orgs/{org['id']}")


TOOL = {"client_id": "3MVG9wireTool", "client_secret": "secretTool"}


def definition(**config: Any) -> str:
    """An org with one user and one app."""
    return yaml.safe_dump(
        {
            "org": {"name": "Wire", "edition": "Enterprise", "password": "simorg123"},
            "profiles": {
                "Worker": {"license": "Salesforce", "permissions": ["ApiEnabled", "ViewSetup"]}
            },
            "licenses": {"Salesforce": {"key": "SFDC", "total": 5}},
            "users": {"worker@wire.example": {"lastName": "Worker", "profile": "Worker"}},
            "connectedApps": {
                "Tool": {
                    "consumerKey": TOOL["client_id"],
                    "consumerSecret": TOOL["client_secret"],
                    "installed": True,
                    "scopes": ["api", "web", "refresh_token"],
                    "config": config,
                }
            },
        }
    )


def test_jwt_access_tokens_are_for_rest(live: Live, trusting: requests.Session) -> None:
    org = live.control("POST", "orgs", {"definition": definition(isNamedUserJwtEnabled=True)})
    try:
        who = user(org, "worker")
        given = token(
            live,
            **TOOL,
            grant_type="password",
            username=who["username"],
            password=who["password"],
        ).json()
        assert given["token_format"] == "jwt", given
        client = Salesforce(
            session_id=given["access_token"], instance_url=live.https, session=trusting
        )
        assert client.query("SELECT Username FROM User WHERE LastName = 'Worker'")["totalSize"] == 1
        envelope = (
            '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"'
            ' xmlns="urn:partner.soap.sforce.com"><e:Header><SessionHeader><sessionId>'
            f"{given['access_token']}</sessionId></SessionHeader></e:Header>"
            "<e:Body><getUserInfo/></e:Body></e:Envelope>"
        )
        fault = requests.post(
            f"{live.http}/services/Soap/u/64.0",
            data=envelope,
            headers={"Content-Type": "text/xml", "SOAPAction": '""'},
            timeout=30,
        )
        assert fault.status_code == 500
        assert "This session is not valid for use with the API" in fault.text
        requests.post(
            f"{live.http}/services/oauth2/revoke", data={"token": given["access_token"]}, timeout=30
        )
        with pytest.raises(SalesforceExpiredSession):
            client.query("SELECT Id FROM User")
    finally:
        live.control("DELETE", f"orgs/{org['id']}")


def test_from_a_token_into_setup(live: Live, fresh: dict[str, Any]) -> None:
    who = user(fresh, "admin")
    given = token(
        live,
        **SELF_SERVICE,
        grant_type="password",
        username=who["username"],
        password=who["password"],
    ).json()
    home = "/lightning/setup/SetupOneHome/home"
    answer = requests.post(
        f"{live.http}/services/oauth2/singleaccess",
        data={"access_token": given["access_token"], "redirect_uri": home},
        timeout=30,
    )
    with requests.Session() as browser:
        page = browser.get(answer.json()["frontdoor_uri"], timeout=30)
        assert page.url == live.http + home and page.status_code == 200, page.url
        assert who["username"] in page.text or "Ada Admin" in page.text
        token_url = f"{live.http}/services/oauth2/revoke"
        requests.post(token_url, data={"token": given["access_token"]}, timeout=30)
        assert "/login" in browser.get(live.http + home, timeout=30).url
