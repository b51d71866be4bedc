"""Rows of queries to the section ``records``, references rewritten and personal data masked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simorg.importing.client import ImportRefused

if TYPE_CHECKING:
    from simorg.importing.client import Client
    from simorg.importing.masks import Masks
    from simorg.importing.notes import Notes
    from simorg.org.schema.org_schema import OrgSchema

_SELECT = re.compile(r"\s*SELECT\s+(?P<fields>.+?)\s+FROM\s+(?P<object>\w+)\b", re.I | re.S)
_NAME = re.compile(r"\w+")
_TIMES = ("CreatedDate", "LastModifiedDate")
#: what no field can hold as it is
_UNREADABLE = frozenset({"address", "location", "base64", "anytype", "complexvalue"})


@dataclass(slots=True)
class Table:
    """The rows of one object."""

    name: str
    #: fields by name, as described
    fields: dict[str, dict[str, Any]]
    rows: dict[str, dict[str, Any]]


class RecordReader:
    """``read`` each query, then ``section()`` once."""

    def __init__(
        self, client: Client, schema: OrgSchema, masks: Masks, notes: Notes, most: int
    ) -> None:
        self._client = client
        self._schema = schema
        self._masks = masks
        self._notes = notes
        self._most = most
        self._tables: dict[str, Table] = {}

    @staticmethod
    def object_of(query: str) -> str:
        """The object a query, or an object's bare name, reads. Raises ``ImportRefused``."""
        if _NAME.fullmatch(query.strip()):
            return query.strip()
        found = _SELECT.match(query)
        if found is None:
            raise ImportRefused(f"{query!r} is neither SELECT ... FROM ... nor an object")
        return found["object"]

    def read(self, query: str, described: dict[str, Any]) -> None:
        """All rows of a query; of a bare name, every field that can be set."""
        table = self._tables.setdefault(
            described["name"],
            Table(described["name"], {f["name"]: f for f in described["fields"]}, {}),
        )
        for row in self._client.rows(self._soql(query, described)):
            if len(table.rows) >= self._most:
                self._notes.add(f"{table.name}: only the first {self._most} records are taken")
                return
            table.rows.setdefault(row["Id"], {}).update(row)

    def _soql(self, query: str, described: dict[str, Any]) -> str:
        needed = ["Id", *self._names(described)]
        if _NAME.fullmatch(query.strip()):
            usable = [f["name"] for f in described["fields"] if self._usable(described["name"], f)]
            fields = dict.fromkeys((*needed, *usable))
            return f"SELECT {', '.join(fields)} FROM {described['name']} ORDER BY Id"
        found = _SELECT.match(query)
        if found is None:
            raise ImportRefused(f"{query!r} is no query")
        told = found["fields"]
        given = {part.strip().lower() for part in told.split(",")}
        more = [name for name in needed if name.lower() not in given]
        if "fields(" in told.lower().replace(" ", ""):
            more = []
        end = found.end("fields")
        return query[:end] + "".join(f", {name}" for name in more) + query[end:]

    def _names(self, described: dict[str, Any]) -> list[str]:
        """The fields without which a record has no name here."""
        names = {f["name"] for f in described["fields"]}
        if "LastName" in names:
            return ["LastName"]
        return [f["name"] for f in described["fields"] if f.get("nameField")][:1]

    def _usable(self, object_name: str, field: dict[str, Any]) -> bool:
        """Whether a definition can say the field's value."""
        if field["type"].lower() in _UNREADABLE or field["name"] in ("Id", "IsDeleted"):
            return False
        if field.get("custom") and field["name"].endswith("__c"):
            return True
        ours = self._schema.get(object_name)
        known = ours.field(field["name"]) if ours is not None else None
        custom = ours is None and (field.get("nameField") or field["name"] == "OwnerId")
        fits = known is not None and known.stored and not known.private
        settable = field.get("createable") or field["name"] in _TIMES or field.get("autoNumber")
        return bool((fits or custom or field["name"] in _TIMES) and settable)

    # -- writing -----------------------------------------------------------------------------

    def section(
        self,
        usernames: Mapping[str, str],
        made: Mapping[str, Any],
        contacts: Mapping[str, str],
        users: Mapping[str, dict[str, Any]],
    ) -> dict[str, list[dict[str, Any]]]:
        """``records``. ``usernames``: user id -> username; ``made``: section customObjects;
        ``contacts``: username -> contact id; a contact read becomes that of its user."""
        refs = {
            id: f"{table.name}-{n}"
            for table in self._tables.values()
            for n, id in enumerate(table.rows, 1)
        }
        referred: set[str] = set()
        for username, contact in contacts.items():
            if contact in refs:
                users[username]["contact"] = f"@{refs[contact]}"
                referred.add(refs[contact])
        found: dict[str, list[dict[str, Any]]] = {}
        for table in self._tables.values():
            own = made.get(table.name, {}).get("fields", {})
            masters = [name for name, part in own.items() if part["type"] == "MasterDetail"]
            rows = []
            for id, row in table.rows.items():
                told = dict(self._values(table, row, refs, usernames, own, referred))
                if any(name not in told for name in masters):
                    self._notes.add(f"{table.name}: a record without its master is left out")
                    continue
                rows.append({"ref": refs[id], **told})
            found[table.name] = rows
        for rows in found.values():
            for told in rows:
                if told["ref"] not in referred:
                    del told["ref"]
        return {name: rows for name, rows in found.items() if rows}

    def _values(
        self,
        table: Table,
        row: dict[str, Any],
        refs: Mapping[str, str],
        usernames: Mapping[str, str],
        own: Mapping[str, Any],
        referred: set[str],
    ) -> Iterator[tuple[str, Any]]:
        for name, value in row.items():
            field = table.fields.get(name)
            if name in ("attributes", "Id") or value is None:
                continue
            if field is None:
                self._notes.add(f"{table.name}.{name} is left out: not a field of the record")
                continue
            if not self._usable(table.name, field) or (name.endswith("__c") and name not in own):
                self._notes.add(f"{table.name}.{name} is left out: a definition cannot say it")
                continue
            if field["type"] == "reference":
                called = usernames.get(value) or (f"@{refs[value]}" if value in refs else None)
                if called is None:
                    self._notes.add(
                        f"{table.name}.{name} is left out: what it refers to is not read"
                    )
                    continue
                if called.startswith("@"):
                    referred.add(called[1:])
                yield name, called
            else:
                yield name, self._masks.value(table.name, field, _plain(field, value))

    @property
    def objects(self) -> Sequence[str]:
        """The objects read."""
        return list(self._tables)


def _plain(field: dict[str, Any], value: Any) -> Any:
    """Datetimes as definitions write them."""
    from simorg.org.seeds.emit import Verbatim
    from simorg.org.seeds.export_rows import Rows

    if field["type"] == "datetime" and isinstance(value, str) and value.endswith("+0000"):
        return Rows.time(value)
    return Verbatim(value) if field["type"] == "date" and isinstance(value, str) else value
