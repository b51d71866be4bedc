"""Collections, composite, batch, tree."""

from __future__ import annotations

from typing import Any

from lxml import etree

from tests.rest.conftest import Api, V, refused


def record(kind: str, **values: Any) -> dict[str, Any]:
    return {"attributes": {"type": kind}, **values}


def collection(api: Api, verb: str, *records: Any, **options: Any) -> Any:
    answer = api(verb, "composite/sobjects", json={"records": list(records), **options})
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def count(api: Api, name: str) -> int:
    total: int = api.query(f"SELECT COUNT() FROM Account WHERE Name = '{name}'")["totalSize"]
    return total


def test_collection_create_partly(api: Api) -> None:
    for option in (None, False):
        made = collection(
            api,
            "POST",
            record("Account", Name="c1"),
            record("Account"),
            record("Contact", LastName="c"),
            allOrNone=option,
        )
        assert [each["success"] for each in made] == [True, False, True]
        assert made[0]["errors"] == [] and made[0]["id"].startswith("001")
        assert made[1]["errors"] == [
            {
                "statusCode": "REQUIRED_FIELD_MISSING",
                "message": "Required fields are missing: [Name]",
                "fields": ["Name"],
            }
        ]
    assert count(api, "c1") == 2


def test_collection_all_or_none(api: Api) -> None:
    made = collection(api, "POST", record("Account", Name="c2"), record("Account"), allOrNone=True)
    codes = [each["errors"][0]["statusCode"] for each in made]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert count(api, "c2") == 0


def test_collection_update_delete_retrieve(api: Api) -> None:
    first, second = api.create("Account", Name="a"), api.create("Account", Name="b")
    done = collection(
        api,
        "PATCH",
        record("Account", id=first, Name="x"),
        record("Account", Id=second, Name="y"),
        record("Account", Name="z"),
    )
    assert [each["success"] for each in done] == [True, True, False]
    assert done[2]["errors"][0]["statusCode"] == "MISSING_ARGUMENT"
    missing = "001Hp00009ZZZZZ"
    path = f"composite/sobjects/Account?ids={second},{missing},{first}&fields=Name"
    rows = api.get(path)
    assert [row and row["Name"] for row in rows] == ["y", None, "x"]
    answer = api(
        "POST",
        "composite/sobjects/Account",
        json={"ids": [first, missing], "fields": ["Id", "Name"]},
    )
    assert [row and row["Name"] for row in answer.get_json()] == ["x", None]
    answer = api("DELETE", f"composite/sobjects?ids={first},{missing},{second}&allOrNone=true")
    assert [each["success"] for each in answer.get_json()] == [False, False, False]
    assert api.get(f"sobjects/Account/{first}")["Name"] == "x"
    answer = api("DELETE", f"composite/sobjects?ids={first},{missing}&allOrNone=false")
    assert [each["success"] for each in answer.get_json()] == [True, False]


def test_collection_bounds(api: Api) -> None:
    rows = [record("Account", Name="many")] * 201
    refused(api("POST", "composite/sobjects", json={"records": rows}), 400, "EXCEEDED_ID_LIMIT")
    assert count(api, "many") == 0
    refused(api("POST", "composite/sobjects", json={}), 400, "MISSING_ARGUMENT")
    refused(
        api("POST", "composite/sobjects", json={"records": [{"Name": "x"}]}),
        400,
        "MISSING_ARGUMENT",
    )
    refused(
        api("POST", "composite/sobjects", json={"records": [record("A")], "allOrNone": 3}),
        400,
        "JSON_PARSER_ERROR",
    )
    refused(api("DELETE", "composite/sobjects"), 400, "MISSING_ARGUMENT")
    refused(api("GET", "composite/sobjects/Nope?ids=1&fields=Id"), 404, "NOT_FOUND")
    old = "/services/data/v41.0"
    refused(api("POST", "composite/sobjects", json={}, version=old), 404, "NOT_FOUND")


def test_collection_in_xml(api: Api) -> None:
    data = (
        b"<request><allOrNone>false</allOrNone><records type='Account'><Name>xml1</Name>"
        b"</records></request>"
    )
    answer = api(
        "POST",
        "composite/sobjects",
        data=data,
        content_type="application/xml",
        headers={"Accept": "application/xml"},
    )
    root = etree.fromstring(answer.data)
    assert root.tag == "Results" and root.findtext("Result/success") == "true"
    assert count(api, "xml1") == 1


