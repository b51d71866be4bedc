"""The compose files: they come up, serve, have no rights to lose, keep their orgs, and end."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import yaml

from tests.containers.conftest import TOKEN, Container, docker
from tests.docs.snippets import ROOT

pytestmark = pytest.mark.slow
SECRET = "p@ss/w:rd#1"
EXAMPLES = ROOT / "examples" / "containers"


class Project:
    """A compose file in a folder of its own, on free ports, with the image that is there."""

    def __init__(self, name: str, image: str, folder: Path) -> None:
        told = yaml.safe_load((ROOT / name).read_text("utf-8"))
        service = told["services"]["simorg"]
        assert service.pop("build") == "."
        service["image"] = image
        service["ports"] = [re.sub(r":\d+:", "::", port) for port in service["ports"]]
        self.services = list(told["services"])
        self.file = folder / name
        self.file.write_text(yaml.safe_dump(told), "utf-8")
        for example in EXAMPLES.glob("*.env.example"):
            filled = re.sub(r"PASSWORD=$", f"PASSWORD={SECRET}", example.read_text(), flags=re.M)
            filled = re.sub(r"TOKEN=$", f"TOKEN={TOKEN}", filled, flags=re.M)
            (folder / example.stem).write_text(filled)
        self.name = f"simorg-test-{os.getpid()}"

    def __call__(self, *words: str) -> str:
        return docker("compose", "-p", self.name, "-f", str(self.file), *words)

    def container(self, service: str) -> Container:
        return Container(self("ps", "--all", "--quiet", service))

    def up(self) -> Container:
        """As the docs say; simorg's container."""
        self("up", "--wait", "--wait-timeout", "180")
        return self.container("simorg")


@contextmanager
def project(name: str, image: str, folder: Path) -> Iterator[Project]:
    made = Project(name, image, folder)
    try:
        yield made
    finally:
        made("down", "--volumes", "--timeout", "5")


def _has_no_rights(container: Container) -> None:
    """Nothing to write to but the state and /tmp; no capability, and no way to one."""
    assert container.shell("id -u") == "10001"
    tried = "for f in /opt/simorg/x /etc/x /x /tmp/x x; do (: > $f) 2>/dev/null && echo $f; done"
    assert container.shell(f"{tried}; true").split() == ["/tmp/x", "x"]
    status = dict(
        line.split(":\t") for line in container.shell("cat /proc/self/status").splitlines()
    )
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"


def _workers(container: Container) -> set[int]:
    """The processes that answered some requests, each on a connection of its own."""
    url = f"http://{container.address(8080)}/_simorg/health"
    headers = {"Authorization": f"Bearer {TOKEN}", "Connection": "close"}
    return {requests.get(url, headers=headers, timeout=30).json()["pid"] for _ in range(60)}


@pytest.mark.parametrize(
    "name, workers", [("compose.yaml", 1), ("compose.postgres.yaml", 4)], ids=["sqlite", "postgres"]
)
def test_a_project_serves_keeps_and_ends(
    name: str, workers: int, image: str, tmp_path: Path
) -> None:
    with project(name, image, tmp_path) as made:
        container = made.up()
        _has_no_rights(container)
        assert (len(_workers(container)) > 1) == (workers > 1)
        for service in made.services:
            assert SECRET not in made.container(service).told("{{.Path}} {{.Args}}")
        with container.salesforce() as client:
            kept = client.Account.create({"Name": "Kept"})["id"]
            for _ in range(4 * workers):  # whichever worker answers
                assert client.Account.get(kept)["Name"] == "Kept"
        made("stop")
        for service in made.services:
            assert made.container(service).told("{{.State.ExitCode}}") == "0"
        made("down")
        with made.up().salesforce() as client:
            assert client.Account.get(kept)["Name"] == "Kept"
