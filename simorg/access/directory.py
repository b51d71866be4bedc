"""Users and connected apps of an org as the gate needs them, read from their records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from simorg.access.model import AppFacts, AppState, Policy, UserFacts
from simorg.access.permissions import asked_fields, held_sets
from simorg.access.refresh_policy import expired
from simorg.access.state import AccessState, Mark, state_of
from simorg.org.clock import from_text

if TYPE_CHECKING:
    from simorg.org.org import Org
    from simorg.org.store import Reader, Store


@dataclass(frozen=True, slots=True)
class Person:
    """A user, with what the permission sets in force grant."""

    facts: UserFacts
    username: str
    profile_id: str
    time_zone: str
    locale: str
    permission_sets: frozenset[str]
    mark: Mark
    #: an assignment ends then (store text): look again
    until: str | None = None


@dataclass(frozen=True)
class App:
    """A connected app's record with the columns no client sees."""

    id: str
    name: str
    consumer_key: str | None
    consumer_secret: str | None
    installed: bool
    blocked: bool
    blocked_by_allowlisting: bool
    admin_approved: bool  # the stored policy
    certificate: str | None
    callback_urls: tuple[str, ...]
    scopes: tuple[str, ...]
    run_as_user_id: str | None
    first_party: bool
    config_text: str | None
    #: the session policy asks for a high assurance session
    high_assurance: bool = False
    #: permission sets (profile-owned ones too) the app is assigned to
    assigned_to: frozenset[str] = frozenset()

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """Further OAuth settings: pkceRequired, clientCredentials, refreshTokenPolicy, ..."""
        return msgspec.json.decode(self.config_text) if self.config_text else {}

    @property
    def state(self) -> AppState:
        if self.blocked:
            return AppState.BLOCKED
        return AppState.INSTALLED if self.installed else AppState.UNINSTALLED

    @property
    def stored_policy(self) -> Policy:
        return Policy.ADMIN if self.admin_approved else Policy.ALL

    def facts(
        self,
        person: Person | None = None,
        *,
        consented: bool = False,
        authorized: bool = False,
    ) -> AppFacts:
        """The app for the gate, as it concerns that user."""
        assigned = person is not None and not self.assigned_to.isdisjoint(person.permission_sets)
        return AppFacts(
            self.id,
            self.name,
            self.state,
            self.stored_policy,
            assigned=assigned,
            consented=consented,
            authorized=authorized or consented,
            high_assurance=self.high_assurance,
            has_certificate=bool(self.certificate),
            first_party=self.first_party,
            external_client_app=bool(self.config.get("externalClientApp")),
        )


@dataclass(frozen=True, slots=True)
class Apps:
    """All connected apps of an org."""

    by_id: Mapping[str, App]
    by_key: Mapping[str, App]
    by_name: Mapping[str, App]  # lower case


#: what the gate makes of a consumer key nobody has
UNKNOWN_APP = AppFacts(None, "unknown app", AppState.UNKNOWN)


# -- users ---------------------------------------------------------------------------------------


def _user_query(store: Store) -> sa.Select[Any]:
    user, login = store.table("User"), store.table("UserLogin")
    return (
        sa.select(
            user.c.IsActive,
            user.c.Username,
            user.c.ProfileId,
            user.c.UserType,
            user.c.TimeZoneSidKey,
            user.c.LocaleSidKey,
            login.c.IsFrozen,
            user.c.simorg_PasswordExpired,
        )
        .select_from(user.outerjoin(login, login.c.UserId == user.c.Id))
        .where(user.c.Id == sa.bindparam("user", None))
    )


def person(org: Org, user_id: str) -> Person | None:
    """The user of that 18-character id; None if there is none. Read again after any change."""
    state = state_of(org)
    mark = org.access_generation
    known: Person | None = state.users.get(user_id)
    if known is not None and known.mark == mark:
        if known.until is None or known.until > org.clock.text():
            return known
    with org.store.reading() as reader:
        found = _read_person(org, state, reader, user_id, mark)
    if found is not None:
        state.users[user_id] = found
    return found


def _read_person(
    org: Org, state: AccessState, reader: Reader, user_id: str, mark: Mark
) -> Person | None:
    row = reader.one(state.statement(org, "user", _user_query), {"user": user_id})
    if row is None:
        return None
    active, username, profile, user_type, zone, locale, frozen, expired = row
    fields = asked_fields(org.schema.get("PermissionSet"))  # type: ignore[arg-type]
    columns = tuple(column for _, column in fields)
    held = state.statement(org, "held sets", lambda store: held_sets(store, columns))
    values = {"user": user_id, "profile": profile, "now": org.clock.text()}
    granted: set[str] = set()
    sets: set[str] = set()
    ends: list[str] = []
    for set_id, end, *flags in reader.rows(held, values):
        sets.add(set_id)
        granted.update(name for (name, _), flag in zip(fields, flags, strict=True) if flag)
        if end is not None:
            ends.append(end)
    facts = UserFacts(
        user_id,
        bool(active),
        bool(frozen),
        user_type or "Standard",
        frozenset(granted),
        bool(expired),
    )
    return Person(
        facts,
        username,
        profile,
        zone or "America/Los_Angeles",
        locale or "en_US",
        frozenset(sets),
        mark,
        min(ends, default=None),
    )


