"""A server of this process, and raw sockets to say to it what no client library would."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

import pytest

from simorg.config import ServerConfig
from simorg.server.server import Server
from tests.conftest import POSTGRES

LIMIT = 200_000  # bytes of a request body: small, so that crossing it costs nothing


def config(**options: Any) -> ServerConfig:
    """Free ports, the database under test."""
    ports = {"port": 0, "tls_port": 0, "proxy_port": 0}
    return ServerConfig(**{**ports, "database": POSTGRES, **options})


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    with Server(config(max_body=LIMIT)) as running:
        yield running


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """A connection on which a test writes bytes."""

    def __init__(self, raw: socket.socket) -> None:
        self.raw = raw
        self.raw.settimeout(60)

    def send(self, *parts: bytes) -> None:
        self.raw.sendall(b"".join(parts))

    def answer(self, method: str = "GET") -> Answer:
        """The next response, read to its end."""
        response = HTTPResponse(self.raw, method=method)
        response.begin()
        body = response.read()
        headers = {k.lower(): v for k, v in response.getheaders()}
        return Answer(response.status, headers, body)

    def request(self, head: str, body: bytes = b"", method: str = "GET") -> Answer:
        """Send a head (lines without the last two line ends) and a body, read the response."""
        self.send(head.strip().replace("\n", "\r\n").encode("latin-1"), b"\r\n\r\n", body)
        return self.answer(method)

    def ended(self) -> bool:
        """Whether the server has closed the connection."""
        try:
            return self.raw.recv(1) == b""
        except ConnectionResetError:
            return True


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    with socket.create_connection(("127.0.0.1", server.http or 0)) as raw:
        yield Wire(raw)


@pytest.fixture
def trust(server: Server) -> ssl.SSLContext:
    """A client's context that trusts the local CA and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(server.authority.certificate)
    return context
