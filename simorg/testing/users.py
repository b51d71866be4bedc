"""Users of an org: credentials, and what an administrator does with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simorg.testing.org import Org


class User:
    """A user. The methods return the user, for chaining; raise ``RecordRefused``."""

    def __init__(self, org: Org, told: dict[str, Any]) -> None:
        self.org = org
        self.id: str = told["id"]
        self.username: str = told["username"]
        #: what the org was made with; None once it was changed
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
    def active(self) -> bool:
        return bool(self.read("IsActive")["IsActive"])

    def deactivate(self) -> User:
        return self.update(IsActive=False)

    def activate(self) -> User:
        return self.update(IsActive=True)

    @property
    def frozen(self) -> bool:
        return bool(self._login()["IsFrozen"])

    def freeze(self) -> User:
        self.org.update(self._login()["Id"], IsFrozen=True)
        return self

    def unfreeze(self) -> User:
        self.org.update(self._login()["Id"], IsFrozen=False)
        return self

    def _login(self) -> dict[str, Any]:
        (found,) = self.org.query(f"SELECT Id, IsFrozen FROM UserLogin WHERE UserId = '{self.id}'")
        return found

    # -- permissions -------------------------------------------------------------------------

    @property
    def profile(self) -> str:
        """The profile's name; set it to change it."""
        return str(self.read("Profile.Name")["Profile"]["Name"])

    @profile.setter
    def profile(self, name: str) -> None:
        found = self.org.query(f"SELECT Id FROM Profile WHERE Name = {_text(name)}")
        if not found:
            raise LookupError(f"there is no profile {name!r}")
        self.update(ProfileId=found[0]["Id"])

    @property
    def permission_sets(self) -> list[str]:
        """API names of the permission sets assigned, without the profile's own."""
        rows = self.org.query(
            "SELECT PermissionSet.Name FROM PermissionSetAssignment"
            f" WHERE AssigneeId = '{self.id}' AND PermissionSet.IsOwnedByProfile = false"
        )
        return sorted(row["PermissionSet"]["Name"] for row in rows)

    def assign(self, permission_set: str) -> User:
        """Assign a permission set by its API name."""
        self.org.create(
            "PermissionSetAssignment",
            AssigneeId=self.id,
            PermissionSetId=self._set(permission_set),
        )
        return self

    def unassign(self, permission_set: str) -> User:
        rows = self.org.query(
            f"SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = '{self.id}'"
            f" AND PermissionSetId = '{self._set(permission_set)}'"
        )
        for row in rows:
            self.org.delete(row["Id"])
        return self

    def grant(self, *permissions: str) -> User:
        """Give permissions by their API names (``ApiEnabled``, ``UseAnyApiClient``), through
        a permission set of their own."""
        wanted = {name.removeprefix("Permissions") for name in permissions}
        words = "_".join(["Test", *sorted(wanted)])[:80]
        name = re.sub(r"\W", "_", words).rstrip("_")
        if not self.org.query(f"SELECT Id FROM PermissionSet WHERE Name = {_text(name)}"):
            switches = {f"Permissions{one}": True for one in wanted}
            self.org.create("PermissionSet", Name=name, Label=name[:80], **switches)
        return self if name in self.permission_sets else self.assign(name)

    def _set(self, name: str) -> str:
        found = self.org.query(f"SELECT Id FROM PermissionSet WHERE Name = {_text(name)}")
        if not found:
            raise LookupError(f"there is no permission set {name!r}")
        return str(found[0]["Id"])


def _text(value: str) -> str:
    """A SOQL string."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
