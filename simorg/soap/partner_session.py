"""login, logout, invalidateSessions, getServerTimestamp, getUserInfo, setPassword."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simorg.access import login as logins
from simorg.access import session_ends, sessions
from simorg.errors import ForbiddenError, NotFoundError
from simorg.org import ids, records
from simorg.org.passwords import hash_password
from simorg.soap.arguments import required
from simorg.soap.call import Call
from simorg.soap.faults import api_fault
from simorg.soap.user_info import org_facts, user_info
from simorg.soap.versions import check_login

#: the default password policy, https://help.salesforce.com/s/articleView?id=sf.admin_password.htm
_SHORTEST_PASSWORD = 8


def login(call: Call, username: str | None, password: str | None) -> dict[str, Any]:
    """Start a session with a username and a password (security token appended)."""
    check_login(call, username or "")
    outcome = logins.soap_login(
        call.catalogue,
        username or "",
        password or "",
        org_scope=call.header("LoginScopeHeader", "organizationId") or None,
        api_version=call.version,
        client=call.client,
        source_ip=call.client_ip,
        url=call.root,
        tls=call.root.startswith("https"),
        environ=call.environ,
    )
    org = outcome.org
    base, version, suffix = f"{call.root}/services/Soap", f"{call.version}.0", org.id[:15]
    return {
        "metadataServerUrl": f"{base}/m/{version}/{suffix}",
        "passwordExpired": outcome.password_expired,
        "sandbox": org_facts(org)["IsSandbox"],
        "serverUrl": f"{base}/u/{version}/{suffix}",
        "sessionId": outcome.session.token,
        "userId": outcome.user_id,
        "userInfo": user_info(org, outcome.user_id, outcome.session.seconds_valid),
    }


def logout(call: Call) -> None:
    """End the session of the call."""
    caller = call.known()
    if caller.session_id is not None:
        session_ends.end_session(caller.org, caller.session_id)


def invalidate_sessions(call: Call, session_ids: Sequence[str | None]) -> list[dict[str, Any]]:
    """End sessions by session id: one's own, or with Manage Users anybody's in the org."""
    caller = call.known()
    results = []
    for token in session_ids:
        found = sessions.locate(call.catalogue, token or "")
        if (
            found is not None
            and found[0] is caller.org
            and (found[1].user_id == caller.user_id or caller.may("ManageUsers"))
        ):
            session_ends.end_session(caller.org, found[1].id)
            results.append({"errors": [], "success": True})
            continue
        error = {"message": "Invalid session id", "statusCode": "INVALID_SESSION_ID"}
        results.append({"errors": [error], "success": False})
    return results


def get_server_timestamp(call: Call) -> dict[str, Any]:
    """The time of the org's clock."""
    return {"timestamp": call.known().org.clock.now()}


def get_user_info(call: Call) -> dict[str, Any]:
    """Who is calling, and in which org."""
    caller = call.known()
    row = sessions.find(caller.org, call.token)
    return user_info(caller.org, caller.user_id, row.seconds_valid if row else 0)


def set_password(call: Call, user_id: str | None, password: str | None) -> dict[str, Any]:
    """Set a user's password; takes Manage Users for any user but oneself."""
    caller = call.known()
    wanted = ids.normalise(required(user_id, "userId").strip())
    if wanted != caller.user_id and not caller.may("ManageUsers"):
        raise ForbiddenError("insufficient access rights on object id", code="INSUFFICIENT_ACCESS")
    secret = required(password, "password")
    if len(secret) < _SHORTEST_PASSWORD:
        raise api_fault(
            "INVALID_NEW_PASSWORD",
            f"Your password must be at least {_SHORTEST_PASSWORD} characters long.",
            "InvalidNewPasswordFault",
        )
    layout, (row,) = records.retrieve(caller.org.system_caller(), "User", [wanted], ["Id"])
    if row is None:
        raise NotFoundError("invalid cross reference id", code="INVALID_CROSS_REFERENCE_KEY")
    changes = {"simorg_PasswordHash": hash_password(secret), "simorg_PasswordExpired": False}
    with caller.org.store.writing() as tx:
        records.system_update(tx, "User", wanted, changes, by=caller.user_id)
    return {}
