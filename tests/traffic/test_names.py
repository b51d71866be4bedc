"""Surface and operation of requests: one name for everybody who watches or steps in."""

from __future__ import annotations

import re
from typing import Any

import pytest

from simorg.rest.routes import ROUTER
from simorg.soap.apis import PARTNER
from simorg.traffic.names import SURFACES, operation_of, surface_of


def environ(method: str, path: str, **more: Any) -> dict[str, Any]:
    path, _, query = path.partition("?")
    return {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, **more}


REST = "/services/data/v59.0"


@pytest.mark.parametrize(
    ("method", "path", "surface", "operation"),
    [
        ("GET", "/services/data", "rest", "versions"),
        ("GET", "/services/data/", "rest", "versions"),
        ("GET", f"{REST}/", "rest", "resources"),
        ("GET", f"{REST}/query?q=SELECT+Id+FROM+Account", "rest", "query"),
        ("GET", "//services//data/v59.0//query/", "rest", "query"),
        ("GET", f"{REST}/query/01gXX-2000", "rest", "query_more"),
        ("GET", f"{REST}/queryAll", "rest", "query_all"),
        ("GET", f"{REST}/search", "rest", "search"),
        ("POST", f"{REST}/sobjects/Account", "rest", "sobject.create"),
        ("POST", f"{REST}/sobjects/Account.json", "rest", "sobject.create"),
        ("GET", f"{REST}/sobjects/Account/describe", "rest", "sobject.describe"),
        ("GET", f"{REST}/sobjects/Account/001000000000001", "rest", "sobject.read"),
        ("HEAD", f"{REST}/sobjects/Account/001000000000001", "rest", "sobject.read"),
        ("PATCH", f"{REST}/sobjects/Account/001000000000001", "rest", "sobject.update"),
        ("POST", f"{REST}/sobjects/Account/001?_HttpMethod=PATCH", "rest", "sobject.update"),
        ("DELETE", f"{REST}/sobjects/Account/001000000000001", "rest", "sobject.delete"),
        ("PATCH", f"{REST}/sobjects/Account/Key__c/a.json", "rest", "sobject.upsert"),
        ("GET", f"{REST}/sobjects/Account/Key__c/a", "rest", "sobject.read"),
        ("POST", f"{REST}/composite", "rest", "composite"),
        ("POST", f"{REST}/composite/batch", "rest", "composite.batch"),
        ("PATCH", f"{REST}/composite/sobjects/Account/Key__c", "rest", "collection.upsert"),
        ("GET", f"{REST}/limits", "rest", "limits"),
        ("GET", f"{REST}/tooling/query", "rest", "tooling"),
        ("GET", f"{REST}/nothing/of/the/kind", "rest", "unknown"),
        ("GET", "/services/data/latest/query", "rest", "unknown"),
        ("POST", f"{REST}/jobs/ingest", "bulk", "jobs"),
        ("POST", "/services/oauth2/token", "oauth", "token"),
        ("GET", "/services/oauth2/authorize", "oauth", "authorize"),
        ("GET", "/services/oauth2/userinfo", "oauth", "userinfo"),
        ("GET", "/id/00D000000000001/005000000000001", "oauth", "identity"),
        ("GET", "/id/keys", "oauth", "keys"),
        ("GET", "/secur/frontdoor.jsp", "oauth", "frontdoor"),
        ("GET", "/setup/secur/RemoteAccessAuthorizationPage.apexp", "oauth", "approve"),
        ("GET", "/services/Soap/u/59.0?wsdl", "soap", "wsdl"),
        ("GET", "/apex/ShowSession", "visualforce", "page"),
        ("GET", "/visualforce/getSessionId", "visualforce", "getsessionid"),
        ("GET", "/lightning/setup/ConnectedApplication/home", "setup", "ConnectedApplication"),
        ("GET", "/", "setup", "home"),
        ("GET", "/_simorg/orgs/default/settings", "control", "orgs"),
        ("GET", "/favicon.ico", "other", "unknown"),
        ("GET", "/services/database", "other", "unknown"),
    ],
)
def test_names(method: str, path: str, surface: str, operation: str) -> None:
    asked = environ(method, path)
    assert surface in SURFACES
    assert (surface_of(asked), operation_of(asked)) == (surface, operation)


def test_every_rest_resource_has_a_name() -> None:
    for route in ROUTER.routes:
        path = route.path.replace("{type}", "Account").replace("{id}", "001").replace("{", "")
        for verb in route.allowed:
            asked = environ(verb, f"{REST}/{path.replace('}', '')}")
            assert operation_of(asked) != "unknown", f"{verb} {route.path}"


ENVELOPE = (
    '<?xml version="1.0" encoding="{encoding}"?>'
    '<se:Envelope xmlns:se="http://schemas.xmlsoap.org/soap/envelope/">'
    "<se:Header><SessionHeader><sessionId>x</sessionId></SessionHeader></se:Header>"
    '<se:Body id="b"> <!-- a note --> <n1:{name} xmlns:n1="urn:partner.soap.sforce.com"/>'
    "</se:Body></se:Envelope>"
)


def test_soap_operations_have_their_own_names() -> None:
    asked = environ("POST", "/services/Soap/u/59.0/00D000000000001")
    assert surface_of(asked) == "soap"
    names = re.findall(rb'<operation name="(\w+)"', PARTNER.packaged_wsdl)
    assert len(names) > 20
    for name in names:
        body = ENVELOPE.format(encoding="utf-8", name=name.decode()).encode()
        assert operation_of(asked, body) == name.decode()


@pytest.mark.parametrize(
    "body",
    [b"", b"no xml", b"<Envelope><Body/></Envelope>", b"<Envelope><Body></Body></Envelope>"],
)
def test_no_soap_operation(body: bytes) -> None:
    assert operation_of(environ("POST", "/services/Soap/u/59.0"), body) == "unknown"


def test_soap_in_utf_16() -> None:
    body = ENVELOPE.format(encoding="utf-16", name="login").encode("utf-16")
    asked = environ("POST", "/services/soap/m/59.0")
    assert (surface_of(asked), operation_of(asked, body)) == ("metadata", "login")
