"""What Salesforce works out on opportunities, their products and price book entries.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunity.htm
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simorg.errors import RecordError
from simorg.org.records.draft import Draft, Work
from simorg.org.records.statements import shapes


@dataclass(frozen=True, slots=True)
class Stage:
    probability: float
    closed: bool
    won: bool
    forecast: str  # ForecastCategoryName


#: the stages of a new org; rows of OpportunityStage say otherwise
_STAGES = {
    "Prospecting": Stage(10, False, False, "Pipeline"),
    "Qualification": Stage(10, False, False, "Pipeline"),
    "Needs Analysis": Stage(20, False, False, "Pipeline"),
    "Value Proposition": Stage(50, False, False, "Pipeline"),
    "Id. Decision Makers": Stage(60, False, False, "Pipeline"),
    "Perception Analysis": Stage(70, False, False, "Pipeline"),
    "Proposal/Price Quote": Stage(75, False, False, "Pipeline"),
    "Negotiation/Review": Stage(90, False, False, "Pipeline"),
    "Closed Won": Stage(100, True, True, "Closed"),
    "Closed Lost": Stage(0, True, False, "Omitted"),
}
_BY_LOWER = {name.lower(): stage for name, stage in _STAGES.items()}
#: an API value that is no stage of the org (StageName is not restricted)
_UNKNOWN = Stage(0, False, False, "Pipeline")
#: ForecastCategoryName -> ForecastCategory
_CATEGORIES = {
    "pipeline": "Pipeline",
    "best case": "BestCase",
    "most likely": "MostLikely",
    "commit": "Forecast",
    "closed": "Closed",
    "omitted": "Omitted",
}


def _stages(work: Work, names: Iterable[str]) -> Mapping[str, Stage]:
    known = shapes(work.org)
    columns = ("MasterLabel", "DefaultProbability", "IsClosed", "IsWon", "ForecastCategoryName")
    if known.plan("OpportunityStage") is None:
        return _BY_LOWER
    statement = known.select_in("OpportunityStage", columns, "MasterLabel", folded=True)
    rows = known.rows_in(work.tx, statement, {n.lower() for n in names})
    own = {r[0].lower(): Stage(r[1] or 0, bool(r[2]), bool(r[3]), r[4] or "Pipeline") for r in rows}
    return {**_BY_LOWER, **own}


def stage(work: Work, drafts: list[Draft]) -> None:
    """StageName decides IsClosed, IsWon, and what is not given of Probability and forecast."""
    names = {str(n) for d in drafts if (n := d.current("StageName"))}
    stages = _stages(work, names)
    for draft in drafts:
        values, name = draft.values, draft.current("StageName")
        found = stages.get(str(name).lower(), _UNKNOWN)
        if "StageName" in values and name:
            if values.get("Probability") is None:
                values["Probability"] = float(found.probability)
            if values.get("ForecastCategoryName") is None:
                values["ForecastCategoryName"] = found.forecast
            values["IsClosed"], values["IsWon"] = found.closed, found.won
            old = draft.old
            if old is not None and old.get("StageName") != name:
                values["LastStageChangeDate"] = work.now
        category = values.get("ForecastCategoryName")
        if category is not None:
            values["ForecastCategory"] = _CATEGORIES.get(str(category).lower(), "Pipeline")


def expected(work: Work, drafts: list[Draft]) -> None:
    """ExpectedRevenue = Amount x Probability."""
    for draft in drafts:
        amount, probability = draft.current("Amount"), draft.current("Probability")
        known = amount is not None and probability is not None
        draft.values["ExpectedRevenue"] = round(amount * probability / 100, 2) if known else None


def fiscal(work: Work, drafts: list[Draft]) -> None:
    """Fiscal year and quarter of the close date (fiscal years begin in January)."""
    for draft in drafts:
        close = draft.current("CloseDate")
        if close:
            year, quarter = int(close[:4]), (int(close[5:7]) + 2) // 3
            draft.values.update(FiscalYear=year, FiscalQuarter=quarter, Fiscal=f"{year} {quarter}")


def _by_id(work: Work, name: str, columns: tuple[str, ...], wanted: set[str]) -> dict[str, Any]:
    known = shapes(work.org)
    statement = known.select_in(name, ("Id", *columns), "Id")
    rows = known.rows_in(work.tx, statement, wanted)
    return {r[0]: dict(zip(columns, r[1:], strict=True)) for r in rows}


def price(work: Work, drafts: list[Draft]) -> None:
    """A price book entry bears its product's name and code."""
    wanted = {i for d in drafts if (i := d.current("Product2Id"))}
    products = _by_id(work, "Product2", ("Name", "ProductCode"), wanted)
    for draft in drafts:
        found = products.get(draft.current("Product2Id"))
        if found:
            draft.values.update(found)


