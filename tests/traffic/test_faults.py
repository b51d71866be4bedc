"""Faults in process: which requests they hit, and the shape of what those get."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from lxml import etree
from werkzeug.test import TestResponse

from simorg.traffic.fault_answers import cut_at
from simorg.traffic.fault_drop import ConnectionDropped
from tests.control.conftest import Api, api, app, new, orgs, user

__all__ = ["api", "app", "new", "orgs"]

V = "/services/data/v59.0"
Org = dict[str, Any]
Call = Callable[..., TestResponse]

_ENVELOPE = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="{uri}"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<e:Header><SessionHeader><sessionId>{token}</sessionId></SessionHeader></e:Header>"
    "<e:Body>{body}</e:Body></e:Envelope>"
)
PARTNER, METADATA = "urn:partner.soap.sforce.com", "http://soap.sforce.com/2006/04/metadata"


@pytest.fixture
def call(api: Api, new: Org) -> Call:
    """A request of the fresh org's administrator, or of another of its users."""

    def made(method: str, path: str, *, by: str = "admin", **more: Any) -> TestResponse:
        headers = {
            "Authorization": f"Bearer {user(new, by)['sessionId']}",
            **more.pop("headers", {}),
        }
        url = path if path.startswith("/") else f"{V}/{path}"
        return api.client.open(
            url, method=method, headers=headers, base_url="http://localhost:8080", **more
        )

    return made


@pytest.fixture
def soap(call: Call, new: Org) -> Call:
    def made(body: str, *, letter: str = "u", token: str | None = None) -> TestResponse:
        uri = PARTNER if letter == "u" else METADATA
        token = user(new, "admin")["sessionId"] if token is None else token
        text = _ENVELOPE.format(uri=uri, token=token, body=body)
        path = f"/services/Soap/{letter}/59.0"
        return call("POST", path, data=text, headers={"Content-Type": "text/xml"})

    return made


@pytest.fixture(autouse=True)
def none_left(api: Api) -> Iterator[None]:
    yield
    assert api.delete("faults").status == 204


@pytest.fixture
def fault(api: Api, new: Org) -> Callable[..., str]:
    """Set a fault of the fresh org; its id."""

    def made(answer: dict[str, Any], *, calls: Any = None, **match: Any) -> str:
        asked = {"match": {"org": new["id"], **match}, "calls": calls or {}, "answer": answer}
        told = api.post("faults", asked)
        assert told.status == 201, told.json
        found: str = told.json["id"]
        return found

    return made


Fault = Callable[..., str]


def counts(api: Api, id: str) -> tuple[int, int]:
    told = api.get(f"faults/{id}").json
    return told["seen"], told["hits"]


def hit(api: Api, id: str) -> bool:
    """Whether the fault has hit since it was asked last; it is removed."""
    found = counts(api, id)[1] > 0
    api.delete(f"faults/{id}")
    return found


# -- shapes --------------------------------------------------------------------------------------


