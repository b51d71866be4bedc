"""A container engine for the tests of the image.

As a script it runs a command with one: ``python -m tests.containers.engine pytest -q``.
``SIMORG_TEST_DOCKER`` tells the tests that there is one. The engine is the Docker that answers
here; without one, and as root with debootstrap, a Docker of our own: Debian's packages in a folder
(``build/containers``, kept for the next run) that a daemon takes for its root, in namespaces for
mounts and processes. It shares the network with the machine, which gets back the firewall and the
interfaces that it had.

That Docker needs no image registry. Debian 13 has the Python and the PostgreSQL that the Dockerfile
and the compose file ask for, so its packages stand in for those images, under their names.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.docs.snippets import ROOT

FOLDER = ROOT / "build" / "containers"
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
DATABASE_ENTRY = Path(__file__).parent / "database_entry.sh"
#: what tree holds what; the second is made of the first
PYTHON = ("ca-certificates", "python3", "python3-venv", "python3-pip")
ENGINE = ("docker.io", "docker-cli", "docker-compose", "docker-buildx", "iptables", "iproute2")
DATABASE = "postgresql-17"
#: a command of its own mounts and processes, which end with it
APART = "unshare --mount --propagation private --pid --fork --kill-child".split()
FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
#: tables that were not there before are left empty
_NO_RULES = b"*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n*nat\nCOMMIT\n"
#: the arguments are the tree and the folder of the socket
DAEMON = """
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --rbind /sys "$1/sys"
mount --rbind /dev "$1/dev"
mount -t tmpfs tmpfs "$1/run"
mkdir -p "$1/sock" "$1/old"
mount --bind "$2" "$1/sock"
cd "$1"
pivot_root . old
umount -l /old
exec dockerd --host unix:///sock/docker.sock
"""


def answers(environment: dict[str, str]) -> bool:
    """Whether a Docker engine can be asked, and composes."""
    if shutil.which("docker", path=environment.get("PATH")) is None:
        return False
    asked = (["docker", "info"], ["docker", "compose", "version"])
    return all(
        subprocess.run(words, env=environment, capture_output=True).returncode == 0
        for words in asked
    )


def missing() -> str | None:
    """Why no engine of our own can be started here; None if it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "no Docker answers; to start one takes root on Linux"
    if shutil.which("debootstrap") is None:
        return "no Docker answers; to make one takes debootstrap (apt-get install debootstrap)"
    if subprocess.run([*APART, "true"], capture_output=True).returncode:
        return "no Docker answers; to start one takes namespaces, which are not allowed here"
    return None


def _run(*words: str | Path, **variables: str) -> None:
    subprocess.run(
        [str(word) for word in words],
        check=True,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
    )


