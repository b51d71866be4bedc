"""SOQL and SOSL over REST, pages, describes, limits."""

from __future__ import annotations

from urllib.parse import quote

from lxml import etree

from simorg.org.records import system_update
from tests.conftest import username
from tests.rest.conftest import Api, V, refused


def test_query(api: Api) -> None:
    account = api.create("Account", Name="Queried")
    found = api.query("SELECT id, NAME, Owner.Username FROM account WHERE Name = 'Queried'")
    assert list(found) == ["totalSize", "done", "records"]
    assert found["totalSize"] == 1 and found["done"] is True
    record = found["records"][0]
    assert record == {
        "attributes": {"type": "Account", "url": f"{V}/sobjects/Account/{account}"},
        "Id": account,
        "Name": "Queried",
        "Owner": {
            "attributes": {"type": "User", "url": record["Owner"]["attributes"]["url"]},
            "Username": username(api.org, "admin"),
        },
    }


def test_queries_with_pluses_slashes_and_no_results(api: Api) -> None:
    q = "SELECT+Id+FROM+Account+WHERE+Name='nobody'"
    for path in (f"query?q={q}", f"query/?q={q}", f"queryAll/?q={q}", f"{V}//query/?q={q}"):
        assert api.get(path) == {"totalSize": 0, "done": True, "records": []}


def test_count_and_aggregates(api: Api) -> None:
    found = api.query("SELECT COUNT() FROM Account")
    assert found["totalSize"] > 0 and found["records"] == []
    found = api.query("SELECT COUNT(Id) n FROM Account")
    assert found["records"][0]["attributes"] == {"type": "AggregateResult"}
    assert found["records"][0]["n"] > 0


def test_pages(api: Api) -> None:
    for n in range(3):
        rows = [
            {"attributes": {"type": "Lead"}, "LastName": f"L{n}-{m}", "Company": "paged"}
            for m in range(150)
        ]
        assert api("POST", "composite/sobjects", json={"records": rows}).status_code == 200
    soql = "SELECT Id, LastName FROM Lead WHERE Company = 'paged'"
    headers = {"Sforce-Query-Options": "batchSize=200"}
    first = api.query(soql, headers=headers)
    assert (first["totalSize"], first["done"], len(first["records"])) == (450, False, 200)
    assert first["nextRecordsUrl"].startswith(f"{V}/query/01g")
    seen = {r["Id"] for r in first["records"]}
    page = first
    while not page["done"]:
        page = api.get(page["nextRecordsUrl"], headers=headers)
        seen |= {r["Id"] for r in page["records"]}
    assert len(seen) == 450 and "nextRecordsUrl" not in page
    assert len(api.query(soql)["records"]) == 450
    refused(api("GET", "query/01gHp0000000000AAA-2000"), 400, "INVALID_QUERY_LOCATOR")


def test_refusals(api: Api) -> None:
    for q, code in (
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY"),
        ("SELECT Foo FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Foo", "INVALID_TYPE"),
        ("", "MALFORMED_QUERY"),
    ):
        refused(api("GET", f"query?q={quote(q)}"), 400, code)
    error = refused(api("GET", "query?q=SELECT+Foo+FROM+Account"), 400, "INVALID_FIELD")
    assert "ERROR at Row:1:Column:8" in error["message"]


def test_query_in_xml(api: Api) -> None:
    api.create("Account", Name="X<Y")
    q = quote("SELECT Id, Name, Phone FROM Account WHERE Name = 'X<Y'")
    root = etree.fromstring(api("GET", f"query.xml?q={q}").data)
    assert root.tag == "QueryResult" and root.findtext("totalSize") == "1"
    record = root.find("records")
    assert record is not None and record.get("type") == "Account"
    assert record.findtext("Name") == "X<Y"


def test_explain_and_columns(api: Api) -> None:
    plans = api.get("query?explain=" + quote("SELECT Id FROM Account WHERE Name = 'x'"))["plans"]
    assert {
        "cardinality",
        "fields",
        "leadingOperationType",
        "relativeCost",
        "sobjectCardinality",
        "sobjectType",
    } <= set(plans[0])
    q = quote("SELECT Id, Owner.Name, (SELECT LastName FROM Contacts) FROM Account LIMIT 1")
    found = api.get(f"query?q={q}&columns=true")
    names = [each["columnName"] for each in found["columnMetadata"]]
    assert names == ["Id", "Owner", "Contacts"] and found["entityName"] == "Account"
    assert found["columnMetadata"][1]["joinColumns"][0]["columnName"] == "Name"
    assert found["columnMetadata"][2]["aggregate"] is True


