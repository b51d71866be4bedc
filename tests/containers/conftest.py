"""What the tests of the image share: the image, and containers as a client sees them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from simple_salesforce import Salesforce

from tests.docs.dockerfile import FILE
from tests.docs.snippets import ROOT

TOKEN = "for-this-test"
#: of the default definition
USERNAME, PASSWORD, SECURITY_TOKEN = "integration@acme.example", "simorg123", "SIMORGTOKEN"


def docker(*words: str, ends: int = 0) -> str:
    """Run ``docker``; its output. It must end with that code."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=600)
    assert done.returncode == ends, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


class Container:
    """A container of the image, by name or id."""

    def __init__(self, name: str) -> None:
        self.name = name

    def told(self, template: str) -> str:
        """What ``docker inspect`` says, by a Go template."""
        return docker("inspect", "--format", template, self.name)

    def address(self, port: int) -> str:
        """Where that port is reached, as ``127.0.0.1:number``; another after each start."""
        return docker("port", self.name, f"{port}/tcp").splitlines()[0]

    def shell(self, script: str) -> str:
        """Run that inside; what it prints."""
        return docker("exec", self.name, "sh", "-c", script)

    def wait(self) -> None:
        """Until its health check has said yes; asked by the engine, not from here."""
        end = time.monotonic() + 120
        while (state := self.told("{{.State.Status}} {{.State.Health.Status}}")) != (
            "running healthy"
        ):
            assert state == "running starting" and time.monotonic() < end, docker("logs", self.name)
            time.sleep(0.2)

    def stop(self) -> None:
        """By SIGTERM, as the docs say; it must end well by itself."""
        began = time.monotonic()
        docker("stop", "-t", "35", self.name)
        assert time.monotonic() - began < 30, "killed after its grace period"
        assert self.told("{{.State.ExitCode}}") == "0", docker("logs", self.name)

    @contextmanager
    def salesforce(self, security_token: str = SECURITY_TOKEN) -> Iterator[Salesforce]:
        """simple-salesforce, logged in by SOAP over https with the server's own CA."""
        port = self.address(8443).rpartition(":")[2]
        asked = requests.get(
            f"http://{self.address(8080)}/_simorg/ca.pem",
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=30,
        )
        assert asked.status_code == 200, asked.text
        # simple-salesforce hands the session nothing but a path
        with requests.Session() as http, _file(asked.text) as ca:
            http.trust_env = False
            http.verify = str(ca)
            yield Salesforce(
                username=USERNAME,
                password=PASSWORD,
                security_token=security_token,
                domain=f"localhost:{port}/services/Soap/u/59.0?",
                session=http,
            )


@contextmanager
def _file(text: str) -> Iterator[Path]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / "ca.pem"
        path.write_text(text)
        yield path


@pytest.fixture(scope="session")
def image() -> Iterator[str]:
    """The name of the image, built as anybody builds it."""
    if not os.environ.get("SIMORG_TEST_DOCKER"):
        pytest.skip("`make image-test` runs it, where there is a container engine or can be one")
    name = f"simorg-test:{os.getpid()}"
    docker("build", "--build-arg", "PIP_INDEX_URL", "--tag", name, str(ROOT))
    yield name
    docker("image", "rm", name)


@pytest.fixture(scope="session")
def base(image: str) -> str:
    """The image that it is made from."""
    return next(each.rest for each in FILE if each.word == "FROM").split()[0]


@pytest.fixture
def volume() -> Iterator[str]:
    """A volume, gone afterwards."""
    name = docker("volume", "create")
    yield name
    docker("volume", "rm", name)


@contextmanager
def running(image: str, *options: str) -> Iterator[Container]:
    """A healthy container of the image's own command, gone afterwards."""
    ports = [word for port in (8080, 8443) for word in ("--publish", f"127.0.0.1::{port}")]
    token = ("--env", f"SIMORG_CONTROL_TOKEN={TOKEN}")
    container = Container(docker("run", "--detach", *ports, *token, *options, image))
    try:
        container.wait()
        yield container
    finally:
        docker("rm", "--force", "--volumes", container.name)
