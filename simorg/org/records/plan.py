"""What saving a record of one object takes, worked out once per object and key set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simorg.errors import RecordError, RecordRefused
from simorg.org.behaviour import Behaviour, ObjectRules
from simorg.org.records import messages
from simorg.org.records.coerce import Coercer, WrongType, coercer
from simorg.org.schema.model import Field, SObjectType

_KEPT_KEY_PLANS = 512
#: keys of a client's record that are not fields
_NOT_FIELDS = frozenset({"attributes"})
_AUDIT_USERS = ("CreatedById", "LastModifiedById")
_AUDIT_TIMES = ("CreatedDate", "LastModifiedDate", "SystemModstamp")


@dataclass(frozen=True, slots=True)
class LinkKey:
    """A relationship name among a record's keys, at ``position``."""

    position: int
    field: Field


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """How to read a record that has just these keys, in this order."""

    #: per key: canonical name and coercer; None for keys that are not plain fields
    columns: tuple[tuple[str, Coercer] | None, ...]
    #: the same when every key is a plain field: the fast way
    plain: tuple[tuple[str, Coercer], ...] | None
    links: tuple[LinkKey, ...]
    errors: tuple[RecordError, ...]
    #: position of the Id, which a create refuses unless null
    id_position: int | None = None


class TypePlan:
    """Everything about an object that its saves need. Belongs to one version of the schema."""

    def __init__(self, sobject: SObjectType, behaviour: Behaviour) -> None:
        self.sobject = sobject
        self.behaviour = behaviour
        self.name = sobject.name
        self.rules: ObjectRules = behaviour.rules_for(sobject.name)
        self.hooks_create = self._hooked("before_create", "after_create")
        self.hooks_update = self._hooked("before_update", "after_update")
        self.hooks_delete = self._hooked("before_delete", "after_delete")
        self.touches_access = sobject.name in behaviour.access_objects
        self.versioned = any(f.min_version for f in sobject.fields.values())
        self.has_bin = sobject.has_recycle_bin
        fields = tuple(f for f in sobject.fields.values() if f.stored)
        self.stored = tuple(f.name for f in fields)
        self.columns = frozenset(self.stored)
        self.required = tuple(f.name for f in fields if _is_required(f))
        self.not_null = frozenset(f.name for f in fields if not f.nillable and f.type != "boolean")
        self.defaults: dict[str, Any] = _defaults(fields)
        self.auto_numbers = tuple(f for f in fields if f.auto_number and f.type != "id")
        self.unique = tuple(f for f in fields if f.unique)
        self.references: Mapping[str, Field] = {
            f.name: f for f in fields if f.type == "reference" and not f.private
        }
        name = sobject.name_field
        #: a custom object's record without a name is called by its id
        self.named_by_id = (
            name.name if sobject.custom and name is not None and not name.auto_number else None
        )
        owner = sobject.fields.get("OwnerId")
        self.owned = owner is not None and owner.createable and "User" in owner.reference_to
        self.audit_users = tuple(n for n in _AUDIT_USERS if n in sobject.fields)
        self.audit_times = tuple(n for n in _AUDIT_TIMES if n in sobject.fields)
        self.modified = tuple(n for n in self.audit_times if n != "CreatedDate")
        self._key_plans: dict[tuple[Any, ...], KeyPlan] = {}

    def _hooked(self, *names: str) -> bool:
        """Whether the object's rules say anything in one of these hooks."""
        mine = type(self.rules)
        return any(getattr(mine, n) is not getattr(ObjectRules, n) for n in names)

    def stamps(self, user_id: str, now: str) -> dict[str, Any]:
        """Audit values of a new row."""
        stamps: dict[str, Any] = dict.fromkeys(self.audit_users, user_id)
        stamps.update(dict.fromkeys(self.audit_times, now))
        return stamps

    def restamps(self, user_id: str, now: str) -> dict[str, Any]:
        """Audit values of a changed row."""
        stamps: dict[str, Any] = dict.fromkeys(self.modified, now)
        if "LastModifiedById" in self.audit_users:
            stamps["LastModifiedById"] = user_id
        return stamps

    def keys(
        self,
        keys: Sequence[str],
        *,
        creating: bool,
        version: int,
        truncate: bool,
        system: bool,
        unknown_is_record_error: bool,
    ) -> KeyPlan:
        """The plan for a key set. Raises ``InvalidField`` for an unknown one, unless that is to
        be the record's error."""
        shape = (*keys, creating, version, truncate, system, unknown_is_record_error)
        found = self._key_plans.get(shape)
        if found is None:
            reading = _Reading(self, creating, version, truncate, system, unknown_is_record_error)
            if len(self._key_plans) >= _KEPT_KEY_PLANS:
                self._key_plans.clear()
            found = self._key_plans[shape] = reading.plan(keys)
        return found

    def visible_field(self, name: str, version: int) -> Field | None:
        """The field as clients of an API version know it."""
        field = self.sobject.field(name)
        if field is None or field.private or field.min_version > version:
            return None
        return field


