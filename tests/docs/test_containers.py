"""The image and the compose files, as far as they can be held without a container engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from click import Context

from simorg.cli import main
from tests.conftest import POSTGRES
from tests.docs.snippets import ROOT
from tests.postgres_server import database, postgres
from tests.test_packaging import clean, unreachable

COMPOSE = ("compose.yaml", "compose.postgres.yaml")
SHELL_FREE = ("CMD", "ENTRYPOINT")


@dataclass(frozen=True)
class Instruction:
    word: str
    rest: str

    @property
    def argv(self) -> list[str]:
        """The exec form. Raises ``ValueError`` for a shell form."""
        told: list[str] = json.loads(self.rest[self.rest.index("[") :])
        return told


def instructions() -> list[Instruction]:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    whole = re.sub(r"\\\n\s*", " ", text)
    return [Instruction(*line.split(maxsplit=1)) for line in whole.splitlines() if line.strip()]


FILE = instructions()
START = max(n for n, each in enumerate(FILE) if each.word == "FROM")
FINAL = FILE[START:]


def last(word: str) -> Instruction:
    return [each for each in FINAL if each.word == word][-1]


# -- the Dockerfile --------------------------------------------------------------------------------


def test_stages_begin_with_a_pinned_slim_base() -> None:
    bases = [each.rest for each in FILE if each.word == "FROM"]
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:3\.\d+-slim(@sha256:\w{64})?( AS \w+)?", b) for b in bases)
    assert len({base.split()[0] for base in bases}) == 1, "the environment moves as it is"


def test_the_base_is_a_python_we_support() -> None:
    told = (ROOT / "setup.cfg").read_text()
    version = re.search(r"python:(3\.\d+)", FILE[0].rest)
    assert version and f"Python :: {version[1]}\n" in told


def test_the_image_runs_as_somebody_without_rights() -> None:
    user, _, group = last("USER").rest.partition(":")
    assert user.isdigit() and group.isdigit() and int(user) >= 10_000
    assert f"--uid {user}" in " ".join(each.rest for each in FINAL if each.word == "RUN")
    after = FINAL[FINAL.index(last("USER")) :]
    assert not [each for each in after if each.word in ("RUN", "COPY", "ADD")]


def test_commands_are_in_exec_form() -> None:
    for word in SHELL_FREE:
        assert last(word).argv
    assert last("HEALTHCHECK").argv and " CMD [" in last("HEALTHCHECK").rest


def test_the_final_stage_holds_no_sources_and_no_cache() -> None:
    copied = [each.rest for each in FINAL if each.word == "COPY"]
    assert copied[0] == "--from=build /opt/simorg /opt/simorg"
    assert [c.split()[0] for c in copied[1:]] == ["examples/containers/healthcheck.py"]
    assert not [each for each in FILE if each.word == "ADD"]
    assert not [each for each in FINAL if each.word == "RUN" and "pip" in each.rest]
    assert "PIP_NO_CACHE_DIR=1" in next(each.rest for each in FILE if each.word == "ENV")


def test_it_says_what_it_is_and_how_it_is_asked_and_stopped() -> None:
    labels = re.findall(r"org\.opencontainers\.image\.(\w+)=", last("LABEL").rest)
    assert {"title", "description", "licenses", "version"} <= set(labels)
    assert last("EXPOSE").rest.split() == ["8080", "8443", "8888"]
    assert last("STOPSIGNAL").rest == "SIGTERM"
    told = last("HEALTHCHECK").rest
    assert all(f"--{name}=" in told for name in ("interval", "timeout", "start-period", "retries"))
    assert last("HEALTHCHECK").argv[0] == "python"


def test_no_secret_is_written_down() -> None:
    texts = [(ROOT / name).read_text() for name in ("Dockerfile", *COMPOSE)]
    texts += [path.read_text() for path in (ROOT / "examples" / "containers").glob("*.example")]
    for text in texts:
        assert not re.search(r"(?:TOKEN|PASSWORD)=(?!\.\.\.)[^\s]", text)
        assert not re.search(r"postgresql://[^/\s]*:[^/\s]*@", text)


def test_the_build_context_is_what_is_copied() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line]
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {line[1:] for line in rules if line.startswith("!")}
    copied = set()
    for each in FILE:
        if each.word == "COPY" and "--from=" not in each.rest:
            copied |= set(each.rest.split()[:-1])
    assert copied == let_in
    assert all((ROOT / name).exists() for name in let_in)


# -- compose ---------------------------------------------------------------------------------------


@pytest.fixture(params=COMPOSE)
def compose(request: pytest.FixtureRequest) -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((ROOT / request.param).read_text())
    return told


#: of the compose specification, what is used here
TOP = {"name", "services", "volumes"}
SERVICE = set(
    "image build init restart depends_on env_file command ports volumes healthcheck shm_size"
    " stop_grace_period read_only tmpfs cap_drop security_opt".split()
)
HEALTH = {"test", "interval", "timeout", "retries", "start_period", "start_interval"}


def test_compose_files_are_of_the_specification(compose: dict[str, Any]) -> None:
    assert set(compose) <= TOP
    for service in compose["services"].values():
        assert set(service) <= SERVICE
        assert set(service.get("healthcheck", {})) <= HEALTH
        for name, on in service.get("depends_on", {}).items():
            assert name in compose["services"] and on == {"condition": "service_healthy"}
            assert "healthcheck" in compose["services"][name]
        for place in service["volumes"]:
            assert place.split(":")[0] in compose["volumes"]


def test_services_keep_to_loopback_and_have_no_rights(compose: dict[str, Any]) -> None:
    simorg = compose["services"]["simorg"]
    assert {port.rsplit(":", 1)[0].split(":")[0] for port in simorg["ports"]} == {"127.0.0.1"}
    assert {port.rsplit(":", 1)[1] for port in simorg["ports"]} == set(last("EXPOSE").rest.split())
    assert simorg["read_only"] and simorg["cap_drop"] == ["ALL"] and simorg["init"]
    for service in compose["services"].values():
        assert "no-new-privileges:true" in service["security_opt"]
        assert "environment" not in service and service["env_file"]


def test_env_files_have_examples(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name in service["env_file"]:
            assert (ROOT / "examples" / "containers" / f"{name}.example").is_file()


def test_commands_are_options_of_serve(compose: dict[str, Any]) -> None:
    serve = main.get_command(Context(main), "serve")
    assert serve is not None
    known = {option for each in serve.params for option in each.opts}
    command = compose["services"]["simorg"].get("command", last("CMD").argv)
    assert command[0] == "serve"
    given = {word.partition("=")[0] for word in command if word.startswith("--")}
    assert given <= known and "--host" in given


def test_the_database_has_what_the_docs_ask_for() -> None:
    told = yaml.safe_load((ROOT / "compose.postgres.yaml").read_text())
    database_command = told["services"]["database"]["command"]
    assert "max_locks_per_transaction=512" in database_command
    assert re.fullmatch(r"postgres:\d+", told["services"]["database"]["image"])


# -- the steps themselves --------------------------------------------------------------------------


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
        end = time.monotonic() + 60
        while not ready.exists():
            assert process.poll() is None and time.monotonic() < end, process.communicate()
            threading.Event().wait(0.02)
        yield json.loads(ready.read_text())
    finally:
        process.send_signal(getattr(signal, last("STOPSIGNAL").rest))
        _, errors = process.communicate(timeout=30)
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


def with_state(argv: list[str], state: Path) -> list[str]:
    return [word.replace("/var/lib/simorg", str(state)) for word in argv]


@pytest.mark.slow
@pytest.mark.skipif(bool(POSTGRES), reason="serves on SQLite")
def test_the_health_check_tells_well_from_ill(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", *last("ENTRYPOINT").argv, *last("CMD").argv]
    variables = {"SIMORG_CONTROL_TOKEN": "t0ken", "PYTHONPATH": str(ROOT)}
    with served(with_state(argv, tmp_path / "state"), tmp_path, **variables) as info:
        assert health(sys.executable, info["http"], "t0ken") == 0
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
            assert health(python, info["http"], "t0ken") == 0
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
                assert health(sys.executable, info["http"], "t0ken") == 0
