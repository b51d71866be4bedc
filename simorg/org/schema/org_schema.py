"""One org's schema: the standard catalogue plus the objects and fields the org added."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from simorg.org.cache import Cache
from simorg.org.schema.catalogue import StandardCatalogue, load_standard
from simorg.org.schema.custom import (
    DefinitionError,
    check_field,
    check_object,
    field_from_dict,
    field_to_dict,
    location_parts,
    system_fields,
)
from simorg.org.schema.model import (
    ChildRelationship,
    CustomObjectDefinition,
    Field,
    Schema,
    SObjectType,
)

_CUSTOM_CALLS = frozenset(
    "create delete describeLayout describeSObjects getDeleted getUpdated query retrieve search"
    " undelete update upsert".split()
)
#: standard references that may point at any custom object: field -> name seen from there
_OPEN_REFERENCES = {
    "Attachment": ("ParentId", "Attachments"),
    "ContentDocumentLink": ("LinkedEntityId", "ContentDocumentLinks"),
    "ContentVersion": ("FirstPublishLocationId", None),
    "DuplicateRecordItem": ("RecordId", "DuplicateRecordItems"),
    "EntitySubscription": ("ParentId", "FeedSubscriptionsForEntity"),
    "Event": ("WhatId", "Events"),
    "FeedItem": ("ParentId", None),
    "Note": ("ParentId", "Notes"),
    "ProcessInstance": ("TargetObjectId", "ProcessInstances"),
    "Task": ("WhatId", "Tasks"),
    "TopicAssignment": ("EntityId", "TopicAssignments"),
}
_OPEN_BY_NAME = {name.lower(): field for name, (field, _) in _OPEN_REFERENCES.items()}
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class OrgSchema(Schema):
    """Standard and custom objects of one org. Changing calls are the caller's to serialise."""

    def __init__(self, standard: StandardCatalogue | None = None) -> None:
        self.version = 1
        self.standard = standard if standard is not None else load_standard()
        self._custom: dict[str, SObjectType] = {}  # lower-case name -> custom object
        self._added: dict[str, dict[str, Field]] = {}  # lower-case standard name -> fields
        self._merged: dict[str, SObjectType] = {}  # standard objects with added fields
        self._prefixes: dict[str, str] = {}  # custom key prefix -> lower-case name
        self._next_prefix = 0
        self._relations: dict[str, dict[str, ChildRelationship]] = {}
        self._opened: dict[str, SObjectType] = {}  # standard objects open to custom ones
        #: what others derive from this version of the schema; emptied by every change
        self.memo: dict[str, Any] = {}
        #: what orgs of this very schema compiled (``org.statements``)
        self.shapes = Cache()

    # -- look-ups ---------------------------------------------------------------------------

    def get(self, name: str) -> SObjectType | None:
        """The object of that API name (any case)."""
        folded = name.lower()
        if self._custom and folded in _OPEN_BY_NAME:
            return self._open(folded)
        return self._merged.get(folded) or self._custom.get(folded) or self.standard.get(folded)

    def _open(self, folded: str) -> SObjectType | None:
        """A standard object whose reference takes the org's custom objects too."""
        found = self._opened.get(folded)
        if found is None:
            own = self._merged.get(folded) or self.standard.get(folded)
            field = own.field(_OPEN_BY_NAME[folded]) if own is not None else None
            if own is None or field is None:
                return own
            targets = (*field.reference_to, *(t.name for t in self._custom.values()))
            fields = {**own.fields, field.name: replace(field, reference_to=targets)}
            found = replace(own, fields=MappingProxyType(fields))
            self._opened[folded] = found
        return found

    def head(self, name: str) -> SObjectType | None:
        """Like ``get``, but a standard object may come without fields (global describe)."""
        folded = name.lower()
        return self._merged.get(folded) or self._custom.get(folded) or self.standard.head(folded)

    def by_prefix(self, prefix: str) -> SObjectType | None:
        """The object whose ids begin with these three characters."""
        name = self._prefixes.get(prefix)
        if name is not None:
            return self._custom[name]
        found = self.standard.by_prefix(prefix)
        return None if found is None else self.get(found.name)

    def names(self) -> Iterator[str]:
        """All canonical names, sorted."""
        custom = [t.name for t in self._custom.values()]
        return iter(sorted([*self.standard.names, *custom]) if custom else self.standard.names)

    def children(self, parent: str) -> tuple[ChildRelationship, ...]:
        """All child relationships of an object, the org's own last."""
        own = self._own_children(parent)
        return self.standard.children(parent) + own if own else self.standard.children(parent)

    def child(self, parent: str, relationship: str) -> ChildRelationship | None:
        """The child relationship of that plural name (any case)."""
        known = self._relations.get(parent.lower())
        if known is None:
            known = {r.name.lower(): r for r in self.children(parent) if r.name}
            self._relations[parent.lower()] = known
        return known.get(relationship.lower())

    def custom_objects(self) -> tuple[SObjectType, ...]:
        """The org's own objects in the order they were made."""
        return tuple(self._custom.values())

    def added_fields(self, name: str) -> tuple[Field, ...]:
        """The org's own fields of a standard object."""
        return tuple(self._added.get(name.lower(), {}).values())

    def _own_fields(self) -> Iterator[tuple[str, Field]]:
        for item in self._custom.values():
            for f in item.fields.values():
                if f.custom or f.name in ("OwnerId", "CreatedById", "LastModifiedById"):
                    yield item.name, f
        for folded, fields in self._added.items():
            for f in fields.values():
                yield self._merged[folded].name, f

    def _own_children(self, parent: str) -> tuple[ChildRelationship, ...]:
        folded = parent.lower()
        own = [
            ChildRelationship(
                f.child_relationship, owner, f.name, f.cascade_delete, f.restricted_delete
            )
            for owner, f in self._own_fields()
            if any(target.lower() == folded for target in f.reference_to)
        ]
        if folded in self._custom:
            own += [
                ChildRelationship(name, child, field, cascade_delete=True)
                for child, (field, name) in _OPEN_REFERENCES.items()
            ]
        return tuple(own)

    # -- changes ----------------------------------------------------------------------------

    def add_object(self, definition: CustomObjectDefinition) -> SObjectType:
        """Make a custom object. Raises ``DefinitionError`` when the definition cannot be."""
        check_object(definition, self)
        return self._install(definition, self._new_prefix())

    def _install(self, definition: CustomObjectDefinition, prefix: str) -> SObjectType:
        folded = definition.name.lower()
        detail = any(f.master_detail for f in definition.fields)
        made = SObjectType(
            name=definition.name,
            label=definition.label,
            label_plural=definition.label_plural,
            key_prefix=prefix,
            fields=MappingProxyType({f.name: f for f in system_fields(definition, detail)}),
            calls=_CUSTOM_CALLS,
            custom=True,
        )
        self._custom[folded] = made
        self._prefixes[prefix] = folded
        try:
            for item in definition.fields:
                self.add_field(definition.name, item)
        except DefinitionError:
            self._forget(folded)
            raise
        self._changed()
        return self._custom[folded]

    def add_field(self, object_name: str, field: Field) -> Field:
        """Add a custom field to an object. Raises ``DefinitionError`` when it cannot be."""
        owner = self.get(object_name)
        if owner is None:
            raise DefinitionError(f"there is no object {object_name}")
        field = check_field(owner, field, self)
        new = {f.name: f for f in (field, *location_parts(field))}
        fields = {**owner.fields, **new}
        if field.master_detail:
            fields.pop("OwnerId", None)  # a detail has its master's owner
        if not owner.custom:
            self._added.setdefault(owner.name.lower(), {}).update(new)
        self._put(owner, fields)
        return field

    def _put(self, owner: SObjectType, fields: Mapping[str, Field]) -> None:
        """Give an object these fields. Standard references stay as the catalogue has them."""
        folded = owner.name.lower()
        if owner.custom:
            self._custom[folded] = replace(owner, fields=MappingProxyType(dict(fields)))
        elif (standard := self.standard.get(folded)) is not None:
            added = self._added.get(folded)
            if added:
                merged = MappingProxyType({**standard.fields, **added})
                self._merged[folded] = replace(standard, fields=merged)
            else:
                self._added.pop(folded, None)
                self._merged.pop(folded, None)
        self._changed()

    def remove_field(self, object_name: str, field_name: str) -> Field:
        """Remove a custom field. Raises ``DefinitionError`` if there is no such custom field."""
        owner = self.get(object_name)
        field = owner.field(field_name) if owner is not None else None
        if owner is None or field is None or not field.custom or field.compound:
            raise DefinitionError(f"there is no custom field {object_name}.{field_name}")
        if field.master_detail:
            raise DefinitionError(f"{owner.name}.{field.name} is a master-detail field")
        gone = {field.name, *(part.name for part in location_parts(field))}
        added = self._added.get(owner.name.lower(), {})
        for name in gone & set(added):
            del added[name]
        self._put(owner, {n: f for n, f in owner.fields.items() if n not in gone})
        return field

    def remove_object(self, name: str) -> SObjectType:
        """Remove a custom object; refused while a field of another object refers to it."""
        item = self._custom.get(name.lower())
        if item is None:
            raise DefinitionError(f"there is no custom object {name}")
        for owner, field in self._own_fields():
            if owner != item.name and item.name in field.reference_to:
                raise DefinitionError(f"{owner}.{field.name} refers to {item.name}")
        self._forget(name.lower())
        self._changed()
        return item

    def _forget(self, folded: str) -> None:
        item = self._custom.pop(folded)
        if item.key_prefix is not None:
            del self._prefixes[item.key_prefix]

    def _new_prefix(self) -> str:
        """a00, a01, ... as Salesforce numbers custom objects; never used twice in an org."""
        number = self._next_prefix
        self._next_prefix += 1
        return f"a{_BASE62[number // 62 % 62]}{_BASE62[number % 62]}"

    def _changed(self) -> None:
        self._relations.clear()
        self._opened.clear()
        self.memo.clear()
        self.shapes.clear()
        self.version += 1

    # -- persistence ------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """The custom parts as JSON values; ``from_dict`` takes them back."""
        return {
            "version": self.version,
            "next_prefix": self._next_prefix,
            "objects": [
                {
                    "name": item.name,
                    "label": item.label,
                    "label_plural": item.label_plural,
                    "prefix": item.key_prefix,
                    "fields": [field_to_dict(f) for f in item.fields.values()],
                }
                for item in self._custom.values()
            ],
            "fields": {
                self._merged[folded].name: [field_to_dict(f) for f in fields.values()]
                for folded, fields in self._added.items()
            },
        }

    @classmethod
    def from_dict(
        cls, saved: dict[str, Any], standard: StandardCatalogue | None = None
    ) -> OrgSchema:
        """The schema that ``to_dict`` described."""
        schema = cls(standard)
        for item in saved.get("objects", ()):
            fields = [field_from_dict(f) for f in item["fields"]]
            folded = item["name"].lower()
            schema._custom[folded] = SObjectType(
                name=item["name"],
                label=item["label"],
                label_plural=item["label_plural"],
                key_prefix=item["prefix"],
                fields=MappingProxyType({f.name: f for f in fields}),
                calls=_CUSTOM_CALLS,
                custom=True,
            )
            schema._prefixes[item["prefix"]] = folded
        for name, items in saved.get("fields", {}).items():
            owner = schema.standard.get(name)
            if owner is None:
                continue  # an object that this version's catalogue no longer has
            added = {f.name: f for f in map(field_from_dict, items)}
            schema._added[name.lower()] = added
            merged = MappingProxyType({**owner.fields, **added})
            schema._merged[name.lower()] = replace(owner, fields=merged)
        schema._next_prefix = saved.get("next_prefix", len(schema._custom))
        schema.version = saved.get("version", 1)
        return schema
