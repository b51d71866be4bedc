"""Plans run: one page of rows, its children, the total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from simorg.errors import BadRequest
from simorg.org.query import dates
from simorg.org.query import plan as p
from simorg.org.query.layout import ChildPage, Row
from simorg.org.query.plan import ChildPlan, FewRows, Plan, Transform

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.store import Reader

DEFAULT_BATCH, SMALLEST_BATCH, LARGEST_BATCH = 2000, 200, 2000


@dataclass(slots=True)
class Page:
    """Rows of one batch. ``more``: there are further rows."""

    rows: Sequence[Row]
    more: bool
    last_id: str | None = None


def batch_size(caller: Caller) -> int:
    """QueryOptions.batchSize, kept within 200 to 2,000.

    https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_header_queryoptions.htm
    """
    asked = caller.options.batch_size
    return DEFAULT_BATCH if asked is None else min(max(asked, SMALLEST_BATCH), LARGEST_BATCH)


def runtime_values(caller: Caller, plan: Plan, values: Mapping[str, Any]) -> dict[str, Any]:
    """Literals plus what depends on the moment and the caller."""
    found = dict(values)
    found.update(caller.bound)
    found[p.CALLER_USER] = caller.user_id
    found[p.TIME_ZONE] = caller.time_zone
    if plan.uses_fiscal_year:
        found[p.FISCAL_START] = fiscal_start(caller)
    if plan.moments:
        calendar = dates.Calendar(
            caller.org.clock.now(),
            caller.time_zone,
            caller.locale,
            found.get(p.FISCAL_START, 1),
        )
        for moment in plan.moments:
            found[moment.start], found[moment.end] = dates.bounds(
                moment.name, moment.number, calendar, date_only=moment.date_only
            )
    return found


def fiscal_start(caller: Caller) -> int:
    """The month the org's fiscal year begins in."""
    org = caller.org
    key = ("soql-fiscal", org.schema.version)
    statement = org.statements.get(key)
    if statement is None:
        table = org.store.table("Organization")
        if "FiscalYearStartMonth" not in table.c:
            return 1
        statement = org.store.prepare(sa.select(table.c["FiscalYearStartMonth"]).limit(1))
        org.statements[key] = statement
    with org.store.reading() as reader:
        row = reader.one(statement)
    return int(row[0]) if row and row[0] else 1


def count(reader: Reader, plan: Plan, values: Mapping[str, Any]) -> int:
    """Rows the query has without LIMIT and OFFSET."""
    row = reader.one(plan.counter, values)
    return int(row[0]) if row else 0


def aggregate_rows(
    caller: Caller, reader: Reader, plan: Plan, values: dict[str, Any]
) -> Sequence[Row]:
    """All rows of an aggregate query; more than a batch cannot be paged."""
    size = batch_size(caller)
    asked = values.get(p.ASKED_LIMIT)
    values[p.LIMIT] = size + 1 if asked is None else min(asked, size + 1)
    values[p.OFFSET] = values.get(p.ASKED_OFFSET, 0)
    rows = reader.rows(plan.statement, values)
    if len(rows) > size:
        raise BadRequest(
            "Aggregate query does not support queryMore(). LIMIT the results to a single batch",
            code="EXCEEDED_ID_LIMIT",
        )
    return finish(caller, rows, plan.transforms)


def page(
    reader: Reader,
    plan: Plan,
    values: dict[str, Any],
    *,
    size: int,
    position: int = 0,
    after: str | None = None,
) -> Page:
    """``size`` rows from ``position`` on (counted after OFFSET), or after the id ``after``."""
    asked = values.get(p.ASKED_LIMIT)
    left = size + 1 if asked is None else min(asked - position, size + 1)
    if left <= 0:
        return Page((), False)
    values[p.LIMIT] = left
    way: Plan | FewRows = plan
    if plan.few_rows is not None and reader.one(plan.few_rows.probe, values) is None:
        way = plan.few_rows
    if after is not None and way.continuation is not None:
        values[p.AFTER] = after
        rows: Sequence[Row] = reader.rows(way.continuation, values)
    else:
        values[p.OFFSET] = values.get(p.ASKED_OFFSET, 0) + position
        rows = reader.rows(way.statement, values)
    more = len(rows) > size
    if more:
        rows = rows[:size]
    last_id = rows[-1][plan.id_index] if rows and plan.id_index is not None else None
    return Page(rows, more, last_id)


def finish(caller: Caller, rows: Sequence[Row], transforms: tuple[Transform, ...]) -> Sequence[Row]:
    """FORMAT() and its like."""
    if not transforms:
        return rows
    done = [list(row) for row in rows]
    for transform in transforms:
        index, convert = transform.index, transform.convert
        for row in done:
            row[index] = convert(row[index], caller.locale, caller.time_zone)
    return done


def attach_children(
    caller: Caller,
    reader: Reader,
    children: tuple[ChildPlan, ...],
    rows: Sequence[Row],
    id_index: int,
    values: Mapping[str, Any],
    cut: Cut | None = None,
    path: tuple[int, ...] = (),
) -> Sequence[Row]:
    """Give each row its ChildPages: one statement per subquery, whatever the number of rows."""
    if not children or not rows:
        return rows
    done = [list(row) for row in rows]
    ids = [row[id_index] for row in done]
    for number, child in enumerate(children):
        own = (*path, number)
        grouped = child_rows(caller, reader, child, ids, values, cut, own)
        for row in done:
            found = grouped.get(row[id_index])
            row[child.column] = _child_page(found, row[id_index], cut, own) if found else None
    return done


@dataclass(slots=True)
class Cut:
    """How many children a parent shows at once, and the locators made for the others.

    ``wanted`` collects (locator, path of the subquery, parent id, children)."""

    size: int
    new_locator: Any
    wanted: list[tuple[str, tuple[int, ...], str, int]]

    def locator(self, path: tuple[int, ...], parent: str, total: int) -> str:
        locator: str = self.new_locator()
        self.wanted.append((locator, path, parent, total))
        return f"{locator}-{self.size}"


def _child_page(
    rows: Sequence[Row], parent: str, cut: Cut | None, path: tuple[int, ...]
) -> ChildPage:
    if cut is None or len(rows) <= cut.size:
        return ChildPage(len(rows), rows)
    return ChildPage(len(rows), rows[: cut.size], cut.locator(path, parent, len(rows)))


def child_rows(
    caller: Caller,
    reader: Reader,
    child: ChildPlan,
    parents: Sequence[str],
    values: Mapping[str, Any],
    cut: Cut | None,
    path: tuple[int, ...],
) -> dict[str, list[Row]]:
    """The children of all parents by parent id, complete with their own children."""
    bound = dict(values)
    bound[p.PARENTS] = caller.org.store.list_value(parents)
    rows: Sequence[Row] = reader.rows(child.statement, bound)
    rows = finish(caller, rows, child.transforms)
    rows = attach_children(caller, reader, child.children, rows, child.id_index, values, cut, path)
    grouped: dict[str, list[Row]] = {}
    key = child.key_index
    for row in rows:
        grouped.setdefault(row[key], []).append(row)
    return grouped
