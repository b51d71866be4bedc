"""Connected apps of an org, and what an administrator does with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

if TYPE_CHECKING:
    from simorg.testing.org import Org

Policy = Literal["selfAuthorize", "adminApproved"]


class App:
    """A connected app. Its state is read when asked; the methods return the app, for chaining."""

    def __init__(self, org: Org, told: dict[str, Any]) -> None:
        self.org = org
        self.id: str = told["id"]
        self.name: str = told["name"]
        self.consumer_key: str | None = told["consumerKey"]
        self.consumer_secret: str | None = told["consumerSecret"]
        self.callback_urls: list[str] = told["callbackUrls"]

    def __repr__(self) -> str:
        return f"App({self.name!r})"

    @property
    def _path(self) -> str:
        return f"connected-apps/{quote(self.id, safe='')}"

    @property
    def state(self) -> dict[str, Any]:
        """Everything the control API tells of the app, now."""
        found: dict[str, Any] = self.org.control("GET", self._path)
        return found

    def _change(self, **changes: Any) -> App:
        self.org.control("PATCH", self._path, changes)
        return self

    # -- what an administrator does ----------------------------------------------------------

    def install(self) -> App:
        return self._change(installed=True)

    def uninstall(self) -> App:
        """Its sessions end."""
        return self._change(installed=False)

    def block(self) -> App:
        """Its sessions end and none starts."""
        return self._change(blocked=True)

    def unblock(self) -> App:
        return self._change(blocked=False)

    def assign(
        self,
        *,
        permission_set: str | Iterable[str] = (),
        profile: str | Iterable[str] = (),
    ) -> App:
        """Assign permission sets (API names) and profiles to the app, beside those it has."""
        now = self.state
        return self._change(
            permissionSets=_union(now["permissionSets"], permission_set),
            profiles=_union(now["profiles"], profile),
        )

    def unassign(
        self,
        *,
        permission_set: str | Iterable[str] = (),
        profile: str | Iterable[str] = (),
    ) -> App:
        now = self.state
        sets, profiles = _names(permission_set), _names(profile)
        return self._change(
            permissionSets=[one for one in now["permissionSets"] if one not in sets],
            profiles=[one for one in now["profiles"] if one not in profiles],
        )

    @property
    def policy(self) -> Policy:
        """Permitted Users on record; set it to change it."""
        found: Policy = self.state["storedPolicy"]
        return found

    @policy.setter
    def policy(self, permitted_users: Policy) -> None:
        self._change(permittedUsers=permitted_users)

    def delete(self) -> None:
        """Delete it with its tokens, sessions and assignments."""
        self.org.control("DELETE", self._path)

    # -- how it is read ----------------------------------------------------------------------

    @property
    def installed(self) -> bool:
        return bool(self.state["installed"])

    @property
    def blocked(self) -> bool:
        return bool(self.state["blocked"])

    @property
    def permission_sets(self) -> list[str]:
        """API names of the permission sets it is assigned to."""
        found: list[str] = self.state["permissionSets"]
        return found

    @property
    def profiles(self) -> list[str]:
        """Names of the profiles it is assigned to."""
        found: list[str] = self.state["profiles"]
        return found

    @property
    def stored_policy(self) -> Policy:
        """Permitted Users on record."""
        return self.policy

    @property
    def ui_policy(self) -> Policy:
        """Permitted Users as Setup shows it and the org enforces it."""
        found: Policy = self.state["uiPolicy"]
        return found

    @property
    def api_value(self) -> bool:
        """``OptionsAllowAdminApprovedUsersOnly`` as sessions read it."""
        return bool(self.state["apiValue"])

    @property
    def api_value_for_jwt(self) -> bool:
        """The same as sessions of the JWT bearer flow read it."""
        return bool(self.state["apiValueForJwt"])


def _names(given: str | Iterable[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _union(known: list[str], given: str | Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*known, *_names(given)]))
