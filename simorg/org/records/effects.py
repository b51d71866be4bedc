"""Writes of one record that change others: roll-ups."""

from __future__ import annotations

from simorg.org.records import sales
from simorg.org.records.draft import Draft, Work
from simorg.org.records.plan import TypePlan


def after_write(work: Work, plan: TypePlan, drafts: list[Draft]) -> None:
    """After rows were inserted, updated, deleted or undeleted."""
    if plan.name == "OpportunityLineItem" and drafts and not work.system:
        sales.roll_up(work, {i for d in drafts if (i := d.current("OpportunityId"))})