def test_search(api: Api) -> None:
    api.create("Account", Name="Zebrafish Ltd")
    q = quote("FIND {Zebrafish} IN NAME FIELDS RETURNING Account(Id, Name)")
    found = api.get(f"search/?q={q}")
    assert [r["Name"] for r in found["searchRecords"]] == ["Zebrafish Ltd"]
    assert isinstance(api.get(f"search?q={q}", version="/services/data/v36.0"), list)
    found = api.get("parameterizedSearch?q=Zebrafish&sobject=Account&Account.fields=Id,Name")
    assert [r["Name"] for r in found["searchRecords"]] == ["Zebrafish Ltd"]
    body = {"q": "Zebra*", "sobjects": [{"name": "Account", "fields": ["Name"], "limit": 5}]}
    assert api("POST", "parameterizedSearch", json=body).status_code == 200
    refused(api("GET", "search?q=FIND"), 400, "MALFORMED_SEARCH")


def test_versions_without_a_session(api: Api) -> None:
    api.token = None
    for path in ("/services/data", "/services/data/"):
        listed = api.get(path)
        assert [v["version"] for v in listed] == [f"{n}.0" for n in range(31, 68)]
        assert listed[-1]["url"] == "/services/data/v67.0"


def test_resources(api: Api) -> None:
    found = api.get("")
    assert found["sobjects"] == f"{V}/sobjects" and found["identity"].startswith("http")
    assert "composite" not in api.get("/services/data/v37.0")
    for name, url in found.items():
        if name not in ("identity", "search", "parameterizedSearch", "query", "queryAll"):
            api.get(url)


def test_describe(api: Api) -> None:
    listed = api.get("sobjects/")
    assert listed["encoding"] == "UTF-8" and listed["maxBatchSize"] == 200
    by_name = {each["name"]: each for each in listed["sobjects"]}
    assert by_name["Account"]["keyPrefix"] == "001" and "Contact" in by_name
    assert by_name["Account"]["urls"] == {
        "rowTemplate": f"{V}/sobjects/Account/{{ID}}",
        "describe": f"{V}/sobjects/Account/describe",
        "sobject": f"{V}/sobjects/Account",
    }
    found = api.get("sobjects/account/describe/")
    assert found["name"] == "Account" and found["urls"]["sobject"] == f"{V}/sobjects/Account"
    fields = {each["name"]: each for each in found["fields"]}
    assert fields["Id"]["type"] == "id" and fields["OwnerId"]["referenceTo"]
    assert not [name for name in fields if name.startswith("simorg_")]
    basics = api.get("sobjects/Account/")
    assert basics["objectDescribe"]["name"] == "Account" and basics["recentItems"] == []
    assert basics["objectDescribe"] == by_name["Account"]
    refused(api("GET", "sobjects/Nope/describe"), 404, "NOT_FOUND")


def test_describe_is_conditional(api: Api) -> None:
    from simorg.org.schema.model import Field

    path = "sobjects/Account/describe"
    modified = api("GET", path).headers["Last-Modified"]
    answer = api("GET", path, headers={"If-Modified-Since": modified})
    assert answer.status_code == 304 and answer.data == b""
    early = {"If-Modified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"}
    assert api("GET", path, headers=early).status_code == 200
    api.org.add_field("Account", Field("New__c", "New", "string", length=10, custom=True))
    answer = api("GET", path, headers={"If-Modified-Since": modified})
    assert answer.status_code == 200
    assert "New__c" in {f["name"] for f in answer.get_json()["fields"]}


def test_limits(api: Api) -> None:
    first = api.get("limits/")["DailyApiRequests"]
    second = api.get("limits")["DailyApiRequests"]
    assert second["Remaining"] == first["Remaining"] - 1 and first["Max"] > 5000
    found = api.get("limits/recordCount?sObjects=Account,Nope,contact")["sObjects"]
    assert [each["name"] for each in found] == ["Account", "Contact"]
    count = api.query("SELECT COUNT() FROM Account")["totalSize"]
    assert found[0]["count"] == count
    everything = api.get("limits/recordCount")["sObjects"]
    assert {"name": "Account", "count": count} in everything
    api.org.usage.set_used(api.org.usage.limit)
    refused(api("GET", "limits"), 403, "REQUEST_LIMIT_EXCEEDED")


def test_pretty_print(api: Api) -> None:
    answer = api("GET", "limits", headers={"X-PrettyPrint": "1"})
    assert answer.data.startswith(b"{\n  ")
    assert not api("GET", "limits").data.startswith(b"{\n")


def test_recent_shows_what_was_viewed(api: Api) -> None:
    assert api.get("recent") == []
    account = api.create("Account", Name="Seen")
    with api.org.store.writing() as tx:
        system_update(tx, "Account", account, {"LastViewedDate": api.org.clock.text()})
    found = api.get("recent?limit=5")
    assert [(each["Id"], each["Name"]) for each in found] == [(account, "Seen")]
    assert api.get("sobjects/Account")["recentItems"] == found
    assert api.get("recent?limit=0") == []
