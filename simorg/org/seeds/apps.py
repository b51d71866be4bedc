"""Connected apps of a definition, who is assigned to them, and their app menu items."""

from __future__ import annotations

import json
import secrets

from simorg.org.seeds.context import Building
from simorg.org.seeds.definition import AppPart
from simorg.org.seeds.parse import Path, near


def build(building: Building) -> None:
    """Write ConnectedApplication, SetupEntityAccess and AppMenuItem rows."""
    _check_keys(building)
    for order, (name, part) in enumerate(building.definition.connected_apps.items()):
        add(building, name, part, order + 1)


def add(building: Building, name: str, part: AppPart, order: int) -> str:
    """Write an app of the definition, the ``order``-th in the menu; its id."""
    app_id = _app(building, name, part)
    for parent in _parents(building, name, part):
        building.writer.add(
            "SetupEntityAccess",
            {
                "ParentId": parent,
                "SetupEntityId": app_id,
                "SetupEntityType": "ConnectedApplication",
            },
        )
    menu_item = None
    if part.installed:
        menu_item = building.writer.add(
            "AppMenuItem",
            {
                "Name": name.replace(" ", "_"),
                "Label": name,
                "ApplicationId": app_id,
                "Type": "ConnectedApplication",
                "SortOrder": order,
                "UserSortOrder": order,
                "IsVisible": True,
                "IsAccessible": True,
                "IsUsingAdminAuthorization": part.permitted_users == "adminApproved",
                "StartUrl": part.start_url,
            },
        )
    _approvals(building, name, part, app_id, menu_item)
    return app_id


def _approvals(
    building: Building, name: str, part: AppPart, app_id: str, menu_item: str | None
) -> None:
    """The OauthToken rows of users who approved the app before (what JWT bearer asks for)."""
    for n, username in enumerate(part.approved_by):
        building.writer.add(
            "OauthToken",
            {
                "UserId": _user_id(building, username, ("connectedApps", name, "approvedBy", n)),
                "AppName": name,
                "AppMenuItemId": menu_item,
                "DeleteToken": secrets.token_hex(32),
                "UseCount": 1,
                "simorg_Key": secrets.token_hex(16),
                "simorg_AppId": app_id,
                "simorg_Scopes": " ".join(part.scopes),
                "simorg_Flow": "web_server",
                "simorg_RefreshHash": secrets.token_hex(32),
                "simorg_State": "approval",
            },
        )


def _check_keys(building: Building) -> None:
    """A consumer key names one app."""
    seen: dict[str, str] = {}
    for name, part in building.definition.connected_apps.items():
        if part.consumer_key is None:
            continue
        other = seen.setdefault(part.consumer_key, name)
        if other != name:
            path = ("connectedApps", name, "consumerKey")
            building.source.complain(path, f"is the key of {other} too")


def _user_id(building: Building, username: str, path: Path) -> str | None:
    user = building.users.get(username)
    if user is None:
        hint = near(username, building.users)
        building.source.complain(path, f"there is no user {username!r}{hint}")
        return None
    return user.id


def _app(building: Building, name: str, part: AppPart) -> str:
    run_as = None
    if part.run_as is not None:
        run_as = _user_id(building, part.run_as, ("connectedApps", name, "runAs"))
    return building.writer.add(
        "ConnectedApplication",
        {
            "Name": name,
            "StartUrl": part.start_url,
            "OptionsHasSessionLevelPolicy": part.session_level == "high",
            "OptionsIsInternal": part.first_party,
            "simorg_ConsumerKey": part.consumer_key,
            "simorg_ConsumerSecret": part.consumer_secret,
            "simorg_Installed": part.installed,
            "simorg_Blocked": part.blocked,
            "simorg_BlockedByAllowlisting": part.blocked_by_allowlisting,
            "simorg_StoredPolicy": part.permitted_users == "adminApproved",
            "simorg_Certificate": part.certificate,
            "simorg_CallbackUrls": "\n".join(part.callback_urls),
            "simorg_Scopes": " ".join(part.scopes),
            "simorg_RunAsUserId": run_as,
            "simorg_FirstParty": part.first_party,
            "simorg_Config": json.dumps(part.config),
        },
    )


def _parents(building: Building, name: str, part: AppPart) -> list[str]:
    """Permission sets, profile-owned ones included, that are assigned the app."""
    found = []
    for section, names, known in (
        ("profiles", part.profiles, building.profile_sets),
        ("permissionSets", part.permission_sets, building.permission_sets),
    ):
        for n, wanted in enumerate(names):
            if wanted not in known:
                building.source.complain(
                    ("connectedApps", name, section, n),
                    f"there is no {section[:-1]} named {wanted!r}{near(wanted, known)}",
                )
                continue
            found.append(known[wanted])
    return found
