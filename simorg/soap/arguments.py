"""Arguments that must be there. Salesforce has a code for it; the wording is ours."""

from __future__ import annotations

from simorg.soap.faults import WireFault, api_fault


def missing(name: str) -> WireFault:
    """``raise missing("queryString")``."""
    return api_fault("MISSING_ARGUMENT", f"{name} not specified")


def required(value: str | None, name: str) -> str:
    """The argument, unless it is absent, nil or blank."""
    if value is None or not value.strip():
        raise missing(name)
    return value
