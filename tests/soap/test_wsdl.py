"""The WSDLs checked in are what the services say, and they are served."""

from __future__ import annotations

from importlib import resources

import pytest
from lxml import etree

from simorg.soap import application
from simorg.soap.generate import documents

from .wire import Wire

WSDL = {
    "w": "http://schemas.xmlsoap.org/wsdl/",
    "s": "http://schemas.xmlsoap.org/wsdl/soap/",
    "x": "http://www.w3.org/2001/XMLSchema",
}


@pytest.mark.parametrize("name", ["partner.wsdl", "metadata.wsdl"])
def test_checked_in_wsdl_is_up_to_date(name: str) -> None:
    """``make wsdl`` writes them again."""
    checked_in = resources.files("simorg.wsdl").joinpath(name).read_bytes()
    assert documents()[name] == checked_in


def test_partner_definitions_have_the_names_clients_use() -> None:
    root = etree.fromstring(documents()["partner.wsdl"])

    def names(path: str) -> list[str]:
        return root.xpath(path, namespaces=WSDL)

    assert root.get("targetNamespace") == "urn:partner.soap.sforce.com"
    assert names("w:types/x:schema/@targetNamespace") == [
        "urn:sobject.partner.soap.sforce.com",
        "urn:partner.soap.sforce.com",
        "urn:fault.partner.soap.sforce.com",
    ]
    assert names("w:portType/@name") == ["Soap"]
    assert names("w:binding/@name") == ["SoapBinding"]
    assert names("w:service/@name") == ["SforceService"]
    assert names("w:service/w:port/@name") == ["Soap"]
    assert set(names("w:binding/w:operation/s:operation/@soapAction")) == {""}
    served = set(names("w:portType/w:operation/@name"))
    assert served >= {
        "login",
        "logout",
        "getUserInfo",
        "getServerTimestamp",
        "query",
        "queryAll",
        "queryMore",
        "retrieve",
        "create",
        "update",
        "upsert",
        "delete",
        "undelete",
        "describeGlobal",
        "describeSObject",
        "describeSObjects",
        "search",
        "getUpdated",
        "getDeleted",
    }
    assert served == set(names("w:binding/w:operation/@name"))


def test_elements_stand_in_wire_order() -> None:
    """Alphabetical within a type (the Partner WSDL's rule), base types first."""
    root = etree.fromstring(documents()["partner.wsdl"])
    unordered = {"sObject", "ApiQueryFault", "OwnerChangeOption"}
    for kind in root.xpath("//x:schema/x:complexType", namespaces=WSDL):
        if kind.get("name") in unordered:
            continue
        members = kind.xpath(".//x:element/@name", namespaces=WSDL)
        assert members == sorted(members), kind.get("name")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/services/Soap/u/58.0", "wsdl"),
        ("/services/Soap/u/58.0/", "WSDL"),
        ("/services/Soap/u/58.0/00D000000000001", "wsdl=1"),
    ],
)
def test_wsdl_is_served_with_the_clients_own_address(path: str, query: str) -> None:
    answer = Wire(application(None), host="a.example:1234").request("GET", path, query=query)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/xml")
    (address,) = answer.root.xpath("//s:address/@location", namespaces=WSDL)
    assert address == "https://a.example:1234/services/Soap/u/58.0"


def test_host_cannot_break_out_of_the_wsdl() -> None:
    wire = Wire(application(None), host='x"><script>', scheme="http")
    answer = wire.request("GET", "/services/Soap/u/58.0", query="wsdl")
    (address,) = answer.root.xpath("//s:address/@location", namespaces=WSDL)
    assert "<" not in address and '"' not in address