def test_rest(call: Call, fault: Fault) -> None:
    fault({"error": "requestLimit"})
    answer = call("GET", "limits")
    assert answer.status_code == 403
    assert answer.json == [
        {"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}
    ]
    assert answer.content_type == "application/json;charset=UTF-8"
    assert "api-usage=" in answer.headers["Sforce-Limit-Info"]
    for xml in (
        call("GET", "limits", headers={"Accept": "application/xml"}),
        call("GET", "limits.xml"),
    ):
        assert etree.fromstring(xml.data).findtext("Error/errorCode") == "REQUEST_LIMIT_EXCEEDED"
    head = call("HEAD", "limits")
    assert (head.status_code, head.data) == (403, b"")


def test_rest_in_own_words(call: Call, fault: Fault) -> None:
    fault(
        {
            "error": "CUSTOM_THING",
            "message": "none of it",
            "status": 409,
            "fields": ["Name"],
            "headers": {"Retry-After": "7"},
        }
    )
    answer = call("GET", "limits")
    assert answer.status_code == 409 and answer.headers["Retry-After"] == "7"
    assert answer.json == [
        {"message": "none of it", "errorCode": "CUSTOM_THING", "fields": ["Name"]}
    ]


def test_session_expired_as_a_real_one(call: Call, fault: Fault) -> None:
    fault({"error": "sessionExpired"}, calls={"times": 1})
    made_up, real = (
        call("GET", "limits"),
        call("GET", "limits", headers={"Authorization": "OAuth x"}),
    )
    assert (made_up.status_code, made_up.json) == (real.status_code, real.json)
    assert made_up.headers["WWW-Authenticate"] == real.headers["WWW-Authenticate"]


def test_server_error_has_an_error_id(call: Call, fault: Fault) -> None:
    fault({"error": "serverError"})
    answer = call("GET", "limits")
    assert answer.status_code == 500 and answer.json[0]["errorCode"] == "UNKNOWN_EXCEPTION"
    assert answer.json[0]["message"].rpartition(": ")[2].replace("-", "").isdigit()


def test_soap(soap: Call, fault: Fault) -> None:
    fault({"error": "API_DISABLED_FOR_ORG"}, operation="getUserInfo")
    answer = soap("<getUserInfo/>")
    assert answer.status_code == 500
    found = etree.fromstring(answer.data)[0][0]
    assert found.findtext("faultcode") == "sf:API_DISABLED_FOR_ORG"
    text = "API is not enabled for this Organization or Partner"
    assert found.findtext("faultstring") == f"API_DISABLED_FOR_ORG: {text}"
    detail = found.find("detail")
    assert detail is not None
    assert detail[0].tag == "{urn:fault.partner.soap.sforce.com}UnexpectedErrorFault"
    assert soap("<getServerTimestamp/>").status_code == 200


def test_soap_login_and_query_faults_have_their_types(soap: Call, fault: Fault) -> None:
    fault({"error": "loginRate"})
    fault({"error": "MALFORMED_QUERY", "message": "unexpected token: 'x'"}, operation="query")
    login = soap("<login><username>a@b.example</username><password>x</password></login>", token="")
    assert b"Login Rate Exceeded" not in login.data  # nobody's login is not this org's
    query = etree.fromstring(
        soap("<query><queryString>SELECT Id FROM Account</queryString></query>").data
    )
    (detail,) = query.iter("detail")
    assert detail[0].tag.endswith("}MalformedQueryFault")


def test_metadata_faults_have_their_own_namespace(soap: Call, fault: Fault) -> None:
    fault({"error": "SERVER_UNAVAILABLE"}, surface="metadata")
    answer = soap("<describeMetadata/>", letter="m")
    found = etree.fromstring(answer.data)[0][0]
    assert found.nsmap["sf"] == METADATA
    assert found.findtext("faultcode") == "sf:SERVER_UNAVAILABLE"


def test_login_rate(api: Api, soap: Call, new: Org, fault: Fault) -> None:
    who = user(new, "admin")
    fault({"error": "loginRate"})
    login = soap(
        f"<login><username>{who['username']}</username><password>x</password></login>", token=""
    )
    assert b"sf:INVALID_LOGIN" in login.data and b"Login Rate Exceeded" in login.data
    assert b"LoginFault" in login.data
    token = api.client.post("/services/oauth2/token", data={"username": who["username"]})
    assert token.status_code == 400
    assert token.json == {"error": "invalid_grant", "error_description": "login rate exceeded"}


def test_oauth(call: Call, api: Api, new: Org, fault: Fault) -> None:
    fault({"error": "invalid_grant", "message": "expired access/refresh token"})
    token = api.client.post(
        "/services/oauth2/token",
        data={"grant_type": "refresh_token", "refresh_token": f"5Aep{new['id'][:15]}abc"},
    )
    assert token.status_code == 400 and token.headers["Cache-Control"] == "no-cache, no-store"
    assert token.json == {
        "error": "invalid_grant",
        "error_description": "expired access/refresh token",
    }
    assert call("GET", "limits").status_code == 200


def test_authorize_goes_back_to_the_client(api: Api, new: Org) -> None:
    api.post("faults", {"answer": {"error": "access_denied"}, "match": {"operation": "authorize"}})
    found = api.get(f"orgs/{new['id']}/connected-apps/Self%20Service").json
    asked = {
        "response_type": "code",
        "client_id": found["consumerKey"],
        "redirect_uri": found["callbackUrls"][0],
        "state": "s t",
    }
    answer = api.client.get("/services/oauth2/authorize", query_string=asked)
    assert answer.status_code == 302
    back = urlsplit(answer.headers["Location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == asked["redirect_uri"]
    assert parse_qs(back.query) == {
        "error": ["access_denied"],
        "error_description": ["end-user denied authorization"],
        "state": ["s t"],
    }
    asked["redirect_uri"] = "https://attacker.example/"
    answer = api.client.get("/services/oauth2/authorize", query_string=asked)
    assert "Location" not in answer.headers and answer.mimetype == "text/html"


def test_pages(api: Api) -> None:
    api.post("faults", {"answer": {"error": "maintenance"}})
    for path in ("/lightning/setup/SetupOneHome/home", "/login", "/apex/Anything", "/nowhere"):
        page = api.client.get(path)
        assert page.status_code == 503 and page.mimetype == "text/html"
        assert "We are down for maintenance." in page.text
    rest = api.client.get(f"{V}/limits")
    assert rest.status_code == 503 and rest.json[0]["errorCode"] == "SERVER_UNAVAILABLE"


def test_plain_answers(call: Call, fault: Fault) -> None:
    fault({"status": 502, "body": "<html>Bad Gateway</html>"}, calls={"times": 1})
    fault({"status": 200, "body": {"a": [1]}, "headers": {"X-Edge": "1"}}, calls={"times": 1})
    fault({"status": 429}, calls={"times": 1})
    one, two, three = (call("GET", "limits") for _ in range(3))
    assert (one.status_code, one.mimetype, one.text) == (
        502,
        "text/html",
        "<html>Bad Gateway</html>",
    )
    assert (two.json, two.headers["X-Edge"]) == ({"a": [1]}, "1")
    assert (three.status_code, three.data) == (429, b"")


# -- which requests ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("match", "hits"),
    [
        ({"operation": "query"}, [True, False, False, False]),
        ({"operation": "QUERY"}, [True, False, False, False]),
        ({"operation": "sobject.*"}, [False, True, True, False]),
        ({"method": "post"}, [False, False, True, False]),
        ({"path": "*/sobjects/*"}, [False, True, True, False]),
        ({"path": "/services/data/v58.0/*"}, [False, False, False, False]),
        ({"surface": "rest"}, [True, True, True, True]),
        ({"surface": "soap"}, [False, False, False, False]),
        ({"user": "admin"}, [True, True, True, False]),
        ({"user": "standard"}, [False, False, False, True]),
        ({"app": "Self Service"}, [False, False, False, False]),
        ({"object": "account"}, [True, False, True, False]),
        ({"object": "Contact"}, [False, True, False, False]),
    ],
    ids=str,
)
def test_matches(
    api: Api, call: Call, fault: Fault, match: dict[str, Any], hits: list[bool]
) -> None:
    made = fault({"status": 599}, **match)
    found = [
        call("GET", "query?q=SELECT+Id+FROM+Account"),
        call("GET", "sobjects/Contact/describe"),
        call("POST", "sobjects/Account", json={"Nonsense": 1}),
        call("GET", "limits", by="standard"),
    ]
    assert [answer.status_code == 599 for answer in found] == hits
    assert counts(api, made) == (sum(hits), sum(hits))


def test_users_by_their_whole_name_and_apps(api: Api, call: Call, fault: Fault, new: Org) -> None:
    who = user(new, "admin")
    key = next(a for a in new["connectedApps"] if a["name"] == "Self Service")["consumerKey"]
    mine = fault({"status": 599}, user=who["username"].upper(), app="self service")
    others = {"grant_type": "password", "username": user(new, "standard")["username"]}
    form = {"grant_type": "password", "username": who["username"], "client_id": key}
    assert api.client.post("/services/oauth2/token", data=others).status_code == 400
    assert api.client.post("/services/oauth2/token", data=form).status_code == 599
    assert call("GET", "limits").status_code == 200  # no app's session
    assert counts(api, mine) == (1, 1)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("<create><sObjects><type>Account</type><Name>x</Name></sObjects></create>", True),
        ("<create><sObjects><type>Lead</type></sObjects></create>", False),
        ("<query><queryString>select Id from ACCOUNT</queryString></query>", True),
    ],
)
def test_objects_in_soap(api: Api, soap: Call, fault: Fault, body: str, found: bool) -> None:
    made = fault({"status": 599}, object="Account")
    assert (soap(body).status_code == 599) is found
    assert hit(api, made) is found


