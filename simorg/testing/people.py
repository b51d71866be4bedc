"""Users, permission sets, profiles and apps added to an org."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from simorg.testing.apps import App
from simorg.testing.errors import ControlRefused
from simorg.testing.users import PermissionSet, Profile, User

if TYPE_CHECKING:
    from simorg.testing.org import Org


class People:
    """The part of ``Org`` that makes and finds them. ``**members`` everywhere are those of org
    definitions and docs/control-api.md, in their camel case."""

    name: str
    _users: list[dict[str, Any]]

    def control(self, method: str, path: str = "", body: Any = None) -> Any:
        raise NotImplementedError

    @property
    def _here(self) -> Org:
        return cast("Org", self)

    def forget_users(self) -> None:
        """Users changed: read them again when one is asked for."""
        self._users = []

    def add_user(
        self,
        username: str,
        *,
        profile: str = "Standard User",
        permission_sets: Iterable[str | PermissionSet] = (),
        password: str | None = None,
        **members: Any,
    ) -> User:
        """A new user; ``username`` may be a short name. ``members``: ``email``, ``role``,
        ``frozen``, ``contact``... Raises ``ControlRefused``, ``RecordRefused``."""
        asked = {
            "username": username,
            "profile": profile,
            "permissionSets": [_name(one) for one in permission_sets],
            **members,
        }
        if password is not None:
            asked["password"] = password
        made = self.control("POST", "users", asked)
        self.forget_users()
        return User(self._here, made)

    def permission_set(self, name: str | PermissionSet) -> PermissionSet:
        """A permission set by its API name (any case). Raises ``LookupError``."""
        if isinstance(name, PermissionSet):
            return name
        return PermissionSet(self._here, self._find("permission-sets", name))

    def add_permission_set(
        self, name: str, *, permissions: Iterable[str] = (), **members: Any
    ) -> PermissionSet:
        """A new permission set: ``add_permission_set("Api", permissions=["ApiEnabled"])``."""
        asked = {"name": name, "permissions": list(permissions), **members}
        made = self.control("POST", "permission-sets", asked)
        return PermissionSet(self._here, made)

    def profile(self, name: str) -> Profile:
        """A profile by its name (any case). Raises ``LookupError``."""
        return Profile(self._here, self._find("profiles", name))

    def add_profile(self, name: str, *, permissions: Iterable[str] = (), **members: Any) -> Profile:
        """A new profile with the licence *Salesforce*, or ``license=``."""
        asked = {"name": name, "permissions": list(permissions), **members}
        return Profile(self._here, self.control("POST", "profiles", asked))

    def add_app(self, name: str, **members: Any) -> App:
        """A new connected app: ``add_app("Mine", callbackUrls=[...], installed=True,
        config={"isPkceRequired": True})``. Key and secret are generated unless told."""
        made = self.control("POST", "connected-apps", {"name": name, **members})
        return App(self._here, made)

    def _find(self, kind: str, name: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self.control("GET", f"{kind}/{quote(name, safe='')}")
        except ControlRefused as error:
            if error.code != "not_found":
                raise
            what = kind.replace("-", " ").removesuffix("s")
            raise LookupError(f"there is no {what} {name!r} in {self.name}") from None
        return found


def _name(given: str | PermissionSet) -> str:
    return given if isinstance(given, str) else given.name
