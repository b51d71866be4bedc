"""``/actions``: the standard action *Send Email*, described and invoked.

https://developer.salesforce.com/docs/atlas.en-us.api_action.meta/api_action/actions_obj_email_simple.htm
"""

from __future__ import annotations

from typing import Any

from simorg.errors import RecordError
from simorg.org import mailing
from simorg.rest.body import JsonParserError
from simorg.rest.call import Call, Reply

_NAME = "emailSimple"
_LABEL = "Send Email"
_CURRENT_USER = "currentuser"
#: addresses of one mail, in either form
_MOST = 5
#: (name, label, type, required, how many)
_INPUTS = (
    ("emailAddresses", "Email Addresses (comma-separated)", "STRING", False, 1),
    ("emailAddressesArray", "Email Addresses (collection)", "STRING", False, _MOST),
    ("emailBody", "Body", "TEXTAREA", True, 1),
    ("emailSubject", "Subject", "TEXTAREA", True, 1),
    ("senderAddress", "Sender Address", "STRING", False, 1),
    ("senderType", "Sender Type", "STRING", False, 1),
)


def kinds(call: Call) -> Reply:
    """Where the actions are."""
    return Reply({"standard": f"{call.base}/actions/standard"}, root="Actions")


def standard(call: Call) -> Reply:
    """The standard actions there are."""
    url = f"{call.base}/actions/standard/{_NAME}"
    listed = {"label": _LABEL, "name": _NAME, "type": _NAME.upper(), "url": url}
    return Reply({"actions": [listed]}, root="Actions")


def describe(call: Call) -> Reply:
    """What the action takes."""
    return Reply(
        {
            "description": "Send an email where you specify the subject, body, and recipients.",
            "inputs": [
                {
                    "byteLength": 0,
                    "description": None,
                    "label": label,
                    "maxOccurs": most,
                    "name": name,
                    "picklistValues": None,
                    "required": required,
                    "sobjectType": None,
                    "type": kind,
                }
                for name, label, kind, required, most in _INPUTS
            ],
            "label": _LABEL,
            "name": _NAME,
            "outputs": [],
            "standard": True,
            "targetEntityName": None,
            "type": _NAME.upper(),
        },
        root="Action",
    )


def invoke(call: Call) -> Reply:
    """``{"inputs": [...]}``: a mail for each; 400 if one was not sent."""
    inputs = call.body.mapping().get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
        raise JsonParserError("inputs must be an array of objects")
    results = [_result(_send(call, one)) for one in inputs]
    sent = all(result["isSuccess"] for result in results)
    return Reply(results, status=200 if sent else 400, root="Results")


def _send(call: Call, told: dict[str, Any]) -> list[RecordError]:
    known = {name for name, *_ in _INPUTS}
    if unknown := [name for name in told if name not in known]:
        words = f"The {unknown[0]} input parameter isn't valid for the invocable action."
        return [RecordError("INVALID_ARGUMENT_TYPE", words)]
    for name, _, _, required, _ in _INPUTS:
        if required and not told.get(name):
            words = f"Missing required input parameter: {name}"
            return [RecordError("REQUIRED_FIELD_MISSING", words)]
    array = told.get("emailAddressesArray") or []
    texts = [told[name] for name in told if name != "emailAddressesArray" and told[name]]
    if not isinstance(array, list) or not all(isinstance(one, str) for one in [*array, *texts]):
        return [RecordError("INVALID_ARGUMENT_TYPE", "An input has the wrong type.")]
    if (told.get("senderType") or "CurrentUser").lower() != _CURRENT_USER:
        words = "Only the sender type CurrentUser is known here"
        return [RecordError("INVALID_OPERATION", words)]
    named = [part.strip() for part in (told.get("emailAddresses") or "").split(",")]
    to = [address for address in [*named, *array] if address]
    if len(to) > _MOST:
        words = f"An email of this action has at most {_MOST} recipients"
        return [RecordError("LIMIT_EXCEEDED", words)]
    mail = mailing.SingleEmail(to=tuple(to), subject=told["emailSubject"], text=told["emailBody"])
    return mailing.send(call.caller, mail)


def _result(errors: list[RecordError]) -> dict[str, Any]:
    return {
        "actionName": _NAME,
        "errors": [
            {"statusCode": e.status_code, "message": e.message, "fields": list(e.fields)}
            for e in errors
        ]
        or None,
        "isSuccess": not errors,
        "outputValues": None,
    }