def test_objects_in_a_collection_and_a_tree(api: Api, call: Call, fault: Fault) -> None:
    record = {"attributes": {"type": "Lead", "referenceId": "a"}, "LastName": "x", "Company": "y"}
    made = fault({"status": 599}, object="Lead")
    assert call("POST", "composite/sobjects", json={"records": [record]}).status_code == 599
    assert call("POST", "composite/tree/Lead", json={"records": [record]}).status_code == 599
    assert call("POST", "composite/tree/Account", json={"records": []}).status_code == 400
    assert counts(api, made) == (2, 2)


def test_the_body_reaches_the_surface_whole(soap: Call, fault: Fault) -> None:
    """What was read to tell the operation is read again."""
    fault({"status": 599}, operation="query")
    name = "long " * 40_000
    answer = soap(
        f"<create><sObjects><type>Account</type><Name>x</Name><Description>{name}"
        "</Description></sObjects></create>"
    )
    assert b"STRING_TOO_LONG" in answer.data


def test_other_orgs_are_not_hit(api: Api, call: Call, fault: Fault, new: Org) -> None:
    other = api.post("orgs", {}).json
    made = fault({"status": 599})
    status, _ = api.rest(user(other, "admin")["sessionId"], "limits")
    assert status == 200
    assert call("GET", "limits", headers={"Authorization": "Bearer nobody"}).status_code == 401
    host = urlsplit(new["urls"]["myDomain"]).netloc
    mine = api.client.get("/login", base_url=f"http://{host}")
    assert mine.status_code == 599
    assert counts(api, made) == (1, 1)
    api.delete(f"orgs/{other['id']}")


