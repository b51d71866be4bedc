"""Rows of the standard picklists that SOQL can read: stages and statuses of a new org."""

from __future__ import annotations

from collections.abc import Sequence

from simorg.org.schema.standard_values import (
    CASE_STATUSES,
    LEAD_STATUSES,
    OPPORTUNITY_STAGES,
    TASK_STATUSES,
    Status,
)
from simorg.org.seeds.context import Building

_STATUSES: Sequence[tuple[str, str, Sequence[Status]]] = (
    ("CaseStatus", "IsClosed", CASE_STATUSES),
    ("LeadStatus", "IsConverted", LEAD_STATUSES),
    ("TaskStatus", "IsClosed", TASK_STATUSES),
)


def build(building: Building) -> None:
    """Write them in the order of Setup, unless the definition brings rows of the object."""
    own = {name.lower() for name in building.definition.records}
    if "opportunitystage" not in own:
        _stages(building)
    for name, final, statuses in _STATUSES:
        if name.lower() in own:
            continue
        for number, status in enumerate(statuses, 1):
            row = {
                "ApiName": status.name,
                "MasterLabel": status.name,
                "SortOrder": number,
                "IsDefault": status.default,
                final: status.final,
            }
            building.writer.add(name, row)


def _stages(building: Building) -> None:
    for number, stage in enumerate(OPPORTUNITY_STAGES, 1):
        building.writer.add(
            "OpportunityStage",
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
            },
        )
