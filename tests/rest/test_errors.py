"""Every refusal has Salesforce's shape: every route, every verb, every kind of bad input."""

from __future__ import annotations

import gzip
import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from werkzeug.test import Client

from simorg.rest.routes import ROUTER
from simorg.server.request_body import RequestBody
from tests.rest.conftest import Api, V, refused

VERBS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "X")
#: what stands for each path variable: right, wrong, absurd
FILL = {
    "type": ("Account", "account", "Nope__c", "1", "sobjects", "A" * 300, "é'\"<&"),
    "id": (
        "001000000000001AAA",
        "001Hp0000000000",
        "003000000000001AAA",
        "x",
        "Id",
        "%00",
        "%0A",
        "'",
    ),
    "part": ("Owner", "Nope", "a b+c", "'; DROP", "%2F"),
    "field": ("Id", "Name", "Nope__c"),
    "locator": ("01gHp0000000000AAA-2000", "nonsense", "01g-x", "-1"),
}
BODIES: tuple[dict[str, Any], ...] = (
    {},
    {"data": b"{", "content_type": "application/json"},
    {"data": b"[1,2]", "content_type": "application/json"},
    {"data": b"null", "content_type": "application/json"},
    {"data": b'{"Nope__c": 1}', "content_type": "application/json"},
    {
        "data": b'{"records": 5, "compositeRequest": "x", "batchRequests": {}, "ids": 1}',
        "content_type": "application/json",
    },
    {
        "data": b'{"records": [null, 1, "x"], "compositeRequest": [null], "batchRequests": [[]]}',
        "content_type": "application/json",
    },
    {"data": b"<a><b></a>", "content_type": "application/xml"},
    {"data": b"<Account><Nope__c>1</Nope__c></Account>", "content_type": "text/xml"},
    {"data": b"Name=x", "content_type": "application/x-www-form-urlencoded"},
    {"data": b"\xff\x00", "content_type": "application/json; charset=utf-16"},
)


def fill(path: str) -> list[str]:
    """Some paths of a route: each variable once with each filling, the others with the first."""
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    made = []
    for values in itertools.zip_longest(*(FILL[n] for n in names)) if names else [()]:
        filled = path
        for name, value in zip(names, values, strict=True):
            filled = filled.replace("{" + name + "}", value if value else FILL[name][0], 1)
        made.append(filled)
    return made


def check(answer: Any) -> None:
    """Success, or the error array in JSON; no HTML, no plain text, no 5xx."""
    assert answer.status_code < 500
    if answer.status_code in (204, 304) or answer.request.method == "HEAD":
        return
    if answer.status_code < 300 or answer.status_code == 300:
        return
    assert answer.content_type == "application/json;charset=UTF-8", answer.text
    value = answer.get_json()
    if isinstance(value, dict):  # composite/tree answers 400 with its own result
        assert value["hasErrors"] is True
        return
    assert value
    for error in value:
        assert set(error) <= {"message", "errorCode", "fields"}
        assert error["errorCode"].replace("_", "").isupper()
        assert error["message"]


@pytest.mark.parametrize("path", [r.path for r in ROUTER.routes])
def test_every_route_and_verb_and_bad_body(api: Api, path: str) -> None:
    for filled in fill(path):
        for verb in VERBS:
            check(api(verb, filled))
    for filled, verb, body in itertools.product(
        fill(path)[:1], ("POST", "PATCH", "PUT", "DELETE"), BODIES
    ):
        check(api(verb, filled, **body))


QUERIES = (
    "q=",
    "q=SELECT",
    "q=%00",
    "q=SELECT+Id+FROM+Nope",
    "explain=",
    "explain=x",
    "q=%FF%FE",
    "fields=",
    "fields=Nope",
    "fields=Id,,Id",
    "fields=Id,Owner.Name",
    "ids=",
    "ids=x&fields=Id",
    "ids=001000000000001AAA&fields=Nope",
    "start=x&end=y",
    "start=2024-01-01T00:00:00Z",
    "start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z",
    "sObjects=",
    "sObjects=Nope,',%00",
    "limit=-1",
    "limit=999999999999999999999",
    "_HttpMethod=NOPE",
    "_HttpMethod=",
    "&&&==",
    "allOrNone=maybe&ids=1,2",
    "updateOnly=true",
    "columns=true&q=SELECT+Id+FROM+Account",
    "q=find&in=nope",
    "q=a&sobject=Nope",
    "q=a&sobject=Account&Account.limit=x",
)


@pytest.mark.parametrize("path", [r.path for r in ROUTER.routes])
def test_every_route_with_bad_parameters(api: Api, path: str) -> None:
    target = fill(path)[0]
    for query in QUERIES:
        for verb in ("GET", "POST", "PATCH", "DELETE"):
            check(api(verb, f"{target}?{query}"))


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.sampled_from(["GET", "POST", "PATCH", "DELETE"]),
    st.lists(
        st.sampled_from(
            [
                "sobjects",
                "Account",
                "composite",
                "query",
                "describe",
                "Id",
                "tree",
                "batch",
                "",
                "001000000000001AAA",
                "limits",
                ".xml",
                ".json",
                "..",
                "%2e%2e",
                "tooling",
            ]
        )
        | st.text(max_size=6),
        max_size=6,
    ),
)
def test_any_path_has_the_shape(api: Api, verb: str, parts: list[str]) -> None:
    path = "/".join(parts).replace("?", "%3F").replace("#", "%23")
    answer = api(verb, f"{V}/{path}", headers={"Accept": "application/json"})
    if "xml" not in answer.content_type:
        check(answer)


