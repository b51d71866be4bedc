"""What Salesforce works out on records, filled in where a definition does not say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simorg.org.schema.model import SObjectType
from simorg.org.schema.standard_values import CASE_STATUSES, OPPORTUNITY_STAGES

_STAGES = {stage.name.lower(): stage for stage in OPPORTUNITY_STAGES}
_CLOSED = {status.name.lower() for status in CASE_STATUSES if status.final}


def fill(sobject: SObjectType, values: dict[str, Any]) -> None:
    """Add names of persons, what a stage or status means, and the times of the last change."""
    for name, value in wanted(sobject, values).items():
        values.setdefault(name, value)


def wanted(sobject: SObjectType, values: Mapping[str, Any]) -> dict[str, Any]:
    """Field -> value of everything that would be worked out, told or not."""
    found: dict[str, Any] = {}
    if "LastName" in sobject.fields and "Name" in sobject.fields:
        parts = (values.get(p) for p in ("FirstName", "MiddleName", "LastName", "Suffix"))
        found["Name"] = " ".join(p for p in parts if p)
    rule = _RULES.get(sobject.name)
    if rule is not None:
        rule(values, found)
    for later, earlier in _TIMES:
        time = values.get(earlier, found.get(earlier))
        if later in sobject.fields and time is not None:
            found[later] = time
    for later, earlier in _BY:
        if later in sobject.fields and values.get(earlier) is not None:
            found[later] = values[earlier]
    return {name: value for name, value in found.items() if name in sobject.fields}


def names_needed(sobject: SObjectType) -> list[str]:
    """The fields without which a record has no name."""
    if "LastName" in sobject.fields and "Name" in sobject.fields:
        return ["LastName"]
    return [f.name for f in sobject.fields.values() if f.name_field and f.createable]


_TIMES = (("LastModifiedDate", "CreatedDate"), ("SystemModstamp", "LastModifiedDate"))
_BY = (("LastModifiedById", "CreatedById"),)


def _opportunity(values: Mapping[str, Any], found: dict[str, Any]) -> None:
    stage = _STAGES.get(str(values.get("StageName")).lower())
    if stage is not None:
        found.update(
            IsClosed=stage.closed,
            IsWon=stage.won,
            Probability=float(stage.probability),
            ForecastCategory=stage.category,
            ForecastCategoryName=stage.category_name,
        )
    amount = values.get("Amount")
    probability = values.get("Probability", found.get("Probability"))
    if isinstance(amount, (int, float)) and isinstance(probability, (int, float)):
        found["ExpectedRevenue"] = round(amount * probability / 100, 2)
    close = values.get("CloseDate")
    if close:
        year, quarter = int(close[:4]), (int(close[5:7]) + 2) // 3
        found.update(FiscalYear=year, FiscalQuarter=quarter, Fiscal=f"{year} {quarter}")


def _case(values: Mapping[str, Any], found: dict[str, Any]) -> None:
    found["IsClosed"] = str(values.get("Status")).lower() in _CLOSED


_RULES: Mapping[str, Callable[[Mapping[str, Any], dict[str, Any]], None]] = {
    "Opportunity": _opportunity,
    "Case": _case,
}
