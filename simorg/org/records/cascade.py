"""What goes with a deleted record: details, emptied look-ups, and what forbids the deletion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

import sqlalchemy as sa

from simorg.errors import RecordError
from simorg.org.records import messages
from simorg.org.records.bin import Doomed, Emptied
from simorg.org.records.draft import Work
from simorg.org.records.plan import TypePlan
from simorg.org.records.statements import shapes
from simorg.org.schema.model import ChildRelationship, Field

#: names of blocking children told in one message
_NAMED = 10


class Cascade:
    """Collects a deletion before anything is written."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.known = shapes(work.org)
        self.present = _tables(work)
        #: record id -> what becomes of it, parents before children
        self.doomed: dict[str, Doomed] = {}
        #: root id -> why it may not go
        self.blocked: dict[str, RecordError] = {}
        self._emptied: list[tuple[str, Emptied]] = []  # (id pointed to, look-up)

    def collect(self, roots: Collection[Doomed]) -> None:
        """Follow the child relationships from the records that are to be deleted."""
        level = list(roots)
        for one in level:
            self.doomed[one.id] = one
        while level:
            by_type: dict[str, dict[str, Doomed]] = defaultdict(dict)
            for one in level:
                by_type[one.sobject][one.id] = one
            level = []
            for name, parents in by_type.items():
                for relation in self.work.org.schema.children(name):
                    if relation.child in self.present:
                        level += self._relation(relation, parents)
        self._drop_blocked()

    def _relation(self, relation: ChildRelationship, parents: Mapping[str, Doomed]) -> list[Doomed]:
        child = self.known.of(relation.child)
        field = child.sobject.fields.get(relation.field)
        if field is None or not field.stored or field.private:
            return []
        takes = relation.cascade_delete or relation.restricted_delete
        if not takes and not _can_be_emptied(child, field):
            return []
        rows = self._children(child, field, parents)
        if relation.restricted_delete:
            self._block(child, rows, parents)
        elif relation.cascade_delete:
            return self._take(child, rows, parents)
        else:
            for record_id, parent, _ in rows:
                self._emptied.append((parent, Emptied(child.name, field.name, record_id)))
        return []

    def _children(
        self, child: TypePlan, field: Field, parents: Mapping[str, Doomed]
    ) -> list[tuple[str, str, str | None]]:
        named = child.sobject.name_field
        name = named.name if named is not None and named.stored else "Id"
        statement = self.known.select_in(
            child.name, ("Id", field.name, name), field.name, live=True
        )
        rows = self.known.rows_in(self.work.tx, statement, parents)
        return [(r[0], r[1], r[2]) for r in rows]

    def _take(
        self,
        child: TypePlan,
        rows: list[tuple[str, str, str | None]],
        parents: Mapping[str, Doomed],
    ) -> list[Doomed]:
        taken = []
        for record_id, parent, name in rows:
            if record_id not in self.doomed:
                one = Doomed(record_id, child.name, name, parents[parent].root)
                self.doomed[record_id] = one
                taken.append(one)
        return taken

    def _block(
        self,
        child: TypePlan,
        rows: list[tuple[str, str, str | None]],
        parents: Mapping[str, Doomed],
    ) -> None:
        names: dict[str, list[str]] = defaultdict(list)
        for record_id, parent, name in rows:
            names[parent].append(name or record_id)
        for parent, listed in names.items():
            one = parents[parent]
            error = messages.delete_blocked(
                one.name or one.id, child.sobject, sorted(listed)[:_NAMED]
            )
            self.blocked.setdefault(one.root, error)

    def _drop_blocked(self) -> None:
        """A root that may not go keeps all that would have gone with it."""
        if self.blocked:
            self.doomed = {i: d for i, d in self.doomed.items() if d.root not in self.blocked}
        for parent, look_up in self._emptied:
            if parent in self.doomed and look_up.id not in self.doomed:
                self.doomed[parent].emptied.append(look_up)


def _can_be_emptied(child: TypePlan, field: Field) -> bool:
    """Required look-ups and audit fields keep the id of the deleted record."""
    return field.nillable and field.name not in child.audit_users


def _tables(work: Work) -> frozenset[str]:
    """Objects that have a table: only those can have children to look for."""
    store, schema = work.org.store, work.org.schema
    table = store.private_table("simorg_tables")
    statement = shapes(work.org).statement(
        ("tables", "DeleteEvent"), lambda: sa.select(table.c.name)
    )
    return frozenset(r[0] for r in work.tx.rows(statement) if schema.get(r[0]) is not None)
