"""Clients as commands, the ends a run can have, and every kind of expectation."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from simorg.scenarios.clients import CommandClient, FunctionClient
from simorg.scenarios.evidence import lines
from simorg.scenarios.given import VARIABLES
from simorg.scenarios.judge import Happened, judge
from simorg.scenarios.run import Verdict, check
from simorg.testing import Simorg
from tests.scenarios.conftest import REFERENCE, ROOT, scenario
from tests.waiting import until

Say = Callable[[str], None]
QUERY = "client: {task: query, user: integration, app: Approved Integration}\n"


def shell(command: str) -> CommandClient:
    return CommandClient(command)


def met(verdict: Verdict) -> list[bool]:
    return [one.met for run in verdict.runs for one in run.findings]


# -- commands ------------------------------------------------------------------------------------


def test_the_reference_client_as_a_command(server: Simorg, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("SIMORG_TASK", "of the shell")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    file = scenario(
        "client: {task: query-twice, user: integration, app: Approved Integration}\n"
        "while:\n  - asked: true\n    sets: [{clock: {hours: 3}}]\n"
        "expect:\n  - exit: done\n  - requests: {operation: token, exactly: 2}\n"
        "  - saysNot: ['simorg: next']\n"
    )
    verdict = check(file, server, shell(f"{sys.executable} -m simorg.scenarios.reference"))
    assert verdict.status == "handled", verdict.summary


@pytest.mark.parametrize(
    ("command", "status", "words"),
    [
        ("exit 77", "skipped", "the client does not do this"),
        ("echo busy; echo no such login; exit 77", "skipped", "no such login"),
        ("no-such-command-here", "error", "not found"),
        ("/etc/passwd", "error", "denied"),
        ("exit 3", "not handled", "expected that it exits with 0; exited with 3"),
        ("kill -9 $$", "not handled", "exits with 0; exited with -9"),
        ("true", "handled", ""),
        ("echo $SIMORG_USERNAME >&2; exec 1>&- 2>&-; exit 0", "handled", ""),
    ],
)
def test_how_a_command_ends(server: Simorg, command: str, status: str, words: str) -> None:
    verdict = check(scenario(QUERY + "expect:\n  - exit: done\n"), server, shell(command))
    assert verdict.status == status
    assert words in verdict.summary


def test_a_client_that_takes_too_long_is_stopped_with_its_children(
    server: Simorg, tmp_path: Path
) -> None:
    left = tmp_path / "pid"
    command = f"sleep 600 & echo $! > {left}; echo begun; wait"
    file = scenario(QUERY + "expect:\n  - exit: failed\n  - says: [begun]\n")
    verdict = check(file, server, shell(command), timeout=2)
    assert met(verdict) == [False, True]
    assert verdict.summary.endswith("was stopped: it ran for 2 seconds")
    state = Path(f"/proc/{left.read_text().strip()}/stat")

    def ended() -> bool:
        try:
            return state.read_text().rpartition(")")[2].split()[0] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    until(ended)


def test_a_client_that_floods_us_is_bounded(server: Simorg) -> None:
    file = scenario(QUERY + "expect:\n  - exit: failed\n")
    verdict = check(file, server, shell("echo first; yes | tr -d '\\n'"), timeout=2)
    output = verdict.runs[0].finished.output
    assert verdict.status == "not handled"
    assert output.startswith("first\nyyyy") and len(output) < 300_000


def test_a_check_can_be_ended(server: Simorg) -> None:
    stopping = threading.Event()
    stopping.set()
    file = scenario(QUERY + "expect:\n  - exit: done\n")
    verdict = check(file, server, shell("sleep 600"), stopping=stopping)
    assert verdict.summary.endswith("was stopped: the check was ended")


def test_a_client_that_never_stops_asking_is_stopped(server: Simorg) -> None:
    loop = (
        "import os, urllib.request as r\n"
        "url = os.environ['SIMORG_INSTANCE_URL'] + '/services/data/v60.0/nothing'\n"
        "headers = {'Authorization': 'Bearer ' + os.environ['SIMORG_ACCESS_TOKEN']}\n"
        "sent = r.Request(url, headers=headers)\n"
        "while True:\n"
        "    try: r.urlopen(sent)\n"
        "    except OSError: pass\n"
    )
    file = scenario(
        "sets:\n  - login: {user: integration, flow: soap_login}\n"
        "client: {task: query, login: session}\n"
        "expect:\n  - requests: {surface: rest, atMost: 5}\n"
    )
    verdict = check(file, server, shell(f'{sys.executable} -c "{loop}"'))
    (run,) = verdict.runs
    assert run.finished.stopped == "it sent more than 100 requests" and run.finished.code is None
    assert len(verdict.unmet) == 1
    told = lines(run.requests)
    assert len(told) == 13 and told[6].endswith("more ...")


def test_a_function_can_be_late_or_broken(server: Simorg) -> None:
    file, leave = scenario(QUERY + "expect:\n  - exit: done\n"), threading.Event()

    def late(given: Mapping[str, str], say: Say, wait: Callable[[], None]) -> int:
        leave.wait(60)
        return 0

    try:
        verdict = check(file, server, FunctionClient(late, "late"), timeout=0.2)
    finally:
        leave.set()
    assert verdict.summary.endswith("was stopped: it ran for 0.2 seconds")

    def broken(given: Mapping[str, str], say: Say, wait: Callable[[], None]) -> int:
        raise ZeroDivisionError

    before = len(server.orgs())
    with pytest.raises(ZeroDivisionError):
        check(file, server, FunctionClient(broken, "broken"))
    assert len(server.orgs()) == before


# -- what a client is given ----------------------------------------------------------------------


def printed(given: Mapping[str, str], say: Say, wait: Callable[[], None]) -> int:
    for name, value in given.items():
        if value:
            say(f"{name}={value}")
    return 0


@pytest.mark.parametrize(
    ("login", "there", "not_there"),
    [
        ("password", "PASSWORD CLIENT_ID CLIENT_SECRET USERNAME", "ACCESS_TOKEN JWT_KEY"),
        ("soap", "PASSWORD SECURITY_TOKEN USERNAME", "ACCESS_TOKEN"),
        ("jwt", "JWT_KEY CLIENT_ID USERNAME", "PASSWORD ACCESS_TOKEN"),
        ("device", "CLIENT_ID MY_DOMAIN PROXY", "PASSWORD ACCESS_TOKEN"),
        ("session", "ACCESS_TOKEN INSTANCE_URL", "PASSWORD REFRESH_TOKEN CLIENT_SECRET"),
        ("refresh", "ACCESS_TOKEN REFRESH_TOKEN INSTANCE_URL CLIENT_ID", "PASSWORD"),
    ],
)
def test_what_a_client_is_given(server: Simorg, login: str, there: str, not_there: str) -> None:
    file = scenario(
        "sets:\n  - login: {user: integration, app: Approved Integration, flow: web_server}\n"
        f"client: {{task: query, login: {login}, user: integration, app: Approved Integration}}\n"
        "expect:\n  - exit: done\n"
    )
    output = check(file, server, FunctionClient(printed, "printed")).runs[0].finished.output
    names = {line.partition("=")[0] for line in output.splitlines()}
    assert {f"SIMORG_{word}" for word in there.split()} <= names
    assert not names & {f"SIMORG_{word}" for word in not_there.split()}
    assert {name for name in names if name.startswith("SIMORG_")} <= VARIABLES.keys()


def test_the_variables_are_documented() -> None:
    text = (ROOT / "docs" / "scenarios.md").read_text()
    table = text.partition("<!-- variables -->")[2].partition("<!-- end variables -->")[0]
    rows = [line.strip("| ").partition(" | ") for line in table.strip().splitlines()[2:]]
    assert {name.strip("`"): told for name, _, told in rows} == VARIABLES


# -- the org -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "place", "words"),
    [
        ("sets:\n  - app: {name: Nothing}\n", "mine.yaml:6:5: sets.0: ", "no connected app"),
        ("sets:\n  - user: {name: nobody}\n", "mine.yaml:6:5: sets.0: ", "there is no user"),
        ("sets:\n  - settings: {api: {speed: 1}}\n", "mine.yaml:6:5: sets.0: ", "speed"),
        ("sets:\n  - fault: {answer: {}}\n", "mine.yaml:6:5: sets.0: ", "answer says nothing"),
        ("sets:\n  - login: {user: inactive}\n", "mine.yaml:6:5: sets.0: ", "INVALID_LOGIN"),
        ("sets:\n  - record: {type: Account, fields: {}}\n", "mine.yaml:6:5: ", "Name"),
        ("org: nowhere.yaml\n", "mine.yaml:5:1: org: ", "nowhere.yaml"),
        ("org: {org: {name: X}, user: {}}\n", "mine.yaml:5:1: org: ", "user"),
        ("edition: Imperial\n", "mine.yaml:5:1: edition: ", "Enterprise"),
    ],
)
def test_what_cannot_be_set_up_is_told_with_its_line(
    server: Simorg, head: str, place: str, words: str
) -> None:
    file = scenario(QUERY + "expect:\n  - exit: done\n", head)
    before = len(server.orgs())
    verdict = check(file, server, REFERENCE)
    assert verdict.status == "error"
    assert verdict.reason.startswith(place) and words in verdict.reason
    assert len(server.orgs()) == before


def test_an_expectation_that_cannot_be_asked_is_told_with_its_line(server: Simorg) -> None:
    file = scenario(QUERY + "expect:\n  - records: {soql: SELECT x FROM Account, count: 0}\n")
    verdict = check(file, server, REFERENCE)
    assert verdict.status == "error"
    assert verdict.reason.startswith("mine.yaml:7:5: runs.0.expect.0: ")
    assert "INVALID_FIELD" in verdict.reason


def test_a_login_that_was_not_made_is_told(server: Simorg) -> None:
    file = scenario("client: {task: query, login: refresh}\nexpect:\n  - exit: done\n")
    verdict = check(file, server, REFERENCE)
    assert (
        verdict.reason == "mine.yaml:5:1: runs.0.client: login: refresh needs a login step before"
    )


SMALL = """
org:
  org: {name: Small, edition: Developer}
  licenses: {Salesforce: {key: SFDC}}
  profiles: {Boss: {license: Salesforce, permissions: all, without: [ApiUserOnly, TwoFactorApi]}}
  users: {boss@small.example: {lastName: Boss, profile: Boss}}
  records: {Account: [{Name: Only One}]}
