"""Labels and plurals of names."""

from __future__ import annotations

import re

_IRREGULAR = {
    "Person": "People",
    "Criterion": "Criteria",
    "History": "Histories",
    "Feedback": "Feedback",
    "Metadata": "Metadata",
    "Data": "Data",
    "Access": "Access",
    "Settings": "Settings",
    "Permissions": "Permissions",
}


def plural(text: str) -> str:
    """``Opportunity Line Item`` -> ``Opportunity Line Items``, ``AccountHistory`` -> ..ies."""
    for word, many in _IRREGULAR.items():
        if text.endswith(word):
            return text[: -len(word)] + many
    if re.search(r"[^aeiou]y$", text):
        return text[:-1] + "ies"
    if re.search(r"[^sui]s$", text):
        return text
    if re.search(r"(s|x|z|ch|sh)$", text):
        return text + "es"
    return text + "s"


def label_of(name: str) -> str:
    """``AccountContactRole`` -> ``Account Contact Role``; ``OwnerId`` -> ``Owner ID``."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.sub(r"\bId$", "ID", text)
