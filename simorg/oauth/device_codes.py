"""Device and user codes: asked for, shown, approved, polled for, spent.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_device_flow.htm
A code lives in the org that its device code names. Whoever approves it may belong to another org
of the server that has the app too, as at login.salesforce.com.
"""

from __future__ import annotations

import secrets as random
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from simorg.oauth import places, secrets
from simorg.org.clock import from_text, to_text

if TYPE_CHECKING:
    from simorg.oauth.request import OAuthCall
    from simorg.org.org import Org

_CODES = "oauth.device"
_USER_CODES = "oauth.user_code"
MARK = "dEv1"
#: a code can be approved and polled for so long
LIFETIME = timedelta(minutes=10)
#: seconds between two polls; every poll that comes too soon adds as much (RFC 8628, 3.5)
INTERVAL = 5
#: how long a code is remembered, to tell an old or spent one from one that never was
_REMEMBER = timedelta(days=1)
#: eight characters nobody mistakes for another
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ23456789"
_LENGTH = 8

PENDING, APPROVED, DENIED, SPENT = "pending", "approved", "denied", "spent"


class DeviceCode(msgspec.Struct, omit_defaults=True):
    """What a device code stands for. Times are the org's."""

    consumer_key: str
    scopes: tuple[str, ...]
    user_code: str
    expires: str
    state: str = PENDING
    interval: int = INTERVAL
    polled: str | None = None
    #: who decided
    org_id: str | None = None
    user_id: str | None = None
    high_assurance: bool = False
    #: of a spent code: the approval it gave
    approval: str | None = None

    def expired(self, org: Org) -> bool:
        """Whether its time is over."""
        return self.expires <= org.clock.text()


def create(org: Org, consumer_key: str, scopes: tuple[str, ...]) -> tuple[str, DeviceCode]:
    """Keep a new code: the device code's text, and what it stands for."""
    text = secrets.make(MARK, org.id)
    now = org.clock.now()
    with org.store.writing():
        code = DeviceCode(consumer_key, scopes, _fresh(org), to_text(now + LIFETIME))
        key = secrets.digest(text)
        org.kept.put(_USER_CODES, code.user_code, key.encode(), now + LIFETIME)
        keep(org, key, code)
    return text, code


def _fresh(org: Org) -> str:
    """A user code that nobody holds."""
    while True:
        made = "".join(random.choice(ALPHABET) for _ in range(_LENGTH))
        if org.kept.get(_USER_CODES, made) is None:
            return made


def keep(org: Org, key: str, code: DeviceCode) -> None:
    """Write a code's new state."""
    until = org.clock.now() + _REMEMBER
    org.kept.put(_CODES, key, msgspec.json.encode(code), until)


def by_key(org: Org, key: str) -> DeviceCode | None:
    """The code of a digest."""
    raw = org.kept.get(_CODES, key)
    return msgspec.json.decode(raw, type=DeviceCode) if raw is not None else None


def normalise(text: str) -> str:
    """A user code as typed: any case, with blanks or hyphens."""
    return "".join(c for c in text.upper() if c.isascii() and c.isalnum())


def by_user_code(call: OAuthCall, text: str) -> tuple[Org, str, DeviceCode] | None:
    """The org, key and code of a user code that can still be decided on."""
    wanted = normalise(text)
    if len(wanted) != _LENGTH:
        return None
    at_home = places.org_of_host(call.catalogue, call.hostname)
    for org in (at_home,) if at_home is not None else call.catalogue.list():
        key = org.kept.get(_USER_CODES, wanted)
        code = by_key(org, key.decode()) if key is not None else None
        if key is not None and code is not None and code.state == PENDING:
            return (org, key.decode(), code) if not code.expired(org) else None
    return None


def settle(
    org: Org, key: str, state: str, org_id: str, user_id: str, *, high_assurance: bool = False
) -> bool:
    """Approve or deny a code for a user; False when it was decided on or too old by now."""
    with org.store.writing():
        code = by_key(org, key)
        if code is None or code.state != PENDING or code.expired(org):
            return False
        code.state, code.org_id, code.user_id = state, org_id, user_id
        code.high_assurance = high_assurance
        keep(org, key, code)
        org.kept.delete(_USER_CODES, code.user_code)
    return True


def too_fast(org: Org, key: str, code: DeviceCode) -> bool:
    """Note a poll of a pending code; whether it came too soon, which slows the device down."""
    now = org.clock.now()
    allowed = code.polled is None or now >= from_text(code.polled) + timedelta(
        seconds=code.interval
    )
    if not allowed:
        code.interval += INTERVAL
    code.polled = to_text(now)
    keep(org, key, code)
    return not allowed
