"""Commands that show and change a running server's orgs, and what shells complete."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

import simorg.testing
from simorg.cli import COMMANDS, main
from simorg.server.server import Server
from simorg.testing import LoginRefused
from tests.server.conftest import config
from tests.test_cli import ROOT, USAGE, one_line, run


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(config()) as running:
        yield running


@pytest.fixture
def org(server: Server) -> Iterator[str]:
    """The id of a fresh org, made by the command; the server is in the environment."""
    made = json.loads(
        run("org", "create", "--name", "cli", "--json", SIMORG_URL=server.url()).output
    )
    yield made["id"]
    run("org", "delete", made["id"], SIMORG_URL=server.url())


def ask(server: Server, *arguments: str) -> str:
    done = run(*arguments, SIMORG_URL=server.url())
    assert done.exit_code == 0, done.output + done.stderr
    return done.stdout


def refused(server: Server, *arguments: str) -> str:
    done = run(*arguments, SIMORG_URL=server.url())
    assert done.exit_code == USAGE, done.output
    return one_line(done.stderr)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_helps(name: str) -> None:
    done = run(name, "--help")
    assert done.exit_code == 0 and "Usage: " in done.output


def test_help_cuts_nothing_off() -> None:
    told = " ".join(run("--help").output.partition("Commands:")[2].split())
    assert "..." not in told and "how clients trust it." in told


def test_an_org_is_made_shown_reset_and_deleted(server: Server, tmp_path: Path) -> None:
    definition = tmp_path / "mine.yaml"
    definition.write_text(
        "org: {name: Mine}\nlicenses: {S: {key: SFDC}}\n"
        "profiles: {P: {license: S, permissions: all}}\n"
        "users: {boss@mine.example: {lastName: A, profile: P}}\n"
    )
    told = ask(server, "org", "create", "--definition", str(definition))
    first, *rest = told.splitlines()
    org = first.split()[0]
    assert first.endswith("Mine") and any("boss@mine.example" in line for line in rest)
    assert json.loads(ask(server, "org", "show", "--org", org, "--json"))["id"] == org
    assert ask(server, "org", "reset", org).startswith(org)
    assert ask(server, "org", "delete", org) == ""
    assert org in refused(server, "org", "show", "--org", org)
    assert org not in ask(server, "orgs")


def test_a_definition_brings_along_the_files_it_builds_on(server: Server, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("extends: acme\norg: {created: 2020-02-01T00:00:00Z}\n")
    child = tmp_path / "child.yaml"
    child.write_text("extends: base.yaml\norg: {name: Child}\n")
    org = ask(server, "org", "create", "--definition", str(child)).split()[0]
    query = "SELECT Name, CreatedDate FROM Organization"
    assert "Child\t2020-02-01" in ask(server, "query", query, "--org", org)
    ask(server, "org", "delete", org)
    child.write_text("extends: missing.yaml\n")
    told = refused(server, "org", "create", "--definition", str(child))
    assert f"{child}:1:1: extends: missing.yaml cannot be read" in told
    child.write_bytes(b"\xff\xfe")
    assert "is no text file" in refused(server, "org", "create", "--definition", str(child))


def test_a_bad_definition_is_told_by_its_line(server: Server, tmp_path: Path) -> None:
    definition = tmp_path / "bad.yaml"
    definition.write_text("org:\n  name: Bad\nuserz: {}\n")
    told = refused(server, "org", "create", "--definition", str(definition))
    assert told.startswith(f"simorg: {definition}:3:1: userz: there is no such section")


def test_a_bad_definition_below_another_is_told_by_its_own_line(
    server: Server, tmp_path: Path
) -> None:
    base, child = tmp_path / "base.yaml", tmp_path / "child.yaml"
    base.write_text("extends: acme\nusers:\n  a@b.example: {lastName: A, profile: Nobody}\n")
    child.write_text("extends: base.yaml\norg: {name: Child}\n")
    told = refused(server, "org", "create", "--definition", str(child))
    assert told.startswith(f"simorg: {base}:3:30: users.a@b.example.profile: there is no profile")


def test_the_divergence_at_a_glance(server: Server, org: str) -> None:
    def row(name: str) -> list[str]:
        lines = ask(server, "apps", "--org", org).splitlines()
        [found] = [line.split("\t") for line in lines if line.startswith(f"{name}\t")]
        return found[1:]

    assert row("Self Service") == ["installed", "selfAuthorize", "selfAuthorize", "no", "no"]
    told = ask(server, "settings", "apiAccessControl", "adminApprovedUsersOnly=true", "--org", org)
    assert "apiAccessControl\tadminApprovedUsersOnly\tyes" in told.splitlines()
    assert row("Self Service") == ["installed", "selfAuthorize", "adminApproved", "no", "yes"]


def test_an_app_is_changed_and_shown(server: Server, org: str) -> None:
    path = ("--org", org, "--json")
    told = json.loads(
        ask(
            server,
            *("app", "uninstalled tool", "--install", "--permitted-users", "admin"),
            *("--assign", "Integration_Access", *path),
        )
    )
    assert (told["installed"], told["storedPolicy"]) == (True, "adminApproved")
    assert told["permissionSets"] == ["Integration_Access"]
    assert json.loads(ask(server, "app", "Uninstalled Tool", *path)) == told
    assert "connected app Nothing" in refused(server, "app", "Nothing", "--org", org)


def test_settings_are_refused_by_name(server: Server, org: str) -> None:
    where = ("--org", org)
    assert "apiAccessControl" in refused(server, "settings", "nothing", *where)
    assert "is not NAME=VALUE" in refused(server, "settings", "login", "maxFailedLogins", *where)
    before = ask(server, "settings", *where)
    assert "maxFailedLogins" in refused(server, "settings", "login", "maxFailedLogins=many", *where)
    assert ask(server, "settings", *where) == before


def test_query(server: Server, org: str) -> None:
    soql = "SELECT Name, Owner.Name FROM Account ORDER BY Name LIMIT 2"
    lines = ask(server, "query", soql, "--org", org).splitlines()
    assert len(lines) == 2 and all(line.count("\t") == 1 for line in lines)
    told = json.loads(ask(server, "query", soql, "--org", org, "--json"))
    rows = [(row["Name"], row["Owner"]["Name"]) for row in told["records"]]
    assert rows == [tuple(line.split("\t")) for line in lines]
    assert "No such column" in run("query", "SELECT X FROM Account", SIMORG_URL=server.url()).stderr


def test_requests(server: Server, org: str) -> None:
    ask(server, "query", "SELECT Id FROM Account", "--org", org)
    assert ask(server, "requests", "--org", org) == "", "the control API is not journaled"
    password_login(server, org)
    [line] = ask(server, "requests", "--org", org, "--surface", "OAUTH").splitlines()
    number, _, *cells = line.split("\t")
    assert cells[:4] == ["oauth", "token", "POST", "/services/oauth2/token"]
    assert cells[-2:] == ["400", "invalid_grant"]
    [told] = json.loads(ask(server, "requests", "--org", org, "--json"))["requests"]
    assert told["number"] == int(number) and told["app"] == "Approved Integration"
    assert "status" in refused(server, "requests", "--status", "6xx")


def password_login(server: Server, org: str) -> None:
    with simorg.testing.connect(server.url()) as remote, pytest.raises(LoginRefused):
        remote.org(org).login("standard", app="Approved Integration", password="wr0ng")


def test_requests_are_followed(server: Server, org: str) -> None:
    command = [sys.executable, "-m", "simorg", "requests", "-f", "--org", org, "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*command, "--url", server.url()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    ) as following:
        assert following.stdout is not None
        for _ in range(2):
            password_login(server, org)
            assert json.loads(following.stdout.readline())["operation"] == "token"
        following.send_signal(signal.SIGINT)
        assert following.wait(60) == 0
        assert following.stderr is not None and following.stderr.read() == ""


def seen_on_a_terminal(*arguments: str) -> str:
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"}
        command = [sys.executable, "-m", "simorg", *arguments]
        with subprocess.Popen(command, stdout=theirs, env=environment) as done:
            os.close(theirs)
            told = b""
            with suppress(OSError):  # the other end is closed
                while piece := terminal.read(4096):
                    told += piece
        assert done.returncode == 0
    return told.decode()


def test_a_terminal_gets_a_table(server: Server) -> None:
    """Names that look like rich's markup stay text."""
    url = server.url()
    made = json.loads(ask(server, "org", "create", "--name", "[red]Mine[/red]", "--json"))
    text = seen_on_a_terminal("orgs", "--url", url)
    ask(server, "org", "delete", made["id"])
    assert "Edition" in text and "[red]Mine[/red]" in text


