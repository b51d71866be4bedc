"""USING SCOPE, WITH, FOR and UPDATE: the clauses that say how, not what."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from simorg.errors import InvalidField
from simorg.org.query import ast, plan
from simorg.org.query.context import Context
from simorg.org.query.scope import Scope

#: accepted and without effect here: simorg has no sharing or field-level security to leave out
_MODES = frozenset({"SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE"})
_FOR = frozenset({"VIEW", "REFERENCE", "UPDATE"})
_UPDATE = frozenset({"TRACKING", "VIEWSTAT"})


def check_with(context: Context, tree: ast.Query) -> None:
    """WITH SECURITY_ENFORCED, USER_MODE and SYSTEM_MODE pass; data categories are refused."""
    clause = tree.with_clause
    if clause is None or clause.text.upper() in _MODES:
        return
    if clause.text == "DATA CATEGORY":
        message = "data category filtering is not supported for the entity type"
        raise context.malformed(clause.pos, message)
    raise context.malformed(clause.pos, f"unexpected token: '{clause.text}'")


def check_endings(context: Context, tree: ast.Query) -> None:
    """FOR VIEW | REFERENCE | UPDATE and UPDATE TRACKING | VIEWSTAT."""
    for word, allowed in (
        *((w, _FOR) for w in tree.for_words),
        *((w, _UPDATE) for w in tree.update_words),
    ):
        if word.text.upper() not in allowed:
            raise context.malformed(word.pos, f"unexpected token: '{word.text}'")
    for word in tree.for_words:
        if word.text.upper() == "UPDATE" and tree.order_by:
            message = "ORDER BY not allowed when using FOR UPDATE"
            raise context.malformed(word.pos, message)


def scope_condition(scope: Scope, word: ast.Word) -> list[sa.ColumnElement[bool]]:
    """``USING SCOPE everything | mine``.

    https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_using_scope.htm
    """
    name = word.text.lower()
    context = scope.context
    if name == "everything":
        return []
    owner = context.field(scope.sobject, "OwnerId")
    if name == "mine" and owner is not None:
        mine: Any = scope.table.c["OwnerId"] == sa.bindparam(plan.CALLER_USER, type_=sa.Text())
        return [mine]
    message = f"Filter scope '{word.text}' is not supported for entity '{scope.sobject.name}'"
    raise context.refuse(InvalidField, word.pos, message)