"""


def test_an_org_of_its_own(server: Simorg) -> None:
    file = scenario(
        "client: {task: query, login: soap, user: boss}\n"
        "expect:\n  - exit: done\n  - says: [Only One]\n  - saysNot: [Alder]\n"
        "  - requests: {surface: soap, operation: login, exactly: 1}\n",
        SMALL.lstrip(),
    )
    verdict = check(file, server, REFERENCE)
    assert verdict.status == "handled", verdict.summary


def test_every_step_changes_the_org(server: Simorg) -> None:
    file = scenario(
        "sets:\n"
        "  - user: {name: standard, profile: System Administrator, assign: [Any_API_Client]}\n"
        "  - user: {name: standard, unassign: [Any_API_Client], grant: [UseAnyApiClient]}\n"
        "  - user: {name: noapi, frozen: true}\n"
        "  - user: {name: noapi, frozen: false, active: false}\n"
        "  - app: {name: Self Service, permittedUsers: adminApproved, profiles: [Standard User]}\n"
        "  - limits: {dailyApiRequests: {max: 7}}\n"
        "  - clock: {days: 1, minutes: 1}\n"
        "  - record: {type: Account, fields: {Name: Fresh}}\n" + QUERY + "expect:\n"
        '  - records: {soql: "SELECT Id FROM User WHERE Alias != null AND IsActive = false'
        " AND Username LIKE 'noapi@%'\", count: 1}\n"
        '  - records: {soql: "SELECT Id FROM PermissionSetAssignment WHERE Assignee.Username LIKE'
        " 'standard@%' AND PermissionSet.IsOwnedByProfile = false\", count: 1}\n"
        "  - records: {soql: \"SELECT Id FROM User WHERE Username LIKE 'standard@%' AND"
        " Profile.Name = 'System Administrator'\", count: 1}\n"
        "  - records: {soql: \"SELECT Id FROM ConnectedApplication WHERE Name = 'Self Service' AND"
        ' OptionsAllowAdminApprovedUsersOnly = true", count: 1}\n'
        "  - records: {soql: \"SELECT Id FROM Account WHERE Name = 'Fresh' AND"
        ' CreatedDate = TODAY", count: 1}\n'
    )
    verdict = check(file, server, REFERENCE)
    assert verdict.status == "handled", verdict.summary


# -- while the client runs -----------------------------------------------------------------------


def test_a_request_that_was_seen_changes_the_org(server: Simorg) -> None:
    """The token is issued; the call after it, which a fault delays, finds the preference on."""
    file = scenario(
        "sets:\n  - fault: {match: {surface: rest}, answer: {delay: 1.5}}\n"
        "client: {task: query, user: standard, app: Self Service}\n"
        "while:\n  - seen: {operation: token, status: 200}\n"
        "    sets: [{settings: {apiAccessControl: {adminApprovedUsersOnly: true}}}]\n"
        "expect:\n  - exit: failed\n  - says: [not valid for use]\n"
    )
    verdict = check(file, server, shell(f"{sys.executable} -m simorg.scenarios.reference"))
    assert verdict.status == "handled", verdict.summary


# -- expectations --------------------------------------------------------------------------------


def busy(given: Mapping[str, str], say: Say, wait: Callable[[], None]) -> int:
    """A token, two queries of which the second is refused, and one more token."""
    from simorg.scenarios.reference import Client
    from simorg.scenarios.wire import Refused

    client = Client(given)
    session = client.login()
    client.wire.query(session, given["SIMORG_SOQL"])
    try:
        client.wire.query(session, "SELECT Nothing FROM Account")
    except Refused as refused:
        say(str(refused))
    client.login()
    return 4


@pytest.fixture(scope="module")
def happened(server: Simorg) -> Iterator[Happened]:
    file = scenario(QUERY + "expect:\n  - exit: done\n")
    verdict = check(file, server, FunctionClient(busy, "busy"), keep=True)
    (run,) = verdict.runs
    with server.orgs()[-1] as org:
        yield Happened(run.finished, run.requests, org)


@pytest.mark.parametrize(
    ("expectation", "holds", "told"),
    [
        ("exit: done", False, "exits with 0; exited with 4"),
        ("exit: failed", True, ""),
        ("exit: 4", True, ""),
        ("exit: 5", False, "exits with 5; exited with 4"),
        ("says: [invalid_field]", True, ""),
        ("says: [[other, INVALID_FIELD], Account]", True, ""),
        ("says: [[a1, b1], Account]", False, "'a1' or 'b1' and 'Account'; did not say 'a1' or"),
        ("saysNot: [other]", True, ""),
        ("saysNot: [other, nothing]", False, "does not say 'other' or 'nothing'; said 'nothing'"),
        ("requests: {operation: token, exactly: 2}", True, ""),
        (
            "requests: {operation: token, atMost: 1}",
            False,
            "at most 1 token request; the org saw 2",
        ),
        ("requests: {method: get, atLeast: 2}", True, ""),
        ("requests: {surface: rest, operation: 'que*', exactly: 2}", True, ""),
        ("requests: {status: [400, 401], exactly: 1}", True, ""),
        ("requests: {status: 200, exactly: 3}", True, ""),
        ("requests: {answer: No such column, exactly: 1}", True, ""),
        ("requests: {path: '/services/oauth2/*', exactly: 2}", True, ""),
        ("requests: {path: /services, atMost: 0}", True, ""),
        ("requests: {surface: oauth, atMost: 0, after: {status: 400}}", False, "no oauth requests"),
        ("requests: {surface: oauth, exactly: 1, after: {status: 400}}", True, ""),
        ("requests: {surface: oauth, atMost: 0, after: {status: 418}}", True, ""),
        ("requests: {surface: rest, pause: 30}", False, "30 s or more apart; the org saw 2, the"),
        ("requests: {surface: soap, pause: 30}", True, ""),
        ("requests: {surface: rest, pause: 0.000001}", True, ""),
        ("records: {soql: SELECT Id FROM Organization, count: 1}", True, ""),
        ("records: {soql: SELECT Id FROM Organization, count: 2}", False, "; left 1"),
    ],
)
def test_expectations(happened: Happened, expectation: str, holds: bool, told: str) -> None:
    file = scenario(QUERY + f"expect:\n  - {expectation}\n    why: Because.\n")
    finding = judge(file.scenario.runs[0].expect[0], happened)
    assert finding.met == holds
    assert told in f"{finding.expected}; {finding.found}"
    assert finding.why == "Because."