# -- completion ----------------------------------------------------------------------------------


def offered(*words: str, begun: str = "") -> list[str]:
    complete = ShellComplete(main, {}, "simorg", "_SIMORG_COMPLETE")
    return [item.value for item in complete.get_completions(list(words), begun)]


def test_words_are_asked_of_the_server(
    server: Server, org: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMORG_URL", server.url())
    assert offered("app", begun="self") == ["Self Service"]
    assert org in offered("org", "reset")
    assert offered("explain", "--user", begun="stand") == ["standard@acme.example"]
    assert offered("settings", begun="apiA") == ["apiAccessControl"]
    assert "adminApprovedUsersOnly=" in offered("settings", "apiAccessControl")
    assert offered(begun="exp")[0] == "explain"


def test_no_server_is_no_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMORG_URL", "http://127.0.0.1:1")
    assert offered("app") == [] and offered("settings") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    text = run("completion", shell).output
    assert f"_SIMORG_COMPLETE={shell}_complete" in text
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)


def test_bash_quotes_what_has_spaces(tmp_path: Path) -> None:
    (tmp_path / "simorg").write_text("#!/bin/sh\necho 'plain,Self Service'\n")
    (tmp_path / "simorg").chmod(0o700)
    program = (
        f"{run('completion', 'bash').output}\nCOMP_WORDS=(simorg app Se) COMP_CWORD=2\n"
        '_simorg_completion simorg; echo "${COMPREPLY[@]}"'
    )
    env = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    told = subprocess.check_output(["bash"], input=program, env=env, text=True)
    assert told == "Self\\ Service\n"


def test_completion_of_an_unknown_shell() -> None:
    assert run("completion", SHELL="/bin/tcsh").exit_code == USAGE
