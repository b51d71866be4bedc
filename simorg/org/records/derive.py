"""Fields that Salesforce works out from others, per object; a registry of small functions.

A derivation runs over a whole batch, after coercion and before the rows are written. On update
it runs for drafts that touch one of its triggers, and finds the ``reads`` in ``Draft.old``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simorg.org.records import activities, sales, service
from simorg.org.records.draft import Draft, Work
from simorg.org.records.statements import shapes


@dataclass(frozen=True, slots=True)
class Derivation:
    """``run(work, drafts)`` changes ``Draft.values``."""

    run: Callable[[Work, list[Draft]], None]
    triggers: frozenset[str]
    #: besides the triggers
    reads: tuple[str, ...] = ()


def on(run: Callable[[Work, list[Draft]], None], triggers: str, reads: str = "") -> Derivation:
    return Derivation(run, frozenset(triggers.split()), tuple(reads.split()))


def _person_name(work: Work, drafts: list[Draft]) -> None:
    """Contact, Lead and User: first, middle and last name and suffix; no salutation.

    https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_contact.htm
    """
    for draft in drafts:
        parts = (draft.current(n) for n in ("FirstName", "MiddleName", "LastName", "Suffix"))
        draft.values["Name"] = " ".join(p for p in parts if p) or None


def _body_length(work: Work, drafts: list[Draft]) -> None:
    for draft in drafts:
        draft.values["BodyLength"] = len(draft.current("Body") or b"")


_NAME = on(_person_name, "FirstName MiddleName LastName Suffix")
_BODY = on(_body_length, "Body")

DERIVATIONS: Mapping[str, tuple[Derivation, ...]] = {
    "Contact": (_NAME,),
    "Lead": (_NAME, on(service.lead, "Status IsConverted")),
    "User": (_NAME,),
    "Attachment": (_BODY,),
    "Document": (_BODY,),
    "Opportunity": (
        on(sales.stage, "StageName Probability ForecastCategoryName"),
        on(sales.expected, "StageName Probability Amount", "StageName"),
        on(sales.fiscal, "CloseDate"),
    ),
    "OpportunityLineItem": (
        on(
            sales.line_item,
            "Quantity UnitPrice TotalPrice Discount PricebookEntryId",
            "OpportunityId",
        ),
    ),
    "PricebookEntry": (on(sales.price, "Product2Id Pricebook2Id"),),
    "Case": (
        on(service.case, "Status", "ClosedDate"),
        on(service.case_account, "ContactId"),
    ),
    "Task": (
        on(activities.task, "Status Priority", "CompletedDateTime"),
        on(activities.relations, "WhoId WhatId"),
    ),
    "Event": (
        on(
            activities.event,
            "StartDateTime EndDateTime ActivityDateTime ActivityDate DurationInMinutes "
            "IsAllDayEvent",
        ),
        on(activities.relations, "WhoId WhatId"),
    ),
}


def derive_new(work: Work, name: str, drafts: list[Draft]) -> None:
    """Run an object's derivations for new records."""
    for derivation in DERIVATIONS.get(name, ()):
        derivation.run(work, drafts)
    if name in DERIVATIONS:
        _keep_columns(work, name, drafts)


def derive_changed(work: Work, name: str, drafts: list[Draft]) -> None:
    """Run those derivations whose triggers the drafts touch."""
    for derivation in DERIVATIONS.get(name, ()):
        touched = [d for d in drafts if not derivation.triggers.isdisjoint(d.values)]
        if touched:
            derivation.run(work, touched)
    if name in DERIVATIONS:
        _keep_columns(work, name, drafts)


def columns_read(name: str, touched: Iterable[str]) -> set[str]:
    """Columns of the old row that the derivations for these changes need."""
    out: set[str] = set()
    names = set(touched)
    for derivation in DERIVATIONS.get(name, ()):
        if not derivation.triggers.isdisjoint(names):
            out.update(derivation.triggers, derivation.reads)
    return out


def _keep_columns(work: Work, name: str, drafts: list[Draft]) -> None:
    """Drop derived values for fields that this org's object does not have."""
    columns: frozenset[str] = shapes(work.org).of(name).columns
    for draft in drafts:
        if not columns.issuperset(draft.values):
            values: dict[str, Any] = {k: v for k, v in draft.values.items() if k in columns}
            draft.values = values
