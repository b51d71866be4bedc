"""The user permissions, and the apps, that profiles and permission sets show as checkboxes.

They are those that some rule of simorg asks for; an org has hundreds more, which the API shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simorg.access import app_grants, settings
from simorg.access.permissions import ASKED, PREFIX
from simorg.errors import RecordRefused
from simorg.org import records
from simorg.setup_ui import saving

if TYPE_CHECKING:
    from simorg.org.org import Org
    from simorg.setup_ui.forms import FormErrors
    from simorg.setup_ui.visit import Visit

#: only where API Access Control is: https://help.salesforce.com/s/articleView?id=xcloud.security_api_access_control_external_users.htm
_WITH_FEATURE = frozenset({"UseAnyApiClient"})


def fields(org: Org, object_name: str) -> dict[str, str]:
    """Field of the object -> label, by label."""
    sobject = org.schema.get(object_name)
    hidden = frozenset() if settings.read(org).feature else _WITH_FEATURE
    found = {}
    for name in ASKED:
        field = sobject.field(PREFIX + name) if sobject is not None else None
        if field is not None and field.updateable and name not in hidden:
            found[field.name] = field.label
    return dict(sorted(found.items(), key=lambda entry: entry[1].lower()))


def rows(labels: dict[str, str], record: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """(field, label, granted) for the page."""
    return [(name, label, bool(record[name])) for name, label in labels.items()]


def save(visit: Visit, object_name: str, record: dict[str, Any], errors: FormErrors) -> bool:
    """Save the posted checkboxes to the record; whether anything changed. Names that are no
    permission of the page change nothing."""
    labels = fields(visit.org, object_name)
    ticked = set(visit.chosen("permission"))
    values = {name: name in ticked for name in labels if bool(record[name]) != (name in ticked)}
    if not values:
        return False
    write = [(object_name, record["Id"], values)]
    return saving.save(errors, lambda: records.update(visit.caller, write), labels)


def save_apps(visit: Visit, set_id: str, name: str, errors: FormErrors) -> bool:
    """Save the posted connected apps of a permission set (a profile's own too); whether anything
    changed."""
    try:
        return bool(app_grants.set_apps(visit.caller, set_id, name, visit.chosen("app")))
    except RecordRefused as refused:
        saving.spread(errors, refused.errors)
        return False
