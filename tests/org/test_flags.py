"""Permissions are bits of a few columns; nobody but the store can tell."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simorg.org import records
from simorg.org.caller import Caller
from simorg.org.catalogue import OrgCatalogue
from simorg.org.org import Org
from simorg.org.query import query
from simorg.org.saved import SavedRefused
from simorg.org.schema.org_schema import OrgSchema
from simorg.org.store import columns, flags
from simorg.org.store.flag_names import NAMES

OBJECTS = ("Profile", "PermissionSet")
#: bits of different words, the first and the last
SOME = [f"Permissions{NAMES[n]}" for n in (0, 1, 59, 60, 61, 500, 797, 798)]


def test_the_order_is_kept() -> None:
    """Databases hold bits by position: names are only added, at the end."""
    known = hashlib.sha256(" ".join(NAMES[:799]).encode()).hexdigest()
    assert known == "b4549fdac8e1e568fd0351c32c6c6910d7d2d113a911c05eaf04b6c039c4da9c"
    assert len({name.lower() for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("name", OBJECTS)
def test_every_permission_is_packed(name: str) -> None:
    sobject = OrgSchema().get(name)
    assert sobject is not None
    wide = [f.name for f in columns.stored_fields(sobject) if f.name.startswith("Permissions")]
    assert not wide
    assert len(list(columns.packed_fields(sobject))) > 700


def held(caller: Caller, id: str) -> set[str]:
    """Which of ``SOME`` a set has, as SOQL selects and as it finds them."""
    fields = [f.name for f in caller.org.schema.get("PermissionSet").fields.values()]  # type: ignore[union-attr]
    some = [name for name in SOME if name in fields]
    (row,) = query(caller, f"SELECT {', '.join(some)} FROM PermissionSet WHERE Id = '{id}'").rows
    selected = {name for name, on in zip(some, row[-len(some) :], strict=True) if on}
    found = {
        name
        for name in some
        if query(caller, f"SELECT Id FROM PermissionSet WHERE Id = '{id}' AND {name} = true").rows
    }
    assert found == selected
    return selected


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sets(st.sampled_from(SOME)),
    st.lists(st.dictionaries(st.sampled_from(SOME), st.booleans()), max_size=3),
    st.uuids(),
)
def test_changes_leave_the_other_bits(
    system: Caller, first: set[str], changes: list[dict[str, bool]], unique: Any
) -> None:
    there = system.org.schema.get("PermissionSet")
    assert there is not None
    first = {name for name in first if there.field(name)}
    values = {"Name": f"X{unique.hex}", "Label": "Bits", **dict.fromkeys(first, True)}
    (made,) = records.create(system, [("PermissionSet", values)])
    assert made.id is not None, made.errors
    expected = set(first)
    assert held(system, made.id) == expected
    for change in changes:
        change = {name: on for name, on in change.items() if there.field(name)}
        (done,) = records.update(system, [("PermissionSet", made.id, change)])
        assert done.success, done.errors
        expected = (expected | {n for n, on in change.items() if on}) - {
            n for n, on in change.items() if not on
        }
        assert held(system, made.id) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "SELECT Id FROM User WHERE Profile.PermissionsModifyAllData = true",
            "SELECT Id FROM User WHERE NOT (Profile.PermissionsModifyAllData = false)",
        ),
        (
            "SELECT Id FROM User WHERE Profile.PermissionsModifyAllData = false",
            "SELECT Id FROM User WHERE ProfileId IN"
            " (SELECT Id FROM Profile WHERE PermissionsModifyAllData = false)",
        ),
    ],
)
def test_conditions_agree(system: Caller, one: str, other: str) -> None:
    found = sorted(row[0] for row in query(system, one).rows)
    assert found == sorted(row[0] for row in query(system, other).rows)
    assert found


def test_order_and_groups(system: Caller) -> None:
    name = "PermissionsModifyAllData"
    ordered = query(system, f"SELECT {name} FROM Profile ORDER BY {name} DESC, Name").rows
    told = [bool(row[-1]) for row in ordered]
    assert told == sorted(told, reverse=True)
    assert set(told) == {True, False}
    grouped = query(system, f"SELECT {name}, COUNT(Id) n FROM Profile GROUP BY {name}").rows
    counts = {bool(row[0]): row[1] for row in grouped}
    assert counts == {on: told.count(on) for on in (True, False)}


# -- databases made when each permission had a column ---------------------------------------------


def wide_script(name: str, target: str, made: str) -> list[str]:
    """SQL that gives a table a column for each permission again."""
    sobject = OrgSchema().get(name)
    assert sobject is not None
    plain = [f.name for f in columns.stored_fields(sobject) if f.name not in flags.WORDS]
    listed = [columns.quote(field) for field in plain]
    for field in columns.packed_fields(sobject):
        listed.append(f'{columns.value_sql(sobject, field.name)} AS "{field.name}"')
    return [
        f"CREATE TABLE {made} AS SELECT {', '.join(listed)} FROM {target}",
        f"DROP TABLE {target}",
        f"ALTER TABLE {made} RENAME TO {columns.quote(name)}",
    ]


def everything(org: Org, name: str) -> list[Any]:
    """Every stored value of the object's rows."""
    sobject = org.schema.get(name)
    assert sobject is not None
    listed = ", ".join(
        columns.value_sql(sobject, f.name) for f in sobject.fields.values() if f.stored
    )
    target = columns.qualified(name, org.store.namespace)
    with org.store.reading() as reader:
        return [
            tuple(row)
            for row in reader.connection.execute(f'SELECT {listed} FROM {target} ORDER BY "Id"')  # type: ignore[attr-defined]
        ]


