"""``/composite/batch``: up to 25 independent subrequests, each of which counts as a request.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_batch.htm
"""

from __future__ import annotations

from typing import Any

from simorg.errors import RequestLimitExceeded
from simorg.rest import errors, subrequest
from simorg.rest.call import Call, Reply
from simorg.rest.composite import listed

MAX_SUBREQUESTS = 25
_HALTED = "Batch processing halted per request"


def run(call: Call) -> Reply:
    """``POST /composite/batch``: 200 whatever the subrequests answered."""
    body = call.body.mapping()
    halt = body.get("haltOnError") is True
    results: list[dict[str, Any]] = []
    failed = False
    for each in listed(body, "batchRequests", MAX_SUBREQUESTS):
        if failed and halt:
            entries = [errors.entry(_HALTED, "BATCH_PROCESSING_HALTED")]
            results.append({"statusCode": 412, "result": entries})
            continue
        reply = _execute(call, each, counted=not results)
        failed = failed or reply.status >= 400
        results.append({"statusCode": reply.status, "result": subrequest.value_of(reply)})
    return Reply({"hasErrors": failed, "results": results}, root="batchResults")


def _execute(call: Call, request: dict[str, Any], *, counted: bool) -> Reply:
    """``counted``: the call itself has counted as this one."""
    if not counted and not call.org.usage.take():
        return errors.of_exception(RequestLimitExceeded())
    return subrequest.execute(
        call,
        request["method"].upper(),
        request["url"],
        headers=request.get("httpHeaders"),
        body=request.get("richInput"),
    )