def line_item(work: Work, drafts: list[Draft]) -> None:
    """TotalPrice from UnitPrice or the reverse; list price and product from the entry."""
    wanted = {i for d in drafts if (i := d.current("PricebookEntryId"))}
    entries = _by_id(work, "PricebookEntry", ("UnitPrice", "Product2Id", "ProductCode"), wanted)
    for draft in drafts:
        values = draft.values
        entry = entries.get(draft.current("PricebookEntryId"), {})
        if draft.old is None:
            values["ListPrice"] = entry.get("UnitPrice")
            values["Product2Id"] = values.get("Product2Id") or entry.get("Product2Id")
            values["ProductCode"] = entry.get("ProductCode")
        _totals(draft, entry.get("UnitPrice"))


def _totals(draft: Draft, listed: float | None) -> None:
    values, quantity = draft.values, draft.current("Quantity")
    share = 1 - (draft.current("Discount") or 0) / 100
    if values.get("TotalPrice") is not None and values.get("UnitPrice") is not None:
        draft.errors.append(
            RecordError(
                "FIELD_INTEGRITY_EXCEPTION",
                "field integrity exception: unknown (only one of unit price, total price may be "
                "specified)",
            )
        )
        return
    if not quantity or not share:
        return
    if values.get("TotalPrice") is not None:
        values["UnitPrice"] = round(values["TotalPrice"] / quantity / share, 2)
        return
    unit = draft.current("UnitPrice")
    unit = listed if unit is None else unit
    if unit is not None:
        values["UnitPrice"] = unit
        values["TotalPrice"] = round(unit * quantity * share, 2)


def roll_up(work: Work, opportunities: Iterable[str]) -> None:
    """An opportunity with products has the sum of their prices as its amount."""
    wanted = {i for i in opportunities if i}
    if not wanted:
        return
    known = shapes(work.org)
    items: dict[str, list[tuple[float, float]]] = {i: [] for i in wanted}
    columns = ("OpportunityId", "TotalPrice", "Quantity")
    statement = known.select_in("OpportunityLineItem", columns, "OpportunityId", live=True)
    for opportunity, total, quantity in known.rows_in(work.tx, statement, wanted):
        items[opportunity].append((total or 0.0, quantity or 0.0))
    probabilities = _by_id(work, "Opportunity", ("Probability",), wanted)
    rows = []
    for opportunity, lines in items.items():
        amount = round(sum(t for t, _ in lines), 2)
        probability = (probabilities.get(opportunity) or {}).get("Probability") or 0
        rows.append(
            {
                "Id": opportunity,
                "Amount": amount,
                "ExpectedRevenue": round(amount * probability / 100, 2),
                "HasOpportunityLineItem": bool(lines),
                "TotalOpportunityQuantity": sum(q for _, q in lines),
                "SystemModstamp": work.now,
            }
        )
    kept = [r for r in rows if r["HasOpportunityLineItem"]]
    emptied = [
        {k: r[k] for k in ("Id", "HasOpportunityLineItem", "SystemModstamp")}
        for r in rows
        if not r["HasOpportunityLineItem"]
    ]
    for group in (kept, emptied):
        if group:
            names = [n for n in group[0] if n != "Id" and n in known.of("Opportunity").columns]
            work.tx.execute_many(known.update("Opportunity", names), group)
