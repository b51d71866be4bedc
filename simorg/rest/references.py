"""``@{referenceId.path}``: values of earlier subrequests inside later ones.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite.htm
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from simorg.errors import BadRequest

_REFERENCE = re.compile(r"@\{([^{}]*)\}")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


class ProcessingHalted(BadRequest):
    """What the subrequest refers to did not come about."""

    code = "PROCESSING_HALTED"
    template = "Invalid reference specified. No value for {path} found in {reference}"


def in_url(url: str, replies: Mapping[str, Any]) -> str:
    """The url with its references replaced by percent-encoded values."""
    return _REFERENCE.sub(lambda m: quote(_text(_look_up(m[1], replies)), safe=""), url)


def in_value(value: Any, replies: Mapping[str, Any]) -> Any:
    """A body with references in any string replaced; one that is all of a string keeps its type."""
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value)
        if whole:
            return _look_up(whole[1], replies)
        return _REFERENCE.sub(lambda m: _text(_look_up(m[1], replies)), value)
    if isinstance(value, dict):
        return {key: in_value(each, replies) for key, each in value.items()}
    if isinstance(value, list):
        return [in_value(each, replies) for each in value]
    return value


def _look_up(path: str, replies: Mapping[str, Any]) -> Any:
    reference = re.split(r"[.\[]", path, maxsplit=1)[0].strip()
    if reference not in replies:
        raise ProcessingHalted(path=path, reference=reference)
    value = replies[reference]
    rest = path.strip()[len(reference) :]
    at = 0
    while at < len(rest):
        step = _STEP.match(rest, at)
        if step is None:
            raise ProcessingHalted(path=path, reference=reference)
        value = _step(value, step[1], step[2])
        if value is _NOTHING:
            raise ProcessingHalted(path=path, reference=reference)
        at = step.end()
    if value is None or isinstance(value, (dict, list)):
        raise ProcessingHalted(path=path, reference=reference)
    return value


_NOTHING = object()


def _step(value: Any, name: str | None, index: str | None) -> Any:
    if name is not None:
        return value.get(name, _NOTHING) if isinstance(value, dict) else _NOTHING
    at = int((index or "0")[:9])
    return value[at] if isinstance(value, list) and at < len(value) else _NOTHING


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
