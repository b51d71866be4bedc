"""HTTPS by the local CA: what clients verify, what stays on disk."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from cryptography import x509

from simorg.server import ca
from simorg.server.server import Server
from tests.server.conftest import Wire, config

REQUEST = "GET /services/data HTTP/1.1\nHost: localhost"


def shake(server: Server, trust: ssl.SSLContext, name: str) -> ssl.SSLSocket:
    raw = socket.create_connection(("127.0.0.1", server.https or 0), timeout=60)
    return trust.wrap_socket(raw, server_hostname=name)


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "127.0.0.1",
        "::1",
        "login.salesforce.com",
        "test.salesforce.com",
        "acme.my.salesforce.com",
        "acme--dev.sandbox.my.salesforce.com",
        "acme-dev-ed.develop.my.salesforce.com",
        "acme.scratch.my.salesforce.com",
        "acme.lightning.force.com",
        "acme.my.site.com",
    ],
)
def test_names(server: Server, trust: ssl.SSLContext, name: str) -> None:
    with shake(server, trust, name) as tls:
        assert Wire(tls).request(REQUEST).status == 200


@pytest.mark.parametrize("name", ["example.com", "salesforce.com.evil.example", "192.0.2.1"])
def test_other_names_do_not_verify(server: Server, trust: ssl.SSLContext, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(server, trust, name)


def test_needs_the_ca(server: Server) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(server, ssl.create_default_context(), "localhost")


def test_requests_verifies(server: Server) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(server.authority.certificate)
        for host in ("localhost", "127.0.0.1"):
            url = f"https://{host}:{server.https}/.well-known/openid-configuration"
            assert session.get(url, timeout=60).json()["issuer"] == f"https://{host}:{server.https}"


def test_strict_verification(server: Server, trust: ssl.SSLContext) -> None:
    """Python 3.13 and Java verify by the letter of RFC 5280."""
    trust.verify_flags |= ssl.VERIFY_X509_STRICT
    with shake(server, trust, "localhost") as tls:
        assert tls.version() == "TLSv1.3"


def test_old_versions_are_refused(server: Server, trust: ssl.SSLContext) -> None:
    trust.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning):
        trust.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        shake(server, trust, "localhost")


def test_alpn_is_http_1(server: Server, trust: ssl.SSLContext) -> None:
    trust.set_alpn_protocols(["h2", "http/1.1"])
    with shake(server, trust, "localhost") as tls:
        assert tls.selected_alpn_protocol() == "http/1.1"


def test_keep_alive_and_large_answers(server: Server, trust: ssl.SSLContext) -> None:
    with shake(server, trust, "localhost") as tls:
        wire = Wire(tls)
        for _ in range(3):
            wsdl = wire.request("GET /services/Soap/u/59.0?wsdl HTTP/1.1\nHost: localhost")
            assert wsdl.status == 200 and wsdl.body.rstrip().endswith(b"definitions>")


def test_pipelined_requests_are_all_answered(server: Server, trust: ssl.SSLContext) -> None:
    """The second is decrypted with the first, and no socket would tell of it."""
    with shake(server, trust, "localhost") as tls:
        filler = b"X-Filler: " + b"x" * 6000 + b"\r\n"
        one = b"GET /services/data HTTP/1.1\r\nHost: localhost\r\n" + filler + b"\r\n"
        tls.sendall(one * 2)
        reader = tls.makefile("rb")
        found = b""
        while found.count(b"HTTP/1.1 200 OK") < 2:
            line = reader.readline()
            assert line
            found += line if line.startswith(b"HTTP/") or b"HTTP/1.1 200" in line else b""


def test_plain_http_on_the_tls_port(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.https or 0)) as raw:
        answer = Wire(raw).request(REQUEST)
        assert answer.status == 400 and b"HTTPS port" in answer.body
        assert Wire(raw).ended()


@pytest.mark.parametrize("noise", [b"\0" * 100, b"\x16\x03\x01\xff\xff" + b"x" * 50], ids=[0, 1])
def test_noise_ends_the_connection_only(
    server: Server, trust: ssl.SSLContext, noise: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", server.https or 0), timeout=60) as raw:
        raw.sendall(noise)
        with suppress(ConnectionError):
            while raw.recv(4096):
                pass
    with shake(server, trust, "localhost") as tls:
        assert Wire(tls).request(REQUEST).status == 200


def test_half_a_handshake_keeps_nobody_waiting(server: Server, trust: ssl.SSLContext) -> None:
    with socket.create_connection(("127.0.0.1", server.https or 0)) as stalled:
        stalled.sendall(b"\x16\x03\x01\x02\x00\x01")
        with shake(server, trust, "localhost") as tls:
            assert Wire(tls).request(REQUEST).status == 200


# -- files ---------------------------------------------------------------------------------------


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_and_modes(tmp_path: Path) -> None:
    made = ca.ensure(tmp_path / "tls", "127.0.0.1")
    assert set(files(tmp_path / "tls")) == {"ca.pem", "server.pem", "server.key", "lock"}
    assert made.key.stat().st_mode & 0o777 == 0o600
    assert made.certificate.stat().st_mode & 0o777 == 0o644
    assert b"PRIVATE" not in made.chain.read_bytes() + made.certificate.read_bytes()


def test_kept_while_good(tmp_path: Path) -> None:
    ca.ensure(tmp_path, "127.0.0.1")
    before = files(tmp_path)
    ca.ensure(tmp_path, "127.0.0.1")
    ca.ensure(tmp_path, "localhost")
    ca.ensure(tmp_path, "0.0.0.0")
    assert files(tmp_path) == before


def test_another_host_is_added(tmp_path: Path) -> None:
    ca.ensure(tmp_path, "127.0.0.1")
    before = files(tmp_path)
    made = ca.ensure(tmp_path, "sim.example")
    assert files(tmp_path) != before
    leaf = x509.load_pem_x509_certificate(made.chain.read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "sim.example" in names.get_values_for_type(x509.DNSName)


def _expired(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ca, "_DAYS", 5)
    ca.ensure(folder, "127.0.0.1")
    monkeypatch.undo()


def _mixed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A creation that was cut off between two files."""
    ca.ensure(folder, "127.0.0.1")
    other = ca.ensure(folder / "other", "127.0.0.1")
    (folder / "server.key").write_bytes(other.key.read_bytes())
    (folder / "ca.pem").write_bytes(other.certificate.read_bytes())


