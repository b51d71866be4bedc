"""Verdicts as JSON and as JUnit XML."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as XML

from simorg import __version__
from simorg.scenarios.evidence import lines
from simorg.scenarios.run import RunVerdict, Verdict
from simorg.traffic.redact import Redactor

#: what XML 1.0 cannot hold
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST_OUTPUT = 2_000
#: reports are kept and passed on, and clients print tokens
_shown = Redactor(os.urandom(32)).text


def to_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict for machines; docs/scenarios.md has the shape."""
    return {
        "scenario": verdict.name,
        "title": verdict.title,
        "tags": verdict.tags,
        "client": verdict.client,
        "status": verdict.status,
        "summary": verdict.summary,
        "seconds": round(verdict.seconds, 3),
        "runs": [_run(run) for run in verdict.runs],
    }


def _run(run: RunVerdict) -> dict[str, Any]:
    begun = run.requests[0].at if run.requests else 0.0
    return {
        "title": run.title,
        "exitCode": run.finished.code,
        "stopped": run.finished.stopped,
        "seconds": round(run.finished.seconds, 3),
        "output": _shown(run.finished.output),
        "expectations": [
            {"met": one.met, "expected": one.expected, "found": one.found, "why": one.why}
            for one in run.findings
        ],
        "requests": [one.line(begun) for one in run.requests],
    }


def totals(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """How many there are of each status."""
    states = ("handled", "not handled", "skipped", "error")
    return {state: sum(one.status == state for one in verdicts) for state in states}


def explained(verdict: Verdict) -> str:
    """Per run: the expectations that do not hold, what the org saw, what the client said."""
    parts = []
    for run in verdict.runs:
        unmet = [one for one in run.findings if not one.met]
        if not unmet:
            continue
        told = [f"{run.title}:"]
        for one in unmet:
            told.append(f"  expected that it {one.expected}; {one.found}.")
            told += [f"    {one.why}"] if one.why else []
        output = _shown(run.finished.output).strip()[-_MOST_OUTPUT:].splitlines()
        told += ["  The org saw", *(f"    {line}" for line in lines(run.requests) or ["nothing"])]
        told += ["  The client said", *(f"    {line}" for line in output or ["nothing"])]
        parts.append("\n".join(told))
    return "\n\n".join(parts)


def junit(verdicts: Sequence[Verdict], *, client: str) -> bytes:
    """JUnit XML: one suite, a case per scenario; a scenario not handled is a failure."""
    count = totals(verdicts)
    time = f"{sum(one.seconds for one in verdicts):.3f}"
    root = XML.Element("testsuites")
    suite = XML.SubElement(
        root,
        "testsuite",
        name="simorg check",
        id="0",
        package="simorg",
        tests=str(len(verdicts)),
        failures=str(count["not handled"]),
        errors=str(count["error"]),
        skipped=str(count["skipped"]),
        time=time,
        timestamp=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        hostname=socket.gethostname(),
    )
    properties = XML.SubElement(suite, "properties")
    for name, value in (("client", client), ("simorg.version", __version__)):
        XML.SubElement(properties, "property", name=name, value=_clean(value))
    for verdict in verdicts:
        _case(suite, verdict)
    XML.SubElement(suite, "system-out")
    XML.SubElement(suite, "system-err")
    XML.indent(root)
    found: bytes = XML.tostring(root, "utf-8", xml_declaration=True)
    return found


def _case(suite: XML.Element, verdict: Verdict) -> None:
    case = XML.SubElement(
        suite,
        "testcase",
        name=verdict.name,
        classname="simorg.scenarios",
        time=f"{verdict.seconds:.3f}",
    )
    if verdict.status == "skipped":
        XML.SubElement(case, "skipped", message=_clean(verdict.reason))
    elif verdict.status == "error":
        told = XML.SubElement(case, "error", type="ScenarioError", message=_clean(verdict.reason))
        told.text = _clean(verdict.reason)
    elif verdict.status == "not handled":
        message = _clean(verdict.summary)
        told = XML.SubElement(case, "failure", type="NotHandled", message=message)
        told.text = _clean(explained(verdict))


def _clean(text: str) -> str:
    return _NO_XML.sub("�", text)
