"""Who gets in through which app: every user and app judged at once.

Users, permissions, assignments and approvals are read with one statement each, whatever their
number, and the gate is asked once per kind of question: users with the same rights meet the same
answer at an app to which they stand the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.access import directory, settings
from simorg.access.gate import decide_call, decide_token
from simorg.access.model import AppFacts, Decision, Flow, SessionFacts, UserFacts
from simorg.access.permissions import asked_fields
from simorg.access.sessions import SESSION_TYPES
from simorg.access.state import state_of

if TYPE_CHECKING:
    from simorg.access.directory import App
    from simorg.org.org import Org
    from simorg.org.store import Reader, Statement, Store


@dataclass(frozen=True, slots=True)
class Seat:
    """A user as the matrix sees them. ``kind`` is the same for users with the same rights."""

    id: str
    username: str
    name: str
    profile: str
    facts: UserFacts
    sets: frozenset[str]
    kind: int


@dataclass(frozen=True, slots=True)
class Cell:
    """What one user meets at one app. ``at`` is "login" or "call" where it refuses."""

    allowed: bool
    rule: str | None = None
    title: str = ""
    reason: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """A column: a flow, through an app or (None) without one."""

    flow: Flow
    app: App | None = None


class Matrix:
    """All users of an org, to be judged at any app. Reads once; knows nothing of later changes."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.settings = settings.read(org)
        self._cells: dict[tuple[Any, ...], Cell] = {}
        with org.store.reading() as reader:
            self.seats = _seats(org, reader)
            found = reader.rows(_statement(org, "consents", _consents))
        self._consents = frozenset((user_id, app_id) for user_id, app_id in found)

    def cell(self, seat: Seat, way: Way) -> Cell:
        """What the user meets there, both at login and on a REST call afterwards."""
        app = way.app
        if app is None:
            key: tuple[Any, ...] = (way.flow, seat.kind)
            facts = None
        else:
            assigned = not app.assigned_to.isdisjoint(seat.sets)
            consented = (seat.id, app.id) in self._consents
            key = (way.flow, seat.kind, app.id, assigned, consented)
        known = self._cells.get(key)
        if known is None:
            if app is not None:
                facts = replace(app.facts(), assigned=assigned, consented=consented)
            known = self._cells[key] = self._judge(seat.facts, way.flow, facts)
        return known

    def rows(self, seats: Iterable[Seat], ways: Sequence[Way]) -> list[tuple[Seat, list[Cell]]]:
        """One list of cells per user."""
        return [(seat, [self.cell(seat, way) for way in ways]) for seat in seats]

    def count(self, seats: Sequence[Seat], way: Way) -> int:
        """How many of these users get in."""
        return sum(self.cell(seat, way).allowed for seat in seats)

    def _judge(self, user: UserFacts, flow: Flow, app: AppFacts | None) -> Cell:
        login = decide_token(self.settings, app, user, flow)
        if not login.allowed:
            return _refused(login, "login")
        surface = "ui" if flow is Flow.UI else "rest"
        session = SessionFacts(flow, SESSION_TYPES.get(flow, "Oauth2"), frozenset({"api"}))
        call = decide_call(self.settings, app, user, session, surface)
        return Cell(True) if call.allowed else _refused(call, "call")


def _refused(decision: Decision, at: str) -> Cell:
    last = decision.trail[-1]
    return Cell(False, last.rule, last.title, last.reason, at)


# -- reading -------------------------------------------------------------------------------------


def _statement(org: Org, name: str, build: Callable[[Store], sa.ClauseElement]) -> Statement:
    return state_of(org).statement(org, f"matrix {name}", build)


def _seats(org: Org, reader: Reader) -> list[Seat]:
    granted, owned = _granted(org, reader)
    held: dict[str, set[str]] = {}
    now = {"now": org.clock.text()}
    for user_id, set_id in reader.rows(_statement(org, "held", _held), now):
        held.setdefault(user_id, set()).add(set_id)
    unions: dict[frozenset[str], frozenset[str]] = {}
    kinds: dict[UserFacts, int] = {}
    seats = []
    for row in reader.rows(_statement(org, "users", _users)):
        user_id, username, name, profile_id, profile, active, user_type, frozen, expired = row
        sets = frozenset(held.get(user_id, set()) | owned.get(profile_id, set()))
        if sets not in unions:
            unions[sets] = frozenset().union(*(granted.get(s, frozenset()) for s in sets))
        facts = UserFacts(
            "",
            bool(active),
            bool(frozen),
            user_type or "Standard",
            unions[sets],
            bool(expired),
        )
        kind = kinds.setdefault(facts, len(kinds))
        seats.append(Seat(user_id, username, name or username, profile or "", facts, sets, kind))
    return seats


def _granted(
    org: Org, reader: Reader
) -> tuple[dict[str, frozenset[str]], dict[str | None, set[str]]]:
    """Permissions per permission set, and the sets each profile owns."""
    fields = asked_fields(org.schema.get("PermissionSet"))  # type: ignore[arg-type]

    def build(store: Store) -> sa.Select[Any]:
        table = store.table("PermissionSet")
        columns = (table.c[column] for _, column in fields)
        return sa.select(table.c.Id, table.c.ProfileId, table.c.IsOwnedByProfile, *columns)

    granted: dict[str, frozenset[str]] = {}
    owned: dict[str | None, set[str]] = {}
    for set_id, profile_id, by_profile, *flags in reader.rows(_statement(org, "sets", build)):
        names = (name for (name, _), flag in zip(fields, flags, strict=True) if flag)
        granted[set_id] = frozenset(names)
        if by_profile:
            owned.setdefault(profile_id, set()).add(set_id)
    return granted, owned


def _users(store: Store) -> sa.Select[Any]:
    user, login, profile = (store.table(n) for n in ("User", "UserLogin", "Profile"))
    return (
        sa.select(
            user.c.Id,
            user.c.Username,
            user.c.Name,
            user.c.ProfileId,
            profile.c.Name,
            user.c.IsActive,
            user.c.UserType,
            login.c.IsFrozen,
            user.c.simorg_PasswordExpired,
        )
        .select_from(
            user.outerjoin(login, login.c.UserId == user.c.Id).outerjoin(
                profile, profile.c.Id == user.c.ProfileId
            )
        )
        .order_by(user.c.Username, user.c.Id)
    )


def _held(store: Store) -> sa.Select[Any]:
    given, sets = store.table("PermissionSetAssignment"), store.table("PermissionSet")
    lasting = sa.or_(
        given.c.ExpirationDate.is_(None), given.c.ExpirationDate > sa.bindparam("now", None)
    )
    return (
        sa.select(given.c.AssigneeId, given.c.PermissionSetId)
        .select_from(given.join(sets, sets.c.Id == given.c.PermissionSetId))
        .where(
            given.c.IsActive.is_(True),
            given.c.IsRevoked.is_not(True),
            sets.c.IsOwnedByProfile.is_not(True),
            lasting,
        )
    )


def _consents(store: Store) -> sa.Select[Any]:
    token = store.table("OauthToken")
    return (
        sa.select(token.c.UserId, token.c.simorg_AppId)
        .where(token.c.simorg_RefreshHash.is_not(None))
        .distinct()
    )


def find_apps(org: Org, text: str = "", *, first_party: bool = False) -> list[App]:
    """Apps by name whose name holds ``text``; Salesforce's own ones only on demand."""
    known = directory.apps(org).by_id.values()
    found = [
        a for a in known if text.lower() in a.name.lower() and (first_party or not a.first_party)
    ]
    return sorted(found, key=lambda app: app.name.lower())
