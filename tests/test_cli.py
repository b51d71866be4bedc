"""The ``simorg`` command, against a started server and against nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result

from simorg import __version__
from simorg.cli import main
from simorg.server.server import Server
from simorg.server.sockets import listen
from tests.conftest import POSTGRES
from tests.server.conftest import config

ROOT = Path(__file__).parents[1]
USAGE, UNREACHABLE = 2, 3


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(config()) as running:
        yield running


def run(*arguments: str, **environment: str | None) -> Result:
    environment.setdefault("SIMORG_URL", None)
    return CliRunner().invoke(main, arguments, env=environment)


def process(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simorg", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def one_line(text: str) -> str:
    """A failure is one line on standard error, and no traceback."""
    lines = text.strip().split("\n")
    assert len(lines) == 1 and lines[0].startswith("simorg: "), text
    return lines[0]


# -- help and usage ------------------------------------------------------------------------------


def test_version() -> None:
    done = process("version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")


def test_help_names_every_command() -> None:
    for option in ("-h", "--help"):
        told = run(option).output
        for command in ("serve", "demo", "ca", "orgs", "explain", "version"):
            assert command in told


def test_serve_takes_the_options_of_the_contract() -> None:
    told = run("serve", "--help").output
    for option in ("host", "port", "tls-port", "proxy-port", "database", "state", "org"):
        assert f"--{option} " in told
    for option in ("workers", "ready-file", "control-token"):
        assert f"--{option} " in told
    for default in ("127.0.0.1", "8080", "8443", "8888"):
        assert f"default: {default}" in told


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["serve", "--nothing"],
        ["serve", "more"],
        ["serve", "--port", "x"],
        ["serve", "--port", "-1"],
        ["serve", "--tls-port", "65536"],
        ["serve", "--proxy-port", "1.5"],
        ["serve", "--org", "no/such/file.yaml"],
        ["serve", "--org", "."],
        ["serve", "--state", __file__],
        ["serve", "--ready-file", "."],
        ["serve", "--workers", "0"],
        ["serve", "--workers", "2"],
        ["serve", "--database", "mysql://localhost/x"],
        ["serve", "--database", ""],
        ["explain"],
        ["explain", "--user", "admin", "--surface", "telepathy"],
        ["version", "--loud"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.exit_code == USAGE
    assert not isinstance(done.exception, Exception) or isinstance(done.exception, SystemExit)


# -- serve that cannot ---------------------------------------------------------------------------


def test_port_in_use() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        done = process("serve", "--port", str(port), "--tls-port", "0", "--proxy-port", "0")
    assert done.returncode == UNREACHABLE
    line = one_line(done.stderr)
    assert line == f"simorg: cannot start: port {port} on 127.0.0.1 is in use by another server"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("org:\n  name: X\n  colour: red\n", "bad.yaml:3:3: org.colour"),
        ("org:\n\tname: X\n", "bad.yaml:2:1: "),
        ("users:\n  a@b.c: {}\n", "bad.yaml:2:3: users.a@b.c"),
        ("", "bad.yaml:1:1: "),
    ],
)
def test_bad_definition_names_the_line(tmp_path: Path, text: str, where: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    done = process(
        "serve", "--port", "0", "--tls-port", "0", "--proxy-port", "0", "--org", str(path)
    )
    assert done.returncode == USAGE
    assert done.stderr.startswith("simorg: ") and where in done.stderr
    assert all("bad.yaml:" in line for line in done.stderr.splitlines()), "a line a complaint"


def test_unreachable_database() -> None:
    pytest.importorskip("psycopg")
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
    url = f"postgresql://someone:s3cret@127.0.0.1:{port}/simorg"
    for workers in ("1", "2"):
        done = process(
            *("serve", "--port", "0", "--tls-port", "0", "--proxy-port", "0"),
            *("--database", url, "--workers", workers),
        )
        assert done.returncode == UNREACHABLE
        assert "the database cannot be used" in one_line(done.stderr)
        assert "s3cret" not in done.stderr


def test_foreign_address() -> None:
    done = run("serve", "--host", "203.0.113.7", "--port", "0")
    assert done.exit_code == UNREACHABLE
    assert "cannot listen on 203.0.113.7" in one_line(done.stderr)


def test_state_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("serve", "--port", "0", "--state", str(tmp_path / "file" / "state"))
    assert done.exit_code == UNREACHABLE
    assert str(tmp_path) in one_line(done.stderr)


# -- commands that ask a server ------------------------------------------------------------------


def test_orgs(server: Server) -> None:
    url = server.url()
    done = run("orgs", "--url", url)
    assert done.exit_code == 0
    assert server.catalogue.default.id in done.output and "Enterprise" in done.output
    told = json.loads(run("orgs", "--json", SIMORG_URL=url).output)
    assert told["orgs"][0]["name"] == "Acme"


def test_ca(server: Server) -> None:
    url, path = server.url(), server.authority.certificate
    text = run("ca", "--url", f"{url}/").output
    assert text.startswith(f"{path}\n")
    for variable in ("REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"):
        assert f"{variable}={path}" in text
    assert json.loads(run("ca", "--url", url, "--json").output) == {"path": str(path)}
    assert run("ca", "--url", url, "--pem").output == path.read_text()


def test_explain(server: Server) -> None:
    url = server.url()
    let_in = run("explain", "--url", url, "--user", "integration", "--app", "JWT Robot")
    assert let_in.exit_code == 0
    assert "integration@acme.example (JWT Robot, password, rest) is let in" in let_in.output
    refused = run(
        *("explain", "--url", url, "--user", "noapi@acme.example"),
        *("--flow", "soap_login", "--surface", "soap", "--json"),
    )
    assert refused.exit_code == 0  # the question was answered
    told = json.loads(refused.output)
    assert told["allowed"] is False and told["surface"] == "soap"
    by_id = run("explain", "--url", url, "--user", "admin", "--org", server.catalogue.default.id)
    assert by_id.exit_code == 0
    # no app: a SOAP login, which an unknown consumer key has no part in
    assert "admin@acme.example (soap_login, rest) is let in" in by_id.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--user", "nobody"], "no user nobody"),
        (["--user", "admin", "--app", "Nothing"], "no connected app Nothing"),
        (["--user", "admin", "--flow", "magic"], "no flow magic"),
        (["--user", "admin", "--org", "00D000000000000"], "no org 00D000000000000"),
    ],
)
def test_explain_wrongly(server: Server, arguments: list[str], message: str) -> None:
    done = run("explain", "--url", server.url(), *arguments)
    assert done.exit_code == USAGE
    assert message in one_line(done.stderr)


@pytest.mark.parametrize("command", [["orgs"], ["ca"], ["ca", "--pem"], ["explain", "--user", "x"]])
def test_nobody_answers(command: list[str]) -> None:
    with listen("127.0.0.1", 0) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    for place in (url, "nonsense", "http://", "ftp://127.0.0.1/", "http://[", "http://127.0.0.1:x"):
        done = run(*command, "--url", place)
        assert done.exit_code == UNREACHABLE, place
        assert "no server answers at" in one_line(done.stderr)


class _Somebody(BaseHTTPRequestHandler):
    """A server that is not simorg."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"<html/>")

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.parametrize("status", [200, 404, 500])
def test_somebody_else_answers(status: int) -> None:
    with HTTPServer(("127.0.0.1", 0), _Somebody) as other:
        other.status = status  # type: ignore[attr-defined]
        Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            done = run("orgs", "--url", f"http://127.0.0.1:{other.server_port}")
        finally:
            other.shutdown()
    assert done.exit_code == UNREACHABLE
    assert "is no simorg server" in one_line(done.stderr)