def test_unknown_paths_and_versions(api: Api) -> None:
    for path in (
        f"{V}/tooling/query",
        f"{V}/chatter/feeds",
        f"{V}/nope",
        f"{V}/sobjects/Account/x/y/z",
        "/services/data/v99.0/sobjects",
        "/services/data/v67/sobjects",
        "/services/data/latest",
        "/services/data/v19.0",
        "/services/data/v59.5/limits",
    ):
        error = refused(api("GET", path), 404, "NOT_FOUND")
        assert error["message"] == "The requested resource does not exist"


def test_wrong_verbs_name_the_right_ones(api: Api) -> None:
    answer = api("PUT", "sobjects/Account")
    error = refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert error["message"] == "HTTP Method 'PUT' not allowed. Allowed are HEAD,GET,POST"
    assert answer.headers["Allow"] == "HEAD, GET, POST"
    refused(api("POST", "query"), 405, "METHOD_NOT_ALLOWED")
    refused(api("POST", "/services/data"), 405, "METHOD_NOT_ALLOWED")
    refused(api("OPTIONS", "limits"), 405, "METHOD_NOT_ALLOWED")


def test_retired_versions_are_gone_unless_opened(api: Api) -> None:
    for version in (20, 26, 30):
        error = refused(api("GET", f"/services/data/v{version}.0/limits"), 410, "GONE")
        assert "retired" in error["message"]
    api.org.settings.update("api", {"retiredVersionsServed": True})
    assert "DailyApiRequests" in api.get("/services/data/v20.0/limits")


def test_sessions(api: Api) -> None:
    good = api.token
    api.token = None
    error = refused(api("GET", "limits"), 401, "INVALID_SESSION_ID")
    assert error == {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
    for header in ("Basic eDp5", "Bearer", "Bearer ", "Token abc", "nonsense"):
        answer = api("GET", "limits", headers={"Authorization": header})
        refused(answer, 401, "INVALID_AUTH_HEADER")
    for header in ("Bearer x", "Bearer 00D000000000001!abc", f"Bearer {good}x", "OAuth !!!"):
        answer = api("GET", "limits", headers={"Authorization": header})
        refused(answer, 401, "INVALID_SESSION_ID")
        assert answer.headers["WWW-Authenticate"] == "Token"
        assert "max-age" in answer.headers["Strict-Transport-Security"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in answer.headers["Cache-Control"]
    for scheme in ("Bearer", "OAuth", "bearer", "OAUTH"):
        assert (
            api("GET", "limits", headers={"Authorization": f"{scheme} {good}"}).status_code == 200
        )


def test_a_request_too_large_is_refused(api: Api) -> None:
    bounded = Api(Client(RequestBody(api.client.application, 1000)), api.org, api.token)
    body = gzip.compress(b'{"Name": "' + b"x" * 2000 + b'"}')
    sent = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = bounded("POST", "sobjects/Account", data=body, headers=sent)
    refused(answer, 413, "EXCEEDED_MAX_SIZE_REQUEST")
    refused(api("GET", "query?q=" + "x" * 20_000), 414, "URI_TOO_LONG")


def test_errors_in_xml(api: Api) -> None:
    for path, headers in (
        ("nope", {"Accept": "application/xml"}),
        ("nope.xml", {}),
        ("sobjects/Nope.xml", {"Accept": "application/json"}),
    ):
        answer = api("GET", path, headers=headers)
        assert answer.status_code == 404
        assert answer.content_type == "application/xml;charset=UTF-8"
        root = etree.fromstring(answer.data)
        assert root.tag == "Errors" and root.findtext("Error/errorCode") == "NOT_FOUND"
    api.token = "bad"
    answer = api("GET", "limits", headers={"Accept": "text/xml"})
    assert etree.fromstring(answer.data).findtext("Error/errorCode") == "INVALID_SESSION_ID"


def test_an_unexpected_failure_is_an_error_array_with_a_ticket(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("inner secret")

    monkeypatch.setattr("simorg.rest.limits._MAXIMA", property(broken))
    answer = api.client.get(f"{V}/limits", headers={"Authorization": f"Bearer {api.token}"})
    error = refused(answer, 500, "UNKNOWN_EXCEPTION")
    assert "ErrorId" in error["message"] and "secret" not in answer.text


def test_a_failure_that_takes_the_usage_along(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("inner secret")

    monkeypatch.setattr("simorg.org.usage.Usage.used", property(broken))
    answer = api.client.get(f"{V}/limits", headers={"Authorization": f"Bearer {api.token}"})
    refused(answer, 500, "UNKNOWN_EXCEPTION")
    assert "Sforce-Limit-Info" not in answer.headers


def test_an_offer_to_change_the_protocol_is_ignored(api: Api) -> None:
    for protocol in ("h2c", "websocket"):
        sent = {"Connection": "Upgrade", "Upgrade": protocol}
        assert api("GET", "limits", headers=sent).status_code == 200


def test_hosts_that_are_none(api: Api) -> None:
    """Whatever Host says, the answer keeps its shape."""
    for host in ("a..b", "x" * 300, "", "[::1", "é", "a b", "localhost:port"):
        answer = api("GET", "nope", headers={"Host": host})
        check(answer)