@contextmanager
def _new(tree: Path) -> Iterator[Path]:
    """The folder to make a tree in; it takes its name when it is whole."""
    making = tree.with_name(f"{tree.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    yield making
    making.rename(tree)


def trees() -> tuple[Path, Path]:
    """A Debian with Python, and one with Docker and PostgreSQL too; made if they are not there."""
    python, engine = FOLDER / "python", FOLDER / "engine"
    if not python.exists():
        with _new(python) as tree:
            include = f"--include={','.join(PYTHON)}"
            _run("debootstrap", "--variant=minbase", include, "trixie", tree)
            (tree / "usr/local/bin/python").symlink_to("/usr/bin/python3")
            shutil.copy(f"/{CERTIFICATES}", tree / CERTIFICATES)  # with those of a proxy, if any
    if not engine.exists():
        with _new(engine) as tree:
            _run("cp", "-a", python, tree)
            shutil.copy("/etc/resolv.conf", tree / "etc/resolv.conf")
            start = tree / "usr/sbin/policy-rc.d"  # nothing is started by being installed
            start.write_text("#!/bin/sh\nexit 101\n")
            start.chmod(0o755)
            quiet = ("-q", "-y", "--no-install-recommends")
            install = ("chroot", tree, "apt-get", "install", *quiet, *ENGINE, DATABASE)
            _run("chroot", tree, "apt-get", "update", "-q")
            _run(*install, DEBIAN_FRONTEND="noninteractive")
            shutil.copy(DATABASE_ENTRY, tree / "usr/local/bin/docker-entrypoint.sh")
    return python, engine


def _programs(engine: Path) -> dict[str, str]:
    """Variables with which the tree's ``docker`` runs out here, and ``docker compose``."""
    programs, told = FOLDER / "bin", FOLDER / "config"
    programs.mkdir(exist_ok=True)
    told.mkdir(exist_ok=True)
    docker = programs / "docker"
    docker.unlink(missing_ok=True)
    docker.symlink_to(engine / "usr/bin/docker")
    plugins = str(engine / "usr/libexec/docker/cli-plugins")
    (told / "config.json").write_text(json.dumps({"cliPluginsExtraDirs": [plugins]}))
    return {"PATH": f"{programs}:{os.environ['PATH']}", "DOCKER_CONFIG": str(told)}


@contextmanager
def _network_as_it_was(engine: Path) -> Iterator[None]:
    """Take back what Docker does to the machine's firewall, forwarding and interfaces."""
    inside = ["chroot", str(engine)]
    rules = subprocess.run([*inside, "iptables-save"], capture_output=True, check=True).stdout
    forward, before = FORWARD.read_text(), set(os.listdir("/sys/class/net"))
    yield
    for name in sorted(set(os.listdir("/sys/class/net")) - before):
        subprocess.run([*inside, "ip", "link", "delete", name], check=False)
    subprocess.run([*inside, "iptables-restore"], input=_NO_RULES + rules, check=True)
    FORWARD.write_text(forward)


@contextmanager
def _daemon(engine: Path) -> Iterator[dict[str, str]]:
    """Start the tree's Docker, give the variables to reach it, stop it with all it runs."""
    with ExitStack() as stack:
        sockets = stack.enter_context(tempfile.TemporaryDirectory(prefix="simorg-docker-"))
        log = FOLDER / "dockerd.log"
        output = stack.enter_context(log.open("wb"))
        stack.enter_context(_network_as_it_was(engine))
        process = subprocess.Popen(
            [*APART, "sh", "-ec", DAEMON, "sh", str(engine), sockets],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            host = {"DOCKER_HOST": f"unix://{sockets}/docker.sock"}
            environment = {**os.environ, **_programs(engine), **host}
            end = time.monotonic() + 60
            while not answers(environment):
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"Docker does not start:\n{log.read_text()[-3000:]}")
                time.sleep(0.2)
            yield environment
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _import(environment: dict[str, str], tree: Path, name: str, *changes: str) -> None:
    """The tree as an image of that name, if there is none."""
    there = ["docker", "image", "inspect", name]
    if subprocess.run(there, env=environment, capture_output=True).returncode == 0:
        return
    words = ["docker", "import", *(word for each in changes for word in ("--change", each))]
    packed = ["tar", "-C", str(tree), "--exclude=./var/lib/docker", "-c", "."]
    with subprocess.Popen(packed, stdout=subprocess.PIPE) as tar:
        subprocess.run([*words, "-", name], env=environment, stdin=tar.stdout, check=True)
    if tar.returncode:
        raise RuntimeError(f"{name}: the folder could not be packed")


@contextmanager
def own_engine() -> Iterator[dict[str, str]]:
    """The environment of a Docker of our own, with stand-ins for the base images."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        python, engine = trees()
        with _daemon(engine) as environment:
            certificates = f"ENV PIP_CERT=/{CERTIFICATES}"
            _import(environment, python, "python:3.13-slim", 'CMD ["python3"]', certificates)
            _import(
                environment,
                engine,
                "postgres:17",
                "ENV PGDATA=/var/lib/postgresql/data",
                "ENV PATH=/usr/lib/postgresql/17/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "VOLUME /var/lib/postgresql/data",
                "STOPSIGNAL SIGINT",
                'ENTRYPOINT ["docker-entrypoint.sh"]',
                'CMD ["postgres"]',
            )
            yield environment


def main() -> int:
    """Run the command of the arguments where there is an engine."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the engine is stopped
    with ExitStack() as stack:
        environment = dict(os.environ)
        if not answers(environment):
            reason = missing()
            if reason is not None:
                print(reason, file=sys.stderr)
                if os.environ.get("SIMORG_REQUIRE_ALL"):
                    return 1
                return subprocess.call(sys.argv[1:])
            environment = stack.enter_context(own_engine())
        return subprocess.call(sys.argv[1:], env={**environment, "SIMORG_TEST_DOCKER": "1"})


if __name__ == "__main__":
    sys.exit(main())
