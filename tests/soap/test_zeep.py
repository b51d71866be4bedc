"""zeep, strict, on the WSDL we serve: every operation, every answer parsed by the schema."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import zeep
from lxml import etree
from zeep.exceptions import Fault
from zeep.transports import Transport

from simorg.org.catalogue import OrgCatalogue
from simorg.org.mailbox import Mailbox
from simorg.org.org import Org
from simorg.soap import application

from ..conftest import username
from .wire import Wire

SF = "{urn:sobject.partner.soap.sforce.com}"
URL = "https://org.example:8443/services/Soap/u/59.0"


class InProcess(Transport):
    """zeep's requests, answered by the WSGI application."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.wire = wire

    def _path(self, url: str) -> tuple[str, str]:
        path, _, query = url.removeprefix("https://org.example:8443").partition("?")
        return path, query

    def load(self, url: str) -> bytes:
        path, query = self._path(url)
        answer = self.wire.request("GET", path, query=query)
        assert answer.status == 200
        return answer.body

    def post(self, address: str, message: Any, headers: Any) -> Any:
        path, query = self._path(address)
        answer = self.wire.post(message, path, QUERY_STRING=query)
        return _Response(answer.status, answer.headers, answer.body)


class _Response:
    encoding = "utf-8"

    def __init__(self, status: int, headers: Any, content: bytes) -> None:
        self.status_code = status
        self.headers = headers
        self.content = content
        self.text = content.decode()


class Salesforce:
    """A logged-in client."""

    def __init__(self, wire: Wire, user: str, path: str = "u") -> None:
        self.client = zeep.Client(
            f"https://org.example:8443/services/Soap/{path}/59.0?wsdl", transport=InProcess(wire)
        )
        self.user = user
        self.headers: dict[str, Any] = {}

    def login(self) -> Any:
        result = self.client.service.login(self.user, "simorg123")
        self.headers = {"SessionHeader": {"sessionId": result.sessionId}}
        return result

    def call(self, operation: str, *args: Any, headers: Any = None, **kwargs: Any) -> Any:
        sent = {**self.headers, **(headers or {})}
        answer = self.client.service[operation](*args, _soapheaders=sent, **kwargs)
        (limit,) = answer.header.LimitInfoHeader.limitInfo
        assert limit.type == "API REQUESTS" and 0 < limit.current <= limit.limit
        return answer.body.result if hasattr(answer.body, "result") else None

    def record(self, kind: str, **fields: str) -> Any:
        content = [_element("type", kind)]
        content += [_element(name, value) for name, value in fields.items() if name != "Id"]
        factory = self.client.get_type(f"{SF}sObject")
        return factory(type=kind, Id=fields.get("Id"), _value_1=content[1:])


def _element(name: str, value: str) -> Any:
    element = etree.Element(f"{SF}{name}")
    element.text = value
    return element


def values(record: Any) -> dict[str, Any]:
    """An sObject's fields by name."""
    return {etree.QName(e).localname: e.text for e in record._value_1}


@pytest.fixture
def sf(org: Org, wire: Wire) -> Salesforce:
    made = Salesforce(wire, username(org, "admin"))
    made.login()
    return made


def test_every_operation_of_the_wsdl_is_driven_here() -> None:
    """What ``DRIVEN`` lists is what the WSDL has."""
    client = zeep.Client(
        URL + "?wsdl",
        transport=InProcess(Wire(application(None))),  # type: ignore[arg-type]
    )
    binding = client.wsdl.bindings["{urn:partner.soap.sforce.com}SoapBinding"]
    assert set(binding._operations) == DRIVEN
    assert list(client.wsdl.services) == ["SforceService"]
    assert list(client.wsdl.services["SforceService"].ports) == ["Soap"]


