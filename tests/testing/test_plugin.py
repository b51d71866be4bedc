"""The pytest plugin in projects of its own: fixtures, markers, options, isolation, xdist."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.conftest import Live
from tests.conftest import POSTGRES

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.skipif(bool(POSTGRES), reason="the plugin's own servers are on SQLite")

ROOT = Path(__file__).parents[2]
DEFINITION = """\
org: {name: Small, edition: Developer}
licenses:
  Salesforce: {key: SFDC}
profiles:
  Everybody: {license: Salesforce, permissions: all, without: [ApiUserOnly, TwoFactorApi]}
users:
  one@small.example: {profile: Everybody, lastName: One, password: one}
"""

ISOLATION = """
import pytest

@pytest.mark.parametrize("number", range(6))
def test_alone(simorg_org, simorg_server, number):
    assert simorg_org.query("SELECT COUNT(Id) n FROM Account WHERE Name = 'Mine'") == [{"n": 0}]
    assert not simorg_org.api_access_control.enabled
    assert simorg_org.app("Uninstalled Tool").installed is False
    simorg_org.create("Account", Name="Mine")
    simorg_org.api_access_control.enable()
    simorg_org.app("Uninstalled Tool").install()
    simorg_org.clock.freeze("2040-01-01T00:00:00Z")
    assert simorg_org.login("integration", app="Approved Integration").query(
        "SELECT Id FROM Account WHERE Name = 'Mine'")
"""

ORDERLY = """
[pytest]
filterwarnings = error
addopts = --strict-markers -p no:cacheprovider
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project where warnings are errors, with the plugin as an installation has it."""
    for name in ("SIMORG_URL", "SIMORG_CA", "SIMORG_CONTROL_TOKEN", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makefile(".ini", pytest=ORDERLY)
    return pytester


def run(project: pytest.Pytester, *options: str) -> pytest.RunResult:
    """In a process of its own, where the plugin comes by its entry point."""
    return project.runpytest_subprocess(*options)


def test_each_test_has_an_org_of_its_own(project: pytest.Pytester) -> None:
    project.makepyfile(ISOLATION)
    run(project).assert_outcomes(passed=6)


def test_orgs_are_deleted_even_if_the_test_fails(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def test_one(simorg_org):
            simorg_org.create("Account", Name="Mine")
            assert False, "on purpose"

        def test_two(simorg_org):
            simorg_org.drop()

        def test_three(simorg_server):
            assert [org.id for org in simorg_server.orgs()] == [simorg_server.default_org.id]
        """
    )
    result = run(project)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*on purpose*"])


def test_markers_choose_the_org(project: pytest.Pytester) -> None:
    project.makefile(".yaml", small=DEFINITION, child="extends: small.yaml\norg: {name: Child}\n")
    project.mkdir("deep").joinpath("beside.yaml").write_text(DEFINITION.replace("Small", "Beside"))
    project.path.joinpath("deep", "test_deep.py").write_text(
        "import pytest\n"
        "@pytest.mark.simorg(org='beside.yaml')\n"
        "def test_beside(simorg_org):\n"
        "    assert simorg_org.name == 'Beside'\n"
    )
    project.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.simorg(org="small.yaml")

        def test_of_the_module(simorg_org):
            assert (simorg_org.name, simorg_org.edition) == ("Small", "Developer")
            assert simorg_org.login("one").access_token

        @pytest.mark.simorg(org="child.yaml")
        def test_a_file_that_builds_on_another(simorg_org):
            assert simorg_org.name == "Child" and simorg_org.user("one")

        @pytest.mark.simorg(edition="Professional", name="nearer")
        def test_nearer(simorg_org):
            assert (simorg_org.name, simorg_org.edition) == ("nearer", "Professional")

        @pytest.mark.simorg(org=None, edition="Developer")
        def test_the_default_again(simorg_org):
            assert simorg_org.edition == "Developer"
            assert simorg_org.user("admin")
        """
    )
    run(project).assert_outcomes(passed=5)


def test_wrong_markers_are_told(project: pytest.Pytester) -> None:
    project.makefile(".yaml", bad=DEFINITION.replace("password", "passwort"))
    project.makepyfile(
        """
        import pytest

        @pytest.mark.simorg("small.yaml")
        def test_positional(simorg_org): ...

        @pytest.mark.simorg(organisation="small.yaml")
        def test_unknown(simorg_org): ...

        @pytest.mark.simorg(org="nowhere.yaml")
        def test_missing(simorg_org): ...

        @pytest.mark.simorg(org="bad.yaml")
        def test_bad(simorg_org): ...
        """
    )
    result = run(project)
    result.assert_outcomes(errors=4)
    result.stdout.fnmatch_lines(
        [
            "*the marker is simorg(org=...*",
            "*there is no org definition nowhere.yaml: not beside the test, *",
            "*bad.yaml:7:58: users.one@small.example*",
        ]
    )


def test_options_of_the_project(project: pytest.Pytester) -> None:
    project.makefile(".yaml", small=DEFINITION)
    ini = ORDERLY + "simorg_org = small.yaml\nsimorg_edition = Unlimited\n"
    project.makefile(".ini", pytest=ini)
    project.makepyfile(
        """
        def test_it(simorg_org):
            assert (simorg_org.name, simorg_org.edition) == ("Small", "Unlimited")
        """
    )
    run(project).assert_outcomes(passed=1)


def test_a_running_server(project: pytest.Pytester, live: Live) -> None:
    project.makefile(".ini", pytest=f"{ORDERLY}simorg_url = {live.http}\n")
    project.makepyfile(
        ISOLATION
        + f"""
def test_there(simorg_server):
    assert simorg_server.http == {live.http!r}
"""
    )
    result = run(project)
    result.assert_outcomes(passed=7)
    result.stdout.fnmatch_lines([f"simorg: {live.http}"])


def test_the_environment_names_the_server(
    project: pytest.Pytester, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMORG_URL", live.http)
    project.makepyfile(ISOLATION)
    result = run(project, "-n", "2")  # two workers, one server
    result.assert_outcomes(passed=6)


def test_workers_have_servers_of_their_own(project: pytest.Pytester) -> None:
    project.makepyfile(ISOLATION)
    run(project, "-n", "2").assert_outcomes(passed=6)


def test_it_is_quiet_where_it_is_not_used(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys

        def test_nothing_is_loaded():
            assert not {"simorg.testing.server", "simorg.org", "flask"} & sys.modules.keys()
        """
    )
    run(project).assert_outcomes(passed=1)
    result = run(project, "--fixtures", "-q")
    result.stdout.fnmatch_lines(["*simorg_org*", "*A fresh org for this test*"])


def test_the_entry_point_is_told() -> None:
    from importlib.metadata import entry_points

    (found,) = {point.value for point in entry_points(group="pytest11", name="simorg")}
    assert found == "simorg.testing.plugin"
