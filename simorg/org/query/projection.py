"""The field list to SQL columns and to the layout of a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from simorg.errors import InvalidField
from simorg.org.query import ast, formats
from simorg.org.query.context import Context
from simorg.org.query.functions import distance, single_argument
from simorg.org.query.layout import Children, Column, Compound, Item, Layout, Parent, Variants
from simorg.org.query.plan import Transform
from simorg.org.query.scope import Joined, Resolved, Scope
from simorg.org.schema.model import Field, SObjectType

#: functions that show a field in another form, under the field's own name
SHOWING = frozenset({"tolabel", "format", "convertcurrency", "converttimezone"})


@dataclass
class _Node:
    """A record being laid out; parents are filled in as paths through them appear."""

    sobject: str
    id_index: int
    type_index: int | None = None
    items: list[Item | _Node] = field(default_factory=list)
    name: str = ""
    parents: dict[str, _Node] = field(default_factory=dict)

    def layout(self) -> Layout:
        items = tuple(Parent(i.name, i.layout()) if isinstance(i, _Node) else i for i in self.items)
        return Layout(self.sobject, items, self.id_index, self.type_index)


class Projection:
    """Collects the columns of one SELECT."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.context: Context = scope.context
        self.columns: list[Any] = []
        self.transforms: list[Transform] = []
        self._indices: dict[str, int] = {}
        self._seen: set[str] = set()
        told = self._told_id()
        #: the place of the row's own id, by which pages go on
        self.id_index = self.index("id" if told is None else "\x00id", scope.id_column)
        shown = self.id_index if told is None else self.index("id", told)
        self.root = _Node(scope.sobject.name, shown)

    def _told_id(self) -> Any:
        """The computed Id of an object that tells clients another one than it has, or None."""
        sobject, found = self.scope.sobject, self.scope.sobject.field("Id")
        if found is None or (sobject.name, "Id") not in self.context.behaviour.computed:
            return None
        return self.context.column(sobject, self.scope.table, found)

    def index(self, key: str, expression: Any) -> int:
        """The place of a column in the row; equal keys share one."""
        found = self._indices.get(key)
        if found is None:
            found = self._indices[key] = len(self.columns)
            self.columns.append(sa.label(f"c{found}", expression))
        return found

    def place(self) -> int:
        """A place filled in after the rows are read (child subqueries)."""
        return self.index(f"\x00place{len(self.columns)}", sa.null())

    # -- items ---------------------------------------------------------------------------------

    def add(self, item: ast.Selected | ast.TypeOf) -> None:
        if isinstance(item, ast.TypeOf):
            self._typeof(item)
        elif isinstance(item.expression, ast.Path):
            if item.alias is not None:
                message = "only aggregate expressions use field aliasing"
                raise self.context.malformed(item.pos, message)
            self._field(self.scope.resolve(item.expression))
        else:
            self._call(item.expression, item.alias)

    def add_children(self, name: str, layout: Layout) -> int:
        """A child subquery's place in the layout."""
        index = self.place()
        self.root.items.append(Children(name, layout, index))
        return index

    def add_all(self, fields: list[Field], pos: int) -> None:
        """FIELDS(): the object's own fields."""
        path = ast.Path(("",), pos)
        for f in fields:
            self._field(self.scope.own(self.scope.sobject, self.scope.table, f.name, (), path))

    def _once(self, key: str, name: str, pos: int) -> None:
        if key in self._seen:
            raise self.context.refuse(InvalidField, pos, f"duplicate field selected: {name}")
        self._seen.add(key)

    def _field(self, resolved: Resolved) -> None:
        self._once(resolved.name.lower(), resolved.name, resolved.pos)
        node = self._node(resolved.parents)
        node.items.append(self._item(resolved, resolved.name.lower()))

    def _item(self, resolved: Resolved, key: str) -> Item:
        f = resolved.field
        if f.type in ("address", "location"):
            return self._compound(resolved, key)
        return Column(f.name, f.type, self.index(key, resolved.expression))

    def _compound(self, resolved: Resolved, key: str) -> Compound:
        parts = []
        for part_key, part in compound_parts(resolved.sobject, resolved.field):
            column = self.context.column(resolved.sobject, resolved.table, part)
            prefix = key.rpartition(".")[0]
            own = f"{prefix}.{part.name}".lower() if prefix else part.name.lower()
            parts.append((part_key, part.type, self.index(own, column)))
        return Compound(resolved.field.name, resolved.field.type, tuple(parts))

    def _node(self, parents: tuple[Joined, ...]) -> _Node:
        node, path = self.root, ""
        for joined in parents:
            path += joined.name.lower() + "."
            child = node.parents.get(path)
            if child is None:
                child = self._parent(joined, path)
                node.parents[path] = child
                node.items.append(child)
            node = child
        return node

    def _parent(self, joined: Joined, path: str) -> _Node:
        if joined.polymorph is not None:
            id_index = self.index(path + "id", joined.polymorph.key)
            type_index = self.index(path + "\x00type", joined.polymorph.type_name())
            return _Node(joined.sobject.name, id_index, type_index, name=joined.name)
        id_index = self.index(path + "id", joined.table.c["Id"])
        return _Node(joined.sobject.name, id_index, name=joined.name)

    # -- functions -----------------------------------------------------------------------------

    def _call(self, call: ast.Call, alias: str | None) -> None:
        name = call.name.lower()
        if name == "distance":
            computed = distance(self.scope, call)
            self._expression(computed.key, computed.expression, alias or "expr0", call.pos)
            return
        if name not in SHOWING:
            raise self.context.malformed(call.pos, f"unexpected token: '{call.name}'")
        argument = single_argument(self.context, call)
        form: str | None = name
        if isinstance(argument, ast.Call):
            if name != "format" or argument.name.lower() not in SHOWING:
                raise self.context.malformed(call.pos, f"invalid arguments of {call.name}")
            argument = single_argument(self.context, argument)
        if not isinstance(argument, ast.Path):
            raise self.context.malformed(call.pos, f"invalid arguments of {call.name}")
        resolved = self.scope.resolve(argument)
        self._shown(resolved, form or "", alias, call.pos)

    def _expression(self, key: str, expression: Any, name: str, pos: int) -> None:
        self._once(name.lower(), name, pos)
        self.root.items.append(Column(name, "double", self.index(key, expression)))

    def _shown(self, resolved: Resolved, form: str, alias: str | None, pos: int) -> None:
        f = resolved.field
        if f.type in ("address", "location"):
            raise self.context.malformed(pos, f"{form}() cannot show the field {f.name}")
        converter = formats.converter(form, f)
        name = alias or f.name
        parents = () if alias else resolved.parents
        path = ".".join([*(p.name for p in parents), name])
        self._once(path.lower(), path, pos)
        if converter is None:
            index, kind = self.index(resolved.name.lower(), resolved.expression), f.type
        else:
            # a place of its own: the same field may also be selected as it is
            index = self.index(f"{form}({resolved.name.lower()})", resolved.expression)
            self.transforms.append(Transform(index, converter))
            kind = "string"
        self._node(parents).items.append(Column(name, kind, index))

    # -- TYPEOF --------------------------------------------------------------------------------

    def _typeof(self, node: ast.TypeOf) -> None:
        parents = self.scope.relationship(node.path)
        joined = parents[-1]
        path = ".".join(p.name for p in parents).lower()
        if joined.polymorph is None:
            message = f"TYPEOF needs a polymorphic relationship: {node.path.text}"
            raise self.context.malformed(node.pos, message)
        self._once(path, node.path.text, node.pos)
        type_index = self.index(path + ".\x00type", joined.polymorph.type_name())
        layouts = tuple(self._when(node, when, path) for when in node.whens)
        otherwise = self._otherwise(node, joined, path) if node.otherwise is not None else None
        owner = self._node(parents[:-1])
        owner.items.append(Variants(joined.name, type_index, layouts, otherwise))

    def _when(self, node: ast.TypeOf, when: ast.When, path: str) -> tuple[str, Layout]:
        joined = self.scope.type_join(node.path, when.sobject, when.pos)
        prefix = f"{path}.\x00{joined.sobject.name.lower()}"
        items: list[Item] = []
        for wanted in when.fields:
            if len(wanted.names) > 1:
                message = "TYPEOF fields cannot follow relationships here"
                raise self.context.malformed(wanted.pos, message)
            resolved = self.scope.own(
                joined.sobject, joined.table, wanted.names[0], (joined,), wanted
            )
            items.append(self._item(resolved, f"{prefix}.{resolved.field.name.lower()}"))
        id_index = self.index(f"{prefix}.id", joined.table.c["Id"])
        return joined.sobject.name, Layout(joined.sobject.name, tuple(items), id_index)

    def _otherwise(self, node: ast.TypeOf, joined: Joined, path: str) -> Layout:
        polymorph = joined.polymorph
        items: list[Item] = []
        if polymorph is None or node.otherwise is None:
            return Layout(joined.sobject.name, ())
        for wanted in node.otherwise:
            f, expression = polymorph.field(self.context, wanted.names[-1], wanted.pos)
            index = self.index(f"{path}.{f.name.lower()}", expression)
            items.append(Column(f.name, f.type, index))
        id_index = self.index(f"{path}.id", polymorph.key)
        type_index = self.index(f"{path}.\x00type", polymorph.type_name())
        return Layout(joined.sobject.name, tuple(items), id_index, type_index)


def compound_parts(sobject: SObjectType, compound: Field) -> list[tuple[str, Field]]:
    """(key in the API's JSON, component): ``("geocodeAccuracy", BillingGeocodeAccuracy)``."""
    custom = compound.name.endswith("__c")
    stem = compound.name.removesuffix("__c") + "__" if custom else compound.name
    stem = stem if custom else stem.removesuffix("Address")
    found = []
    for part in sobject.fields.values():
        if part.compound != compound.name or part.private or not part.stored:
            continue
        key = part.name.removesuffix("__s") if custom else part.name
        key = key.removeprefix(stem) or key
        found.append((key[0].lower() + key[1:], part))
    return found