DRIVEN = {
    "login",
    "logout",
    "invalidateSessions",
    "getServerTimestamp",
    "getUserInfo",
    "setPassword",
    "resetPassword",
    "sendEmail",
    "query",
    "queryAll",
    "queryMore",
    "search",
    "retrieve",
    "create",
    "update",
    "upsert",
    "delete",
    "undelete",
    "emptyRecycleBin",
    "getUpdated",
    "getDeleted",
    "describeGlobal",
    "describeSObject",
    "describeSObjects",
}


def test_login_tells_where_and_who(org: Org, wire: Wire) -> None:
    result = Salesforce(wire, username(org, "admin")).login()
    assert result.serverUrl == f"{URL}/{org.id[:15]}"
    assert result.metadataServerUrl == f"{URL.replace('/u/', '/m/')}/{org.id[:15]}"
    assert result.sessionId.startswith(f"{org.id[:15]}!")
    assert (result.passwordExpired, result.sandbox) == (False, False)
    info = result.userInfo
    assert info.organizationId == org.id
    assert info.userName == username(org, "admin")
    assert info.userId == result.userId
    assert info.roleId is None
    assert info.sessionSecondsValid == 7200


def test_who_and_when(sf: Salesforce, org: Org) -> None:
    assert sf.call("getUserInfo").organizationId == org.id
    stamp = sf.call("getServerTimestamp").timestamp
    assert abs(stamp - org.clock.now()) < timedelta(minutes=1)


def test_create_query_update_retrieve_delete_undelete(sf: Salesforce) -> None:
    saved = sf.call("create", [sf.record("Account", Name="Zeep & Sons", Industry="Energy")])
    assert [(r.success, r.errors) for r in saved] == [(True, [])]
    key = saved[0].id
    result = sf.call("query", f"SELECT Id, Name, Industry FROM Account WHERE Id = '{key}'")
    assert (result.done, result.queryLocator, result.size) == (True, None, 1)
    (record,) = result.records
    assert (record.type, record.Id) == ("Account", key)
    assert values(record) == {"Id": key, "Name": "Zeep & Sons", "Industry": "Energy"}

    (updated,) = sf.call("update", [sf.record("Account", Id=key, Name="Renamed")])
    assert (updated.success, updated.id) == (True, key)
    factory = sf.client.get_type(f"{SF}sObject")
    sf.call("update", [factory(type="Account", Id=key, fieldsToNull=["Industry"])])
    found, missing = sf.call("retrieve", "Name,Industry", "Account", [key, "001000000000000AAA"])
    assert values(found) == {"Name": "Renamed", "Industry": None}
    assert (missing.type, missing.Id) == (None, None)  # zeep's reading of a nil record

    (deleted,) = sf.call("delete", [key])
    assert (deleted.success, deleted.id) == (True, key)
    assert sf.call("query", f"SELECT Id FROM Account WHERE Id = '{key}'").size == 0
    everything = sf.call("queryAll", f"SELECT Id, IsDeleted FROM Account WHERE Id = '{key}'")
    assert values(everything.records[0])["IsDeleted"] == "true"
    assert [r.success for r in sf.call("undelete", [key])] == [True]
    assert sf.call("query", f"SELECT Id FROM Account WHERE Id = '{key}'").size == 1
    sf.call("delete", [key])
    assert [r.success for r in sf.call("emptyRecycleBin", [key])] == [True]


def test_upsert_by_id(sf: Salesforce) -> None:
    made, refused = sf.call(
        "upsert", "Id", [sf.record("Account", Name="New"), sf.record("Account", Industry="x")]
    )
    assert (made.created, made.success) == (True, True)
    assert (refused.success, refused.id) == (False, None)
    assert refused.errors[0].statusCode == "REQUIRED_FIELD_MISSING"
    assert refused.errors[0].fields == ["Name"]
    (again,) = sf.call("upsert", "Id", [sf.record("Account", Id=made.id, Name="Newer")])
    assert (again.created, again.id) == (False, made.id)


