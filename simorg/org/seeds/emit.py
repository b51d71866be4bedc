"""YAML as exports write it: block style, stable, quoted only where it must be."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

#: what YAML reads back as the same text: begins with a letter, holds nothing that means something
_PLAIN = re.compile(r"[^\W\d_](?:[\w .,()&/+'@-]*[\w.)])?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{3})?Z)?")
_WORDS = frozenset("true false yes no on off null y n none nan inf".split())
#: JSON may hold these as they are, YAML not
_ODD = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


class Verbatim(str):
    """A date or datetime, written without quotes."""


def scalar(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Verbatim) and _DATE.fullmatch(value):
        return str(value)
    if isinstance(value, str):
        return text(value)
    if value is None or isinstance(value, (bool, int)):
        return json.dumps(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, (bytes, memoryview)):
        return f"!!binary {json.dumps(base64.b64encode(value).decode())}"
    raise TypeError(f"{type(value).__name__} is no YAML scalar")


def text(value: str) -> str:
    """A string; in quotes unless it reads back as itself."""
    if _PLAIN.fullmatch(value) and len(value) < 200 and value.lower() not in _WORDS:
        return value
    return _ODD.sub(lambda c: f"\\u{ord(c[0]):04x}", json.dumps(value, ensure_ascii=False))


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    told = repr(value)
    return told if "." in told or "e" not in told else told.replace("e", ".0e")


def lines(value: Any, indent: int = 0) -> Iterator[str]:
    """A mapping or list as block style lines, each with its line end."""
    space = " " * indent
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _member(f"{space}{text(str(key))}:", item, indent)
    else:
        for item in value:
            if isinstance(item, Mapping) and item:
                first, *rest = lines(item, indent + 2)
                yield f"{space}- {first[indent + 2 :]}"
                yield from rest
            else:
                yield f"{space}- {_inline(item)}\n"


def _member(head: str, item: Any, indent: int) -> Iterator[str]:
    short = isinstance(item, list) and all(not isinstance(i, (dict, list)) for i in item)
    if short and len(head) + sum(len(str(i)) + 4 for i in item) < 110:
        yield f"{head} {_inline(item)}\n"
    elif isinstance(item, (Mapping, list, tuple)) and item:
        yield f"{head}\n"
        yield from lines(item, indent + 2)
    elif isinstance(item, str) and _is_prose(item):
        yield f"{head} |\n"
        for line in item.split("\n")[:-1]:
            yield f"{' ' * (indent + 2)}{line}\n" if line else "\n"
    else:
        yield f"{head} {_inline(item)}\n"


def _is_prose(value: str) -> bool:
    """Lines that stand in a block: none ends or the first begins with a space."""
    if not value.endswith("\n") or value.endswith("\n\n") or value[0] in " \n":
        return False
    rows = value.split("\n")
    return all(row.isprintable() and row == row.rstrip() for row in rows) and not _ODD.search(value)


def _inline(item: Any) -> str:
    if isinstance(item, Mapping):
        return "{" + ", ".join(f"{text(str(k))}: {_flow(v)}" for k, v in item.items()) + "}"
    if isinstance(item, (list, tuple)):
        return "[" + ", ".join(_flow(i) for i in item) + "]"
    return scalar(item)


def _flow(item: Any) -> str:
    """Within brackets: a comma would end a plain text."""
    told = _inline(item)
    return (
        json.dumps(item, ensure_ascii=False)
        if isinstance(item, str) and "," in told and told == item
        else told
    )
