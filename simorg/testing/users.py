"""Users of an org: credentials, and what an administrator does with them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

if TYPE_CHECKING:
    from simorg.testing.org import Org


class User:
    """A user. The methods return the user, for chaining; raise ``RecordRefused``."""

    def __init__(self, org: Org, told: dict[str, Any]) -> None:
        self.org = org
        self.id: str = told["id"]
        self.username: str = told["username"]
        #: None once it was changed behind our back
        self.password: str | None = told["password"]
        self.security_token: str | None = told["securityToken"]

    def __repr__(self) -> str:
        return f"User({self.username!r})"

    def read(self, *fields: str) -> dict[str, Any]:
        """Fields of the User record: ``read("IsActive", "Profile.Name")``."""
        (found,) = self.org.query(f"SELECT {', '.join(fields)} FROM User WHERE Id = '{self.id}'")
        return found

    def update(self, **fields: Any) -> User:
        self.org.update(self.id, **fields)
        return self

    # -- state -------------------------------------------------------------------------------

    @property
    def _path(self) -> str:
        return f"users/{self.id}"

    @property
    def state(self) -> dict[str, Any]:
        """Everything the control API tells of the user, now."""
        found: dict[str, Any] = self.org.control("GET", self._path)
        return found

    def set(self, **members: Any) -> User:
        """Members of ``PATCH .../users/{name}`` (docs/control-api.md), all or nothing:
        ``set(frozen=True, passwordExpired=True)``."""
        told = self.org.control("PATCH", self._path, members)
        self.username = told["username"]
        self.password, self.security_token = told["password"], told["securityToken"]
        self.org.forget_users()
        return self

    @property
    def active(self) -> bool:
        return bool(self.state["active"])

    def deactivate(self) -> User:
        """Sessions end."""
        return self.set(active=False)

    def activate(self) -> User:
        return self.set(active=True)

    @property
    def frozen(self) -> bool:
        return bool(self.state["frozen"])

    def freeze(self) -> User:
        """Sessions end, and none starts."""
        return self.set(frozen=True)

    def unfreeze(self) -> User:
        return self.set(frozen=False)

    @property
    def locked(self) -> bool:
        """Locked out after too many wrong passwords."""
        return bool(self.state["passwordLocked"])

    def lock(self) -> User:
        """As too many wrong passwords do, for ``login.lockoutMinutes`` of the org's clock."""
        return self.set(passwordLocked=True)

    def unlock(self) -> User:
        return self.set(passwordLocked=False)

    def set_password(self, password: str, *, expired: bool = False) -> User:
        """Any password, whatever the org's policy; ``expired``: to be changed at the next login."""
        return self.set(password=password, passwordExpired=expired)

    # -- permissions -------------------------------------------------------------------------

    @property
    def profile(self) -> str:
        """The profile's name; set it to change it."""
        return str(self.state["profile"])

    @profile.setter
    def profile(self, name: str) -> None:
        self.set(profile=name)

    @property
    def permission_sets(self) -> list[str]:
        """API names of the permission sets assigned, without the profile's own."""
        found: list[str] = self.state["permissionSets"]
        return found

    def assign(self, permission_set: str | PermissionSet) -> User:
        """Assign a permission set (API name), beside those the user has. Raises ``LookupError``."""
        name = self.org.permission_set(permission_set).name
        return self.set(permissionSets=[*self.permission_sets, name])

    def unassign(self, permission_set: str | PermissionSet) -> User:
        name = self.org.permission_set(permission_set).name
        return self.set(permissionSets=[one for one in self.permission_sets if one != name])

    def grant(self, *permissions: str) -> User:
        """Give permissions by their API names (``ApiEnabled``, ``UseAnyApiClient``), through
        a permission set of their own."""
        wanted = sorted({name.removeprefix("Permissions") for name in permissions})
        name = re.sub(r"\W", "_", "_".join(["Test", *wanted])[:80]).rstrip("_")
        try:
            self.org.permission_set(name)
        except LookupError:
            self.org.add_permission_set(name, permissions=wanted)
        return self if name in self.permission_sets else self.assign(name)


class Permissions:
    """What grants permissions. ``grant`` and ``revoke`` return it, for chaining; what they change
    is in force at the next call of every session."""

    _kind = ""

    def __init__(self, org: Org, told: dict[str, Any]) -> None:
        self.org = org
        self.id: str = told["id"]
        self.name: str = told["name"]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def _path(self) -> str:
        return f"{self._kind}/{quote(self.id, safe='')}"

    @property
    def permissions(self) -> list[str]:
        """API names of the permissions that are on, without *Permissions*."""
        found: list[str] = self.org.control("GET", self._path)["permissions"]
        return found

    def grant(self, *permissions: str) -> Self:
        """Switch permissions on by their API names. Raises ``ControlRefused``."""
        return self._switch(permissions, True)

    def revoke(self, *permissions: str) -> Self:
        """Switch them off."""
        return self._switch(permissions, False)

    def _switch(self, permissions: Iterable[str], on: bool) -> Self:
        self.org.control("PATCH", self._path, {"permissions": dict.fromkeys(permissions, on)})
        return self


class PermissionSet(Permissions):
    """A permission set."""

    _kind = "permission-sets"

    def drop(self) -> None:
        """Delete it. Raises ``RecordRefused`` while users have it."""
        self.org.control("DELETE", self._path)


class Profile(Permissions):
    """A profile: permissions, and from where and when its users may log in."""

    _kind = "profiles"

    def set(self, **members: Any) -> Profile:
        """Members of ``PATCH .../profiles/{name}``: ``set(loginIpRanges=["192.0.2.0/24"])``."""
        self.org.control("PATCH", self._path, members)
        return self
