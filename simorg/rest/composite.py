"""``/composite``: up to 25 subrequests, later ones using values of earlier ones.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite.htm
"""

from __future__ import annotations

import re
from typing import Any

from simorg.errors import BadRequest, SalesforceError
from simorg.rest import errors, references, subrequest
from simorg.rest.body import JsonParserError, token
from simorg.rest.call import Call, Reply

MAX_SUBREQUESTS = 25
_VERBS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE", "HEAD"})
_REFERENCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]*")
_HALTED = "The transaction was rolled back since another operation in the same transaction failed."


class LimitExceeded(BadRequest):
    """Too many subrequests."""

    code = "LIMIT_EXCEEDED"
    template = "Limit exceeded: a request can have at most {most} subrequests"


class _Failed(Exception):
    """Leaves the transaction of an allOrNone request."""


def resources(call: Call) -> Reply:
    """``GET /composite``: what is below it."""
    here = f"{call.base}/composite"
    value = {name: f"{here}/{name}" for name in ("batch", "tree", "sobjects")}
    return Reply(value, root="urls")


def run(call: Call) -> Reply:
    """``POST /composite``"""
    body = call.body.mapping()
    requests = listed(body, "compositeRequest", MAX_SUBREQUESTS)
    _check_references(requests)
    results: list[dict[str, Any]] = []
    if body.get("allOrNone") is True:
        try:
            with call.org.store.writing():
                _run_all(call, requests, results, stop=True)
        except _Failed:
            _halt(requests, results)
    else:
        _run_all(call, requests, results, stop=False)
    return Reply({"compositeResponse": results}, root="CompositeResults")


def listed(body: dict[str, Any], name: str, most: int) -> list[dict[str, Any]]:
    """The subrequests of a body, each an object with ``method`` and ``url``."""
    requests = body.get(name)
    if isinstance(requests, dict):
        requests = [requests]
    if not isinstance(requests, list) or not requests:
        raise JsonParserError(f"{name} is required and must be an array of subrequests")
    if len(requests) > most:
        raise LimitExceeded(most=most)
    for each in requests:
        if not isinstance(each, dict):
            raise JsonParserError(
                f"Cannot deserialize instance of subrequest from {token(each)} in {name}"
            )
        method, url = each.get("method"), each.get("url")
        if not isinstance(method, str) or method.upper() not in _VERBS:
            raise JsonParserError(f"Invalid value for method: {method}")
        if not isinstance(url, str) or not url:
            raise JsonParserError("Missing required parameter: url")
        if not _is_headers(each.get("httpHeaders")):
            raise JsonParserError("httpHeaders must be an object of strings")
    return requests


def _is_headers(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, dict) and all(
        isinstance(each, str) and "\n" not in each and "\r" not in each for each in value.values()
    )


def _check_references(requests: list[dict[str, Any]]) -> None:
    seen: set[str] = set()
    for each in requests:
        reference = each.get("referenceId")
        if not isinstance(reference, str) or not _REFERENCE_ID.fullmatch(reference):
            raise JsonParserError(
                f"Provided referenceId ('{reference}') must start with a letter or a number, "
                "and it can contain only letters, numbers and underscores ('_')."
            )
        if reference in seen:
            raise JsonParserError(f"Duplicate ReferenceId provided in the request: {reference}")
        seen.add(reference)


def _run_all(
    call: Call, requests: list[dict[str, Any]], results: list[dict[str, Any]], *, stop: bool
) -> None:
    replies: dict[str, Any] = {}
    for each in requests:
        reply = _run_one(call, each, replies)
        value = subrequest.value_of(reply)
        results.append(_result(each, reply, value))
        if reply.status < 300:
            replies[each["referenceId"]] = value
        elif stop and reply.status >= 400:
            raise _Failed()


def _run_one(call: Call, request: dict[str, Any], replies: dict[str, Any]) -> Reply:
    try:
        url = references.in_url(request["url"], replies)
        body = references.in_value(request.get("body"), replies)
        headers = references.in_value(request.get("httpHeaders"), replies)
    except SalesforceError as error:
        return errors.of_exception(error)
    return subrequest.execute(call, request["method"].upper(), url, headers=headers, body=body)


def _result(request: dict[str, Any], reply: Reply, value: Any) -> dict[str, Any]:
    return {
        "body": value,
        "httpHeaders": dict(reply.headers),
        "httpStatusCode": reply.status,
        "referenceId": request["referenceId"],
    }


def _halt(requests: list[dict[str, Any]], results: list[dict[str, Any]]) -> None:
    """After a roll-back only the failure keeps its own answer."""
    failed = len(results) - 1
    for n, request in enumerate(requests):
        if n == failed:
            continue
        reply = Reply([errors.entry(_HALTED, "PROCESSING_HALTED")], 400)
        results[n : n + 1] = [_result(request, reply, reply.value)]
