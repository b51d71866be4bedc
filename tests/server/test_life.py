"""Starting and stopping: ports, ready file, state folder, processes, signals."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from simorg.org.seeds.parse import SeedError
from simorg.server.failures import CannotStart
from simorg.server.listeners import Listener
from simorg.server.server import Server
from simorg.server.sockets import CannotListen, in_url, listen, reachable
from tests.conftest import POSTGRES
from tests.server.conftest import config
from tests.waiting import until

PORTS = ("--port", "0", "--tls-port", "0", "--proxy-port", "0")


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as response:
        body: bytes = response.read()
        return body


def test_stops_in_milliseconds_and_leaves_nothing() -> None:
    """Listeners themselves start in a few milliseconds and end in less than a poll interval."""
    assert min(seconds_to_stop() for _ in range(3)) < 1.0, "the best of three: machines are busy"


def seconds_to_stop() -> float:
    before = threading.active_count()
    with Server(config()) as server:
        folder = server.folder
        idle = socket.create_connection(("127.0.0.1", server.http or 0))
        assert get(f"{server.url()}/services/data")
        assert folder.exists()
        begun = time.monotonic()
    took = time.monotonic() - begun
    assert not folder.exists()
    assert threading.active_count() <= before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.http or 0))
    with idle:
        assert idle.recv(1) == b""
    return took


def test_start_and_stop_again_and_again() -> None:
    for _ in range(3):
        with Server(config()) as server:
            assert get(f"{server.url()}/services/data")


def test_stop_is_safe_without_start_and_twice() -> None:
    server = Server(config())
    server.stop()
    server.stop()
    with pytest.raises(RuntimeError):
        _ = server.catalogue


def test_a_running_request_is_finished() -> None:
    running = threading.Event()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        running.set()
        body = environ["wsgi.input"].read(2)
        start_response("200 OK", [("Content-Length", "2")])
        return [body]

    listener = Listener(listen("127.0.0.1", 0), app, threads=2)
    listener.start()
    with socket.create_connection(("127.0.0.1", listener.port)) as raw:
        raw.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n[")
        assert running.wait(60)
        stopping = threading.Thread(target=listener.stop)
        stopping.start()
        raw.sendall(b"]")
        raw.settimeout(60)
        answer = b"".join(iter(lambda: raw.recv(4096), b""))
        stopping.join()
    assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"[]")


@pytest.mark.parametrize("which", ["port", "tls_port", "proxy_port"])
def test_port_in_use(which: str, tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"port {port} on 127.0.0.1 is in use"):
            Server(config(**{which: port}))


def test_a_failed_start_frees_what_it_took() -> None:
    with listen("127.0.0.1", 0) as taken, listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
        free.close()
        with pytest.raises(CannotListen):
            Server(config(port=port, tls_port=taken.getsockname()[1]))
        listen("127.0.0.1", port).close()


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid", "a..b"])
def test_addresses_that_are_not_ours(host: str) -> None:
    with pytest.raises(CannotListen, match=f"cannot listen on {host}"):
        Server(config(host=host))


def test_listeners_can_be_off() -> None:
    with Server(config(tls_port=None)) as server:
        assert server.https is None and server.proxy is None
        assert server.info()["https"] is None and server.info()["proxy"] is None
        with pytest.raises(LookupError):
            server.url("https")
        assert get(f"{server.url()}/services/data")


# -- addresses -----------------------------------------------------------------------------------


def has_ipv6() -> bool:
    try:
        listen("::1", 0).close()
    except CannotListen:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")


@needs_ipv6
def test_ipv6_loopback() -> None:
    with Server(config(host="::1")) as server:
        info = server.info()
        assert info["http"] == f"http://[::1]:{server.http}"
        assert info["proxy"] == f"http://[::1]:{server.proxy}"
        assert orjson.loads(get(f"{info['http']}/_simorg/health"))["status"] == "ok"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.http or 0))


@needs_ipv6
def test_every_address_of_both_kinds() -> None:
    with Server(config(host="::")) as server:
        for host in ("127.0.0.1", "::1"):
            assert get(f"http://{in_url(host)}:{server.http}/services/data")
        assert server.url() == f"http://[::1]:{server.http}"


def test_every_ipv4_address_is_named_by_one_that_works() -> None:
    with Server(config(host="0.0.0.0")) as server:
        assert server.url() == f"http://127.0.0.1:{server.http}"
        assert get(f"{server.url()}/services/data")
    assert reachable("192.0.2.1") == "192.0.2.1"


# -- ready file ----------------------------------------------------------------------------------


def test_ready_file(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text("of yesterday")
    with Server(config(ready_file=ready)) as server:
        told = orjson.loads(ready.read_bytes())
        assert set(told) == {"http", "https", "proxy", "ca", "pid", "orgs"}
        assert told["pid"] == os.getpid()
        assert told["orgs"][0]["name"] == "Acme"
        assert Path(told["ca"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
        assert get(f"{told['http']}/services/data")
        assert list(tmp_path.iterdir()) == [ready]
        assert told == server.info()
    assert not ready.exists()


def test_ready_file_of_another_server_is_left_alone(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    with listen("127.0.0.1", 0) as taken:
        ready.write_text("somebody else's")
        with pytest.raises(CannotListen):
            Server(config(ready_file=ready, port=taken.getsockname()[1]))
    assert ready.read_text() == "somebody else's"


def test_ready_file_that_cannot_be_written_ends_it(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    server = Server(config(ready_file=tmp_path / "missing" / "ready.json"))
    url = server.url()
    with pytest.raises(FileNotFoundError):
        server.start()
    with pytest.raises(OSError):
        get(f"{url}/services/data")
    # a thread left behind would keep a process alive that said it cannot start
    assert not [one for one in threading.enumerate() if one not in before and not one.daemon]


def test_readers_never_see_half_a_ready_file(tmp_path: Path) -> None:
    from simorg.server.server import write_atomically

    path, done, wrong = tmp_path / "f", threading.Event(), []

    def read() -> None:
        while not done.is_set():
            text = path.read_bytes()
            if len(text) != 500_000:
                wrong.append(len(text))

    write_atomically(path, b"0" * 500_000)
    reader = threading.Thread(target=read)
    reader.start()
    for n in range(100):
        write_atomically(path, b"%d" % (n % 10) * 500_000)
    done.set()
    reader.join()
    assert not wrong


# -- state ---------------------------------------------------------------------------------------


def test_state_belongs_to_one_server(tmp_path: Path) -> None:
    with Server(config(state=tmp_path)):
        with pytest.raises(CannotStart, match="another server keeps its state"):
            Server(config(state=tmp_path))
    with Server(config(state=tmp_path)):
        pass


def test_what_a_killed_server_leaves_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But no folder that somebody has, that is kept state, or that is nobody's of ours."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    kept = [place / name for name in ("simorg-state", "simorg-strange", "other-owned")]
    with Server(config(state=kept[0])):
        pass
    for folder in kept[1:]:
        folder.mkdir()
    (kept[2] / "owner").write_bytes(b"")
    killed = Process(tmp_path)
    killed.wait()
    killed.end(signal.SIGKILL)
    killed.ready.unlink()
    left = set(place.iterdir()) - set(kept)
    assert len(left) == 2  # the server's and its catalogue's
    with Server(config()) as server:
        owned = set(place.iterdir()) - set(kept)
        assert server.folder in owned and len(owned) == 2 and not owned & left
        other = Process(tmp_path)
        other.wait()
        assert len(set(place.iterdir())) == len(owned) + 2 + len(kept)
        assert get(f"{server.url()}/services/data") and other.end(signal.SIGTERM)[0] == 0
        assert set(place.iterdir()) == {*owned, *kept}
    assert set(place.iterdir()) == set(kept)


@pytest.mark.skipif(bool(POSTGRES), reason="the orgs are in PostgreSQL, not in the folder")
def test_state_that_is_no_state(tmp_path: Path) -> None:
    (tmp_path / "catalogue.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(CannotStart, match="cannot be read"):
        Server(config(state=tmp_path))


def test_state_folder_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(OSError):
        Server(config(state=path))


def test_bad_definition_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("org:\n  name: Bad\nusers:\n  a@b.example:\n    profil: x\n")
    with pytest.raises(SeedError, match=r"bad\.yaml:5:\d+: users\.a@b\.example\.profil"):
        Server(config(orgs=(path,)))


def test_unreachable_database() -> None:
    pytest.importorskip("psycopg")
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(CannotStart, match="the database cannot be used: .*refused"):
        Server(config(database=f"postgresql://127.0.0.1:{port}/simorg"))


# -- as a process --------------------------------------------------------------------------------


class Process:
    """``simorg serve`` on free ports, awaited by its ready file."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.ready = folder / "ready.json"
        command = [sys.executable, "-m", "simorg", "serve", *PORTS]
        command += ["--ready-file", str(self.ready), *options]
        if POSTGRES and "--database" not in options:
            command += ["--database", POSTGRES]
        self.popen = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def wait(self) -> dict[str, Any]:
        end = time.monotonic() + 120
        while not self.ready.exists():
            if self.popen.poll() is not None or time.monotonic() > end:
                self.popen.kill()
                raise AssertionError(self.popen.communicate())
            self.popen.poll()
            threading.Event().wait(0.01)
        info: dict[str, Any] = orjson.loads(self.ready.read_bytes())
        return info

    def end(self, number: int) -> tuple[int, str, str]:
        self.popen.send_signal(number)
        out, err = self.popen.communicate(timeout=60)
        return self.popen.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(tmp_path: Path, number: int) -> None:
    process = Process(tmp_path)
    info = process.wait()
    assert info["pid"] == process.popen.pid
    assert get(f"{info['http']}/services/data")
    folder = Path(info["ca"]).parents[1]
    code, out, err = process.end(number)
    assert (code, err) == (0, "")
    assert info["http"] in out and info["https"] in out and info["ca"] in out
    assert not process.ready.exists()
    assert not folder.exists()


