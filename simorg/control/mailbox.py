"""The mailbox: what an org would have mailed, for tests to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from flask import Response, request

from simorg.control.answers import answer
from simorg.control.context import Context
from simorg.control.errors import invalid, not_found
from simorg.org.mailbox import Mail, Mailbox

if TYPE_CHECKING:
    from collections.abc import Callable

#: of the query: how a mail is asked whether it fits
_FILTERS: dict[str, Callable[[Mail, str], bool]] = {
    "to": lambda mail, text: any(
        text in address.lower() for address in (*mail.to, *mail.cc, *mail.bcc)
    ),
    "subject": lambda mail, text: text in (mail.subject or "").lower(),
    "kind": lambda mail, text: mail.kind.lower() == text,
}
#: query parameters of the listing, with their JSON Schema types
QUERY = {**dict.fromkeys(_FILTERS, "string"), "after": "integer"}


def listing(context: Context, id: str) -> Response:
    """``{messages: [...]}`` in the order they were sent; ``?to=``, ``subject=``, ``kind=``,
    ``after=``: a number."""
    org = context.org(id)
    for key in request.args:
        if key not in QUERY:
            raise invalid(f"There is no filter {key}.", key)
    after = request.args.get("after", "0")
    if not (after.isascii() and after.isdecimal() and len(after) <= 10):
        raise invalid("after must be the number of a mail.", "after")
    asked = [(_FILTERS[key], text.lower()) for key, text in request.args.items() if key != "after"]
    found = [
        _told(mail)
        for mail in Mailbox(org).all(int(after))
        if all(fits(mail, text) for fits, text in asked)
    ]
    return answer({"messages": found})


def show(context: Context, id: str, number: str) -> Response:
    org = context.org(id)
    known = number.isascii() and number.isdecimal() and len(number) <= 10
    mail = Mailbox(org).get(int(number)) if known else None
    if mail is None:
        raise not_found(f"mail {number}")
    return answer(_told(mail))


def clear(context: Context, id: str) -> Response:
    """204: throws them away."""
    Mailbox(context.org(id)).clear()
    return Response(status=204)


def _told(mail: Mail) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(mail)
    return found
