"""The wheel and the sdist: complete, and able to serve from an empty environment."""

from __future__ import annotations

import configparser
import os
import shutil
import ssl
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.conftest import POSTGRES

pytestmark = pytest.mark.skipif(bool(POSTGRES), reason="the same on every database")
ROOT = Path(__file__).parent.parent
SOURCES = {
    "simorg": ROOT / "simorg",
    "simorg/fixtures": ROOT / "fixtures",
    "simorg/wsdl": ROOT / "wsdl",
}
NOT_OURS = ("__pycache__", ".mypy_cache", ".ruff_cache")


def tree() -> dict[str, Path]:
    """Every file that has to be in the wheel, by its name there."""
    return {
        f"{inside}/{path.relative_to(folder).as_posix()}": path
        for inside, folder in SOURCES.items()
        for path in folder.rglob("*")
        if path.is_file() and not any(part in NOT_OURS for part in path.parts)
    }


def setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def test_every_package_is_told() -> None:
    told = set(setup()["options"]["packages"].split())
    there = {
        Path(name).parent.as_posix().replace("/", ".") for name in tree() if name.endswith(".py")
    }
    assert told == there


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {Path(name).parent for name in tree() if name.endswith(".py")}
    names = set(tree())
    assert not [f for f in folders if f"{f.as_posix()}/__init__.py" not in names]


def test_pyproject_names_only_the_build_system() -> None:
    import tomllib

    assert set(tomllib.loads((ROOT / "pyproject.toml").read_text())) == {"build-system"}


def built(kind: str, folder: Path) -> Path:
    """A ``wheel`` or ``sdist`` of a copy, so that nothing an earlier build left behind gets in."""
    ignore = shutil.ignore_patterns(*NOT_OURS)
    for name in ("simorg", "fixtures", "wsdl"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    done = subprocess.run(
        [sys.executable, "-m", "build", f"--{kind}", "--outdir", "dist", "."],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    unreachable(done)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = (folder / "dist").iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("wheel", tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("sdist", tmp_path_factory.mktemp("source"))


def unreachable(done: subprocess.CompletedProcess[str]) -> None:
    """Skip where pip has no package index (never in CI)."""
    signs = ("No matching distribution found", "Could not find a version")
    told = done.stdout + done.stderr
    if done.returncode and any(s in told for s in signs):
        if os.environ.get("SIMORG_REQUIRE_ALL"):
            pytest.fail(told)
        pytest.skip("pip reaches no package index")


def test_wheel_carries_every_file_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {n: archive.read(n) for n in archive.namelist() if not n.endswith("/")}
    told = {name for name in inside if ".dist-info/" not in name}
    assert told == set(tree())
    for name in (
        "simorg/py.typed",
        "simorg/org/query/soql.lark",
        "simorg/wsdl/partner.wsdl",
        "simorg/fixtures/orgs/acme.yaml",
        "simorg/oauth/templates/oauth_login.html",
    ):
        assert name in told
    assert any(name.endswith("licenses/LICENSE") for name in inside)
    entry = next(text for name, text in inside.items() if name.endswith("entry_points.txt"))
    assert b"simorg = simorg.cli:main" in entry


def test_metadata(wheel: Path) -> None:
    from simorg import __version__

    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        told = archive.read(name).decode()
    assert f"Version: {__version__}\n" in told
    assert "License-Expression: Apache-2.0" in told or "License: Apache-2.0" in told
    assert "Requires-Python: <3.14,>=3.11" in told
    for extra in ("postgres", "demo", "dev"):
        assert f"Provides-Extra: {extra}" in told


@pytest.mark.slow
def test_sdist_builds_the_same_wheel(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path / "dist", source],
        capture_output=True,
        text=True,
    )
    unreachable(done)
    assert done.returncode == 0, done.stdout + done.stderr
    (again,) = (tmp_path / "dist").iterdir()
    with zipfile.ZipFile(again) as ours, zipfile.ZipFile(wheel) as first:
        names = {n for n in first.namelist() if not n.endswith("RECORD")}
        assert {n for n in ours.namelist() if not n.endswith("RECORD")} == names
        assert all(ours.read(name) == first.read(name) for name in names)


def python(version: str) -> Path:
    """The interpreter of a version, ours or another that this machine has."""
    if version == "{}.{}".format(*sys.version_info):
        return Path(sys.executable)
    candidates = [Path(found)] if (found := shutil.which(f"python{version}")) else []
    if pyenv := shutil.which("pyenv"):
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True).stdout
        candidates += Path(root.strip()).glob(f"versions/{version}.*/bin/python")
    for candidate in candidates:
        # a version manager's stand-in may lead nowhere
        if not subprocess.run([candidate, "--version"], capture_output=True).returncode:
            return candidate
    pytest.skip(f"there is no Python {version} here")


@pytest.fixture(scope="module", params=["3.11", "3.12", "3.13"])
def installed(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The programs' folder of an empty environment into which the wheel was installed."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([python(request.param), "-m", "venv", folder], check=True)
    done = subprocess.run(
        [folder / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check", wheel],
        capture_output=True,
        text=True,
    )
    unreachable(done)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "bin"


def clean() -> dict[str, str]:
    """An environment that leads nowhere near this source tree."""
    return {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "SIMORG", "VIRTUAL"))
    }


def serve(program: Path, cwd: Path) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    ready = cwd / "ready.json"
    ports = ["--port", "0", "--tls-port", "0", "--proxy-port", "0"]
    started = subprocess.Popen(
        [program, "serve", *ports, "--ready-file", ready.name],
        cwd=cwd,
        env=clean(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 120
    while not ready.exists():
        assert started.poll() is None and time.monotonic() < end, started.communicate()
        threading.Event().wait(0.02)
    return started, orjson.loads(ready.read_bytes())


LOGIN = b"""<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>
<login xmlns="urn:partner.soap.sforce.com"><username>admin@acme.example</username>
<password>simorg123</password></login></e:Body></e:Envelope>"""


@pytest.mark.slow
def test_serves_from_anywhere(installed: Path, tmp_path: Path) -> None:
    started, info = serve(installed / "simorg", tmp_path)
    try:
        trust = ssl.create_default_context(cafile=info["ca"])
        for base in (info["http"], info["https"]):
            request = urllib.request.Request(f"{base}/services/data")
            context = trust if base.startswith("https") else None
            with urllib.request.urlopen(request, timeout=60, context=context) as answer:
                assert orjson.loads(answer.read())[0]["url"] == "/services/data/v31.0"
        url = f"{info['http']}/services/Soap/u/59.0"
        with urllib.request.urlopen(f"{url}?wsdl", timeout=60) as answer:
            assert url.encode() in answer.read()
        request = urllib.request.Request(url, LOGIN, {"Content-Type": "text/xml"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert b"<sessionId>" in answer.read()
    finally:
        started.terminate()
        out, err = started.communicate(timeout=60)
    assert (started.returncode, err) == (0, "")


@pytest.mark.slow
def test_other_commands_say_what_they_need(installed: Path, tmp_path: Path) -> None:
    """Without the extras, the commands that need them name them."""
    for command, extra in (
        (["demo"], "simorg[demo]"),
        (["serve", "--port", "0", "--database", "postgresql://localhost/x"], "simorg[postgres]"),
    ):
        done = subprocess.run(
            [installed / "simorg", *command],
            cwd=tmp_path,
            env=clean(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 3
        assert extra in done.stderr and "Traceback" not in done.stderr