@dataclass(frozen=True, slots=True)
class _Reading:
    """Works a key plan out."""

    owner: TypePlan
    creating: bool
    version: int
    truncate: bool
    system: bool
    unknown_is_record_error: bool

    def plan(self, keys: Sequence[str]) -> KeyPlan:
        columns: list[tuple[str, Coercer] | None] = []
        links: list[LinkKey] = []
        errors: list[RecordError] = []
        closed: list[str] = []
        id_position = None
        for position, key in enumerate(keys):
            columns.append(None)
            field = self._field(key)
            if field is None:
                if key in _NOT_FIELDS:
                    continue
                link = self.owner.sobject.parent_relationship(key)
                if link is None or link.private:
                    errors.append(self._unknown(key))
                elif not self._writable(link):
                    closed.append(link.name)
                else:
                    links.append(LinkKey(position, link))
            elif field.name == "Id":
                id_position = position
            elif not field.stored or not self._writable(field):
                closed.append(field.name)
            else:
                columns[-1] = (field.name, coercer(field, truncate=self.truncate))
        if closed:
            errors.insert(0, messages.read_only(dict.fromkeys(closed)))
        plain = tuple(c for c in columns if c is not None)
        whole = len(plain) == len(columns) and not errors
        return KeyPlan(
            tuple(columns), plain if whole else None, tuple(links), tuple(errors), id_position
        )

    def _field(self, key: str) -> Field | None:
        if self.system:
            return self.owner.sobject.field(key)
        return self.owner.visible_field(key, self.version)

    def _writable(self, field: Field) -> bool:
        return self.system or (field.createable if self.creating else field.updateable)

    def _unknown(self, key: str) -> RecordError:
        refusal = messages.no_such_column(key, self.owner.sobject)
        if not self.unknown_is_record_error:
            raise refusal
        return RecordError(refusal.code, refusal.soap_message)


def _is_required(field: Field) -> bool:
    return (
        field.createable
        and not field.nillable
        and not field.defaulted_on_create
        and not field.auto_number
        and field.default is None
        and field.type != "boolean"
        and not any(v.default for v in field.picklist)
    )


def _defaults(fields: Sequence[Field]) -> dict[str, Any]:
    """Column values of a new row for fields that nobody gives. Booleans default to false in the
    database, so only the others stand here."""
    out: dict[str, Any] = {}
    for field in fields:
        chosen = field.default
        if chosen is None:
            chosen = next((v.value for v in field.picklist if v.default), None)
        if chosen is None or chosen is False or field.auto_number:
            continue
        try:
            out[field.name] = coercer(field)(chosen)
        except (WrongType, RecordRefused):
            continue  # a formula, or no value of the field: new records start empty
    return out
