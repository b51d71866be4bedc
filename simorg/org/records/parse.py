"""A client's records to drafts: names resolved, scalars coerced; no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from simorg.errors import RecordError, RecordRefused
from simorg.org.caller import Caller
from simorg.org.records import messages
from simorg.org.records.coerce import WrongType, coerce_column, wrong_type
from simorg.org.records.draft import Draft, Link
from simorg.org.records.plan import KeyPlan, TypePlan
from simorg.org.records.statements import Shapes
from simorg.org.schema.model import Field, SObjectType

#: surfaces on which a value of the wrong type, and a name that is no field, refuse the whole call
_WRONG_TYPE_REFUSES_CALL = frozenset({"rest", "control", "system"})
_UNKNOWN_IS_RECORD_ERROR = frozenset({"bulk"})
#: from so many records on, reading by column pays
_MANY = 8


class Parser:
    """Reads the records of one call."""

    def __init__(self, caller: Caller, shapes: Shapes, *, creating: bool) -> None:
        self.caller = caller
        self.shapes = shapes
        self.creating = creating
        self.whole_call = caller.surface in _WRONG_TYPE_REFUSES_CALL

    def key_plan(self, plan: TypePlan, keys: Sequence[str]) -> KeyPlan:
        caller = self.caller
        return plan.keys(
            keys,
            creating=self.creating,
            version=caller.api_version,
            truncate=caller.options.allow_field_truncation,
            system=caller.system,
            unknown_is_record_error=caller.surface in _UNKNOWN_IS_RECORD_ERROR,
        )

    def draft(self, plan: TypePlan, index: int, record: Mapping[str, Any]) -> Draft:
        """The draft of one record; what is wrong with it is in ``Draft.errors``.

        Raises ``InvalidField`` and ``JsonValueRefused`` where the surface refuses the call.
        """
        how = self.key_plan(plan, tuple(record))
        if how.plain is not None:
            try:
                raw = iter(record.values())
                return Draft(index, {name: read(next(raw)) for name, read in how.plain})
            except (WrongType, RecordRefused):
                pass  # once more, collecting all that is wrong
        return self._careful(plan, how, index, list(record.values()))

    def drafts(
        self, plan: TypePlan, index: int, records: Sequence[Mapping[str, Any]]
    ) -> list[Draft]:
        """Drafts of consecutive records; those with the same keys are read column by column."""
        out: list[Draft] = []
        for keys, run in groupby(records, tuple):
            group = list(run)
            quick = self._columns(plan, keys, index, group) if len(group) >= _MANY else None
            if quick is None:
                quick = [self.draft(plan, index + n, r) for n, r in enumerate(group)]
            out += quick
            index += len(group)
        return out

    def _columns(
        self,
        plan: TypePlan,
        keys: tuple[str, ...],
        index: int,
        records: list[Mapping[str, Any]],
    ) -> list[Draft] | None:
        """None when some record is not as it should be, or its keys are not all plain fields."""
        how = self.key_plan(plan, keys)
        if not how.plain:
            return None
        fields = plan.sobject.fields
        columns = []
        try:
            for key, (name, read) in zip(keys, how.plain, strict=True):
                columns.append(coerce_column(fields[name], read, [r[key] for r in records]))
        except (WrongType, RecordRefused):
            return None
        names = [name for name, _ in how.plain]
        return [
            Draft(n, dict(zip(names, row, strict=True)))
            for n, row in enumerate(zip(*columns, strict=True), index)
        ]

    def _careful(self, plan: TypePlan, how: KeyPlan, index: int, raw: list[Any]) -> Draft:
        draft = Draft(index, {}, errors=list(how.errors))
        if self.creating and how.id_position is not None and raw[how.id_position] is not None:
            draft.errors.append(messages.ID_ON_CREATE)
        for column, value in zip(how.columns, raw, strict=True):
            if column is None:
                continue
            name, read = column
            try:
                draft.values[name] = read(value)
            except RecordRefused as refused:
                draft.errors += refused.errors
            except WrongType as wrong:
                draft.errors.append(
                    wrong_type(
                        plan.sobject.fields[name], value, wrong.kind, whole_call=self.whole_call
                    )
                )
        if how.links:
            self._links(draft, how, raw)
        return draft

    def _links(self, draft: Draft, how: KeyPlan, raw: list[Any]) -> None:
        links: list[Link] = []
        for key in how.links:
            value = raw[key.position]
            if value is None:
                draft.values[key.field.name] = None
                continue
            try:
                self._link(draft, links, key.field, value)
            except RecordRefused as refused:
                draft.errors += refused.errors
        draft.links = links

    def _link(self, draft: Draft, links: list[Link], field: Field, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise messages.JsonValueRefused(field.name, "SObject", value)
        given = {k: v for k, v in value.items() if k.lower() not in ("attributes", "type")}
        target = self._target(field, value)
        if len(given) != 1:
            raise RecordRefused(
                RecordError(
                    "INVALID_FIELD",
                    "More than 1 field provided in an external foreign key reference in entity: "
                    f"{target.name}"
                    if given
                    else f"No field provided in an external foreign key reference in entity: "
                    f"{target.name}",
                )
            )
        [(name, text)] = given.items()
        if name.lower() == "id":
            draft.values[field.name] = text
            return
        key = target.field(name)
        if key is None or key.private:
            raise messages.no_such_column(name, target)
        check_external_id(target, key)
        links.append(Link(field, target, key, text))

    def _target(self, field: Field, value: Mapping[str, Any]) -> SObjectType:
        """Which object the nested record is of: its ``type``, needed when there are several."""
        attributes = value.get("attributes")
        named = attributes.get("type") if isinstance(attributes, Mapping) else value.get("type")
        if named is None and len(field.reference_to) == 1:
            named = field.reference_to[0]
        if not isinstance(named, str):
            raise RecordRefused(
                RecordError(
                    "INVALID_FIELD",
                    f"The relationship field {field.relationship_name} needs a type: one of "
                    f"{', '.join(field.reference_to)}",
                    (field.name,),
                )
            )
        target = self.shapes.org.schema.get(named)
        if target is None:
            raise messages.no_such_type(named)
        if field.reference_to and target.name not in field.reference_to:
            raise RecordRefused(messages.bad_id(field, target.name))
        return target


def check_external_id(sobject: SObjectType, key: Field) -> None:
    """Only external ids and idLookup fields find records. Raises ``RecordRefused``."""
    if not (key.external_id or key.id_lookup):
        raise RecordRefused(
            RecordError(
                "INVALID_FIELD",
                f"Field name provided, {key.name} does not match an External ID, Salesforce Id, "
                f"or indexed field for {sobject.label}",
            )
        )