def _username_query(store: Store) -> sa.Select[Any]:
    user = store.table("User")
    name = store.folded(user.c.Username)
    return sa.select(user.c.Id).where(name == sa.bindparam("username", None))


def find_user(org: Org, username: str) -> str | None:
    """The id of the org's own user of that username (any case)."""
    if "\x00" in username:  # no column of PostgreSQL can hold it
        return None
    folded = username.lower() if org.store.dialect == "postgresql" else username
    statement = state_of(org).statement(org, "username", _username_query)
    with org.store.reading() as reader:
        row = reader.one(statement, {"username": folded})
    return row[0] if row else None


def _consent_query(store: Store) -> sa.Select[Any]:
    token = store.table("OauthToken")
    return sa.select(token.c.simorg_RefreshHash, token.c.CreatedDate, token.c.LastUsedDate).where(
        token.c.UserId == sa.bindparam("user", None),
        token.c.simorg_AppId == sa.bindparam("app", None),
        token.c.simorg_State == "approval",
    )


def consented(org: Org, app_id: str, user_id: str) -> bool:
    """Whether the user approved the app before in a flow that gave a refresh token (G6) which the
    app's policy has not ended."""
    return consent(org, app_id, user_id)[0]


def consent(org: Org, app_id: str, user_id: str) -> tuple[bool, bool]:
    """(``consented``, whether the user approved the app at all)."""
    statement = state_of(org).statement(org, "consent", _consent_query)
    with org.store.reading() as reader:
        held = reader.rows(statement, {"user": user_id, "app": app_id})
    if not held:
        return False, False
    app, now = apps(org).by_id.get(app_id), org.clock.now()
    rule = str(app.config.get("refreshTokenPolicy", "infinite")) if app else "infinite"
    lasting = (
        refresh and not expired(rule, from_text(created), from_text(used or created), now)
        for refresh, created, used in held
    )
    return any(lasting), True


# -- connected apps ------------------------------------------------------------------------------

_APP_COLUMNS = (
    "Id Name simorg_ConsumerKey simorg_ConsumerSecret simorg_Installed simorg_Blocked"
    " simorg_BlockedByAllowlisting simorg_StoredPolicy simorg_Certificate simorg_CallbackUrls"
    " simorg_Scopes simorg_RunAsUserId simorg_FirstParty simorg_Config"
    " OptionsHasSessionLevelPolicy"
).split()


def _apps_query(store: Store) -> sa.Select[Any]:
    table = store.table("ConnectedApplication")
    return sa.select(*(table.c[name] for name in _APP_COLUMNS)).order_by(table.c.Id)


def _assignments_query(store: Store) -> sa.Select[Any]:
    access = store.table("SetupEntityAccess")
    return sa.select(access.c.SetupEntityId, access.c.ParentId).where(
        access.c.SetupEntityType == "ConnectedApplication"
    )


def apps(org: Org) -> Apps:
    """The org's connected apps, read again after any change of access."""
    state = state_of(org)
    mark = org.access_generation
    if state.apps is not None and state.apps[0] == mark:
        found: Apps = state.apps[1]
        return found
    with org.store.reading() as reader:
        assigned: dict[str, set[str]] = {}
        for app_id, parent in reader.rows(state.statement(org, "assignments", _assignments_query)):
            assigned.setdefault(app_id, set()).add(parent)
        rows = reader.rows(state.statement(org, "apps", _apps_query))
    found = _index([_app(row, assigned.get(row[0], set())) for row in rows])
    state.apps = (mark, found)
    return found


def _app(row: tuple[Any, ...], assigned: set[str]) -> App:
    (
        app_id,
        name,
        key,
        secret,
        installed,
        blocked,
        by_allowlisting,
        admin,
        certificate,
        urls,
        scopes,
        run_as,
        first_party,
        config,
        high_assurance,
    ) = row
    return App(
        app_id,
        name,
        key,
        secret,
        bool(installed),
        bool(blocked),
        bool(by_allowlisting),
        bool(admin),
        certificate,
        tuple((urls or "").split()),
        tuple((scopes or "").split()),
        run_as,
        bool(first_party),
        config,
        bool(high_assurance),
        frozenset(assigned),
    )


def _index(found: list[App]) -> Apps:
    return Apps(
        {app.id: app for app in found},
        {app.consumer_key: app for app in found if app.consumer_key},
        {app.name.lower(): app for app in found},
    )


# -- permission sets -----------------------------------------------------------------------------


def _set_names_query(store: Store) -> sa.Select[Any]:
    sets, profile = store.table("PermissionSet"), store.table("Profile")
    owned = sa.and_(profile.c.Id == sets.c.ProfileId, sets.c.IsOwnedByProfile.is_(True))
    return sa.select(sets.c.Id, sets.c.Name, profile.c.Name).select_from(
        sets.outerjoin(profile, owned)
    )


def permission_set_names(
    org: Org, only: frozenset[str] | None = None
) -> dict[str, tuple[str, str | None]]:
    """Permission set id -> (API name, name of the profile that owns it or None)."""
    statement = state_of(org).statement(org, "set names", _set_names_query)
    with org.store.reading() as reader:
        found = reader.rows(statement)
    return {i: (name, profile) for i, name, profile in found if only is None or i in only}
