"""Query plans, in the form of REST's ``query?explain=``.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query_explain.htm
Salesforce answers with its optimizer's estimates; here the numbers are counted, and whether an
index leads is asked of the database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.org.query import execution
from simorg.org.query.plan import AFTER, LIMIT, OFFSET, Plan
from simorg.org.query.prepared import prepare
from simorg.org.store.base import Statement

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.store import Reader


def explain(caller: Caller, soql: str) -> dict[str, Any]:
    """``{"plans": [...], "sourceQuery": soql}``; refused like the query itself."""
    plan, literals = prepare(caller, soql)
    values = execution.runtime_values(caller, plan, literals)
    values.update({LIMIT: execution.LARGEST_BATCH, OFFSET: 0, AFTER: ""})
    store = caller.org.store
    table = store.table(plan.sobject)
    everything = store.prepare(sa.select(sa.func.count()).select_from(table))
    with store.reading() as reader:
        row = reader.one(everything)
        total = int(row[0]) if row else 0
        found = (
            total
            if plan.aggregate and not plan.count_only
            else execution.count(reader, plan, values)
        )
        steps = database_plan(reader, plan.counter, values, store.dialect)
    return {"plans": [_plan(plan, found, total, steps)], "sourceQuery": soql}


def database_plan(
    reader: Reader, statement: Statement, values: dict[str, Any], dialect: str
) -> list[str]:
    """The database's own words on how it runs a statement."""
    verb = "EXPLAIN QUERY PLAN " if dialect == "sqlite" else "EXPLAIN "
    asked = Statement(verb + statement.sql, statement.names, statement.defaults)
    return [str(row[-1]) for row in reader.rows(asked, values)]


def _plan(plan: Plan, found: int, total: int, steps: list[str]) -> dict[str, Any]:
    indexed = any(
        "INDEX" in step.upper() and "SCAN" not in step.upper().split()[:1] for step in steps
    )
    share = found / total if total else 0.0
    notes = []
    if not indexed:
        notes.append(
            {
                "description": "Not considering filter for optimization because unindexed",
                "fields": list(plan.filtered),
                "tableEnumOrId": plan.sobject,
            }
        )
    return {
        "cardinality": found,
        "fields": list(plan.filtered) if indexed else [],
        "leadingOperationType": "Index" if indexed else "TableScan",
        "notes": notes,
        "relativeCost": round(share if indexed else 1.0 + share, 3),
        "sobjectCardinality": total,
        "sobjectType": plan.sobject,
    }