def test_the_control_api_is_left_alone(api: Api) -> None:
    api.post("faults", {"answer": {"status": 599}})
    assert api.get("health").status == 200
    api.post("faults", {"answer": {"error": "serverError"}, "match": {"surface": "control"}})
    refused = api.get("health")
    assert refused.status == 500 and refused.error["code"] == "unknown_exception"
    assert len(api.get("faults").json["faults"]) == 2  # can always be taken back


@pytest.mark.parametrize(
    ("error", "path", "struck"),
    [
        ("requestLimit", "/services/data/v59.0/limits", True),
        ("requestLimit", "/services/oauth2/userinfo", False),
        ("requestLimit", "/lightning/setup/SetupOneHome/home", False),
        ("rowLock", "/services/data/v59.0/limits", False),
        ("UNABLE_TO_LOCK_ROW", "/services/data/v59.0/limits", True),
        ("invalid_grant", "/services/data/v59.0/limits", False),
        ("invalid_grant", "/services/oauth2/userinfo", True),
        ("INVALID_QUERY_LOCATOR", "/services/data/v59.0/query/01g-2000", True),
        ("INVALID_QUERY_LOCATOR", "/services/data/v59.0/query?q=x", False),
        ("maintenance", "/lightning/setup/SetupOneHome/home", True),
    ],
)
def test_errors_occur_where_they_do(
    api: Api, call: Call, fault: Fault, error: str, path: str, struck: bool
) -> None:
    made = fault({"error": error})
    call("GET", path)
    assert hit(api, made) is struck


def test_told_where_an_error_occurs_there(api: Api, call: Call, fault: Fault) -> None:
    made = fault({"error": "rowLock"}, operation="query")
    answer = call("GET", "query?q=SELECT+Id+FROM+Account")
    assert answer.json[0]["errorCode"] == "UNABLE_TO_LOCK_ROW" and answer.status_code == 400
    assert hit(api, made)


