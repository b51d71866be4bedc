"""``/composite/batch``: up to 25 independent subrequests.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_batch.htm
"""

from __future__ import annotations

from typing import Any

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
        reply = subrequest.execute(
            call,
            each["method"].upper(),
            each["url"],
            headers=each.get("httpHeaders"),
            body=each.get("richInput"),
        )
        failed = failed or reply.status >= 400
        results.append({"statusCode": reply.status, "result": subrequest.value_of(reply)})
    return Reply({"hasErrors": failed, "results": results}, root="batchResults")
