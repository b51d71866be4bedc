"""query() and queryMore()."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from simorg.org.query import execution, locators
from simorg.org.query.execution import Cut
from simorg.org.query.layout import Layout, ResultPage, Row
from simorg.org.query.locators import Cursor
from simorg.org.query.plan import ASKED_LIMIT, ASKED_OFFSET, ChildPlan, Plan
from simorg.org.query.prepared import prepare

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.store import Reader


def query(caller: Caller, soql: str, *, include_deleted: bool = False) -> ResultPage:
    """The first page of a SOQL query; ``include_deleted`` is queryAll().

    ``caller.options.batch_size`` is the page's size. Raises ``MalformedQuery``, ``InvalidField``,
    ``InvalidType`` (all ``QueryError``) or ``BadRequest``.
    """
    plan, literals = prepare(caller, soql, include_deleted=include_deleted)
    values = execution.runtime_values(caller, plan, literals)
    # one statement for most queries; the total of a long one may be of a moment later
    with caller.org.store.reading(once=not plan.children) as reader:
        if plan.count_only:
            return _counted(plan, reader, values)
        if plan.aggregate:
            rows = execution.aggregate_rows(caller, reader, plan, values)
            return ResultPage(plan.layout, rows, len(rows), True)
        size = execution.batch_size(caller)
        cursor = Cursor(caller.user_id, soql, include_deleted, size, 0)
        return _first(caller, plan, reader, values, cursor)


def _counted(plan: Plan, reader: Reader, values: dict[str, Any]) -> ResultPage:
    """SELECT COUNT(): LIMIT and OFFSET bound the number."""
    found = execution.count(reader, plan, values)
    return ResultPage(plan.layout, (), _windowed(found, values), True)


def _windowed(found: int, values: Mapping[str, Any]) -> int:
    left = max(found - int(values.get(ASKED_OFFSET, 0)), 0)
    limit = values.get(ASKED_LIMIT)
    return left if limit is None else min(left, int(limit))


def _first(
    caller: Caller, plan: Plan, reader: Reader, values: dict[str, Any], cursor: Cursor
) -> ResultPage:
    page = execution.page(reader, plan, values, size=cursor.size)
    rows = _complete(caller, plan, reader, page.rows, values, cursor)
    if not page.more:
        return ResultPage(plan.layout, rows, len(rows), True)
    cursor.total = _windowed(execution.count(reader, plan, values), values)
    cursor.values = {n: values[n] for m in plan.moments for n in (m.start, m.end)}
    _mark(cursor, len(rows), page.last_id)
    with caller.org.store.writing():
        locator = locators.new_id(caller)
        locators.save(caller, locator, cursor)
        caller.org.kept.purge()
    return ResultPage(plan.layout, rows, cursor.total, False, f"{locator}-{len(rows)}")


def _mark(cursor: Cursor, position: int, last_id: str | None) -> None:
    """Remember where a page ended; a few pages back suffice for clients that ask again."""
    if last_id is not None:
        cursor.marks[str(position)] = last_id
        while len(cursor.marks) > 4:
            del cursor.marks[next(iter(cursor.marks))]


def _complete(
    caller: Caller,
    plan: Plan,
    reader: Reader,
    rows: Sequence[Row],
    values: dict[str, Any],
    cursor: Cursor,
) -> Sequence[Row]:
    """FORMAT() applied and children attached."""
    rows = execution.finish(caller, rows, plan.transforms)
    if not plan.children or plan.id_index is None:
        return rows
    cut = Cut(cursor.size, partial(locators.new_id, caller), [])
    rows = execution.attach_children(
        caller, reader, plan.children, rows, plan.id_index, values, cut
    )
    _save_children(caller, cursor, cut)
    return rows


def _save_children(caller: Caller, cursor: Cursor, cut: Cut) -> None:
    """Keep the locators that subqueries with more children were given."""
    for locator, path, parent, total in cut.wanted:
        child = Cursor(
            caller.user_id,
            cursor.soql,
            cursor.include_deleted,
            cursor.size,
            total,
            path=path,
            parent=parent,
            values=cursor.values,
        )
        locators.save(caller, locator, child)


# -- queryMore ---------------------------------------------------------------------------------


def query_more(caller: Caller, locator: str) -> ResultPage:
    """The next page of a query, or of a child subquery.

    Raises ``InvalidQueryLocator`` when it is unknown, expired, malformed or another user's.
    """
    key, position, cursor = locators.load(caller, locator)
    plan, literals = prepare(caller, cursor.soql, include_deleted=cursor.include_deleted)
    values = execution.runtime_values(caller, plan, literals)
    values.update(cursor.values)
    with caller.org.store.reading() as reader:
        if cursor.path:
            return _more_children(caller, plan, reader, values, key, position, cursor)
        return _more_rows(caller, plan, reader, values, key, position, cursor)


def _more_rows(
    caller: Caller,
    plan: Plan,
    reader: Reader,
    values: dict[str, Any],
    key: str,
    position: int,
    cursor: Cursor,
) -> ResultPage:
    page = execution.page(
        reader,
        plan,
        values,
        size=cursor.size,
        position=position,
        after=cursor.marks.get(str(position)),
    )
    rows = _complete(caller, plan, reader, page.rows, values, cursor)
    if not page.more:
        return ResultPage(plan.layout, rows, max(cursor.total, position + len(rows)), True)
    end = position + len(rows)
    cursor.total = max(cursor.total, end)
    _mark(cursor, end, page.last_id)
    locators.save(caller, key, cursor)
    return ResultPage(plan.layout, rows, cursor.total, False, f"{key}-{end}")


def _more_children(
    caller: Caller,
    plan: Plan,
    reader: Reader,
    values: dict[str, Any],
    key: str,
    position: int,
    cursor: Cursor,
) -> ResultPage:
    child, layout = _child_plan(plan, cursor.path)
    cut = Cut(cursor.size, partial(locators.new_id, caller), [])
    found = execution.child_rows(
        caller, reader, child, [cursor.parent], values, cut, cursor.path
    ).get(cursor.parent, [])
    rows = found[position : position + cursor.size]
    end = position + len(rows)
    _save_children(caller, cursor, cut)
    if end >= len(found):
        return ResultPage(layout, rows, max(len(found), end), True)
    cursor.total = len(found)
    locators.save(caller, key, cursor)
    return ResultPage(layout, rows, len(found), False, f"{key}-{end}")


def _child_plan(plan: Plan, path: tuple[int, ...]) -> tuple[ChildPlan, Layout]:
    child = plan.children[path[0]]
    for number in path[1:]:
        child = child.children[number]
    return child, child.layout
