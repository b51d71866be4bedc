"""``/sobjects/User/{id}/password``: is it expired, set it, reset it.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_user_password.htm
"""

from __future__ import annotations

import secrets
from typing import Any

from simorg.errors import BadRequest, ForbiddenError, NotFoundError
from simorg.org import records
from simorg.org.passwords import hash_password
from simorg.rest import objects
from simorg.rest.call import NO_CONTENT, Call, Reply

#: the default password policy's minimum
SHORTEST = 8


class InvalidNewPassword(BadRequest):
    """The new password does not fit the org's policy."""

    code = "INVALID_NEW_PASSWORD"
    template = "Your password must be at least {shortest} characters long."


def expired(call: Call) -> Reply:
    """``GET``"""
    user_id = _user(call)
    layout, rows = records.retrieve(
        call.org.system_caller(), "User", [user_id], ["simorg_PasswordExpired"]
    )
    row = rows[0]
    return Reply({"isExpired": bool(row and row[0])}, root="Password")


def set_password(call: Call) -> Reply:
    """``POST {"NewPassword": ...}``: 204"""
    user_id = _user(call)
    password = call.body.mapping().get("NewPassword")
    if not isinstance(password, str) or len(password) < SHORTEST:
        raise InvalidNewPassword(shortest=SHORTEST)
    _write(call, user_id, password, expired=False)
    return Reply(status=NO_CONTENT)


def reset(call: Call) -> Reply:
    """``DELETE``: a generated password, to be changed at the next login."""
    user_id = _user(call)
    password = secrets.token_urlsafe(9)
    _write(call, user_id, password, expired=True)
    return Reply({"NewPassword": password}, root="Password")


def _user(call: Call) -> str:
    """The user of the path: oneself, or anyone for who manages users."""
    kind = call.org.schema.get("User")
    if kind is None:
        raise NotFoundError()
    user_id = objects.record_id(kind, call.params["id"])
    if user_id != call.caller.user_id and not call.caller.may("ManageUsers"):
        raise ForbiddenError("insufficient access rights on object id", code="INSUFFICIENT_ACCESS")
    _, rows = records.retrieve(call.org.system_caller(), "User", [user_id], ["Id"])
    if rows[0] is None:
        raise NotFoundError()
    return user_id


def _write(call: Call, user_id: str, password: str, *, expired: bool) -> None:
    changes: dict[str, Any] = {
        "simorg_PasswordHash": hash_password(password),
        "simorg_PasswordExpired": expired,
    }
    with call.org.store.writing() as tx:
        records.system_update(tx, "User", user_id, changes, by=call.caller.user_id)
