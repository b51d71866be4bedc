"""Single records over REST: read, create, change, delete, by id and by external id."""

from __future__ import annotations

import pytest
from lxml import etree

from simorg.org.org import Org
from simorg.org.schema.model import Field
from tests.conftest import username
from tests.rest.conftest import Api, V, refused, token_of


@pytest.fixture
def keyed(api: Api) -> Org:
    """The org with external id fields on Account: a text, a number, and one not unique."""
    for name, kind, unique in (
        ("Ext__c", "string", True),
        ("Num__c", "double", True),
        ("Group__c", "string", False),
    ):
        api.org.add_field(
            "Account",
            Field(
                name=name,
                label=name[:-3],
                type=kind,
                length=80 if kind == "string" else 0,
                precision=18 if kind == "double" else 0,
                createable=True,
                updateable=True,
                custom=True,
                external_id=True,
                id_lookup=True,
                unique=unique,
            ),
        )
    return api.org


def test_create_read_change_delete(api: Api) -> None:
    account = api.create("Account", Name="Über & Co", NumberOfEmployees="5", Phone=None)
    row = api.get(f"sobjects/Account/{account}")
    assert list(row)[:2] == ["attributes", "Id"]
    assert row["attributes"] == {"type": "Account", "url": f"{V}/sobjects/Account/{account}"}
    assert (row["Name"], row["NumberOfEmployees"], row["Phone"]) == ("Über & Co", 5, None)
    assert row["IsDeleted"] is False and row["BillingAddress"] is None
    assert row["OwnerId"].startswith("005") and row["CreatedDate"].endswith("+0000")

    answer = api(
        "PATCH", f"sobjects/Account/{account}", json={"name": "New", "BillingCity": "Oslo"}
    )
    assert answer.status_code == 204 and answer.data == b""
    assert "Content-Type" not in answer.headers and "Content-Length" not in answer.headers
    row = api.get(f"sobjects/Account/{account}?fields=name,BillingAddress")
    assert row["Name"] == "New" and row["BillingAddress"]["city"] == "Oslo"
    assert set(row) == {"attributes", "Name", "BillingAddress", "Id"} or set(row) == {
        "attributes",
        "Name",
        "BillingAddress",
    }

    assert api("DELETE", f"sobjects/Account/{account}").status_code == 204
    refused(api("GET", f"sobjects/Account/{account}"), 404, "ENTITY_IS_DELETED")
    error = refused(
        api("PATCH", f"sobjects/Account/{account}", json={"Name": "x"}), 404, "ENTITY_IS_DELETED"
    )
    assert error == {"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}
    refused(api("DELETE", f"sobjects/Account/{account}"), 404, "ENTITY_IS_DELETED")


def test_case_slashes_and_endings(api: Api) -> None:
    account = api.create("Account", Name="A")
    for path in (
        f"sobjects/account/{account}",
        f"sobjects/ACCOUNT/{account}/",
        f"{V}//sobjects//Account/{account}",
        f"sobjects/Account/{account[:15]}",
        f"sobjects/Account/{account}.json",
    ):
        assert api.get(path)["attributes"]["type"] == "Account"
    made = api("POST", "sobjects/account/", json={"NAME": "lower"})
    assert made.status_code == 201
    assert api.get(f"sobjects/Account/{made.get_json()['id']}")["Name"] == "lower"


def test_head_has_no_body(api: Api) -> None:
    account = api.create("Account", Name="A")
    answer = api("HEAD", f"sobjects/Account/{account}")
    assert answer.status_code == 200 and answer.data == b""
    whole = api("GET", f"sobjects/Account/{account}")
    assert answer.headers["Content-Length"] == str(len(whole.data))
    assert api("HEAD", f"sobjects/Account/{account[:-3]}zz").status_code in (404, 400)


def test_method_override(api: Api) -> None:
    account = api.create("Account", Name="A")
    answer = api("POST", f"sobjects/Account/{account}?_HttpMethod=PATCH", json={"Name": "B"})
    assert answer.status_code == 204
    assert api.get(f"sobjects/Account/{account}")["Name"] == "B"
    assert api("POST", f"sobjects/Account/{account}?_HttpMethod=DELETE").status_code == 204


def test_json_under_a_soap_content_type(api: Api) -> None:
    answer = api(
        "POST",
        "sobjects/Account",
        data=b'{"Name": "x"}',
        headers={"Content-Type": "text/xml", "SOAPAction": "deploy"},
    )
    assert answer.status_code == 201
    refused(
        api(
            "POST",
            "sobjects/Account",
            data=b"Name=x",
            content_type="application/x-www-form-urlencoded",
        ),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    )


def test_xml_in_and_out(api: Api) -> None:
    answer = api(
        "POST",
        "sobjects/Account",
        content_type="application/xml",
        data=b"<Account><Name>X &amp; Y</Name><NumberOfEmployees>7</NumberOfEmployees></Account>",
        headers={"Accept": "application/xml"},
    )
    assert answer.status_code == 201
    made = etree.fromstring(answer.data)
    assert made.tag == "Result" and made.findtext("success") == "true"
    account = made.findtext("id")
    root = etree.fromstring(api("GET", f"sobjects/Account/{account}.xml").data)
    assert root.tag == "Account" and root.get("type") == "Account"
    assert root.get("url") == f"{V}/sobjects/Account/{account}"
    assert root.findtext("Name") == "X & Y" and root.findtext("NumberOfEmployees") == "7"


def test_refusals_of_create_and_update(api: Api) -> None:
    error = refused(api("POST", "sobjects/Account", json={}), 400, "REQUIRED_FIELD_MISSING")
    assert error["message"] == "Required fields are missing: [Name]"
    assert error["fields"] == ["Name"]
    error = refused(
        api("POST", "sobjects/Account", json={"Name": "a", "Foo": 1}), 400, "INVALID_FIELD"
    )
    assert error["message"] == "No such column 'Foo' on sobject of type Account"
    refused(api("POST", "sobjects/Nope", json={}), 404, "NOT_FOUND")
    refused(api("POST", "sobjects/Account", json={"Name": "x" * 256}), 400, "STRING_TOO_LONG")
    refused(
        api("POST", "sobjects/Account", json={"Name": "x", "CreatedDate": "2020-01-01"}),
        400,
        "INVALID_FIELD_FOR_INSERT_UPDATE",
    )
    refused(
        api("POST", "sobjects/Account", json={"Name": "x", "NumberOfEmployees": "five"}),
        400,
        "JSON_PARSER_ERROR",
    )
    refused(
        api("POST", "sobjects/Account", json={"Name": "x", "ParentId": "zzz"}), 400, "MALFORMED_ID"
    )
    refused(api("POST", "sobjects/Account", json=["x"]), 400, "JSON_PARSER_ERROR")
    refused(
        api("POST", "sobjects/Account", json={"Name": "x", "Id": "001000000000001AAA"}),
        400,
        "INVALID_FIELD_FOR_INSERT_UPDATE",
    )
    account = api.create("Account", Name="A")
    error = refused(
        api("PATCH", f"sobjects/Account/{account}", json={"Id": account}), 400, "INVALID_FIELD"
    )
    assert error["message"] == "The Id field should not be specified in the sobject data."
    refused(
        api("PATCH", f"sobjects/Account/{account}", json={"Name": None}),
        400,
        "REQUIRED_FIELD_MISSING",
    )
    assert api.get(f"sobjects/Account/{account}")["Name"] == "A"


def test_ids_that_lead_nowhere(api: Api) -> None:
    nobody = "001Hp00009ZZZZZ"
    for verb in ("GET", "PATCH"):
        error = refused(api(verb, f"sobjects/Account/{nobody}", json={}), 404, "NOT_FOUND")
        assert error["message"] == "The requested resource does not exist"
    error = refused(api("DELETE", f"sobjects/Account/{nobody}"), 404, "INVALID_CROSS_REFERENCE_KEY")
    assert error["message"] == "invalid cross reference id"
    for verb in ("GET", "PATCH", "DELETE"):
        error = refused(api(verb, "sobjects/Account/garbage", json={}), 404, "NOT_FOUND")
        assert error["message"] == (
            "Provided external ID field does not exist or is not accessible: garbage"
        )
    contact = "003Hp00009ZZZZZ"
    refused(api("GET", f"sobjects/Account/{contact}"), 404, "NOT_FOUND")
    error = refused(api("DELETE", f"sobjects/Account/{contact}"), 400, "MALFORMED_ID")
    assert "id value of incorrect type: 003" in error["message"] and error["fields"] == ["Id"]
    account = api.create("Account", Name="A")
    error = refused(api("GET", f"sobjects/Account/{account}?fields=Id,Foo"), 400, "INVALID_FIELD")
    assert "No such column 'Foo'" in error["message"]


def test_upsert_by_external_id(api: Api, keyed: Org) -> None:
    path = "sobjects/Account/Ext__c/a1"
    refused(api("GET", path), 404, "NOT_FOUND")
    answer = api("PATCH", path, json={"Name": "A"})
    assert answer.status_code == 201
    made = answer.get_json()
    assert made["created"] is True and made["success"] is True and made["errors"] == []
    answer = api("PATCH", "sobjects/account/ext__c/A1", json={"Name": "B"})
    assert answer.status_code == 200 and answer.get_json()["id"] == made["id"]
    assert answer.get_json()["created"] is False
    assert api.get(path)["Name"] == "B"
    old = "/services/data/v45.0"
    answer = api("PATCH", path, json={"Name": "C"}, version=old)
    assert answer.status_code == 204 and answer.data == b""
    answer = api("PATCH", "sobjects/Account/Ext__c/a2", json={"Name": "D"}, version=old)
    assert answer.status_code == 201 and "created" not in answer.get_json()
    refused(
        api("PATCH", "sobjects/Account/Ext__c/new?updateOnly=true", json={"Name": "x"}),
        404,
        "NOT_FOUND",
    )
    error = refused(api("PATCH", path, json={"Name": "x", "Ext__c": "a1"}), 400, "INVALID_FIELD")
    assert error["message"] == "The Ext__c field should not be specified in the sobject data."
    assert api("PATCH", "sobjects/Account/Num__c/42", json={"Name": "N"}).status_code == 201
    assert api.get("sobjects/Account/Num__c/42")["Num__c"] == 42.0
    assert api("DELETE", path).status_code == 204
    refused(api("DELETE", path), 404, "NOT_FOUND")


def test_values_with_plus_space_slash_and_endings(api: Api, keyed: Org) -> None:
    sent = {
        "two+words": "two words",
        "a%2Bb": "a+b",
        "x%20y": "x y",
        "q.json": "q.json",
        "caf%C3%A9": "café",
        "a%2Bb+c": "a+b c",
        "dir%2Ffile%2f1": "dir/file/1",
    }
    for path, value in sent.items():
        answer = api("PATCH", f"{V}/sobjects/Account/Ext__c/{path}", json={"Name": "n"})
        assert answer.status_code == 201, answer.text
        assert api.get(f"sobjects/Account/{answer.get_json()['id']}")["Ext__c"] == value
        assert api.get(f"{V}/sobjects/Account/Ext__c/{path}")["Ext__c"] == value


def test_several_matches_are_listed(api: Api, keyed: Org) -> None:
    made = [api.create("Account", Name=f"A{n}", Group__c="g") for n in range(2)]
    for verb in ("GET", "PATCH", "DELETE"):
        answer = api(verb, "sobjects/Account/Group__c/g", json={"Name": "x"})
        assert answer.status_code == 300
        assert sorted(answer.get_json()) == [
            f"{V}/sobjects/Account/{each}" for each in sorted(made)
        ]
    assert api.get(f"sobjects/Account/{made[0]}")["Name"] == "A0"


def test_id_as_the_external_field(api: Api) -> None:
    answer = api("POST", "sobjects/Account/Id", json={"Name": "A"})
    assert answer.status_code == 201
    account = answer.get_json()["id"]
    assert api("PATCH", f"sobjects/Account/Id/{account}", json={"Name": "B"}).status_code == 204
    assert api.get(f"sobjects/Account/Id/{account}")["Name"] == "B"
    refused(api("GET", "sobjects/Account/Id/zz"), 404, "NOT_FOUND")


def test_fields_that_are_no_external_id(api: Api) -> None:
    account = api.create("Account", Name="A")
    for path in ("sobjects/Account/Phone/12", "sobjects/Account/Nope__c/1"):
        for verb in ("GET", "PATCH", "DELETE"):
            refused(api(verb, path, json={}), 404, "NOT_FOUND")
    assert api.get(f"sobjects/Account/{account}")["Name"] == "A"


def test_relationships(api: Api) -> None:
    account = api.create("Account", Name="A")
    contact = api.create("Contact", LastName="C", AccountId=account)
    found = api.get(f"sobjects/Account/{account}/Contacts?fields=Id,LastName")
    assert found["totalSize"] == 1 and found["records"][0]["Id"] == contact
    assert api.get(f"sobjects/Contact/{contact}/account?fields=Name")["Name"] == "A"
    assert api.get(f"sobjects/Account/{account}/Owner")["Username"] == username(api.org, "admin")
    refused(api("GET", f"sobjects/Account/{account}/Parent"), 404, "NOT_FOUND")
    refused(api("GET", f"sobjects/Account/{account}/Nope"), 404, "NOT_FOUND")
    assert (
        api("PATCH", f"sobjects/Contact/{contact}/Account", json={"Name": "B"}).status_code == 204
    )
    assert api.get(f"sobjects/Account/{account}")["Name"] == "B"


def test_conditional_read(api: Api) -> None:
    account = api.create("Account", Name="A")
    path = f"sobjects/Account/{account}"
    later, earlier = "Fri, 01 Jan 2100 00:00:00 GMT", "Thu, 01 Jan 2015 00:00:00 GMT"
    answer = api("GET", path, headers={"If-Modified-Since": later})
    assert answer.status_code == 304 and answer.data == b""
    assert api("GET", path, headers={"If-Modified-Since": earlier}).status_code == 200
    assert api("GET", path, headers={"If-Modified-Since": "nonsense"}).status_code == 200
    refused(api("GET", path, headers={"If-Unmodified-Since": earlier}), 412, "PRECONDITION_FAILED")


def test_blob(api: Api) -> None:
    account = api.create("Account", Name="A")
    made = api.create(
        "Attachment", ParentId=account, Name="a.txt", Body="aGVsbG8=", ContentType="text/plain"
    )
    row = api.get(f"sobjects/Attachment/{made}")
    assert row["Body"] == f"{V}/sobjects/Attachment/{made}/Body"
    answer = api("GET", row["Body"])
    assert answer.data == b"hello" and answer.content_type == "text/plain"
    for odd in ("text/plain\r\nX-Injected: 1", "nonsense", "text/ø"):
        changed = api("PATCH", f"sobjects/Attachment/{made}", json={"ContentType": odd})
        assert changed.status_code == 204
        answer = api("GET", row["Body"])
        assert (
            answer.content_type == "application/octet-stream" and "X-Injected" not in answer.headers
        )


def test_updated_and_deleted(api: Api) -> None:
    now = api.org.clock.now()
    account = api.create("Account", Name="A")
    gone = api.create("Account", Name="B")
    assert api("DELETE", f"sobjects/Account/{gone}").status_code == 204
    span = {
        "start": now.replace(year=now.year - 0).strftime("%Y-%m-%dT%H:%M:00+00:00"),
        "end": now.replace(year=now.year + 1).strftime("%Y-%m-%dT%H:%M:00Z"),
    }
    found = api.get("sobjects/Account/updated/", query_string=span)
    assert account in found["ids"] and found["latestDateCovered"].endswith("+0000")
    found = api.get("sobjects/Account/deleted/", query_string=span)
    assert [each["id"] for each in found["deletedRecords"]] == [gone]
    assert {"earliestDateAvailable", "latestDateCovered"} < set(found)
    refused(api("GET", "sobjects/Account/updated"), 400, "MISSING_ARGUMENT")


def test_user_password(api: Api) -> None:
    name = username(api.org, "standard")
    user = api.query(f"SELECT Id FROM User WHERE Username = '{name}'")
    path = f"sobjects/User/{user['records'][0]['Id']}/password"
    assert api.get(path) == {"isExpired": False}
    assert api("POST", path, json={"NewPassword": "long enough 1"}).status_code == 204
    refused(api("POST", path, json={"NewPassword": "short"}), 400, "INVALID_NEW_PASSWORD")
    refused(api("POST", path, json={}), 400, "INVALID_NEW_PASSWORD")
    answer = api("DELETE", path)
    assert answer.status_code == 200 and len(answer.get_json()["NewPassword"]) >= 8
    assert api.get(path) == {"isExpired": True}
    assert api.get(path.replace("User", "user")) == {"isExpired": True}  # as nforce asks
    refused(api("GET", "sobjects/User/005Hp00009ZZZZZ/password"), 404, "NOT_FOUND")
    api.token = token_of(api.org, "integration")
    refused(api("DELETE", path), 403, "INSUFFICIENT_ACCESS")
