"""The image: what is in it, and that a container of it serves, keeps and ends."""

from __future__ import annotations

import json

import pytest
import requests
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

from tests.containers.conftest import docker, running
from tests.docs.dockerfile import last

pytestmark = pytest.mark.slow


def test_it_is_what_the_dockerfile_says(image: str) -> None:
    told = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", image))
    assert told["User"] == last("USER").rest
    assert told["StopSignal"] == "SIGTERM"
    assert set(told["ExposedPorts"]) == {f"{port}/tcp" for port in last("EXPOSE").rest.split()}
    assert told["Healthcheck"]["Test"] == ["CMD", *last("HEALTHCHECK").argv]
    assert docker("run", "--rm", image, "--help").startswith("Usage: simorg ")


def test_it_holds_nothing_but_what_serves(image: str, base: str) -> None:
    """No compiler, no sources, no cache, no pip of its own; and how much it adds to its base."""
    looked = "ls -d /src /wheels /root/.cache /opt/simorg/bin/pip* 2>/dev/null; command -v cc gcc"
    docker("run", "--rm", "--user", "0", "--entrypoint", "sh", image, "-c", looked, ends=127)
    sizes = [int(docker("image", "inspect", "--format", "{{.Size}}", n)) for n in (image, base)]
    assert sizes[0] - sizes[1] < 150e6


def test_a_container_serves_keeps_and_ends(image: str, volume: str) -> None:
    with running(image, "--volume", f"{volume}:/var/lib/simorg") as container:
        control = f"http://{container.address(8080)}/_simorg/orgs"
        assert requests.get(control, timeout=30).status_code in (401, 403)
        assert container.shell("id -u; id -g").split() == ["10001", "10001"]
        with container.salesforce() as client:
            made = client.Account.create({"Name": "Kept"})["id"]
        container.stop()
        docker("start", container.name)
        container.wait()
        with container.salesforce() as client:
            assert client.Account.get(made)["Name"] == "Kept"
        container.stop()


def test_a_password_alone_is_not_enough_from_outside(image: str) -> None:
    with running(image) as container:
        with pytest.raises(SalesforceAuthenticationFailed) as refused:
            with container.salesforce(security_token=""):
                pass
        assert refused.value.code == "LOGIN_MUST_USE_SECURITY_TOKEN"


def test_the_health_check_tells_when_nobody_answers(image: str) -> None:
    """The server stopped in its tracks; the check runs in the container, with its variables."""
    check = " ".join(last("HEALTHCHECK").argv)
    with running(image) as container:
        container.shell(check)
        docker("kill", "--signal", "STOP", container.name)
        docker("exec", container.name, *last("HEALTHCHECK").argv, ends=1)
        docker("kill", "--signal", "CONT", container.name)
        container.shell(check)