def test_proxies_of_the_environment_are_not_used(server: Server) -> None:
    proxy = f"http://127.0.0.1:{server.proxy}"
    done = run("orgs", "--url", server.url(), http_proxy=proxy, HTTP_PROXY=proxy, no_proxy=None)
    assert done.exit_code == 0


def test_control_token() -> None:
    with Server(config(control_token="t0ken")) as guarded:
        refused = run("orgs", "--url", guarded.url(), SIMORG_CONTROL_TOKEN=None)
        assert refused.exit_code == USAGE and "control token" in one_line(refused.stderr)
        assert run("orgs", "--url", guarded.url(), SIMORG_CONTROL_TOKEN="t0ken").exit_code == 0


def test_demo_without_its_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zeep", None)
    monkeypatch.delitem(sys.modules, "simorg.demo", raising=False)
    done = run("demo")
    assert done.exit_code == UNREACHABLE
    assert "simorg[demo]" in one_line(done.stderr)


@pytest.mark.skipif(bool(POSTGRES), reason="a definition of its own needs a database of its own")
def test_serve_definitions(tmp_path: Path) -> None:
    """The first ``--org`` is the default org; the greeting names no user it may not have."""
    texts = {"one": "a@one.example", "two": "a@two.example"}
    for name, user in texts.items():
        (tmp_path / f"{name}.yaml").write_text(
            f"org: {{name: {name}}}\nlicenses: {{S: {{key: SFDC}}}}\n"
            f"profiles: {{P: {{license: S, permissions: all}}}}\n"
            f"users: {{{user}: {{lastName: A, profile: P}}}}\n"
        )
    from tests.server.test_life import Process

    started = Process(
        tmp_path, "--org", str(tmp_path / "one.yaml"), "--org", str(tmp_path / "two.yaml")
    )
    info = started.wait()
    assert [org["name"] for org in info["orgs"]] == ["one", "two"]
    told = run("orgs", "--url", info["http"]).output
    assert told.index("\tone") < told.index("\ttwo")
    code, out, _ = started.end(15)
    assert code == 0 and "acme" not in out