# -- several, and in turn ------------------------------------------------------------------------


def test_faults_take_turns(api: Api, call: Call, fault: Fault) -> None:
    """The first whose turn it is answers; later ones do not see the call."""
    first = fault({"status": 591}, calls={"times": 1})
    second = fault({"status": 592}, calls={"every": 2, "times": 2})
    found = [call("GET", "limits").status_code for _ in range(6)]
    assert found == [591, 200, 592, 200, 592, 200]
    assert counts(api, first) == (1, 1) and counts(api, second) == (4, 2)
    told = api.get(f"faults/{second}").json
    assert (told["hits"], told["remaining"]) == (2, 0)


def test_a_delay_lets_later_faults_see_the_call(api: Api, call: Call, fault: Fault) -> None:
    slow = fault({"delay": {"min": 0.001, "max": 0.002}})
    fail = fault({"status": 591}, calls={"nth": 2})
    assert [call("GET", "limits").status_code for _ in range(3)] == [200, 591, 200]
    assert counts(api, slow) == (3, 3) and counts(api, fail) == (2, 1)


# -- what happens to the call --------------------------------------------------------------------


def names_of(api: Api, org: Org, name: str) -> int:
    soql = f"SELECT Id FROM Account WHERE Name = '{name}'"
    found: int = api.post(f"orgs/{org['id']}/query", {"soql": soql}).json["totalSize"]
    return found


@pytest.mark.parametrize("handled", [False, True])
def test_dropped_before_or_after_the_work(
    api: Api, call: Call, fault: Fault, new: Org, handled: bool
) -> None:
    fault({"drop": True, "handled": handled}, calls={"times": 1})
    with pytest.raises(ConnectionDropped) as caught:
        call("POST", "sobjects/Account", json={"Name": "lost"})
    assert caught.value.reset
    assert names_of(api, new, "lost") == handled
    fault({"drop": "close"}, calls={"times": 1})
    with pytest.raises(ConnectionDropped) as caught:
        call("GET", "limits")
    assert not caught.value.reset


def test_an_error_after_the_work(api: Api, call: Call, fault: Fault, new: Org) -> None:
    fault({"error": "serverError", "handled": True})
    assert call("POST", "sobjects/Account", json={"Name": "there"}).status_code == 500
    assert names_of(api, new, "there") == 1


def test_a_late_answer_after_the_work(api: Api, call: Call, fault: Fault, new: Org) -> None:
    fault({"delay": 0.002, "handled": True})
    answer = call("POST", "sobjects/Account", json={"Name": "late"})
    assert answer.status_code == 201 and answer.json["success"]


def test_malformed(call: Call, fault: Fault) -> None:
    whole = call("GET", "sobjects")
    fault({"malformed": True})
    half = call("GET", "sobjects")
    assert half.status_code == 200 and whole.data.startswith(half.data)
    assert int(half.headers["Content-Length"]) == len(half.data) == len(whole.data) // 2
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(half.data)


@pytest.mark.parametrize(
    ("truncate", "length", "sent"),
    [(0, 10, 0), (4, 10, 4), (0.5, 10, 5), (10, 10, 9), (999, 10, 9), (0.99, 10, 9), (5, 0, 0)],
)
def test_cut(truncate: float, length: int, sent: int) -> None:
    assert cut_at(truncate, length) == sent


def test_no_body_to_cut(api: Api, call: Call, fault: Fault, new: Org) -> None:
    """204 stays what it is."""
    made = call("POST", "sobjects/Account", json={"Name": "x"}).json["id"]
    fault({"truncate": 3, "slow": 100_000}, method="PATCH")
    answer = call("PATCH", f"sobjects/Account/{made}", json={"Name": "y"})
    assert (answer.status_code, answer.data) == (204, b"")
    assert "Content-Length" not in answer.headers
    whole = len(call("GET", "limits").data)
    fault({"malformed": True})
    head = call("HEAD", "limits")
    assert head.data == b"" and abs(int(head.headers["Content-Length"]) - whole) < 10


