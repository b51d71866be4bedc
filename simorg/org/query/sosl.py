"""search(): SOSL.

``FIND {term} [IN ALL|NAME|EMAIL|PHONE|SIDEBAR FIELDS] [RETURNING Type(fields WHERE ... ORDER BY ...
LIMIT n), ...] [LIMIT n]``
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_syntax.htm
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simorg.errors import MalformedQuery, MalformedSearch
from simorg.org.query import ast, execution
from simorg.org.query.layout import Layout, Row
from simorg.org.query.lexis import Found, scan, whole_number
from simorg.org.query.messages import at

if TYPE_CHECKING:
    from simorg.org.caller import Caller
    from simorg.org.query.find import Find

MAX_LENGTH = 20_000
#: https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_limit.htm
MAX_RESULTS = 2000
_FIND = re.compile(r"\s*FIND\s*\{((?:[^{}\\]|\\.)*)\}", re.IGNORECASE | re.DOTALL)
_IN = re.compile(r"\s*IN\s+(ALL|NAME|EMAIL|PHONE|SIDEBAR)\s+FIELDS\b", re.IGNORECASE)
#: WITH clauses without effect here
_PASSED = frozenset({"SPELL_CORRECTION", "METADATA"})


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Records found, by object in the order of RETURNING; objects without any are there too."""

    groups: tuple[tuple[Layout, Sequence[Row]], ...]

    @property
    def total_size(self) -> int:
        return sum(len(rows) for _, rows in self.groups)


def search(caller: Caller, sosl: str) -> SearchResult:
    """Run a SOSL search.

    :raises MalformedSearch: the text is refused; ``InvalidType`` and ``InvalidField`` as in SOQL.
    """
    from simorg.org.query.find import FindParser
    from simorg.org.query.parser import parse_search

    if len(sosl) > MAX_LENGTH or "\x00" in sosl:
        raise MalformedSearch(f"SOSL statements cannot be longer than {MAX_LENGTH} characters.")
    match = _FIND.match(sosl)
    if match is None:
        word = sosl.split()[0] if sosl.strip() else "<EOF>"
        pos = len(sosl) - len(sosl.lstrip())
        raise at(MalformedSearch, sosl, pos, f"unexpected token: '{word}'")
    find = FindParser(sosl, *match.span(1)).parse()
    group = _IN.match(sosl, match.end())
    end = group.end() if group else match.end()
    blanked = re.sub(r"\S", " ", sosl[:end]) + sosl[end:]
    _, literals = scan(blanked)
    try:
        returning, withs, limit = parse_search(blanked, literals)
    except MalformedQuery as error:
        lines = sosl.splitlines(keepends=True)[: (error.row or 1) - 1]
        pos = sum(map(len, lines)) + (error.column or 1) - 1
        raise at(MalformedSearch, sosl, pos, error.message.rpartition("\n")[2]) from None
    for word_ in withs:
        if word_.text.upper() not in _PASSED:
            message = f"WITH {word_.text} is not supported"
            raise at(MalformedSearch, sosl, word_.pos, message)
    wanted = returning or _everything(caller)
    most = min(max(whole_number(limit.text), 0), MAX_RESULTS) if limit is not None else MAX_RESULTS
    words = group.group(1).upper() if group else "ALL"
    return _run(caller, sosl, literals, find, words, wanted, most)


def _run(
    caller: Caller,
    sosl: str,
    literals: list[Found],
    find: Find,
    group: str,
    wanted: Sequence[ast.Returning],
    most: int,
) -> SearchResult:
    from simorg.org.query.compiler import compile_query
    from simorg.org.query.find import conditions
    from simorg.org.query.prepared import bind
    from simorg.org.query.scope import Scope

    def match(scope: Scope) -> list[object]:
        if not (scope.sobject.searchable or caller.system):
            message = f"entity type {scope.sobject.name} does not support search"
            raise MalformedSearch(message, code="INVALID_TYPE")
        return conditions(scope, find, group)

    groups = []
    for each in wanted:
        plan = compile_query(caller, sosl, each.query, match=match)
        values = execution.runtime_values(caller, plan, bind(plan, sosl, literals))
        with caller.org.store.reading() as reader:
            page = execution.page(reader, plan, values, size=most)
            rows = execution.finish(caller, page.rows, plan.transforms)
        groups.append((plan.layout, rows))
        most -= len(rows)
    return SearchResult(tuple(groups))


def _everything(caller: Caller) -> list[ast.Returning]:
    """Without RETURNING: the ids of all searchable objects that have records here."""
    from simorg.org.query.context import Context

    org = caller.org
    context = Context(caller, "", include_deleted=False)
    found = []
    for name in sorted(org.store.present):
        sobject = org.schema.get(name)
        if sobject is not None and sobject.searchable and context.may_query(sobject):
            path = ast.Path((sobject.name,), 0)
            selected = ast.Selected(ast.Path(("Id",), 0), None, 0)
            query = ast.Query(
                (selected,), (ast.Source(path, None),), None, (), None, (), None, None, None, None,
                (), (), False, 0, 0,
            )  # fmt: skip
            found.append(ast.Returning(sobject.name, query, 0))
    return found
