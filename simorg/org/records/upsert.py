"""upsert(): update the record that bears the external id, or create it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from simorg.errors import BadRequest, NotFoundError, RecordRefused
from simorg.org.caller import Caller
from simorg.org.records import batch, lookup, messages
from simorg.org.records.batch import DML_LIMIT, Outcome
from simorg.org.records.coerce import WrongType, coercer, wrong_type
from simorg.org.records.create import insert_drafts
from simorg.org.records.draft import Draft, Work
from simorg.org.records.parse import Parser
from simorg.org.records.plan import TypePlan
from simorg.org.records.results import SaveResult
from simorg.org.records.statements import shapes
from simorg.org.records.update import identify, update_drafts
from simorg.org.schema.model import Field


def upsert(
    caller: Caller,
    type_name: str,
    external_id_field: str,
    records: Sequence[Mapping[str, Any]],
    *,
    limit: int | None = DML_LIMIT,
) -> list[SaveResult]:
    """Create or update records of one object by an external id field, an idLookup field or Id.

    ``SaveResult.created`` tells which. A value that several records bear fails its record with
    DUPLICATE_EXTERNAL_ID; ``find_by_external_id`` lists them. Raises ``SalesforceError`` when the
    call as a whole is refused.
    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_upsert.htm
    """
    plan = batch.plan_of(caller, type_name)
    key = external_field(caller, plan, external_id_field)
    by_id = key.name == "Id"

    def body(work: Work, outcome: Outcome) -> None:
        split = _Split(work, plan, key)
        if by_id:
            split.by_id(records)
        else:
            split.by_key(records)
        split.save(outcome)

    return batch.run(caller, len(records), limit, body)


def external_field(caller: Caller, plan: TypePlan, name: str) -> Field:
    """The field that may find records: ``Id``, an external id or an idLookup field.

    REST answers 404 to any other, SOAP INVALID_FIELD.
    """
    field = plan.visible_field(name, caller.api_version)
    if field is not None and (field.name == "Id" or field.external_id or field.id_lookup):
        return field
    if caller.surface in ("rest", "control"):
        raise NotFoundError(
            "Provided external ID field does not exist or is not accessible: "
            f"{messages.shown(name)}"
        )
    raise BadRequest(
        f"Field name provided, {messages.shown(name)} does not match an External ID, Salesforce "
        f"Id, or indexed field for {plan.sobject.label}",
        code="INVALID_FIELD",
    )


class _Split:
    """The records of one upsert, sorted into new and known ones."""

    def __init__(self, work: Work, plan: TypePlan, key: Field) -> None:
        caller = work.caller
        known = shapes(caller.org)
        self.work, self.plan, self.key = work, plan, key
        self.creating = Parser(caller, known, creating=True)
        self.updating = Parser(caller, known, creating=False)
        self.new: list[Draft] = []
        self.old: list[Draft] = []
        self.refused: list[Draft] = []

    def by_id(self, records: Sequence[Mapping[str, Any]]) -> None:
        """With an Id: update; without: create."""
        for index, record in enumerate(records):
            name = next((k for k in record if k.lower() == "id"), None)
            record_id = record[name] if name is not None else None
            values = {k: v for k, v in record.items() if k != name}
            if record_id is None or record_id == "":
                self.new.append(self.creating.draft(self.plan, index, values))
                continue
            draft = self.updating.draft(self.plan, index, values)
            identify(self.plan, draft, record_id)
            self.old.append(draft)

    def by_key(self, records: Sequence[Mapping[str, Any]]) -> None:
        """One query finds the records that bear the values."""
        key = self.key
        values = [self._value(index, record) for index, record in enumerate(records)]
        folded = [None if v is None else lookup.fold(key, v) for v in values]
        found = lookup.find(
            shapes(self.work.org), self.work.tx, self.plan.name, key, values, self.work.caller
        )
        times = Counter(v for v in folded if v is not None)
        failed = {d.index for d in self.refused}
        for index, record in enumerate(records):
            if index not in failed:
                self._sort(index, record, values[index], folded[index], found, times)

    def _value(self, index: int, record: Mapping[str, Any]) -> Any:
        """The external id of a record in column form; None when refused."""
        key = self.key
        name = next((k for k in record if k.lower() == key.name.lower()), None)
        raw = None if name is None else record[name]
        refused = Draft(index, {})
        try:
            value = coercer(key)(raw)
            if value is not None:
                return value
            refused.errors.append(messages.external_id_missing(key))
        except WrongType as wrong:
            whole = self.creating.whole_call
            refused.errors.append(wrong_type(key, raw, wrong.kind, whole_call=whole))
        except RecordRefused as error:
            refused.errors += error.errors
        self.refused.append(refused)
        return None

    def _sort(
        self,
        index: int,
        record: Mapping[str, Any],
        value: Any,
        folded: Hashable,
        found: Mapping[Hashable, list[str]],
        times: Mapping[Hashable, int],
    ) -> None:
        matches = found.get(folded, [])
        if times[folded] > 1:
            error = messages.repeated_external_id(self.key, value)
        elif len(matches) > 1:
            error = messages.ambiguous_external_id(self.key, matches)
        elif matches:
            # the key finds the record and is not changed, so it need not be updateable
            values = {k: v for k, v in record.items() if k.lower() != self.key.name.lower()}
            draft = self.updating.draft(self.plan, index, values)
            draft.id = matches[0]
            self.old.append(draft)
            return
        else:
            self.new.append(self.creating.draft(self.plan, index, record))
            return
        self.refused.append(Draft(index, {}, errors=[error]))

    def save(self, outcome: Outcome) -> None:
        """Write both kinds."""
        for draft in self.refused:
            outcome.fail(draft.index, tuple(draft.errors))
        if self.old:
            update_drafts(self.work, outcome, self.plan, self.old, set())
        if self.new:
            insert_drafts(self.work, outcome, self.plan, self.new)
