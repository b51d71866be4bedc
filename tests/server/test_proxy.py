"""The CONNECT proxy: Salesforce's hosts lead to us, nothing leads anywhere else."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest
import requests

from simorg.server import proxy as module
from simorg.server.server import Server
from tests.server.conftest import Wire, config


@pytest.fixture
def tunnel(server: Server) -> Iterator[Wire]:
    with socket.create_connection(("127.0.0.1", server.proxy or 0)) as raw:
        yield Wire(raw)


def established(wire: Wire) -> None:
    expected = b"HTTP/1.1 200 Connection established\r\n\r\n"
    received = b""
    while len(received) < len(expected):
        received += wire.raw.recv(len(expected) - len(received))
    assert received == expected


@pytest.mark.parametrize(
    "host",
    ["login.salesforce.com", "TEST.Salesforce.COM", "acme.my.salesforce.com", "acme.my.site.com"],
)
def test_salesforce_hosts_reach_us_by_tls(tunnel: Wire, trust: ssl.SSLContext, host: str) -> None:
    tunnel.send(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
    established(tunnel)
    with trust.wrap_socket(tunnel.raw, server_hostname=host) as tls:
        wire = Wire(tls)
        for _ in range(2):
            path = "/.well-known/openid-configuration"
            answer = wire.request(f"GET {path} HTTP/1.1\nHost: {host}")
            assert f"https://{host}/services/oauth2/token".encode() in answer.body


@pytest.mark.parametrize(
    "target",
    [
        "example.com:443",
        "evilsalesforce.com:443",
        "salesforce.com.evil.example:443",
        "salesforce.com:443",
        "login.salesforce.com:80",
        "login.salesforce.com",
        "localhost:443",
        "127.0.0.1:443",
        "[::1]:443",
        ":443",
        "login.salesforce.com:443@example.com:443",
        "example.com#.salesforce.com.:22",
    ],
)
def test_every_other_host_is_forbidden(tunnel: Wire, target: str) -> None:
    answer = tunnel.request(f"CONNECT {target} HTTP/1.1\nHost: {target}")
    assert answer.status == 403
    assert tunnel.ended()


@pytest.mark.parametrize("verb", ["GET", "POST", "HEAD", "connect"])
def test_connect_only(tunnel: Wire, verb: str) -> None:
    answer = tunnel.request(f"{verb} http://login.salesforce.com/ HTTP/1.1\nHost: x", method=verb)
    assert answer.status == 405 and answer.headers["allow"] == "CONNECT"
    assert tunnel.ended()


@pytest.mark.parametrize("head", ["", "CONNECT", "CONNECT a:443", "\x16\x03\x01 b c", "a b c d"])
def test_noise(tunnel: Wire, head: str) -> None:
    assert tunnel.request(head or "\x00").status == 400
    assert tunnel.ended()


def test_oversized_head(tunnel: Wire) -> None:
    tunnel.send(b"CONNECT login.salesforce.com:443 HTTP/1.1\r\nX: ", b"x" * 40_000)
    assert tunnel.answer().status == 431
    assert tunnel.ended()


def test_slow_head(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    with socket.create_connection(("127.0.0.1", server.proxy or 0)) as raw:
        wire = Wire(raw)
        wire.send(b"CONNECT login.sales")
        assert wire.answer().status == 408
        assert wire.ended()


def test_client_that_leaves(tunnel: Wire, server: Server) -> None:
    tunnel.send(b"CONNECT log")
    tunnel.raw.close()
    with socket.create_connection(("127.0.0.1", server.proxy or 0)) as raw:
        assert Wire(raw).request("GET / HTTP/1.1").status == 405


def test_bytes_sent_too_early_arrive(server: Server, trust: ssl.SSLContext) -> None:
    """Some clients send their ClientHello with the CONNECT, without waiting for the answer."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trust.wrap_bio(incoming, outgoing, server_hostname="login.salesforce.com")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    with socket.create_connection(("127.0.0.1", server.proxy or 0)) as raw:
        wire = Wire(raw)
        wire.send(b"CONNECT login.salesforce.com:443 HTTP/1.1\r\n\r\n", outgoing.read())
        established(wire)
        while True:
            incoming.write(raw.recv(65536))
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                pass
        assert tls.version() == "TLSv1.3"


