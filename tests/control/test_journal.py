"""The journal over the control API: what it tells, filters, waiting, HAR, what it refuses."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from werkzeug.test import Client

from simorg.org.catalogue import OrgCatalogue
from tests.control.conftest import Api, make_app, user

REST = "/services/data/v59.0"


@pytest.fixture
def call(api: Api) -> Any:
    """One request to the server, not to its control API."""
    client = Client(api.app, use_cookies=False)

    def send(method: str, path: str, token: str = "", body: Any = None, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= more.pop("headers", {})
        return client.open(
            path,
            method=method,
            headers=headers,
            data=body,
            environ_base={"REMOTE_ADDR": "127.0.0.1"},
            **more,
        )

    return send


@pytest.fixture
def told(api: Api, new: dict[str, Any]) -> Any:
    """The entries of the fresh org that fit."""

    def read(**asked: Any) -> list[dict[str, Any]]:
        answer = api.get(f"requests?{urlencode({'org': new['id'], **asked})}")
        assert answer.status == 200, answer.json
        found: list[dict[str, Any]] = answer.json["requests"]
        return found

    return read


@pytest.fixture
def several(api: Api, new: dict[str, Any], call: Any) -> Iterator[None]:
    """A query, a refused creation, a session that is none, a login refused by its password."""
    admin = user(new, "admin")
    call("GET", f"{REST}/query?q=SELECT+Id+FROM+Account", admin["sessionId"])
    call("POST", f"{REST}/sobjects/Account", admin["sessionId"], b'{"Phone": "1"}')
    call("GET", f"{REST}/limits", user(new, "standard")["sessionId"] + "x")
    form = {"grant_type": "password", "username": admin["username"], "password": "?"}
    app = next(app for app in new["connectedApps"] if app["name"] == "Self Service")
    form |= {"client_id": app["consumerKey"], "client_secret": app["consumerSecret"]}
    call("POST", "/services/oauth2/token", body=form)
    yield


@pytest.mark.usefixtures("several")
def test_what_an_entry_tells(new: dict[str, Any], told: Any, api: Api) -> None:
    admin = user(new, "admin")
    query, creation, limits, token = told()
    assert (query["surface"], query["operation"]) == ("rest", "query")
    assert (query["user"], query["app"], query["flow"]) == (admin["username"], None, "control")
    assert query["session"].startswith("0Ak") and query["version"] == "59.0"
    assert (query["status"], query["code"], query["fault"]) == (200, None, None)
    assert query["rule"]["passed"] and query["client"] == "127.0.0.1"
    assert datetime.fromisoformat(query["started"]).year >= 2026 and query["milliseconds"] > 0
    assert (creation["operation"], creation["code"]) == ("sobject.create", "REQUIRED_FIELD_MISSING")
    assert (limits["status"], limits["code"]) == (401, "INVALID_SESSION_ID")
    assert (limits["user"], limits["rule"]) == (None, None)
    assert (token["surface"], token["operation"]) == ("oauth", "token")
    assert (token["user"], token["app"]) == (admin["username"], "Self Service")
    assert (token["status"], token["code"], token["flow"]) == (400, "invalid_grant", "password")
    numbers = [one["number"] for one in (query, creation, limits, token)]
    assert numbers == sorted(set(numbers))
    whole = api.get(f"requests/{creation['number']}").json
    assert {k: v for k, v in whole.items() if k not in ("request", "response")} == creation
    assert whole["request"]["body"]["text"] == '{"Phone": "1"}'
    assert orjson.loads(whole["response"]["body"]["text"])[0]["errorCode"] == creation["code"]
    assert told(full="true")[1] == whole


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"surface": "REST"}, [0, 1, 2]),
        ({"surface": "soap"}, []),
        ({"operation": "query"}, [0]),
        ({"user": "admin"}, [0, 1, 3]),
        ({"user": "standard"}, []),
        ({"app": "self service"}, [3]),
        ({"method": "post"}, [1, 3]),
        ({"path": "/services/data/*"}, [0, 1, 2]),
        ({"path": "/services/data/v59.0/limits"}, [2]),
        ({"path": "limits"}, []),
        ({"status": "4xx"}, [1, 2, 3]),
        ({"status": "401"}, [2]),
        ({"code": "INVALID_SESSION_ID"}, [2]),
        ({"status": "4XX", "surface": "rest", "method": "POST"}, [1]),
        ({"limit": "2"}, [2, 3]),
    ],
)
def test_filters(told: Any, asked: dict[str, str], expected: list[int]) -> None:
    found = [one["number"] for one in told()]
    assert [found.index(one["number"]) for one in told(**asked)] == expected


@pytest.mark.usefixtures("several")
def test_going_on(api: Api, new: dict[str, Any], told: Any) -> None:
    first, second, *_ = [one["number"] for one in told()]
    found = api.get(f"requests?org={new['id'][:15]}&after={first - 1}&limit=1").json
    assert [one["number"] for one in found["requests"]] == [first]
    assert found["next"] == first
    found = api.get(f"requests?org={new['id']}&after={found['next']}&limit=1").json
    assert [one["number"] for one in found["requests"]] == [second]
    last = api.get(f"requests?org={new['id']}").json["next"]
    assert api.get(f"requests?after={last}").json == {"requests": [], "next": last}


def test_waiting_for_a_request(api: Api, new: dict[str, Any], call: Any, app: Any) -> None:
    after = api.get("requests?limit=1").json["next"]
    found: list[Any] = []

    def wait() -> None:
        query = f"requests?org={new['id']}&operation=limits&after={after}&wait=20"
        found.append(Api(app).get(query).json)

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    session = user(new, "admin")["sessionId"]
    call("GET", f"{REST}/recent", session)  # not the one that is waited for
    call("GET", f"{REST}/limits", session)
    waiting.join(15)
    assert [one["operation"] for one in found[0]["requests"]] == ["limits"]
    none = api.get(f"requests?org={new['id']}&after={found[0]['next']}&wait=0.01").json
    assert none["requests"] == []


@pytest.mark.usefixtures("several")
def test_forgetting(api: Api, new: dict[str, Any], told: Any) -> None:
    gone = told(operation="query")[0]
    assert api.delete(f"requests?org={new['id']}&operation=query").json == {"removed": 1}
    assert [one["operation"] for one in told()] == ["sobject.create", "limits", "token"]
    assert api.get(f"requests/{gone['number']}").status == 404
    assert api.delete(f"requests?org={new['id']}").json == {"removed": 3}


@pytest.mark.parametrize(
    ("query", "member"),
    [
        ("colour=red", "colour"),
        ("surface=ftp", "surface"),
        ("status=9xx", "status"),
        ("status=99", "status"),
        ("limit=0", "limit"),
        ("limit=10001", "limit"),
        ("after=-1", "after"),
        ("wait=21", "wait"),
        ("wait=soon", "wait"),
        ("full=perhaps", "full"),
        ("org=acme", "org"),
        ("user=", "user"),
        ("user=a&user=b", "user"),
    ],
)
def test_refusals(api: Api, query: str, member: str) -> None:
    answer = api.get(f"requests?{query}")
    assert (answer.status, answer.error["path"]) == (400, member)


def test_parameters_of_other_calls_are_refused(api: Api) -> None:
    assert api.delete("requests?limit=1").error["path"] == "limit"
    assert api.get("requests.har?wait=1").error["path"] == "wait"
    assert api.get("requests/first").status == 404


def test_openapi_names_the_parameters(api: Api) -> None:
    paths = api.get("openapi.json").json["paths"]
    named = {p["name"]: p["schema"]["type"] for p in paths["/requests"]["get"]["parameters"]}
    assert named["wait"] == "number" and named["status"] == "string" and named["org"] == "string"


def test_no_journal(orgs: OrgCatalogue, tmp_path: Any) -> None:
    api = Api(make_app(orgs, tmp_path, journal_entries=0))
    for answer in (api.get("requests"), api.delete("requests"), api.get("requests.har")):
        assert (answer.status, answer.error["code"]) == (409, "conflict")


def test_what_the_http_layer_refuses(orgs: OrgCatalogue, tmp_path: Any) -> None:
    api = Api(make_app(orgs, tmp_path, max_body=100))
    api.client.post(f"{REST}/composite", data=b"x" * 101)
    api.client.post(f"{REST}/composite", data=b"x", headers={"Content-Encoding": "br"})
    found = api.get("requests").json["requests"]
    assert [one["status"] for one in found] == [413, 415]
    assert {one["operation"] for one in found} == {"composite"}


def test_what_a_fault_answered(api: Api, new: dict[str, Any], call: Any, told: Any) -> None:
    fault = {"match": {"org": new["id"]}, "answer": {"error": "UNABLE_TO_LOCK_ROW"}}
    made = api.post("faults", fault)
    assert made.status == 201, made.json
    call("POST", f"{REST}/sobjects/Account", user(new, "admin")["sessionId"], b'{"Name": "a"}')
    (one,) = told()
    assert (one["fault"], one["code"]) == (made.json["id"], "UNABLE_TO_LOCK_ROW")
    assert one["org"] == new["id"] and one["user"] == user(new, "admin")["username"]


# -- the deciding rule ---------------------------------------------------------------------------


def test_the_deciding_rule_is_told_on_request(new: dict[str, Any], call: Any, api: Api) -> None:
    session = user(new, "standard")["sessionId"]
    api.patch(f"orgs/{new['id']}/settings", {"apiAccessControl": {"adminApprovedUsersOnly": True}})
    asks = {"X-Simorg-Explain": "true"}
    rest = call("GET", f"{REST}/limits", session, headers=asks)
    assert rest.status_code == 401
    expected = "G9 refused; API Access Control admits the session; https://help.salesforce.com/"
    assert rest.headers["X-Simorg-Decided-By"].startswith(expected)
    envelope = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header>'
        f'<SessionHeader xmlns="urn:partner.soap.sforce.com"><sessionId>{session}</sessionId>'
        '</SessionHeader></e:Header><e:Body><getUserInfo xmlns="urn:partner.soap.sforce.com"/>'
        "</e:Body></e:Envelope>"
    )
    soap = call("POST", "/services/Soap/u/59.0", body=envelope.encode(), headers=asks)
    assert soap.headers["X-Simorg-Decided-By"].startswith(expected)
    assert "X-Simorg-Decided-By" not in call("GET", f"{REST}/limits", session).headers


def test_the_deciding_rule_by_setting(new: dict[str, Any], call: Any, api: Api) -> None:
    session = user(new, "admin")["sessionId"]
    call("GET", f"{REST}/limits", session)
    switch = {"diagnostics": {"decidingRuleHeader": True}}
    assert api.patch(f"orgs/{new['id']}/settings", switch).status == 200
    header = call("GET", f"{REST}/limits", session).headers["X-Simorg-Decided-By"]
    assert header.startswith("G10 passed; ") and header.isascii()
    app = next(app for app in new["connectedApps"] if app["name"] == "Self Service")
    api.patch(f"orgs/{new['id']}/connected-apps/Self%20Service", {"blocked": True})
    form = {
        "grant_type": "password",
        "username": user(new, "admin")["username"],
        "password": user(new, "admin")["password"],
        "client_id": app["consumerKey"],
        "client_secret": app["consumerSecret"],
    }
    refused = call("POST", "/services/oauth2/token", body=form)
    assert refused.headers["X-Simorg-Decided-By"].startswith("G3 refused; The app is not blocked")
    asked = {"response_type": "code", "client_id": app["consumerKey"]}
    cookie = {"Cookie": f"sid={session}"}
    callback = "http://localhost:1717/OauthRedirect"
    sent = call(
        "GET",
        f"/services/oauth2/authorize?{urlencode({**asked, 'redirect_uri': callback})}",
        headers=cookie,
    )
    assert "X-Simorg-Decided-By" in sent.headers


def test_the_rule_of_a_used_up_limit(new: dict[str, Any], call: Any, api: Api, told: Any) -> None:
    api.patch(f"orgs/{new['id']}/settings", {"api": {"dailyRequestLimit": 1}})
    session = user(new, "admin")["sessionId"]
    asks = {"X-Simorg-Explain": "true"}
    rules = [call("GET", f"{REST}/limits", session, headers=asks).headers for _ in range(2)]
    assert rules[0]["X-Simorg-Decided-By"].startswith("G10 passed;")
    assert rules[1]["X-Simorg-Decided-By"].startswith("G11 refused; API requests are left;")
    assert told()[1]["code"] == "REQUEST_LIMIT_EXCEEDED"


def test_a_token_revoked(new: dict[str, Any], call: Any, told: Any) -> None:
    admin = user(new, "admin")
    app = next(app for app in new["connectedApps"] if app["name"] == "Self Service")
    form = {
        "grant_type": "password",
        "username": admin["username"],
        "client_id": app["consumerKey"],
    }
    form |= {"password": admin["password"], "client_secret": app["consumerSecret"]}
    token = call("POST", "/services/oauth2/token", body=form).json["access_token"]
    assert call("POST", "/services/oauth2/revoke", body={"token": token}).status_code == 200
    issued, revoked = told()
    assert (revoked["operation"], revoked["user"]) == ("revoke", admin["username"])
    assert revoked["session"] == issued["session"]


# -- secrets -------------------------------------------------------------------------------------


def test_no_secret_of_real_calls_is_shown(
    api: Api, new: dict[str, Any], call: Any, told: Any
) -> None:
    admin = user(new, "admin")
    app = next(app for app in new["connectedApps"] if app["name"] == "Self Service")
    key, secret = app["consumerKey"], app["consumerSecret"]
    form = {"grant_type": "password", "username": admin["username"], "client_id": key}
    form |= {"password": admin["password"] + admin["securityToken"]}
    basic = base64.b64encode(f"{key}:{secret}".encode()).decode()
    issued = call(
        "POST", "/services/oauth2/token", body=form, headers={"Authorization": f"Basic {basic}"}
    ).json
    token = issued["access_token"]
    call("GET", f"{REST}/limits", token)
    call("POST", "/services/oauth2/introspect", body={"token": token, "client_id": key})
    call("GET", f"/secur/frontdoor.jsp?{urlencode({'sid': token})}")
    login = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        '<login xmlns="urn:partner.soap.sforce.com">'
        f"<username>{admin['username']}</username><password>{admin['password']}</password>"
        "</login></e:Body></e:Envelope>"
    )
    answer = call("POST", "/services/Soap/u/59.0", body=login.encode()).text
    session = answer.partition("<sessionId>")[2].partition("<")[0]
    call("GET", "/", headers={"Cookie": f"sid={session}"})
    shown = orjson.dumps(told(full="true")).decode()
    shown += api.get(f"requests.har?org={new['id']}").body.decode()
    for hidden in (token, session, secret, basic, admin["password"], issued["signature"]):
        assert len(hidden) > 5 and hidden not in shown
    by_token = [one for one in told(full="true") if one["operation"] in ("token", "limits")]
    digest = by_token[1]["request"]["headers"]
    shared = next(h["value"] for h in digest if h["name"] == "Authorization").split()[1]
    assert orjson.loads(by_token[0]["response"]["body"]["text"])["access_token"] == shared


# -- HAR -----------------------------------------------------------------------------------------

#: members and their types that HAR 1.2 asks for
HEADER = {"name": str, "value": str}
REQUEST = {
    "method": str,
    "url": str,
    "httpVersion": str,
    "cookies": [HEADER],
    "headers": [HEADER],
    "queryString": [HEADER],
    "headersSize": int,
    "bodySize": int,
}
RESPONSE = {
    "status": int,
    "statusText": str,
    "httpVersion": str,
    "cookies": [HEADER],
    "headers": [HEADER],
    "content": {"size": int, "mimeType": str},
    "redirectURL": str,
    "headersSize": int,
    "bodySize": int,
}
ENTRY = {
    "startedDateTime": str,
    "time": (int, float),
    "request": REQUEST,
    "response": RESPONSE,
    "cache": {},
    "timings": {"send": (int, float), "wait": (int, float), "receive": (int, float)},
}
HAR = {"log": {"version": str, "creator": {"name": str, "version": str}, "entries": [ENTRY]}}


def fits(value: Any, form: Any, where: str = "") -> None:
    if isinstance(form, list):
        assert isinstance(value, list), where
        for at, inner in enumerate(value):
            fits(inner, form[0], f"{where}[{at}]")
    elif isinstance(form, dict):
        assert isinstance(value, dict), where
        for name, inner in form.items():
            assert name in value, f"{where}.{name}"
            fits(value[name], inner, f"{where}.{name}")
    else:
        assert isinstance(value, form), (where, value)


@pytest.mark.usefixtures("several")
def test_har(api: Api, new: dict[str, Any]) -> None:
    answer = api.get(f"requests.har?org={new['id']}")
    fits(answer.json, HAR)
    log = answer.json["log"]
    assert log["version"] == "1.2" and len(log["entries"]) == 4
    query, creation, _, token = log["entries"]
    assert query["request"]["queryString"] == [{"name": "q", "value": "SELECT Id FROM Account"}]
    assert query["response"]["content"]["size"] == query["response"]["bodySize"] > 0
    assert creation["request"]["postData"]["text"] == '{"Phone": "1"}'
    posted = {p["name"]: p["value"] for p in token["request"]["postData"]["params"]}
    assert posted["grant_type"] == "password" and posted["password"].startswith("redacted:")
    for entry in log["entries"]:
        at = datetime.fromisoformat(entry["startedDateTime"])
        assert at.tzinfo is not None
        assert sum(entry["timings"].values()) == entry["time"]
    one = api.get(f"requests.har?org={new['id']}&status=4xx&limit=1").json["log"]["entries"]
    assert [e["_simorg"]["code"] for e in one] == ["invalid_grant"]