def test_pages(sf: Salesforce) -> None:
    sf.call("create", [sf.record("Account", Name=f"Paged {i:03}") for i in range(200)])
    sf.call("create", [sf.record("Account", Name=f"Paged {i:03}") for i in range(200, 250)])
    size = {"QueryOptions": {"batchSize": 200}}
    soql = "SELECT Name FROM Account WHERE Name LIKE 'Paged %' ORDER BY Name"
    first = sf.call("query", soql, headers=size)
    assert (first.done, first.size, len(first.records)) == (False, 250, 200)
    second = sf.call("queryMore", first.queryLocator, headers=size)
    assert (second.done, second.size, len(second.records)) == (True, 250, 50)
    names = [values(r)["Name"] for r in first.records + second.records]
    assert names == [f"Paged {i:03}" for i in range(250)]


def test_replication(sf: Salesforce, org: Org) -> None:
    (made, gone) = sf.call(
        "create", [sf.record("Account", Name="Made"), sf.record("Account", Name="Gone")]
    )
    sf.call("delete", [gone.id])
    now = org.clock.now()
    span = (now - timedelta(minutes=10), now + timedelta(minutes=10))
    updated = sf.call("getUpdated", "Account", *span)
    assert made.id in updated.ids and gone.id not in updated.ids
    deleted = sf.call("getDeleted", "Account", *span)
    assert [d.id for d in deleted.deletedRecords] == [gone.id]
    assert deleted.earliestDateAvailable < now


def test_search(sf: Salesforce) -> None:
    (made,) = sf.call("create", [sf.record("Account", Name="Quetzalcoatl")])
    found = sf.call("search", "FIND {Quetzalcoatl} IN ALL FIELDS RETURNING Account(Id, Name)")
    (hit,) = found.searchRecords
    assert (hit.record.type, hit.record.Id) == ("Account", made.id)


def test_describe(sf: Salesforce) -> None:
    everything = sf.call("describeGlobal")
    assert everything.encoding == "UTF-8"
    names = {s.name for s in everything.sobjects}
    assert {"Account", "Contact", "User", "ConnectedApplication"} <= names
    account = sf.call("describeSObject", "account")
    assert (account.name, account.keyPrefix, account.createable) == ("Account", "001", True)
    fields = {f.name: f for f in account.fields}
    assert fields["Name"].nameField and fields["Name"].type == "string"
    assert fields["OwnerId"].referenceTo == ["User"] or "User" in fields["OwnerId"].referenceTo
    assert fields["Industry"].picklistValues
    assert fields["BillingAddress"].soapType == "tns:address"
    assert any(c.relationshipName == "Contacts" for c in account.childRelationships)
    two = sf.call("describeSObjects", ["Contact", "Lead"])
    assert [d.name for d in two] == ["Contact", "Lead"]


def test_every_kind_of_object_describes_in_strict_order(sf: Salesforce) -> None:
    names = [
        "User",
        "Case",
        "Event",
        "Task",
        "Opportunity",
        "ConnectedApplication",
        "OauthToken",
        "AuthSession",
        "LoginHistory",
        "PermissionSet",
        "Organization",
        "Attachment",
        "AccountShare",
        "Name",
        "FeedItem",
        "ContentVersion",
    ]
    described = sf.call("describeSObjects", names)
    assert [d.name for d in described] == names


def test_passwords_and_sessions_end(sf: Salesforce, org: Org, wire: Wire) -> None:
    me = sf.call("getUserInfo").userId
    sf.call("setPassword", me, "another-password-1")
    with pytest.raises(Fault, match="INVALID_LOGIN"):
        Salesforce(wire, username(org, "admin")).login()
    other = sf.client.service.login(username(org, "admin"), "another-password-1").sessionId
    mine = sf.headers["SessionHeader"]["sessionId"]
    ended, unknown = sf.call("invalidateSessions", [other, "nonsense"])
    assert (ended.success, unknown.success) == (True, False)
    with pytest.raises(Fault, match="INVALID_SESSION_ID"):
        sf.call("getUserInfo", headers={"SessionHeader": {"sessionId": other}})
    sf.call("logout")
    with pytest.raises(Fault, match="INVALID_SESSION_ID"):
        sf.call("getUserInfo", headers={"SessionHeader": {"sessionId": mine}})


