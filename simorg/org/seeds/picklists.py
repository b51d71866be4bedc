"""Rows of the standard picklists that SOQL can read: stages and statuses of a new org."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simorg.org.schema.standard_values import (
    CASE_STATUSES,
    LEAD_STATUSES,
    OPPORTUNITY_STAGES,
    TASK_STATUSES,
    Status,
)
from simorg.org.seeds.context import Building

_STATUSES: Mapping[str, tuple[str, Sequence[Status]]] = {
    "CaseStatus": ("IsClosed", CASE_STATUSES),
    "LeadStatus": ("IsConverted", LEAD_STATUSES),
    "TaskStatus": ("IsClosed", TASK_STATUSES),
}


def build(building: Building) -> None:
    """Write them in the order of Setup, unless the definition brings rows of the object."""
    own = {name.lower() for name in building.definition.records}
    for name in ("OpportunityStage", *_STATUSES):
        if name.lower() not in own:
            for row in standard_rows(name) or ():
                building.writer.add(name, row)


def standard_rows(name: str) -> Sequence[dict[str, Any]] | None:
    """The rows a new org has of an object; None for other objects."""
    if name == "OpportunityStage":
        return _stages()
    if name not in _STATUSES:
        return None
    final, statuses = _STATUSES[name]
    return [
        {
            "ApiName": status.name,
            "MasterLabel": status.name,
            "SortOrder": number,
            "IsDefault": status.default,
            final: status.final,
        }
        for number, status in enumerate(statuses, 1)
    ]


def _stages() -> Sequence[dict[str, Any]]:
    return [
        {
            "ApiName": stage.name,
            "MasterLabel": stage.name,
            "IsActive": True,
            "SortOrder": number,
            "IsClosed": stage.closed,
            "IsWon": stage.won,
            "ForecastCategory": stage.category,
            "ForecastCategoryName": stage.category_name,
            "DefaultProbability": stage.probability,
        }
        for number, stage in enumerate(OPPORTUNITY_STAGES, 1)
    ]
