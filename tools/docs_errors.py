"""Tables of docs/errors.md: what is refused, with which code and words, read from the code."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tools.docs_tables import ROOT, code, table

if TYPE_CHECKING:
    from simorg.errors import SalesforceError

#: stands for what a message is filled with
GONE = "…"


@cache
def _modules() -> None:
    """Import every module of the surfaces, so that all their errors exist."""
    for package in ("org", "access", "rest", "soap", "server", "oauth", "control"):
        base = importlib.import_module(f"simorg.{package}")
        for found in pkgutil.walk_packages(base.__path__, f"{base.__name__}."):
            importlib.import_module(found.name)


def _subclasses(kind: type[SalesforceError]) -> Iterator[type[SalesforceError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


def call_errors() -> str:
    from simorg import errors

    _modules()
    groups = {errors.BadRequest, errors.ForbiddenError, errors.SessionError, errors.QueryError}
    rows = set()
    for kind in _subclasses(errors.SalesforceError):
        told_elsewhere = kind in groups or kind is errors.LoginError
        if told_elsewhere or not kind.__module__.startswith("simorg."):
            continue
        words = "" if kind.template == "{message}" else kind.template
        fault = "" if kind.fault == errors.SalesforceError.fault else code(kind.fault)
        doc = (kind.__doc__ or "").strip().split("\n")[0].replace("``", "`")
        rows.add((kind.status, code(kind.code), code(words), fault, doc))
    heads = ("REST status", "code", "message", "SOAP fault type", "when")
    return table(heads, sorted(rows, key=lambda row: (row[0], row[1], row[2], row[4])))


def refusals() -> str:
    from simorg.access.refusals import REFUSALS

    rows = []
    for entry in REFUSALS.values():
        error = entry.call() if entry.call else None
        oauth = " / ".join(code(words) for words in entry.oauth or ())
        redirect = " / ".join(code(words) for words in entry.redirect or ())
        if entry.redirect and entry.on_page:
            redirect += " (on a page)"
        if entry.redirect == entry.oauth and not entry.on_page:
            redirect = "the same" if redirect else ""
        login = code(entry.login[0]) if entry.login else ""
        call = f"{error.status} {code(error.code)}" if error else ""
        sure = f"[{entry.confidence}]({entry.source})"
        rows.append(
            (code(entry.name), oauth, redirect, login, call, entry.login_status or "", sure)
        )
    heads = ("refusal", "token endpoint", "authorize endpoint", "SOAP `login()`", "a call")
    return table((*heads, "Login History", ""), rows)


def record_errors() -> str:
    found = spoken(("refuse", "RecordError"), "org", "access", "rest", "soap")
    return _grouped(("status code", "message"), found)


def oauth_errors() -> str:
    from simorg.access.refusals import REFUSALS

    found = spoken(("OAuthError",), "oauth")
    found |= {entry.oauth for entry in REFUSALS.values() if entry.oauth}
    return _grouped(("`error`", "`error_description`"), found)


def ad_hoc_errors() -> str:
    """Calls of an error class with ``code=``."""
    found = set()
    for node, constants in _calls("org", "access", "rest", "soap", "server"):
        given = {word.arg: word.value for word in node.keywords}
        name = text_of(given["code"], constants) if "code" in given else ""
        if name and GONE not in name and node.args and name.isupper():
            found.add((name, text_of(node.args[0], constants)))
    return _grouped(("code", "message"), found)


def _grouped(heads: tuple[str, str], found: set[tuple[str, str]]) -> str:
    by_code: dict[str, list[str]] = {}
    for name, words in sorted(found):
        by_code.setdefault(name, []).append(words)
    rows = (
        (code(name), "<br>".join(code(each) for each in words if each and each != GONE))
        for name, words in by_code.items()
    )
    return table(heads, rows)


def spoken(callees: tuple[str, ...], *packages: str) -> set[tuple[str, str]]:
    """(code, message) of every call of ``callees`` whose code is written out. Values that a
    message is filled with show as an ellipsis."""
    found = set()
    for node, constants in _calls(*packages):
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        if name not in callees or len(node.args) < 2:
            continue
        first = text_of(node.args[0], constants)
        if first and GONE not in first:
            found.add((first, text_of(node.args[1], constants)))
    return found


def _calls(*packages: str) -> Iterator[tuple[ast.Call, dict[str, str]]]:
    for package in packages:
        for path in sorted((ROOT / "simorg" / package).rglob("*.py")):
            yield from _calls_of(path)


@cache
def _calls_of(path: Path) -> list[tuple[ast.Call, dict[str, str]]]:
    """Every call of a module, with the module's constants that are texts."""
    tree = ast.parse(path.read_text("utf-8"))
    constants: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                constants[node.targets[0].id] = node.value.value
    return [(inner, constants) for inner in ast.walk(tree) if isinstance(inner, ast.Call)]


def text_of(node: ast.expr, constants: dict[str, str]) -> str:
    """A text as it is written in the code; what is filled in is an ellipsis."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        return constants.get(node.id, GONE)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            text_of(part, constants) if isinstance(part, ast.Constant) else GONE
            for part in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return text_of(node.left, constants) + text_of(node.right, constants)
    return GONE


TABLES: dict[str, Callable[[], str]] = {
    "call-errors": call_errors,
    "ad-hoc-errors": ad_hoc_errors,
    "refusals": refusals,
    "record-errors": record_errors,
    "oauth-errors": oauth_errors,
}
