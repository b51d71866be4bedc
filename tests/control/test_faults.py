"""The control API's routes of faults: set, listed, refused, gone with their org."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.conftest import Api, user

DROP = {"answer": {"drop": True}}


@pytest.fixture(autouse=True)
def none_left(api: Api) -> Iterator[None]:
    yield
    assert api.delete("faults").status == 204


def ids(api: Api, path: str = "faults") -> list[str]:
    return [fault["id"] for fault in api.get(path).json["faults"]]


def test_one(api: Api) -> None:
    asked = {
        "match": {"operation": "query", "user": "ann"},
        "calls": {"after": 1, "times": 2},
        "answer": {"error": "requestLimit"},
    }
    made = api.post("faults", asked)
    assert made.status == 201
    assert made.json == {
        "id": made.json["id"],
        **asked,
        "seen": 0,
        "hits": 0,
        "remaining": 2,
    }
    assert api.get(f"faults/{made.json['id']}").json == made.json
    assert api.get("faults").json == {"faults": [made.json]}
    assert api.delete(f"faults/{made.json['id']}").status == 204
    for method in (api.get, api.delete):
        gone = method(f"faults/{made.json['id']}")
        assert gone.status == 404 and gone.error["code"] == "not_found"


def test_a_list_in_order(api: Api) -> None:
    made = api.post("faults", [DROP, {"answer": {"status": 503}}])
    assert made.status == 201
    assert [one["answer"] for one in made.json["faults"]] == [DROP["answer"], {"status": 503}]
    assert ids(api) == [one["id"] for one in made.json["faults"]]


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"answer": {}}, "answer"),
        ({"answer": {"drop": True}, "calls": {"after": -1}}, "calls.after"),
        ({"answer": {"drop": True}, "match": {"colour": "red"}}, "match.colour"),
        ({"answer": {"drop": True}, "match": {"org": "00D000000000000AAA"}}, "match.org"),
        ({"answer": {"drop": True}, "match": {"org": "nobody's"}}, "match.org"),
        ([DROP, {"answer": {"drop": True}, "match": {"surface": "fax"}}], "[1].match.surface"),
        ([DROP, {"answer": {"delay": -1}}], "[1].answer.delay"),
        ([DROP, {"answer": {"drop": True}, "match": {"org": "x"}}], "[1].match.org"),
        ([DROP, 7], "[1]"),
        ([], None),
        ("text", None),
        (None, None),
    ],
)
def test_refused_and_nothing_kept(api: Api, asked: Any, path: str | None) -> None:
    refused = api.post("faults", asked)
    assert refused.status == 400 and refused.error["code"] == "invalid"
    assert refused.error.get("path") == path
    assert ids(api) == []


def test_orgs(api: Api, new: dict[str, Any]) -> None:
    """By either length of the id; listed and cleared by org."""
    mine = api.post("faults", {**DROP, "match": {"org": new["id"][:15]}}).json
    assert mine["match"] == {"org": new["id"]}
    theirs = api.post("faults", {**DROP, "match": {"org": "default"}}).json
    anyone = api.post("faults", DROP).json
    assert ids(api, f"faults?org={new['id']}") == [mine["id"]]
    assert ids(api) == [mine["id"], theirs["id"], anyone["id"]]
    assert api.delete("faults?org=default").status == 204
    assert ids(api) == [mine["id"], anyone["id"]]
    assert api.get("faults?org=nobody").status == 404
    assert api.get("faults?orgs=x").error["path"] == "orgs"


def test_gone_with_the_org_and_at_reset(api: Api, new: dict[str, Any]) -> None:
    kept = api.post("faults", {**DROP, "match": {"org": "default"}}).json
    for end in (
        lambda: api.post(f"orgs/{new['id']}/reset"),
        lambda: api.delete(f"orgs/{new['id']}"),
    ):
        api.post("faults", {**DROP, "match": {"org": new["id"]}})
        assert len(ids(api)) == 2
        assert end().status in (200, 204)
        assert ids(api) == [kept["id"]]


def test_not_too_many(api: Api) -> None:
    assert api.post("faults", [DROP] * 1000).status == 201
    assert api.post("faults", DROP).status == 400
    assert len(ids(api)) == 1000


def test_counts(api: Api, new: dict[str, Any]) -> None:
    """Spent faults stay listed."""
    asked = {
        "match": {"org": new["id"]},
        "calls": {"nth": 2},
        "answer": {"error": "UNKNOWN_EXCEPTION"},
    }
    made = api.post("faults", asked).json
    token = user(new, "admin")["sessionId"]
    assert [api.rest(token, "limits")[0] for _ in range(4)] == [200, 500, 200, 200]
    told = api.get(f"faults/{made['id']}").json
    assert (told["seen"], told["hits"], told["remaining"]) == (2, 1, 0)
