"""The table of routes: OpenAPI, verbs, unknown paths, bodies that are none."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson
import pytest

from simorg.control.routes import ROUTES, Route
from tests.control.conftest import Api

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PATHS = sorted({route.path for route in ROUTES})
WITH_BODY = [route for route in ROUTES if route.body is not None]


def fill(path: str, org: str = "default") -> str:
    name = "Account" if "/objects/" in path else "Self Service"
    filled = path.strip("/").replace("{id}", org).replace("{name}", name)
    return filled.replace("{record}", "001000000000001AAA")


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "orgs/{long}", None, 404),
        ("GET", "orgs/default/users/{long}", None, 404),
        ("GET", "orgs/default/connected-apps/{long}", None, 404),
        ("POST", "orgs/default/snapshots/{long}/restore", None, 404),
        ("POST", "orgs/default/snapshots", {"name": "{long}"}, 400),
        ("POST", "orgs", {"{long}": 1}, 400),
        ("PATCH", "orgs/default/settings", {"{long}": {}}, 400),
        ("POST", "faults", {"match": {"surface": "{long}"}, "answer": {"delay": 1}}, 400),
        ("POST", "orgs/default/explain", {"user": "{long}"}, 400),
        ("GET", "orgs/default/mailbox?{long}=1", None, 400),
        ("GET", "requests?user=a&{long}=1", None, 400),
        ("GET", "{long}", None, 404),
    ],
)
def test_refusals_repeat_no_long_value(
    api: Api, method: str, path: str, body: Any, status: int
) -> None:
    for long in ("x" * 5000, "x y " * 1250):
        text = orjson.dumps(body).replace(b"{long}", long.encode()) if body else None
        answer = api.call(method, path.replace("{long}", quote(long)), raw=text)
        assert answer.status == status, answer.body
        assert len(answer.body) < 2500 and b"x" * 101 not in answer.body


def test_openapi_is_the_table(api: Api) -> None:
    document = api.get("openapi.json").json
    assert document["openapi"].startswith("3.1")
    told = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert told == {(route.method, route.path) for route in ROUTES}


def test_openapi_holds_together(api: Api) -> None:
    document = api.get("openapi.json").json
    operations = [o for path in document["paths"].values() for o in path.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}
            assert operation["summary"] and operation["responses"]["default"]
            for reference in references(operation):
                assert resolve(document, reference)


def test_openapi_names_the_mailbox_filters(api: Api) -> None:
    """The same that the mailbox takes, and no other."""
    listing = api.get("openapi.json").json["paths"]["/orgs/{id}/mailbox"]["get"]
    named = {p["name"]: p["schema"]["type"] for p in listing["parameters"] if p["in"] == "query"}
    assert named == {"to": "string", "subject": "string", "kind": "string", "after": "integer"}
    for name in named:
        assert api.get(f"orgs/default/mailbox?{name}=1").status == 200
    refused = api.get("orgs/default/mailbox?colour=1")
    assert (refused.status, refused.error["path"]) == (400, "colour")


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        found = [node["$ref"]] if "$ref" in node else []
        return found + [r for value in node.values() for r in references(value)]
    if isinstance(node, list):
        return [r for value in node for r in references(value)]
    return []


def resolve(document: Any, reference: str) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        document = document[step]
    return document


def test_openapi_tells_the_members_that_are_taken(api: Api) -> None:
    """An unknown member is refused by every route whose body is told closed."""
    document = api.get("openapi.json").json
    for route in WITH_BODY:
        operation = document["paths"][route.path][route.method.lower()]
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        if schema["additionalProperties"] is False:
            answer = api.call(route.method, fill(route.path), {"nonsense": 1})
            assert answer.status in (400, 404), named(route)


@pytest.mark.parametrize("path", PATHS)
def test_wrong_verbs(api: Api, path: str) -> None:
    known = {route.method for route in ROUTES if route.path == path}
    for method in (*METHODS, "OPTIONS"):
        if method in known:
            continue
        answer = api.call(method, fill(path))
        assert answer.status == 405, method
        assert answer.error["code"] == "method_not_allowed"
        assert answer.headers["Allow"] == ", ".join(sorted(known))


@pytest.mark.parametrize("path", ["nothing", "orgs/default/nothing", "health/more"])
@pytest.mark.parametrize("method", METHODS)
def test_unknown_paths(api: Api, path: str, method: str) -> None:
    answer = api.call(method, path)
    assert answer.status in (404, 405) and answer.error["code"] in (
        "not_found",
        "method_not_allowed",
    )


@pytest.mark.parametrize("route", [r for r in ROUTES if "{id}" in r.path], ids=named)
@pytest.mark.parametrize("org", ["00D000000000000AAA", "00D00000000000A", "x", "../orgs", "%00"])
def test_unknown_orgs(api: Api, route: Route, org: str) -> None:
    answer = api.call(route.method, fill(route.path, org=org), {})
    assert answer.status == 404 and answer.error["code"] == "not_found"


@pytest.mark.parametrize("route", WITH_BODY, ids=named)
@pytest.mark.parametrize(
    "raw", [b"{", b"[]", b'"x"', b"1", b"null", b"\xff", b"{'a': 1}", b"<a/>", b'{"a": NaN}']
)
def test_bodies_that_are_no_object(api: Api, route: Route, raw: bytes) -> None:
    answer = api.call(route.method, fill(route.path), raw=raw)
    assert answer.status == 400 and answer.error["code"] == "invalid"


@pytest.fixture(scope="module")
def victim(app: Any) -> str:
    """The id of an org whose state does not matter."""
    made: str = Api(app).post("orgs", {}).json["id"]
    return made


@pytest.mark.parametrize("route", WITH_BODY, ids=named)
@pytest.mark.parametrize("value", [None, True, 1, 1.5, "x", [], {}, [1], {"a": 1}, "x" * 10_000])
def test_every_member_with_every_type(api: Api, victim: str, route: Route, value: Any) -> None:
    """Whatever a member is given: taken or refused, never a failure of ours."""
    for member in [*(route.body or {}), "apiAccessControl", ""]:
        answer = api.call(route.method, fill(route.path, org=victim), {member: value})
        assert answer.status < 500, (member, answer.body)
        if answer.status >= 400:
            assert answer.error["message"]
        elif route.path == "/orgs":
            api.delete(f"orgs/{answer.json['id']}")


def test_our_own_failure_is_told_as_such(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from simorg.control import orgs

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(orgs, "summary", broken)
    answer = api.get("orgs")
    assert answer.status == 500 and answer.error["code"] == "internal"
    assert b"secret detail" not in answer.body
