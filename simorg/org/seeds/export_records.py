"""Records as a definition says them, references by name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from simorg.org.schema.model import Field, SObjectType
from simorg.org.seeds import derived
from simorg.org.seeds.emit import lines
from simorg.org.seeds.export_rows import Rows
from simorg.org.seeds.export_schema import is_detail
from simorg.org.seeds.picklists import standard_rows

#: told by sections of their own, made by the server, or traces of use
_OTHER = frozenset(
    (
        "Organization User UserLogin UserLicense Profile PermissionSet PermissionSetAssignment"
        " ConnectedApplication AppMenuItem AuthSession OauthToken LoginHistory SetupAuditTrail"
        " DeleteEvent"
    ).split()
)
_BY = ("OwnerId", "CreatedById", "LastModifiedById")


class Records:
    """The section ``records``. ``name()`` first: it finds what references are called."""

    def __init__(self, rows: Rows, wanted: Collection[str] | None, limit: int | None) -> None:
        self._rows = rows
        self._limit = limit
        self._schema = rows.org.schema
        self._objects = self._chosen(wanted)
        #: id of a record that is referred to -> its ``ref``
        self._refs: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._first: str | None = None

    def _chosen(self, wanted: Collection[str] | None) -> list[SObjectType]:
        if wanted is not None:
            for name in wanted:
                if self._schema.get(name) is None:
                    raise LookupError(f"there is no object {name}")
        folded = None if wanted is None else {name.lower() for name in wanted}
        return [
            sobject
            for sobject in self._rows.present()
            if sobject.name not in _OTHER
            and sobject.key_prefix is not None
            and (folded is None or sobject.name.lower() in folded)
            and (sobject.createable or self._changed(sobject))
        ]

    def _changed(self, sobject: SObjectType) -> bool:
        """Stages and statuses that are not those of a new org."""
        usual = standard_rows(sobject.name)
        if usual is None:
            return False
        columns = list(usual[0])
        found = self._rows.read(sobject.name, columns)
        return [tuple(v or None for v in row) for row in found] != [
            tuple(row[c] or None for c in columns) for row in usual
        ]

    # -- names -------------------------------------------------------------------------------

    def name(self) -> None:
        """Find every record that another one refers to, and a name for it."""
        read = self._rows.read
        self._names = dict(read("User", ("Id", "Username")))
        self._first = next(iter(self._names), None)
        profiles = dict(read("Profile", ("Id", "Name")))
        self._names |= profiles
        for id, name, owned, profile in read(
            "PermissionSet", ("Id", "Name", "IsOwnedByProfile", "ProfileId")
        ):
            self._names[id] = profiles.get(profile, name) if owned else name
        wanted = self._referred()
        taken: set[str] = set()
        for sobject in self._objects:
            field = sobject.name_field
            column = field.name if field is not None and field.stored else "Id"
            for id, name in read(sobject.name, ("Id", column), self._limit):
                if id in wanted:
                    self._refs[id] = _unused(" ".join(str(name or sobject.name).split()), taken)

    def _referred(self) -> set[str]:
        found: set[str] = set()
        user = self._schema.get("User")
        for sobject in [*self._objects, *([user] if user is not None else [])]:
            for field in sobject.fields.values():
                if field.type == "reference" and field.stored and not field.private:
                    found.update(self._rows.distinct(sobject, field.name))
        return found

    def contact(self, contact_id: str | None) -> Any:
        """``contact`` of an external user: the record, or what makes it where it is not told."""
        if contact_id is None:
            return None
        if contact_id in self._refs:
            return f"@{self._refs[contact_id]}"
        columns = ("Id", "FirstName", "LastName", "AccountId")
        for id, first, last, account_id in self._rows.read("Contact", columns):
            if id != contact_id:
                continue
            for other, name in self._rows.read("Account", ("Id", "Name")):
                if other == account_id:
                    told = {"account": name, "firstName": first, "lastName": last}
                    return {k: v for k, v in told.items() if v}
        return None

    # -- rows --------------------------------------------------------------------------------

    def pieces(self) -> Iterator[str]:
        """The section's text, an object's records after another's."""
        head = "\nrecords:\n"
        for sobject in self._objects:
            title = f"{head}  {sobject.name}:\n"
            for record in self._read(sobject):
                yield title + "".join(f"    {line}" for line in lines([record]))
                title, head = "", ""

    def _read(self, sobject: SObjectType) -> Iterator[dict[str, Any]]:
        columns = [f.name for f in sobject.fields.values() if f.stored and not f.private]
        masters = [f.name for f in sobject.fields.values() if f.master_detail]
        for values in self._rows.read(sobject.name, columns, self._limit):
            row = dict(zip(columns, values, strict=True))
            if self._of_an_app(sobject, row):
                continue
            if is_detail(sobject) and any(self._called(row[m]) is None for m in masters):
                continue  # its master is not exported
            ref = self._refs.get(row["Id"])
            usual: dict[str, Any] = dict.fromkeys((b for b in _BY if b in row), self._first)
            present = {k: v for k, v in row.items() if v is not None}
            usual |= derived.wanted(sobject, present)
            for later in ("LastModifiedById",):
                if later in usual and row.get("CreatedById") is None:
                    usual[later] = self._first
            told = self.fields(sobject, row, usual, skip=("Id", "IsDeleted"), own=row["Id"])
            yield {**({"ref": ref} if ref else {}), **told}

    @staticmethod
    def _of_an_app(sobject: SObjectType, row: Mapping[str, Any]) -> bool:
        """An assignment to a connected app stands with the app."""
        kind = row.get("SetupEntityType")
        return sobject.name == "SetupEntityAccess" and kind == "ConnectedApplication"

    def fields(
        self,
        sobject: SObjectType,
        row: Mapping[str, Any],
        usual: Mapping[str, Any],
        *,
        skip: Collection[str],
        own: str,
    ) -> dict[str, Any]:
        """Fields of a row that are not what the definition would give them (``usual``)."""
        del own
        found: dict[str, Any] = {}
        for name, value in row.items():
            field = sobject.fields[name]
            if name in skip or field.private:
                continue
            expected = usual.get(name, _default(field))
            if _same(field, value, expected):
                continue
            if value is not None and field.type in ("reference", "id"):
                value = self._called(value)
                if value is None:
                    continue  # what it refers to is not exported
            found[name] = self._rows.value(field, value)
        return found

    def _called(self, id: Any) -> str | None:
        """What a reference says: ``@ref``, a username, a name; None for what is not there."""
        ref = self._refs.get(id)
        return f"@{ref}" if ref is not None else self._names.get(id)


def _default(field: Field) -> Any:
    """What the loader gives a field that says nothing."""
    if field.default is not None:
        return field.default
    for value in field.picklist:
        if value.default and field.type != "multipicklist":
            return value.value
    return None


def _same(field: Field, value: Any, expected: Any) -> bool:
    if field.type == "boolean":
        return bool(value) == bool(expected)
    return bool(value == expected)


def _unused(name: str, taken: set[str]) -> str:
    """The name, or with a number behind it."""
    base, number = name[:60], 2
    found = base
    while found in taken:
        found = f"{base} ({number})"
        number += 1
    taken.add(found)
    return found
