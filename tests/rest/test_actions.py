"""``/actions/standard/emailSimple``: described, invoked, refused."""

from __future__ import annotations

from typing import Any

import pytest

from simorg.org.mailbox import Mailbox
from tests.rest.conftest import Api, V

PATH = "actions/standard/emailSimple"
GOOD = {"emailAddresses": "a@out.example, b@out.example", "emailSubject": "S", "emailBody": "B"}


def test_the_way_there(api: Api) -> None:
    assert api.get("")["actions"] == f"{V}/actions"
    assert api.get("actions") == {"standard": f"{V}/actions/standard"}
    (listed,) = api.get("actions/standard")["actions"]
    told = api.get(listed["url"])
    assert (told["name"], told["label"], told["standard"]) == ("emailSimple", "Send Email", True)
    required = {one["name"] for one in told["inputs"] if one["required"]}
    assert required == {"emailBody", "emailSubject"}


def test_sending(api: Api) -> None:
    more = {**GOOD, "emailAddresses": None, "emailAddressesArray": ["c@out.example"]}
    answer = api("POST", PATH, json={"inputs": [GOOD, more]})
    assert answer.status_code == 200, answer.text
    good = {
        "actionName": "emailSimple",
        "errors": None,
        "isSuccess": True,
        "outputValues": None,
    }
    assert answer.get_json() == [good, good]
    first, second = list(Mailbox(api.org).all())[-2:]
    assert (first.to, first.subject, first.text) == (["a@out.example", "b@out.example"], "S", "B")
    assert second.to == ["c@out.example"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"emailAddresses": "nobody"}, "INVALID_EMAIL_ADDRESS"),
        ({"emailAddresses": ""}, "REQUIRED_FIELD_MISSING"),
        ({"emailBody": ""}, "REQUIRED_FIELD_MISSING"),
        ({"emailSubject": 7}, "INVALID_ARGUMENT_TYPE"),
        ({"colour": "red"}, "INVALID_ARGUMENT_TYPE"),
        ({"emailAddressesArray": "x"}, "INVALID_ARGUMENT_TYPE"),
        ({"senderType": "OrgWideEmailAddress"}, "INVALID_OPERATION"),
        ({"emailAddresses": ",".join(f"u{n}@out.example" for n in range(6))}, "LIMIT_EXCEEDED"),
    ],
)
def test_refusals(api: Api, change: dict[str, Any], code: str) -> None:
    before = len(list(Mailbox(api.org).all()))
    answer = api("POST", PATH, json={"inputs": [{**GOOD, **change}]})
    assert answer.status_code == 400, answer.text
    (result,) = answer.get_json()
    assert (result["isSuccess"], [e["statusCode"] for e in result["errors"]]) == (False, [code])
    assert len(list(Mailbox(api.org).all())) == before


@pytest.mark.parametrize("body", [{}, {"inputs": {}}, {"inputs": [1]}])
def test_bodies_that_are_none(api: Api, body: Any) -> None:
    answer = api("POST", PATH, json=body)
    assert (answer.status_code, answer.get_json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