def _garbled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ca.ensure(folder, "127.0.0.1")
    (folder / "server.pem").write_text("nothing")


def _missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ca.ensure(folder, "127.0.0.1")
    (folder / "ca.pem").unlink()


@pytest.mark.parametrize("spoil", [_expired, _mixed, _garbled, _missing])
def test_made_anew_when_of_no_use(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Path, pytest.MonkeyPatch], None],
) -> None:
    spoil(tmp_path, monkeypatch)
    before = files(tmp_path) if not (tmp_path / "other").exists() else None
    made = ca.ensure(tmp_path, "127.0.0.1")
    if before is not None:
        assert files(tmp_path) != before
    leaf = x509.load_pem_x509_certificate(made.chain.read_bytes())
    assert leaf.not_valid_after_utc > dt.datetime.now(dt.UTC) + dt.timedelta(days=300)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.chain, made.key)
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(made.certificate.read_bytes()))


def test_state_keeps_the_ca(tmp_path: Path) -> None:
    with Server(config(state=tmp_path)) as first:
        before = first.authority.certificate.read_bytes()
    with Server(config(state=tmp_path)) as second:
        assert second.authority.certificate.read_bytes() == before
        with requests.Session() as session:
            session.trust_env = False
            session.verify = str(second.authority.certificate)
            assert session.get(f"{second.url('https')}/services/data", timeout=60).ok


def test_one_ca_for_all_who_ask_at_once(tmp_path: Path) -> None:
    """As worker processes do when they start."""
    with ThreadPoolExecutor(8) as many:
        made = list(many.map(lambda _: ca.ensure(tmp_path / "tls", "127.0.0.1"), range(8)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made[0].chain, made[0].key)  # raises where they do not match
    leaf = x509.load_pem_x509_certificate(made[0].chain.read_bytes())
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(made[0].certificate.read_bytes()))
    assert len(set(made)) == 1
