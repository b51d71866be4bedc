"""Tables of docs/fidelity.md: rules with their sources, and how sure each switch is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from tools.docs_tables import ROOT, code, table


def gates() -> str:
    """Every rule in the order it is asked."""
    from simorg.access.call_rules import CALL_RULES
    from simorg.access.token_rules import TOKEN_RULES

    rows = []
    for when, rules in (("login", TOKEN_RULES), ("every call", CALL_RULES)):
        for rule in rules:
            asks = code(rule.ask.__name__)
            rows.append((when, rule.id, rule.title, asks, f"[{_kind(rule.source)}]({rule.source})"))
    return table(("asked at", "gate", "rule", "function", "source"), rows)


def _kind(url: str) -> str:
    """What sort of page a source is."""
    host = urlsplit(url).netloc
    if host == "help.salesforce.com":
        return "Salesforce Help"
    if host == "developer.salesforce.com":
        return "developer guide"
    return "report" if host == "github.com" else host


def switch_facts() -> Iterator[tuple[str, str]]:
    """(switch, what docs/settings.md says of its confidence)."""
    text = (ROOT / "docs" / "settings.md").read_text("utf-8")
    for heading, body in re.findall(r"^### `([\w.]+)`\n(.*?)(?=^#|\Z)", text, re.M | re.S):
        found = re.search(r"^Confidence: (.*?)(?=\n\n|\Z)", body, re.M | re.S)
        if found:
            yield heading, " ".join(found[1].split())


def _letter(told: str) -> str:
    found = re.match(r"\W*(H|M|L|[Oo]urs)\b", told)
    return found[1].capitalize() if found else "see there"


def switches() -> str:
    rows = []
    for name, told in switch_facts():
        anchor = name.replace(".", "").lower()
        words = re.sub(r"^\W*(H|M|L|[Oo]urs)\W*?(?:[;,.] |$)(?![HML]\b)", "", told.rstrip("."))
        rows.append((f"[`{name}`](settings.md#{anchor})", _letter(told), words))
    return table(("switch", "", ""), rows)


def counts() -> str:
    """How many refusals and switches are how sure."""
    from simorg.access.refusals import REFUSALS

    of_refusals = Counter(entry.confidence for entry in REFUSALS.values())
    of_switches = Counter(_letter(told) for _, told in switch_facts())
    rows = []
    for letter, means in (
        ("H", "an official page, or several independent reports"),
        ("M", "one credible report"),
        ("L", "inference"),
        ("Ours", "a choice of simorg's; Salesforce has no such thing, or leaves it open"),
    ):
        rows.append((letter, means, of_refusals[letter], of_switches[letter]))
    return table(("", "means", "refusals", "switches"), rows)


def sources() -> str:
    """The pages that rules and refusals cite."""
    from simorg.access import sources

    rows = (
        (name.replace("_", " ").capitalize(), _kind(url), f"<{url}>")
        for name, url in sorted(vars(sources).items())
        if name.isupper() and not name.startswith("_")
    )
    return table(("", "", "page"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "gates": gates,
    "switch-confidence": switches,
    "confidence-counts": counts,
    "sources": sources,
}