@pytest.mark.parametrize("name", OBJECTS)
def test_a_wide_table_is_packed(org: Org, name: str) -> None:
    store = org.store
    sobject = org.schema.get(name)
    assert sobject is not None
    before = everything(org, name)
    with store.writing() as tx:
        connection = tx.connection  # type: ignore[attr-defined]
        target = columns.qualified(name, store.namespace)
        made = columns.qualified("simorg_made", store.namespace)
        for statement in wide_script(name, target, made):
            connection.execute(statement)
        connection.execute(store.upsert_sql("simorg_tables"), (name, 0))
        assert len(store.columns_of(connection, name)) > 700
    store.load()
    store.table(name)
    assert everything(org, name) == before
    with store.reading() as reader:
        there = store.columns_of(reader.connection, name)  # type: ignore[attr-defined]
    assert there == {field.name for field in columns.stored_fields(sobject)}
    (done,) = records.update(
        org.system_caller(), [(name, before[0][0], {"PermissionsViewSetup": True})]
    )
    assert done.success, done.errors


def saved_again(file: bytes, path: Path, script: list[str]) -> bytes:
    """The same saved org after some SQL."""
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        path.write_bytes(archive.read("org.sqlite"))
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = DELETE")
    for statement in script:
        connection.execute(statement)
    connection.close()
    database = path.read_bytes()
    manifest |= {"size": len(database), "sha256": hashlib.sha256(database).hexdigest()}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("org.sqlite", database)
        archive.writestr("manifest.json", json.dumps(manifest))
    return made.getvalue()


def test_a_wide_saved_org_is_packed(
    org: Org, shared_catalogue: OrgCatalogue, tmp_path: Path
) -> None:
    before = {name: everything(org, name) for name in OBJECTS}
    shared_catalogue.snapshot(org.id, "kept")
    file = io.BytesIO()
    shared_catalogue.save(org.id, "kept", file)
    script = [s for name in OBJECTS for s in wide_script(name, name, "simorg_made")]
    wide = tmp_path / "wide.simorg"
    wide.write_bytes(saved_again(file.getvalue(), tmp_path / "wide.sqlite", script))
    restored = shared_catalogue.restore_saved(org.id, wide)
    assert {name: everything(restored, name) for name in OBJECTS} == before


def test_a_saved_org_with_both_is_refused(
    org: Org, shared_catalogue: OrgCatalogue, tmp_path: Path
) -> None:
    shared_catalogue.snapshot(org.id, "kept")
    file = io.BytesIO()
    shared_catalogue.save(org.id, "kept", file)
    script = ["ALTER TABLE Profile ADD COLUMN PermissionsViewSetup BOOLEAN NOT NULL DEFAULT 1"]
    both = tmp_path / "both.simorg"
    both.write_bytes(saved_again(file.getvalue(), tmp_path / "both.sqlite", script))
    with pytest.raises(SavedRefused, match="Profile has no field PermissionsViewSetup"):
        shared_catalogue.restore_saved(org.id, both)