def test_the_journal_names_the_fault(api: Api, call: Call, fault: Fault, new: Org) -> None:
    slow = fault({"delay": 0.001})
    made = fault({"error": "rowLock", "records": [0]})
    lost = fault({"drop": True, "handled": True}, operation="limits")
    call("POST", "composite/sobjects", json=accounts("j"))
    with pytest.raises(ConnectionDropped):
        call("GET", "limits")
    call("GET", "sobjects")
    entries = api.get(f"requests?org={new['id']}").json["requests"]
    told = {entry["operation"]: (entry["fault"], entry["status"]) for entry in entries}
    assert told == {
        "collection.create": (made, 200),
        "limits": (lost, 0),
        "describe_global": (slow, 200),
    }


def test_slow_bodies_are_whole(call: Call, fault: Fault) -> None:
    whole = call("GET", "sobjects/Account").data
    fault({"slow": 400_000})
    assert call("GET", "sobjects/Account").data == whole


# -- records -------------------------------------------------------------------------------------


def accounts(*names: str) -> dict[str, Any]:
    return {"records": [{"attributes": {"type": "Account"}, "Name": name} for name in names]}


@pytest.mark.parametrize(
    ("records", "failed"), [({"every": 2}, [1, 3]), ([0, 4], [0, 4]), (None, [0, 1, 2, 3, 4])]
)
def test_some_records_of_a_collection(
    call: Call, fault: Fault, records: Any, failed: list[int]
) -> None:
    fault({"error": "rowLock", **({"records": records} if records else {})})
    results = call("POST", "composite/sobjects", json=accounts(*"abcde")).json
    assert [at for at, one in enumerate(results) if not one["success"]] == failed
    assert results[failed[0]]["errors"] == [
        {
            "statusCode": "UNABLE_TO_LOCK_ROW",
            "message": "unable to obtain exclusive access to this record",
            "fields": [],
        }
    ]


def test_all_or_none_is_kept(api: Api, call: Call, fault: Fault, new: Org) -> None:
    fault({"error": "rowLock", "records": [1]})
    results = call(
        "POST", "composite/sobjects", json={**accounts("p", "q"), "allOrNone": True}
    ).json
    codes = [one["errors"][0]["statusCode"] for one in results]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "UNABLE_TO_LOCK_ROW"]
    assert names_of(api, new, "p") == 0


def test_one_record(api: Api, call: Call, fault: Fault, new: Org) -> None:
    """Update and delete name the record that is locked."""
    made = call("POST", "sobjects/Account", json={"Name": "x"}).json["id"]
    fault({"error": "rowLock"}, operation="sobject.*")
    for method, body in (("PATCH", {"Name": "y"}), ("DELETE", None)):
        answer = call(method, f"sobjects/Account/{made}", json=body)
        assert answer.status_code == 400
        assert answer.json == [
            {
                "message": f"unable to obtain exclusive access to this record or 1 records: {made}",
                "errorCode": "UNABLE_TO_LOCK_ROW",
                "fields": [],
            }
        ]
    assert names_of(api, new, "x") == 1


@pytest.mark.parametrize(
    "body",
    [
        "<create>{}</create>",
        "<upsert><externalIDFieldName>Id</externalIDFieldName>{}</upsert>",
    ],
)
def test_soap_results(api: Api, soap: Call, fault: Fault, new: Org, body: str) -> None:
    records = "".join(
        f"<sObjects><type>Account</type><Name>{name}</Name></sObjects>" for name in "abc"
    )
    fault({"error": "STORAGE_LIMIT_EXCEEDED", "records": {"every": 3}})
    answer = soap(body.format(records))
    assert answer.status_code == 200
    results = etree.fromstring(answer.data).findall(f".//{{{PARTNER}}}result")
    assert [one.findtext(f"{{{PARTNER}}}success") for one in results] == ["true", "true", "false"]
    assert results[2].findtext(f".//{{{PARTNER}}}statusCode") == "STORAGE_LIMIT_EXCEEDED"
    assert names_of(api, new, "c") == 0


