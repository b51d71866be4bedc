"""What an org knows about its objects: types, fields, relationships (no database, no HTTP)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

#: ``Field.type`` is the describe type in lower case: string picklist multipicklist combobox
#: reference base64 boolean currency textarea int long double percent phone id date datetime time
#: url email encryptedstring location address anytype complexvalue junctionidlist json


@dataclass(frozen=True, slots=True)
class PicklistValue:
    value: str
    label: str
    active: bool = True
    default: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One field. Booleans are the describe properties of the same name."""

    name: str
    label: str
    type: str
    length: int = 0
    digits: int = 0
    precision: int = 0
    scale: int = 0
    createable: bool = False
    updateable: bool = False
    filterable: bool = True
    groupable: bool = False
    sortable: bool = True
    nillable: bool = True
    defaulted_on_create: bool = False
    id_lookup: bool = False
    restricted_picklist: bool = False
    auto_number: bool = False
    unique: bool = False
    case_sensitive: bool = False
    external_id: bool = False
    name_field: bool = False
    custom: bool = False
    html_formatted: bool = False
    reference_to: tuple[str, ...] = ()
    relationship_name: str | None = None
    #: a custom lookup's name seen from its target (``Lines__r``), None: not queryable from there
    child_relationship: str | None = None
    #: master-detail: deleting the parent deletes the child
    cascade_delete: bool = False
    #: the parent cannot be deleted while children exist
    restricted_delete: bool = False
    master_detail: bool = False
    picklist: tuple[PicklistValue, ...] = ()
    default: Any = None
    #: autonumber display format, for instance ``A-{0000}``
    display_format: str | None = None
    #: the compound field this one is a component of (``BillingAddress``, ``Name``)
    compound: str | None = None
    #: a simorg column behind the record that no client may name, read or write
    private: bool = False
    #: value computed by an expression registered in ``Behaviour.computed`` (design decision 4)
    computed: bool = False
    #: first API version that shows the field, 0 = all
    min_version: int = 0

    @property
    def stored(self) -> bool:
        """Whether the field has a column (compound fields are put together from theirs)."""
        return self.type not in ("address", "location") and not self.computed


@dataclass(frozen=True, slots=True)
class ChildRelationship:
    """From a parent: ``child.field`` points here under ``name`` (None: not queryable)."""

    name: str | None
    child: str
    field: str
    cascade_delete: bool = False
    restricted_delete: bool = False


@dataclass(frozen=True)
class SObjectType:
    """One object with its fields in order; look-ups ignore case."""

    name: str
    label: str
    label_plural: str
    key_prefix: str | None
    fields: Mapping[str, Field]  # canonical name -> Field, Id first
    calls: frozenset[str] = frozenset()  # create delete query retrieve search undelete update ...
    custom: bool = False
    custom_setting: bool = False

    @cached_property
    def _folded(self) -> dict[str, Field]:
        return {name.lower(): f for name, f in self.fields.items()}

    def field(self, name: str) -> Field | None:
        """The field of that API name, private ones included; None if there is none."""
        return self._folded.get(name.lower())

    @cached_property
    def _relations(self) -> dict[str, Field]:
        return {f.relationship_name.lower(): f for f in self.fields.values() if f.relationship_name}

    def parent_relationship(self, name: str) -> Field | None:
        """The reference field whose ``relationship_name`` this is (``Owner`` -> OwnerId)."""
        return self._relations.get(name.lower())

    @cached_property
    def name_field(self) -> Field | None:
        return next((f for f in self.fields.values() if f.name_field), None)

    @cached_property
    def visible_fields(self) -> tuple[Field, ...]:
        """Fields a client may see, in describe order."""
        return tuple(f for f in self.fields.values() if not f.private)

    @property
    def createable(self) -> bool:
        return "create" in self.calls

    @property
    def updateable(self) -> bool:
        return "update" in self.calls

    @property
    def deletable(self) -> bool:
        return "delete" in self.calls

    @property
    def undeletable(self) -> bool:
        return "undelete" in self.calls

    @property
    def queryable(self) -> bool:
        return "query" in self.calls

    @property
    def retrieveable(self) -> bool:
        return "retrieve" in self.calls

    @property
    def searchable(self) -> bool:
        return "search" in self.calls

    @property
    def replicateable(self) -> bool:
        return "getUpdated" in self.calls

    @property
    def has_recycle_bin(self) -> bool:
        """Deleted rows stay as ``IsDeleted`` rows (the object has the IsDeleted field)."""
        return "IsDeleted" in self.fields


class Schema(Protocol):
    """An org's objects: the shared standard catalogue plus what the org added."""

    #: grows with every change; part of every cache key
    version: int

    def get(self, name: str) -> SObjectType | None:
        """The object of that API name (any case)."""
        ...

    def by_prefix(self, prefix: str) -> SObjectType | None:
        """The object whose ids begin so."""
        ...

    def names(self) -> Iterator[str]:
        """All canonical names, sorted."""
        ...

    def children(self, parent: str) -> tuple[ChildRelationship, ...]:
        """All child relationships of an object."""
        ...

    def child(self, parent: str, relationship: str) -> ChildRelationship | None:
        """The child relationship of that plural name (any case): ``Contacts``, ``Lines__r``."""
        ...


@dataclass(slots=True)
class CustomObjectDefinition:
    """What creates a custom object at run time (control API, org definition, Metadata API)."""

    name: str  # ends in __c
    label: str
    label_plural: str
    fields: list[Field] = field(default_factory=list)
    #: "Text" or an autonumber display format for the Name field
    name_format: str | None = None