def composite(api: Api, *requests: Any, **options: Any) -> list[dict[str, Any]]:
    answer = api("POST", "composite", json={"compositeRequest": list(requests), **options})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.get_json()["compositeResponse"]
    return results


def sub(reference: str, method: str, path: str, **more: Any) -> dict[str, Any]:
    return {"method": method, "url": f"{V}/{path}", "referenceId": reference, **more}


def test_composite_with_references(api: Api) -> None:
    results = composite(
        api,
        sub("acc", "POST", "sobjects/Account", body={"Name": "comp"}),
        sub("con", "POST", "sobjects/Contact", body={"LastName": "c", "AccountId": "@{acc.id}"}),
        sub("read", "GET", "sobjects/Account/@{acc.id}?fields=Name"),
        sub("q", "GET", "query/?q=SELECT+Id+FROM+Contact+WHERE+AccountId='@{acc.id}'"),
        sub(
            "upd", "PATCH", "sobjects/Contact/@{q.records[0].Id}", body={"LastName": "@{read.Name}"}
        ),
    )
    assert [r["httpStatusCode"] for r in results] == [201, 201, 200, 200, 204]
    assert [r["referenceId"] for r in results] == ["acc", "con", "read", "q", "upd"]
    account = results[0]["body"]["id"]
    assert results[0]["httpHeaders"] == {"Location": f"{V}/sobjects/Account/{account}"}
    assert results[4]["body"] is None
    contact = results[1]["body"]["id"]
    assert api.get(f"sobjects/Contact/{contact}")["LastName"] == "comp"


def test_composite_goes_on_after_a_failure(api: Api) -> None:
    results = composite(
        api,
        sub("bad", "POST", "sobjects/Account", body={}),
        sub("needs", "GET", "sobjects/Account/@{bad.id}"),
        sub("good", "POST", "sobjects/Account", body={"Name": "goes on"}),
        sub("nope", "GET", "tooling/query"),
        sub("verb", "PUT", "sobjects/Account"),
    )
    assert [r["httpStatusCode"] for r in results] == [400, 400, 201, 404, 405]
    assert results[0]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert results[1]["body"][0]["errorCode"] == "PROCESSING_HALTED"


def test_composite_all_or_none(api: Api) -> None:
    results = composite(
        api,
        sub("a", "POST", "sobjects/Account", body={"Name": "rolled"}),
        sub("seen", "GET", "query?q=SELECT+COUNT()+FROM+Account+WHERE+Name='rolled'"),
        sub("b", "POST", "sobjects/Account", body={}),
        sub("c", "POST", "sobjects/Account", body={"Name": "rolled"}),
        allOrNone=True,
    )
    assert [r["httpStatusCode"] for r in results] == [400] * 4
    codes = [r["body"][0]["errorCode"] for r in results]
    assert codes == [
        "PROCESSING_HALTED",
        "PROCESSING_HALTED",
        "REQUIRED_FIELD_MISSING",
        "PROCESSING_HALTED",
    ]
    assert count(api, "rolled") == 0
    results = composite(
        api,
        sub("a", "POST", "sobjects/Account", body={"Name": "kept"}),
        sub("b", "GET", "query?q=SELECT+Id+FROM+Account+WHERE+Name='kept'"),
        allOrNone=True,
    )
    assert results[1]["body"]["totalSize"] == 1 and count(api, "kept") == 1


def test_composite_refused_whole(api: Api) -> None:
    good = sub("r", "GET", "limits")
    for body in (
        {},
        {"compositeRequest": []},
        {"compositeRequest": [good, good]},
        {"compositeRequest": [{**good, "referenceId": "a-b"}]},
        {"compositeRequest": [{**good, "referenceId": None}]},
        {"compositeRequest": [{**good, "method": "BREW"}]},
        {"compositeRequest": [{**good, "url": 5}]},
        {"compositeRequest": [{**good, "httpHeaders": {"X": 1}}]},
    ):
        refused(api("POST", "composite", json=body), 400, "JSON_PARSER_ERROR")
    many = [sub(f"r{n}", "GET", "limits") for n in range(26)]
    refused(api("POST", "composite", json={"compositeRequest": many}), 400, "LIMIT_EXCEEDED")
    results = composite(api, sub("in", "POST", "composite", body={"compositeRequest": [good]}))
    assert results[0]["httpStatusCode"] == 400