def test_more_signals_end_it_at_once(tmp_path: Path) -> None:
    """The second gives up the request that is under way, the third whatever else takes time."""
    process = Process(tmp_path)
    info = process.wait()
    host, port = info["http"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"POST /services/data HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1")
        for _ in range(2):
            process.popen.send_signal(signal.SIGTERM)
            threading.Event().wait(0.3)
        begun = time.monotonic()
        process.end(signal.SIGTERM)
        assert time.monotonic() - begun < 20  # draining may take 30
    assert not process.ready.exists()
    assert not Path(info["ca"]).parents[1].exists()


def test_killed_server_gives_its_state_back(tmp_path: Path) -> None:
    state = tmp_path / "state"
    process = Process(tmp_path, "--state", str(state))
    first = process.wait()
    process.end(signal.SIGKILL)
    process.ready.unlink()
    again = Process(tmp_path, "--state", str(state))
    second = again.wait()
    if POSTGRES:  # other tests' orgs come and go in the same database
        assert second["orgs"][0] == first["orgs"][0]
    else:
        assert second["orgs"] == first["orgs"]
    assert again.end(signal.SIGTERM)[0] == 0


@pytest.mark.skipif(not POSTGRES, reason="needs PostgreSQL (`make test-postgres`)")
class TestWorkers:
    def test_share_ports_and_orgs(self, tmp_path: Path) -> None:
        process = Process(tmp_path, "--workers", "3")
        info = process.wait()
        assert info["pid"] == process.popen.pid
        pids: set[int] = set()

        def several() -> bool:
            pids.add(orjson.loads(get(f"{info['http']}/_simorg/health"))["pid"])
            return len(pids) > 1

        until(several)
        assert process.popen.pid not in pids
        code, _, err = process.end(signal.SIGTERM)
        assert (code, err) == (0, "")
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
        assert not process.ready.exists()

    def test_workers_end_with_the_supervisor(self, tmp_path: Path) -> None:
        process = Process(tmp_path, "--workers", "2")
        info = process.wait()
        pids = {orjson.loads(get(f"{info['http']}/_simorg/health"))["pid"] for _ in range(40)}
        process.end(signal.SIGKILL)  # returns once the workers have closed the pipes too
        assert not any(Path(f"/proc/{pid}/fd/0").exists() for pid in pids)