@pytest.mark.parametrize(
    ("operation", "args", "detail", "code"),
    [
        ("query", ["SELECT Nope FROM Account"], "InvalidFieldFault", "INVALID_FIELD"),
        ("query", ["SELECT Id FROM Nope"], "InvalidSObjectFault", "INVALID_TYPE"),
        ("query", ["SELEC Id FROM Account"], "MalformedQueryFault", "MALFORMED_QUERY"),
        (
            "queryMore",
            ["01g000000000000AAA-1"],
            "InvalidQueryLocatorFault",
            "INVALID_QUERY_LOCATOR",
        ),
        ("describeSObject", ["Nope"], "InvalidSObjectFault", "INVALID_TYPE"),
        ("retrieve", ["Id", "Account", ["001-nope"]], "InvalidIdFault", "MALFORMED_ID"),
        ("retrieve", ["Nope", "Account", []], "InvalidFieldFault", "INVALID_FIELD"),
        ("search", ["FIND"], "MalformedSearchFault", "MALFORMED_SEARCH"),
    ],
)
def test_faults_are_typed(
    sf: Salesforce, operation: str, args: list[Any], detail: str, code: str
) -> None:
    with pytest.raises(Fault) as caught:
        sf.call(operation, *args)
    fault = caught.value
    assert fault.code == f"sf:{code}"
    element = fault.detail[0]
    kind = sf.client.get_element(f"{{urn:fault.partner.soap.sforce.com}}{detail}")
    parsed = kind.parse(element, sf.client.wsdl.types)
    assert parsed.exceptionCode == code
    assert fault.message == f"{code}: {parsed.exceptionMessage}"
    if hasattr(parsed, "row"):
        assert isinstance(parsed.row, int) and isinstance(parsed.column, int)


def test_metadata_settings(org: Org, wire: Wire, shared_catalogue: OrgCatalogue) -> None:
    partner = Salesforce(wire, username(org, "admin"))
    partner.login()
    metadata = Salesforce(wire, "", path="m")
    headers: Any = partner.headers
    call: Callable[..., Any] = metadata.client.service.readMetadata
    (read,) = call("ConnectedAppSettings", ["ConnectedApp"], _soapheaders=headers)
    assert (read.fullName, read.enableAdminApprovedAppsOnly) == ("ConnectedApp", False)
    kind = metadata.client.get_type("{http://soap.sforce.com/2006/04/metadata}ConnectedAppSettings")
    (saved,) = metadata.client.service.updateMetadata(
        [kind(fullName="ConnectedApp", enableAdminApprovedAppsOnlyForExternalUser=True)],
        _soapheaders=headers,
    )
    assert (saved.success, saved.fullName, saved.errors) == (True, "ConnectedApp", [])
    (read,) = call("ConnectedAppSettings", ["ConnectedApp"], _soapheaders=headers)
    assert read.enableAdminApprovedAppsOnlyForExternalUser is True


def test_reset_password_and_send_email(sf: Salesforce, org: Org) -> None:
    [standard] = sf.call("query", "SELECT Id FROM User WHERE Alias = 'standard'").records
    assert len(sf.call("resetPassword", standard.Id).password) > 8
    mail = sf.client.get_type("{urn:partner.soap.sforce.com}SingleEmailMessage")
    good = mail(toAddresses=["you@out.example"], plainTextBody="Text", subject="Hello")
    sent, refused = sf.call("sendEmail", [good, mail(toAddresses=["nobody"])])
    assert (sent.success, sent.errors) == (True, [])
    assert [error.statusCode for error in refused.errors] == ["INVALID_EMAIL_ADDRESS"]
    assert refused.errors[0].fields == ["toAddresses", "nobody"]
    assert [found.subject for found in Mailbox(org).all()] == ["Hello"]
