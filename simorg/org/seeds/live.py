"""Parts of a definition added to an org that runs, by the loaders that build a template.

What comes out equals what the definition would have given. Call within ``org.store.writing()``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.org.seeds import apps, people
from simorg.org.seeds.context import Building, SeededUser
from simorg.org.seeds.definition import (
    AppPart,
    ContactPart,
    Definition,
    OrgPart,
    PermissionSetPart,
    ProfilePart,
    UserPart,
)
from simorg.org.seeds.parse import Path, SeedError, Source
from simorg.org.seeds.rows import RowWriter

if TYPE_CHECKING:
    from simorg.org.org import Org
    from simorg.org.store.transaction import TransactionBase

#: an org whose template is older than the document ``defaults``
_DEFAULTS = {"password": "simorg123", "security_token": "SIMORGTOKEN"}


class PartRefused(SeedError):
    """A part cannot be added; ``member`` is the one at fault (``permissionSets.0``).

    ``code``: Salesforce's, where it is Salesforce that would refuse.
    """

    def __init__(self, member: str, message: str, code: str | None = None) -> None:
        self.member = member
        self.code = code
        super().__init__(message)


class _Asked(Source):
    """Complaints name the member of the part instead of a line."""

    def error(self, path: Path, reason: str) -> SeedError:
        return PartRefused(".".join(str(step) for step in path[2:]), reason)

    def complain(self, path: Path, reason: str) -> None:
        raise self.error(path, reason)


class Live:
    """One transaction's view of the org as something to be built on."""

    def __init__(self, org: Org, tx: TransactionBase) -> None:
        self._org = org
        self._tx = tx
        schema = org.schema
        definition = Definition(org=self._org_part())
        writer = RowWriter(org.store, schema, tx, definition.org.created)
        writer.user_id = org.system_caller().user_id
        source = _Asked(org.name)
        self._building = Building(definition, source, schema, org.store, writer, org.id)
        self._read_profiles()

    def _rows(self, statement: sa.Select[Any]) -> list[tuple[Any, ...]]:
        return self._tx.rows(self._org.store.prepare(statement))

    def _org_part(self) -> OrgPart:
        table = self._org.store.table("Organization")
        ((zone, locale),) = self._rows(
            sa.select(table.c.TimeZoneSidKey, table.c.DefaultLocaleSidKey)
        )
        told = {**_DEFAULTS, **(self._org.documents.read("defaults") or {})}
        return OrgPart(
            name=self._org.name,
            created=self._org.clock.now(),
            time_zone=zone,
            locale=locale,
            password=told["password"],
            security_token=told["security_token"],
        )

    def _read_profiles(self) -> None:
        building, store = self._building, self._org.store
        licence, profile = store.table("UserLicense"), store.table("Profile")
        sets = store.table("PermissionSet")
        names = {}
        for id, name, used in self._rows(
            sa.select(licence.c.Id, licence.c.Name, licence.c.UsedLicenses)
        ):
            names[id] = name
            building.licenses[name] = id
            building.used[name] = used or 0
        for id, name, user_type, licence_id in self._rows(
            sa.select(profile.c.Id, profile.c.Name, profile.c.UserType, profile.c.UserLicenseId)
        ):
            building.profiles[name] = id
            building.definition.profiles[name] = ProfilePart(
                license=names.get(licence_id, ""), user_type=user_type or "Standard"
            )
        of_profile = {id: name for name, id in building.profiles.items()}
        for id, name, owned, profile_id in self._rows(
            sa.select(sets.c.Id, sets.c.Name, sets.c.IsOwnedByProfile, sets.c.ProfileId)
        ):
            if not owned:
                building.permission_sets[name] = id
            elif profile_id in of_profile:
                building.profile_sets[of_profile[profile_id]] = id

    # -- users -------------------------------------------------------------------------------

    def add_user(self, username: str, part: UserPart) -> str:
        """Add a user; the id. Raises ``PartRefused``."""
        building, org = self._building, self._org
        (user_id,) = building.writer.new_ids("User", 1)
        self._spell(part)
        profile = building.definition.profiles.get(part.profile)
        if profile is not None and people.is_external(profile.user_type):
            part.contact = part.contact or ContactPart(account=f"{part.last_name} Account")
            if isinstance(part.contact, ContactPart):
                self._find_contact(part.contact, part)
            else:
                self._know_contact(part.contact)
        building.definition.users[username] = part
        self._find_nickname(username)
        people.add_user(building, username, user_id, minutes=0)
        if not org.usernames.claim(username, user_id):
            raise PartRefused("username", f"the username {username} is taken", "DUPLICATE_USERNAME")
        if profile is not None and part.active:
            self._take_licence(profile.license)
        building.writer.flush()
        credentials = org.documents.read("credentials") or {}
        password = part.password or building.definition.org.password
        org.documents.write("credentials", {**credentials, user_id: password})
        building.users[username] = SeededUser(user_id, "", part.active, False)
        return user_id

    def _spell(self, part: UserPart | AppPart) -> None:
        """Names as the org writes them; they are given in any case."""
        building = self._building
        if isinstance(part, UserPart):
            part.profile = _spelt(part.profile, building.profiles)
        else:
            part.profiles = [_spelt(name, building.profiles) for name in part.profiles]
        sets = building.permission_sets
        part.permission_sets = list(
            dict.fromkeys(_spelt(name, sets) for name in part.permission_sets)
        )

    def _know_contact(self, contact_id: str) -> None:
        """A contact told by its id stands for the definition's reference to a record."""
        contact = self._org.store.table("Contact")
        for id, account_id in self._rows(
            sa.select(contact.c.Id, contact.c.AccountId).where(
                contact.c.Id == contact_id, contact.c.IsDeleted.is_not(True)
            )
        ):
            self._building.refs[id] = id
            self._building.account_of[id] = account_id

    def _find_contact(self, told: ContactPart, part: UserPart) -> None:
        """The account and the contact, if they are there and nobody's yet."""
        building, store = self._building, self._org.store
        account, contact = store.table("Account"), store.table("Contact")
        user = store.table("User")
        name = store.folded(account.c.Name)
        wanted = told.account.lower() if store.dialect == "postgresql" else told.account
        living = (account.c.IsDeleted.is_not(True), contact.c.IsDeleted.is_not(True))
        found = self._rows(
            sa.select(account.c.Id).where(name == wanted, living[0]).order_by(account.c.Id).limit(1)
        )
        if not found:
            return
        account_id = building.accounts[told.account] = found[0][0]
        first, last = told.first_name or part.first_name, told.last_name or part.last_name
        taken = sa.select(user.c.ContactId).where(user.c.ContactId.is_not(None))
        for id, one, other in self._rows(
            sa.select(contact.c.Id, contact.c.FirstName, contact.c.LastName).where(
                contact.c.AccountId == account_id, living[1], contact.c.Id.not_in(taken)
            )
        ):
            if (one or None, other) == (first, last):
                building.contacts[account_id, first, last] = id

    def _find_nickname(self, username: str) -> None:
        store = self._org.store
        user, wanted = store.table("User"), username.split("@")[0].lower()
        found = self._rows(
            sa.select(user.c.Id).where(store.folded(user.c.CommunityNickname) == wanted).limit(1)
        )
        if found:
            self._building.nicknames.add(wanted)

    def _take_licence(self, name: str) -> None:
        """``add_user`` of the loader has counted it."""
        store, licence_id = self._org.store, self._building.licenses.get(name)
        table = store.table("UserLicense")
        for (total,) in self._rows(
            sa.select(table.c.TotalLicenses).where(table.c.Id == licence_id)
        ):
            used = self._building.used[name]
            if total is not None and used > total:
                raise PartRefused("profile", "License Limit Exceeded", "LICENSE_LIMIT_EXCEEDED")
            change = sa.update(table).where(table.c.Id == licence_id)
            values = {"UsedLicenses": used, "UsedLicensesLastUpdated": self._org.clock.text()}
            self._tx.execute(store.prepare(change.values(values)))

    # -- profiles, permission sets, apps -----------------------------------------------------

    def add_permission_set(self, name: str, part: PermissionSetPart) -> str:
        """Add a permission set; the id. Raises ``PartRefused``."""
        building = self._building
        _unused(name, building.permission_sets, "permission set")
        if part.license is not None:
            part.license = _spelt(part.license, building.licenses)
        people.add_permission_set(building, name, part)
        self._flush()
        return building.permission_sets[name]

    def add_profile(self, name: str, part: ProfilePart) -> str:
        """Add a profile with its own permission set; the id. Raises ``PartRefused``."""
        building = self._building
        _unused(name, building.profiles, "profile")
        part.license = _spelt(part.license, building.licenses)
        people.add_profile(building, name, part)
        self._flush()
        return building.profiles[name]

    def add_app(self, name: str, part: AppPart) -> str:
        """Add a connected app; the id. Raises ``PartRefused``."""
        building, store = self._building, self._org.store
        app, user, item = (store.table(n) for n in ("ConnectedApplication", "User", "AppMenuItem"))
        known = {row[0]: "" for row in self._rows(sa.select(app.c.Name))}
        _unused(name, known, "connected app")
        if part.consumer_key is not None and self._rows(
            sa.select(app.c.Id).where(app.c.simorg_ConsumerKey == part.consumer_key)
        ):
            raise PartRefused("consumerKey", f"another app has the key {part.consumer_key}")
        self._spell(part)
        users = {row[0]: row[1] for row in self._rows(sa.select(user.c.Username, user.c.Id))}
        building.users.update({n: SeededUser(id, "", True, False) for n, id in users.items()})
        part.run_as = part.run_as and _spelt(part.run_as, users)
        part.approved_by = [_spelt(one, users) for one in part.approved_by]
        (count,) = self._rows(sa.select(sa.func.count()).select_from(item))[0]
        made = apps.add(building, name, part, count + 1)
        self._flush()
        return made

    def _flush(self) -> None:
        self._building.writer.flush()
        self._tx.touch_access()


def _spelt(name: str, known: Any) -> str:
    """The name as it is known; one that is not stays, for the loader to refuse."""
    if name in known:
        return name
    return next((one for one in known if one.lower() == name.lower()), name)


def _unused(name: str, known: Any, kind: str) -> None:
    if _spelt(name, known) in known:
        raise PartRefused("name", f"there is a {kind} {name} already")
