"""Every scenario that ships can be handled, and can be failed, for the reason it states."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

import pytest

from simorg.scenarios.clients import Client, FunctionClient
from simorg.scenarios.reference import Client as Reference
from simorg.scenarios.run import check
from simorg.scenarios.wire import NoAnswer, Refused, Wire
from simorg.testing import Simorg
from tests.conftest import POSTGRES
from tests.scenarios.conftest import REFERENCE, ROOT, SHIPPED, adapter

NAIVE = adapter("naive_client")
ONCE = pytest.mark.skipif(bool(POSTGRES), reason="clients do the same on every database")
TEXT = (ROOT / "docs" / "scenarios.md").read_text()


def patient(name: str) -> Any:
    """A device waits five seconds between two polls."""
    return pytest.param(name, marks=pytest.mark.slow) if name == "device-flow" else name


@pytest.mark.parametrize("name", [patient(name) for name in SHIPPED])
def test_the_reference_client_handles_it(server: Simorg, name: str) -> None:
    verdict = check(SHIPPED[name], server, REFERENCE)
    assert verdict.status == "handled", verdict.summary
    assert all(run.requests for run in verdict.runs)


def quitter(given: Mapping[str, str], say: Callable[[str], None], wait: Callable[[], None]) -> int:
    """Gives up whenever anything is refused, and says why."""
    client = Reference(given)
    client.wire = Wire(given["SIMORG_CA"])
    try:
        session = client.login()
        if given["SIMORG_TASK"] == "update":
            path = f"sobjects/Account/{given['SIMORG_RECORD_ID']}"
            client.wire.rest(session, "PATCH", path, {"Description": "changed"})
            return 0
        client.wire.query(session, given["SIMORG_SOQL"])
        wait()
        client.wire.query(session, given["SIMORG_SOQL"])
    except (Refused, NoAnswer) as error:
        say(str(error))
        return 1
    return 0


#: who fails it, and words of the finding that says so
FAILED: dict[str, tuple[str, str]] = {
    "after-soap-login": ("naive", "sends exactly 1 soap login request; the org saw"),
    "api-disabled": ("naive", "sends exactly 1 oauth token request; the org saw 7"),
    "app-blocked-later": ("naive", "sends exactly 1 oauth token request; the org saw 6"),
    "app-not-found": ("naive", "sends exactly 1 oauth token request; the org saw 6"),
    "app-states": ("naive", "not assigned: expected that it sends exactly 1 oauth token request"),
    "browser-session": ("naive", "sends at least 1, at most 2 rest requests; the org saw 6"),
    "device-flow": ("naive", "exactly 1 oauth token request answered 200; the org saw 6"),
    "divergence": ("naive", "says 'Self Service: admin-approved'"),
    "dropped-after-change": ("naive", "sends exactly 1 rest sobject.create request; the org saw 2"),
    "expired-session": ("naive", "sends no oauth token requests; the org saw 6"),
    "external-users": ("naive", "not installed: expected that it sends exactly 1 oauth token"),
    "jwt-reads-otherwise": ("naive", "password flow: expected that it says 'Self Service"),
    "jwt-refused": ("naive", "sends exactly 1 oauth token request; the org saw 6"),
    "login-rate": ("naive", "sends exactly 1 oauth token request; the org saw 6"),
    "long-lived": ("quitter", "at least 2 rest query requests answered 200; the org saw 1"),
    "maintenance": ("naive", "sends rest requests 0.05 s or more apart; the org saw 6"),
    "non-admin": ("naive", "A user: expected that it sends exactly 1 oauth token request"),
    "refresh-loop": ("naive", "sends no oauth token requests; the org saw 6"),
    "refresh-loop-soap": ("naive", "sends at most 1 soap login request; the org saw 7"),
    "request-limit": ("naive", "at most 2 rest requests answered 403; the org saw 6"),
    "refresh-race": ("naive", "revoked: expected that it sends exactly 1 oauth token request"),
    "rotating-tokens": ("naive", "sends at most 2 oauth token requests; the org saw 7"),
    "row-lock": ("quitter", "at least 2, at most 5 rest sobject.update requests; the org saw 1"),
    "soap-login-off": ("naive", "sends exactly 1 soap login request; the org saw 6"),
    "usage-restriction": ("naive", "A user: expected that it sends exactly 1 oauth token request"),
    "user-frozen": ("naive", "sends exactly 1 oauth token request; the org saw 6"),
    "visualforce-session": ("naive", "sends at least 1, at most 2 rest requests; the org saw 6"),
    "works-for-weeks": ("naive", "the preference is on: expected that it sends exactly 1 oauth"),
    "wrong-password": ("naive", "By SOAP: expected that it sends exactly 1 soap login request"),
}
WRONG: dict[str, Client] = {"naive": NAIVE, "quitter": FunctionClient(quitter, "quitter")}


def test_every_scenario_has_a_client_that_fails_it() -> None:
    assert FAILED.keys() == SHIPPED.keys()


def at_heart(name: str) -> Any:
    """Those of API Access Control are tried each time, the rest by `make slow`."""
    tried = "api-access-control" in SHIPPED[name].scenario.tags
    return name if tried else pytest.param(name, marks=pytest.mark.slow)


@ONCE
@pytest.mark.parametrize("name", [at_heart(name) for name in FAILED])
def test_a_wrong_client_fails_it_for_the_reason(server: Simorg, name: str) -> None:
    client, words = FAILED[name]
    verdict = check(SHIPPED[name], server, WRONG[client])
    assert verdict.status == "not handled"
    told = [f"{run.title}: expected that it {f.expected}; {f.found}" for run, f in verdict.unmet]
    assert any(words in one for one in told), told
    if client == "naive":
        assert documented("naive")[name] == "not handled"


# -- the tables of the documentation -------------------------------------------------------------


def documented(client: str) -> dict[str, str]:
    """Scenario -> verdict, as docs/scenarios.md has it for a client."""
    table = TEXT.partition("<!-- verdicts -->")[2].partition("<!-- end -->")[0]
    rows = [
        [cell.strip().strip("*") for cell in line.strip("|").split("|")]
        for line in table.strip().splitlines()
    ]
    column = next(n for n, cell in enumerate(rows[0]) if cell.startswith(client))
    return {row[0].strip("`"): row[column] for row in rows[2:]}


def version_of(client: str) -> str:
    return re.search(rf"\| {client} \| ([\d.]+) \|", TEXT)[1]  # type: ignore[index]


def test_the_table_names_every_scenario() -> None:
    assert list(documented("naive")) == list(SHIPPED)


def test_the_naive_client_is_documented_truly(server: Simorg) -> None:
    handled = {name for name, told in documented("naive").items() if told == "handled"}
    assert handled | {name for name, (who, _) in FAILED.items() if who == "naive"} == set(SHIPPED)
    for name in handled:
        assert check(SHIPPED[name], server, NAIVE).status == "handled"


def quick(name: str) -> Any:
    """What it does not handle is tried each time, the rest by `make slow`."""
    remembered = documented("simple-salesforce")[name] == "not handled"
    return name if remembered else pytest.param(name, marks=pytest.mark.slow)


@ONCE
@pytest.mark.parametrize("name", [quick(name) for name in SHIPPED])
def test_simple_salesforce_is_documented_truly(server: Simorg, name: str) -> None:
    written, here = version_of("simple-salesforce"), version("simple-salesforce")
    if here != written:
        pytest.skip(f"docs/scenarios.md tells of simple-salesforce {written}; here is {here}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # its own advice about approving an app
        verdict = check(SHIPPED[name], server, adapter("simple_salesforce_client"))
    assert verdict.status == documented("simple-salesforce")[name], verdict.summary


@ONCE
@pytest.mark.slow
@pytest.mark.node
@pytest.mark.parametrize("name", SHIPPED)
def test_jsforce_is_documented_truly(server: Simorg, name: str, node: str) -> None:
    import shutil

    from simorg.scenarios.clients import CommandClient
    from tests.clients.conftest import NODE_FOLDER

    package = (NODE_FOLDER / "node_modules" / "jsforce" / "package.json").read_text()
    here = re.search(r'"version": "([\d.]+)"', package)[1]  # type: ignore[index]
    if here != (written := version_of("jsforce")):
        pytest.skip(f"docs/scenarios.md tells of jsforce {written}; here is {here}")
    script = NODE_FOLDER / f"_{os.getpid()}_check.mjs"  # beside its node_modules
    shutil.copy(ROOT / "examples" / "check" / "jsforce_client.mjs", script)
    try:
        verdict = check(SHIPPED[name], server, CommandClient(f"{node} {script}"), timeout=60)
    finally:
        script.unlink()
    assert verdict.status == documented("jsforce")[name], verdict.summary
