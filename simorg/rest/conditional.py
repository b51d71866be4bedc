"""Conditional requests: ``If-Modified-Since`` and ``If-Unmodified-Since``.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest_conditional_requests.htm
"""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from typing import Any

from werkzeug.http import parse_date

from simorg.errors import SalesforceError
from simorg.rest.call import Call

_SINCE, _UNTIL = "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"


class NotModified(SalesforceError):
    """304: the client's copy is still good. Has no body."""

    status = 304
    code = "NOT_MODIFIED"
    template = ""


class PreconditionFailed(SalesforceError):
    """412: the record changed after the date the client named."""

    status = 412
    code = "PRECONDITION_FAILED"
    template = "The precondition given in the request header fields evaluated to false"


def asked(call: Call) -> bool:
    """Whether the request carries a condition."""
    return _SINCE in call.environ or _UNTIL in call.environ


def check(call: Call, modified: datetime) -> None:
    """Raises NotModified or PreconditionFailed; a date that cannot be read is no condition.

    HTTP dates have whole seconds, so the comparison drops the rest.
    """
    modified = modified.replace(microsecond=0)
    since = parse_date(call.environ.get(_SINCE))
    if since is not None and modified <= since:
        raise NotModified()
    until = parse_date(call.environ.get(_UNTIL))
    if until is not None and modified > until:
        raise PreconditionFailed()


def check_record(call: Call, value: dict[str, Any]) -> None:
    """Check against the record's own date, if it shows one."""
    text = value.get("LastModifiedDate") or value.get("SystemModstamp")
    if isinstance(text, str):
        check(call, datetime.fromisoformat(text))


def http_date(moment: datetime) -> str:
    """``Sat, 21 Nov 2026 20:16:26 GMT``"""
    return format_datetime(moment, usegmt=True)
