"""Giving users passwords: setPassword and resetPassword of the APIs and of Setup.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_setpassword.htm
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from simorg.access import audit, audit_names, directory, rows
from simorg.access.login import password_matches
from simorg.errors import BadRequest, ForbiddenError, NotFoundError
from simorg.org.passwords import hash_password

if TYPE_CHECKING:
    from simorg.org.caller import Caller

_SHORTEST = 8


class NewPasswordRefused(BadRequest):
    """The password does not meet the org's policy."""

    code = "INVALID_NEW_PASSWORD"


class NotYourPassword(ForbiddenError):
    """Others' passwords take Manage Users or Reset User Passwords."""

    code = "INSUFFICIENT_ACCESS"
    template = "insufficient access rights on cross-reference id"


class NoSuchUser(NotFoundError):
    """There is no such user."""

    code = "INVALID_CROSS_REFERENCE_KEY"
    template = "invalid cross reference id"


def set_password(caller: Caller, user_id: str, password: str) -> None:
    """Give a user this password; it does not expire and unlocks the user.

    Raises ``NewPasswordRefused`` (8 characters, letters and digits, not the old one),
    ``NotYourPassword``, ``NoSuchUser``.
    """
    _check_access(caller, user_id)
    if len(password) < _SHORTEST:
        raise NewPasswordRefused(f"Your password must be at least {_SHORTEST} characters long.")
    if not (any(c.isalpha() for c in password) and any(c.isdigit() for c in password)):
        raise NewPasswordRefused("Your password must include letters and numbers")
    if password_matches(caller.org, user_id, password):
        raise NewPasswordRefused("invalid repeated password")
    _write(caller, user_id, password, expired=False)


def reset_password(caller: Caller, user_id: str) -> str:
    """Give a user a random password that must be changed at once, and return it."""
    _check_access(caller, user_id)
    password = f"{secrets.token_hex(5)}A1"
    _write(caller, user_id, password, expired=True)
    return password


def _check_access(caller: Caller, user_id: str) -> None:
    if directory.person(caller.org, user_id) is None:
        raise NoSuchUser()
    if user_id == caller.user_id or caller.may("ManageUsers") or caller.may("ResetPasswords"):
        return
    raise NotYourPassword()


def _write(caller: Caller, user_id: str, password: str, *, expired: bool) -> None:
    org = caller.org
    values = {
        "simorg_PasswordHash": hash_password(password),
        "simorg_PasswordExpired": expired,
        "LastPasswordChangeDate": org.clock.text(),
        "NumberOfFailedLogins": 0,
    }
    with org.store.writing() as tx:
        rows.change(org, tx, "User", values, where="Id", equals=user_id)
        unlocked = {"IsPasswordLocked": False}
        rows.change(org, tx, "UserLogin", unlocked, where="UserId", equals=user_id)
        action = "resetpassword" if expired else "changedpassword"
        what = "Reset" if expired else "Changed"
        name = audit_names.user(caller, tx, user_id)
        audit.note(caller, tx, action, audit.USERS, f"{what} password for user {name}")
        tx.touch_access()
