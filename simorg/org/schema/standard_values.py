"""Standard picklist values that mean something: a stage that is won, a status that is closed.

Seeds make the rows of OpportunityStage, CaseStatus, LeadStatus and TaskStatus from these, and the
catalogue's picklists are built from them. They are what a new org of Salesforce's comes with.
https://help.salesforce.com/s/articleView?id=sf.setup_replacing_picklist_values.htm
"""

from __future__ import annotations

from typing import NamedTuple


class Stage(NamedTuple):
    """An opportunity stage: probability in percent, forecast category as API value and label."""

    name: str
    probability: float
    category: str
    category_name: str
    closed: bool = False
    won: bool = False


class Status(NamedTuple):
    """A status of a case, lead or task. ``final``: closed (case, task) or converted (lead)."""

    name: str
    final: bool = False
    default: bool = False


OPPORTUNITY_STAGES = (
    Stage("Prospecting", 10, "Pipeline", "Pipeline"),
    Stage("Qualification", 10, "Pipeline", "Pipeline"),
    Stage("Needs Analysis", 20, "Pipeline", "Pipeline"),
    Stage("Value Proposition", 50, "Pipeline", "Pipeline"),
    Stage("Id. Decision Makers", 60, "Pipeline", "Pipeline"),
    Stage("Perception Analysis", 70, "Pipeline", "Pipeline"),
    Stage("Proposal/Price Quote", 75, "Pipeline", "Pipeline"),
    Stage("Negotiation/Review", 90, "Pipeline", "Pipeline"),
    Stage("Closed Won", 100, "Closed", "Closed", closed=True, won=True),
    Stage("Closed Lost", 0, "Omitted", "Omitted", closed=True),
)

CASE_STATUSES = (
    Status("New", default=True),
    Status("Working"),
    Status("Escalated"),
    Status("Closed", final=True),
)

LEAD_STATUSES = (
    Status("Open - Not Contacted", default=True),
    Status("Working - Contacted"),
    Status("Closed - Converted", final=True),
    Status("Closed - Not Converted"),
)

TASK_STATUSES = (
    Status("Not Started", default=True),
    Status("In Progress"),
    Status("Completed", final=True),
    Status("Waiting on someone else"),
    Status("Deferred"),
)