def test_composite_subrequest_headers(api: Api) -> None:
    late = {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}
    results = composite(api, sub("d", "GET", "sobjects/Account/describe", httpHeaders=late))
    assert results[0]["httpStatusCode"] == 304 and results[0]["body"] is None


def test_batch(api: Api) -> None:
    account = api.create("Account", Name="b")
    requests = [
        {"method": "PATCH", "url": f"v67.0/sobjects/Account/{account}", "richInput": {"Name": "c"}},
        {"method": "GET", "url": f"{V}/sobjects/Account/{account}?fields=Name"},
        {"method": "GET", "url": "v67.0/sobjects/Nope"},
        {"method": "GET", "url": "v34.0/limits"},
    ]
    answer = api("POST", "composite/batch", json={"batchRequests": requests}).get_json()
    assert answer["hasErrors"] is True
    assert [r["statusCode"] for r in answer["results"]] == [204, 200, 404, 200]
    assert answer["results"][0]["result"] is None
    assert answer["results"][1]["result"]["Name"] == "c"
    answer = api(
        "POST", "composite/batch", json={"batchRequests": requests, "haltOnError": True}
    ).get_json()
    assert answer["results"][3]["statusCode"] == 412
    assert answer["results"][3]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"


def test_each_subrequest_of_a_batch_counts(api: Api) -> None:
    """Those beyond the limit are refused with what a request of its own would meet."""
    usage = api.org.usage
    requests = [{"method": "GET", "url": "v60.0/limits"}] * 4
    usage.set_used(10)
    composite(api, *(sub(f"r{n}", "GET", "limits") for n in range(4)))
    assert usage.used == 11
    api("POST", "composite/batch", json={"batchRequests": requests})
    assert usage.used == 15
    for halt, statuses in ((False, [200, 200, 403, 403]), (True, [200, 200, 403, 412])):
        usage.set_used(usage.limit - 2)
        answer = api(
            "POST", "composite/batch", json={"batchRequests": requests, "haltOnError": halt}
        )
        assert answer.status_code == 200 and answer.get_json()["hasErrors"] is True
        results = answer.get_json()["results"]
        assert [one["statusCode"] for one in results] == statuses
        assert results[2]["result"] == [
            {"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}
        ]


def tree(reference: str, kind: str, **values: Any) -> dict[str, Any]:
    return {"attributes": {"type": kind, "referenceId": reference}, **values}


def test_tree(api: Api) -> None:
    body = {
        "records": [
            tree(
                "a1",
                "Account",
                Name="tree",
                Contacts={
                    "records": [
                        tree("c1", "Contact", LastName="x"),
                        tree("c2", "Contact", LastName="y"),
                    ]
                },
            ),
            tree("a2", "Account", Name="tree"),
        ]
    }
    answer = api("POST", "composite/tree/Account/", json=body)
    assert answer.status_code == 201
    made = answer.get_json()
    assert made["hasErrors"] is False
    ids = {each["referenceId"]: each["id"] for each in made["results"]}
    assert set(ids) == {"a1", "a2", "c1", "c2"}
    assert api.get(f"sobjects/Contact/{ids['c2']}")["AccountId"] == ids["a1"]


def test_tree_all_or_nothing(api: Api) -> None:
    body = {
        "records": [
            tree(
                "a1",
                "Account",
                Name="felled",
                Contacts={"records": [tree("c1", "Contact", FirstName="no last name")]},
            ),
        ]
    }
    answer = api("POST", "composite/tree/Account", json=body)
    assert answer.status_code == 400
    found = answer.get_json()
    assert found["hasErrors"] is True
    assert found["results"][0]["referenceId"] == "c1"
    assert found["results"][0]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert count(api, "felled") == 0
    twice = {"records": [tree("a", "Account", Name="felled"), tree("a", "Account", Name="felled")]}
    refused(api("POST", "composite/tree/Account", json=twice), 400, "INVALID_INPUT")
    refused(
        api("POST", "composite/tree/Account", json={"records": [{"Name": "x"}]}),
        400,
        "INVALID_INPUT",
    )