def test_large_bodies_pass_both_ways(server: Server) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(server.authority.certificate)
        session.proxies = {"https": f"http://127.0.0.1:{server.proxy}"}
        wsdl = session.get("https://login.salesforce.com/services/Soap/u/59.0?wsdl", timeout=60)
        assert wsdl.ok and len(wsdl.content) > 50_000
        sent = os.urandom(90_000).hex()
        answer = session.post(
            "https://login.salesforce.com/services/oauth2/token",
            data={"grant_type": "x", "filler": sent},
            timeout=60,
        )
        assert answer.json()["error"] == "unsupported_grant_type"
        other = session.get("https://login.salesforce.com/services/data", timeout=60)
        assert other.json()[0]["url"] == "/services/data/v31.0"


def test_other_sites_fail_in_the_client(server: Server) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"https": f"http://127.0.0.1:{server.proxy}"}
        with pytest.raises(requests.exceptions.ProxyError, match="403"):
            session.get("https://example.com/", timeout=60)


def test_a_client_from_elsewhere_is_not_taken_for_loopback(
    server: Server, trust: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The TLS listener sees the proxy's own connection; the control API must see the client."""
    monkeypatch.setattr(module._Handler, "origin", lambda self: "203.0.113.9")
    with socket.create_connection(("127.0.0.1", server.proxy or 0)) as raw:
        wire = Wire(raw)
        wire.send(b"CONNECT login.salesforce.com:443 HTTP/1.1\r\n\r\n")
        established(wire)
        with trust.wrap_socket(raw, server_hostname="login.salesforce.com") as tls:
            answer = Wire(tls).request("GET /_simorg/orgs HTTP/1.1\nHost: localhost")
    assert answer.status == 403
    assert b"loopback only" in answer.body


def test_with_many_workers_only_loopback_may_use_the_proxy(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module._Handler, "origin", lambda self: "203.0.113.9")
    proxies = [one for one in server._listeners if isinstance(one, module.Proxy)]
    monkeypatch.setattr(proxies[0]._server.tunnels, "blind", True)
    with socket.create_connection(("127.0.0.1", server.proxy or 0)) as raw:
        Wire(raw).send(b"CONNECT login.salesforce.com:443 HTTP/1.1\r\n\r\n")
        assert raw.recv(4096).startswith(b"HTTP/1.1 403")


def test_a_client_that_keeps_its_tunnel_does_not_keep_the_server() -> None:
    before = threading.active_count()
    with requests.Session() as session, Server(config()) as server:
        session.trust_env = False
        session.verify = str(server.authority.certificate)
        session.proxies = {"https": f"http://127.0.0.1:{server.proxy}"}
        assert session.get("https://login.salesforce.com/services/data", timeout=60).ok
        with socket.create_connection(("127.0.0.1", server.proxy or 0)) as raw:
            silent = Wire(raw)  # opens a tunnel, and says nothing in it
            silent.send(b"CONNECT login.salesforce.com:443 HTTP/1.1\r\n\r\n")
            established(silent)
            begun = time.monotonic()
            server.drain()
            server.stop()
            assert time.monotonic() - begun < 20  # draining may take 30
            assert silent.ended()
    assert threading.active_count() <= before


def test_an_answer_under_way_passes_the_tunnel_before_the_server_ends() -> None:
    with requests.Session() as session, Server(config()) as server:
        session.trust_env = False
        session.verify = str(server.authority.certificate)
        session.proxies = {"https": f"http://127.0.0.1:{server.proxy}"}
        url = "https://login.salesforce.com/services/Soap/u/59.0?wsdl"
        with session.get(url, timeout=60, stream=True) as answer:
            server.drain()
            server.stop()
            assert b"</definitions>" in answer.content[-40:]
