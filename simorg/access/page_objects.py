"""Rules of Visualforce pages as records: who may write one, what it may be called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simorg.access.object_rules import Guarded
from simorg.errors import refuse

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.store import Transaction

_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*\Z")
_ADMIN = (frozenset({"CustomizeApplication"}),)


class ApexPageRules(Guarded):
    """https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_apexpage.htm

    A page runs with the session of whoever opens it, so writing one is an administrator's.
    """

    writers = {"create": _ADMIN, "update": _ADMIN, "delete": _ADMIN, "undelete": _ADMIN}

    def before_create(self, caller: Caller, tx: Transaction, values: dict[str, Any]) -> None:
        _check(values)

    def before_update(
        self, caller: Caller, tx: Transaction, old: Mapping[str, Any], values: dict[str, Any]
    ) -> None:
        _check(values)


def _check(values: Mapping[str, Any]) -> None:
    name = values.get("Name")
    if name is not None and not _NAME.match(name):
        raise refuse(
            "FIELD_INTEGRITY_EXCEPTION",
            "Name: The Page Name can only contain underscores and alphanumeric characters. It must"
            " be unique, begin with a letter, not include spaces, not end with an underscore, and"
            " not contain two consecutive underscores.",
            "Name",
        )
