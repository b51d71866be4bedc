"""Permission sets: listed, made like those of an org definition, changed, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from flask import Response

from simorg.control import names, permissions, refusals
from simorg.control.answers import answer, body_as
from simorg.control.context import Context
from simorg.control.errors import invalid
from simorg.control.permissions import Told
from simorg.control.records import administrator
from simorg.org import records
from simorg.org.seeds.definition import Part, PermissionSetPart
from simorg.org.seeds.live import Live

if TYPE_CHECKING:
    from simorg.org.org import Org

UNSET = msgspec.UNSET
_KIND = "PermissionSet"
_TOLD = {"id": "Id", "name": "Name", "label": "Label", "description": "Description"}
_MEMBERS = {"Name": "name", "Label": "label", "Description": "description", "LicenseId": "license"}


class _New(Part, kw_only=True):
    name: str
    label: str | None = None
    description: str | None = None
    license: str | None = None
    permissions: Told = []


class _Changed(Part, kw_only=True):
    label: str | msgspec.UnsetType = UNSET
    description: str | None | msgspec.UnsetType = UNSET
    permissions: Told | msgspec.UnsetType = UNSET


def listing(context: Context, id: str) -> Response:
    """``{permissionSets: [...]}``; profiles' own sets are told with their profiles."""
    return answer({"permissionSets": _told(context.org(id))})


def show(context: Context, id: str, name: str) -> Response:
    org = context.org(id)
    return answer(_told(org, names.permission_set(org, name))[0])


def create(context: Context, id: str) -> Response:
    """``{name, label?, description?, license?, permissions?}`` -> 201."""
    from simorg.access.permission_objects import api_name_fits

    org = context.org(id)
    asked = body_as(_New)
    if not api_name_fits(asked.name) or len(asked.name) > 80:
        raise invalid("name must be an API name: letters, digits and single underscores.", "name")
    permissions.changes(org, _KIND, asked.permissions)
    part = PermissionSetPart(
        label=asked.label,
        description=asked.description,
        license=asked.license,
        permissions=permissions.as_list(asked.permissions),
    )
    with org.store.writing() as tx, refusals.told():
        made = Live(org, tx).add_permission_set(asked.name, part)
    return answer(_told(org, made)[0], 201)


def change(context: Context, id: str, name: str) -> Response:
    """``{label?, description?, permissions?}``: in force at the next call of every session."""
    org = context.org(id)
    asked = body_as(_Changed)
    set_id = names.permission_set(org, name)
    values: dict[str, Any] = {}
    if asked.label is not UNSET:
        values["Label"] = asked.label
    if asked.description is not UNSET:
        values["Description"] = asked.description
    if isinstance(asked.permissions, (list, dict)):
        values |= permissions.changes(org, _KIND, asked.permissions)
    permissions.write(org, _KIND, set_id, values, _MEMBERS)
    return answer(_told(org, set_id)[0])


def delete(context: Context, id: str, name: str) -> Response:
    """204; refused while it is assigned to users."""
    org = context.org(id)
    with refusals.told():
        (result,) = records.delete(administrator(org), [names.permission_set(org, name)])
    refusals.saved(result)
    return Response(status=204)


def _told(org: Org, set_id: str | None = None) -> list[dict[str, Any]]:
    sets = org.store.table(_KIND)
    where = sets.c.IsOwnedByProfile.is_not(True) if set_id is None else sets.c.Id == set_id
    return permissions.told(org, _KIND, _TOLD, "LicenseId", where)