def test_upsert_and_delete_in_rest(call: Call, fault: Fault) -> None:
    ids = [one["id"] for one in call("POST", "composite/sobjects", json=accounts("a", "b")).json]
    fault({"error": "rowLock", "records": [1]})
    gone = call("DELETE", f"composite/sobjects?ids={','.join(ids)}").json
    assert [one["success"] for one in gone] == [True, False]
    body = {"records": [{**one, "Id": None} for one in accounts("c", "d")["records"]]}
    saved = call("PATCH", "composite/sobjects/Account/Id", json=body).json
    assert [one["success"] for one in saved] == [True, False]


def subrequests(*names: str, all_or_none: bool) -> dict[str, Any]:
    requests = [
        {
            "method": "POST",
            "url": f"{V}/sobjects/Account",
            "referenceId": name,
            "body": {"Name": name},
        }
        for name in names
    ]
    return {"compositeRequest": requests, "allOrNone": all_or_none}


@pytest.mark.parametrize(
    ("all_or_none", "statuses"), [(False, [201, 400, 201, 400]), (True, [400, 400, 400, 400])]
)
def test_subrequests_of_a_composite(
    api: Api, call: Call, fault: Fault, new: Org, all_or_none: bool, statuses: list[int]
) -> None:
    """Records are counted over the whole request."""
    fault({"error": "rowLock", "records": {"every": 2}}, operation="composite")
    body = subrequests("r", "s", "t", "u", all_or_none=all_or_none)
    results = call("POST", "composite", json=body).json["compositeResponse"]
    assert [one["httpStatusCode"] for one in results] == statuses
    codes = [one["body"][0]["errorCode"] for one in results if one["httpStatusCode"] == 400]
    assert codes.count("UNABLE_TO_LOCK_ROW") == (1 if all_or_none else 2)
    assert names_of(api, new, "r") == (not all_or_none)


def test_the_whole_composite(call: Call, fault: Fault) -> None:
    """Only a record's error goes to the records."""
    fault({"error": "requestLimit"}, calls={"times": 1}, operation="composite")
    fault({"error": "rowLock", "status": 503}, calls={"times": 1}, operation="composite")
    codes = [
        call("POST", "composite", json=subrequests("v", all_or_none=False)).json[0]["errorCode"]
        for _ in range(2)
    ]
    assert codes == ["REQUEST_LIMIT_EXCEEDED", "UNABLE_TO_LOCK_ROW"]


def test_a_tree_and_types_in_turn(call: Call, soap: Call, fault: Fault) -> None:
    """What saves level by level, or type by type, counts on."""
    child = {"attributes": {"type": "Contact", "referenceId": "c"}, "LastName": "c"}
    parent = {
        "attributes": {"type": "Account", "referenceId": "p"},
        "Name": "p",
        "Contacts": {"records": [child]},
    }
    fault({"error": "rowLock", "records": [1]})
    tree = call("POST", "composite/tree/Account", json={"records": [parent]})
    assert tree.status_code == 400 and tree.json["results"][0]["referenceId"] == "c"
    kinds = ("Account", "Contact", "Account")
    records = "".join(
        f"<sObjects><type>{kind}</type><{'Last' if kind == 'Contact' else ''}Name>x</"
        f"{'Last' if kind == 'Contact' else ''}Name></sObjects>"
        for kind in kinds
    )
    for name in ("create", "upsert"):
        key = "<externalIDFieldName>Id</externalIDFieldName>" if name == "upsert" else ""
        answer = soap(f"<{name}>{key}{records}</{name}>")
        found = [e.text for e in etree.fromstring(answer.data).iter(f"{{{PARTNER}}}success")]
        assert found == ["true", "false", "true"], name


def test_usage_shown_is_the_orgs_own(api: Api, call: Call, fault: Fault, new: Org) -> None:
    for _ in range(3):
        call("GET", "limits")
    fault({"error": "requestLimit"})
    answer = call("GET", "limits")
    assert answer.headers["Sforce-Limit-Info"].startswith("api-usage=3/")
