"""Snapshots by the Python API and the command line: by name, in files, as new orgs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import simorg.testing
from simorg.cli import main
from simorg.testing import ControlRefused, Org, Simorg

LATER = "SELECT Id FROM Account WHERE Name = 'Later'"


def test_kept_states(org: Org) -> None:
    assert org.snapshots == []
    first = org.snapshot()
    org.create("Account", Name="Later")
    org.snapshot("second")
    assert [one.name for one in org.snapshots] == ["second", first]
    assert all(one.made and one.size for one in org.snapshots)
    org.restore(first)
    assert org.query(LATER) == []
    org.drop_snapshot(first)
    with pytest.raises(ControlRefused):
        org.restore(first)


def test_a_state_in_a_file(server: Simorg, org: Org, tmp_path: Path) -> None:
    org.create("Account", Name="Later")
    org.add_user("maria")
    session = org.login("maria")
    file = org.save(tmp_path / "state.simorg")
    assert org.snapshots == []
    with server.create(snapshot=file, name="twin") as twin:
        assert (twin.name, len(twin.query(LATER))) == ("twin", 1)
        assert twin.username("maria") != org.username("maria")
        assert twin.login("maria").query(LATER)
    org.reset()
    assert org.query(LATER) == []
    org.restore(str(file))
    assert session.query(LATER)
    with pytest.raises(FileNotFoundError):
        org.restore("none.simorg")
    with pytest.raises(TypeError):
        server.create("acme", snapshot=file)
    (tmp_path / "broken").write_bytes(file.read_bytes()[:5000])
    with pytest.raises(ControlRefused, match="no zip"):
        org.restore(tmp_path / "broken")


def run(org: Org, *arguments: str) -> tuple[int, Any]:
    asked = ["snapshot", *arguments, "--org", org.id, "--url", org.server.url, "--json"]
    result = CliRunner().invoke(main, asked)
    return result.exit_code, json.loads(result.stdout) if result.exit_code == 0 else result.output


def test_the_command(server: Simorg, org: Org, tmp_path: Path) -> None:
    file = str(tmp_path / "state.simorg")
    assert run(org, "save", "one")[1]["name"] == "one"
    assert run(org, "save", "--file", file)[1]["bytes"] == Path(file).stat().st_size
    assert [one["name"] for one in run(org, "list")[1]["snapshots"]] == ["one"]
    org.create("Account", Name="Later")
    assert run(org, "restore", "one")[1]["id"] == org.id
    assert org.query(LATER) == []
    assert run(org, "restore", file)[1]["id"] == org.id
    made = run(org, "restore", file, "--new", "--name", "copy")[1]
    assert (made["name"], made["id"] == org.id) == ("copy", False)
    server.org(made["id"]).drop()
    assert run(org, "delete", "one") == (0, {"deleted": "one"})
    for wrong in (["save"], ["restore", "one"], ["restore", "no.file"], ["restore", "x", "--new"]):
        assert run(org, *wrong)[0] == 2


def test_a_server_starts_with_a_file(org: Org, tmp_path: Path) -> None:
    """It serves as a definition, for ``--org`` and for every org made there, also after a
    restart on the same state."""
    org.create("Account", Name="Later")
    file = org.save(tmp_path / "state.simorg")
    for _ in range(2):
        with simorg.testing.start(orgs=(file,), state=tmp_path / "state") as other:
            assert len(other.default_org.query(LATER)) == 1
            with other.create(snapshot=file) as made:
                made.create("Account", Name="Later")
                made.reset()
                assert len(made.query(LATER)) == 1
