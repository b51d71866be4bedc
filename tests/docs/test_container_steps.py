"""The steps of the image and the commands of the compose files, without a container engine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from tests.conftest import POSTGRES
from tests.docs.dockerfile import FILE, last
from tests.docs.snippets import ROOT
from tests.postgres_server import database, postgres
from tests.test_packaging import clean, unreachable


@contextmanager
def served(argv: list[str], folder: Path, **variables: str) -> Iterator[dict[str, Any]]:
    """A server of this command line on free ports; its ready file. It must end with 0."""
    folder.mkdir(exist_ok=True)
    ready = folder / "ready.json"
    ports = ["--port", "0", "--tls-port", "0", "--proxy-port", "0", "--ready-file", str(ready)]
    process = subprocess.Popen(
        [*argv, *ports],
        cwd=folder,
        env={**clean(), **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        end = time.monotonic() + 120
        while not ready.exists():
            assert process.poll() is None and time.monotonic() < end, process.communicate()
            threading.Event().wait(0.02)
        yield json.loads(ready.read_text())
    finally:
        process.send_signal(getattr(signal, last("STOPSIGNAL").rest))
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors


def health(python: Path | str, http: str, token: str | None) -> int:
    """The exit code of the health check, by that Python."""
    script = ROOT / "examples" / "containers" / "healthcheck.py"
    variables = {"SIMORG_HEALTH_URL": f"{http}/_simorg/health"}
    variables |= {"SIMORG_CONTROL_TOKEN": token} if token else {}
    # a proxy that nobody listens at: the check must not ask it
    variables |= {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [str(python), str(script)], env={**clean(), **variables}, capture_output=True
    )
    return done.returncode


def well(python: Path | str, http: str, token: str) -> bool:
    """As an engine judges: one check that takes too long on a busy machine is no verdict."""
    return any(health(python, http, token) == 0 for _ in range(10))


def with_state(argv: list[str], state: Path) -> list[str]:
    return [word.replace("/var/lib/simorg", str(state)) for word in argv]


@pytest.mark.slow
@pytest.mark.skipif(bool(POSTGRES), reason="serves on SQLite")
def test_the_health_check_tells_well_from_ill(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", *last("ENTRYPOINT").argv, *last("CMD").argv]
    variables = {"SIMORG_CONTROL_TOKEN": "t0ken", "PYTHONPATH": str(ROOT)}
    with served(with_state(argv, tmp_path / "state"), tmp_path, **variables) as info:
        assert well(sys.executable, info["http"], "t0ken")
        assert health(sys.executable, info["http"], "another") == 1
    assert health(sys.executable, info["http"], "t0ken") == 1  # it is gone
    assert (tmp_path / "state" / "tls" / "ca.pem").is_file()


def _sources(folder: Path) -> Path:
    """What the build context lets in."""
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    folder.mkdir()
    for name in ("simorg", "fixtures", "wsdl"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


def _wheel(sources: Path, out: Path) -> Path:
    epoch = next(each.rest for each in FILE if each.word == "ARG").split("=")[1]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(out), "."],
        cwd=sources,
        env={**os.environ, "SOURCE_DATE_EPOCH": epoch, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
    )
    unreachable(done)
    assert done.returncode == 0, done.stderr
    (made,) = out.glob("simorg-*.whl")
    return made


@pytest.mark.slow
@pytest.mark.skipif(bool(POSTGRES), reason="serves on SQLite")
def test_the_steps_of_the_image(tmp_path: Path) -> None:
    """Build the wheel, twice the same; install it; serve by the image's command; ask it."""
    first = _wheel(_sources(tmp_path / "one"), tmp_path / "wheels-one")
    second = _wheel(_sources(tmp_path / "two"), tmp_path / "wheels-two")
    assert first.read_bytes() == second.read_bytes()
    environment = tmp_path / "opt"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", f"{first}[postgres]"],
        capture_output=True,
        text=True,
    )
    unreachable(done)
    assert done.returncode == 0, done.stderr
    entry = [str(environment / "bin" / last("ENTRYPOINT").argv[0]), *last("CMD").argv]
    state = tmp_path / "state"
    for _ in range(2):  # the second finds the state of the first
        variables = {"SIMORG_CONTROL_TOKEN": "t0ken"}
        (tmp_path / "ready.json").unlink(missing_ok=True)
        with served(with_state(entry, state), tmp_path, **variables) as info:
            assert well(python, info["http"], "t0ken")
    assert (state / "catalogue.sqlite").is_file()


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.skipif(bool(POSTGRES), reason="starts a PostgreSQL of its own")
def test_the_command_of_the_postgres_service(tmp_path: Path) -> None:
    """Workers on a database whose user comes from PGUSER, as in postgres.env."""
    told = yaml.safe_load((ROOT / "compose.postgres.yaml").read_text())
    command = told["services"]["simorg"]["command"]
    with postgres() as server, database(server) as url:
        name = url.partition("?")[0].rpartition("/")[2]
        folder = url.partition("host=")[2]
        there = f"//{quote(folder, safe='')}/{name}"
        argv = [word.replace("//database/simorg", there) for word in command]
        argv = [sys.executable, "-m", "simorg", *with_state(argv, tmp_path / "state")]
        variables = {"PGUSER": "simorg", "SIMORG_CONTROL_TOKEN": "t0ken"}
        variables["PYTHONPATH"] = str(ROOT)
        with served(argv, tmp_path, **variables) as info:
            for _ in range(8):  # whichever worker answers
                assert well(sys.executable, info["http"], "t0ken")
