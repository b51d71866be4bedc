"""Requests as the listeners read them: paths, framing, bodies."""

from __future__ import annotations

import gzip
import json
import os
import socket
import zlib

import pytest

from simorg.server.server import Server
from tests.server.conftest import LIMIT, Answer, Wire

QUERY = "/services/data/v59.0/query"
TOKEN = "/services/oauth2/token"
SOAP = "/services/Soap/u/59.0"
CONTROL = "/_simorg/orgs"
HEALTH = "GET /_simorg/health HTTP/1.1\nHost: localhost"


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


def post(path: str, *headers: str, kind: str = "application/json") -> str:
    return "\n".join(
        [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {kind}", *headers]
    )


def code_of(answer: Answer) -> str:
    """The error code in whatever shape the surface writes."""
    told = json.loads(answer.body)
    if isinstance(told, list):
        return str(told[0]["errorCode"])
    return str(told["error"]["code"] if isinstance(told["error"], dict) else told["error"])


# -- paths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    ["/services/data", "//services/data", "/services//data/", "///services///data//?a=//b"],
)
def test_doubled_slashes_are_one(wire: Wire, target: str) -> None:
    answer = wire.request(f"GET {target} HTTP/1.1\nHost: localhost")
    assert answer.status == 200
    assert json.loads(answer.body)[0]["url"] == "/services/data/v31.0"


@pytest.mark.parametrize("path", ["/services/Soap/u/59.0?wsdl", "//services/soap/u/59.0?WSDL"])
def test_soap_by_path(wire: Wire, path: str) -> None:
    answer = wire.request(f"GET {path} HTTP/1.1\nHost: 127.0.0.1:1234")
    assert answer.status == 200
    assert b"http://127.0.0.1:1234/services/Soap/u/59.0" in answer.body


def test_home_and_lost_pages(wire: Wire) -> None:
    home = wire.request("GET / HTTP/1.1\nHost: localhost")
    assert home.status == 200 and b"/_simorg/" in home.body
    lost = wire.request("GET /no/such/page HTTP/1.1\nHost: localhost")
    assert lost.status == 404 and b"URL No Longer Exists" in lost.body
    assert lost.headers["content-type"].startswith("text/html")


def test_wrong_verb_on_a_page(wire: Wire) -> None:
    answer = wire.request("DELETE / HTTP/1.1\nHost: localhost")
    assert answer.status == 405
    assert "GET" in answer.headers["allow"]


def test_head_sends_no_body(wire: Wire) -> None:
    for path in (
        "/",
        "/services/data",
        "/_simorg/health",
        "/nothing",
        "/services/Soap/u/59.0?wsdl",
    ):
        answer = wire.request(f"HEAD {path} HTTP/1.1\nHost: localhost", method="HEAD")
        assert answer.status in (200, 404)
    assert wire.request(HEALTH).status == 200  # nothing was left on the connection


def test_urls_follow_the_host(wire: Wire) -> None:
    path = "/.well-known/openid-configuration"
    answer = wire.request(f"GET {path} HTTP/1.1\nHost: acme.my.salesforce.com")
    assert json.loads(answer.body)["token_endpoint"].startswith("http://acme.my.salesforce.com/")


def test_no_host_is_our_own_address(server: Server, wire: Wire) -> None:
    answer = wire.request("GET /.well-known/openid-configuration HTTP/1.0")
    issuer = json.loads(answer.body)["issuer"]
    assert issuer == f"http://127.0.0.1:{server.http}"


@pytest.mark.parametrize("host", ["a b", 'x"><script>', "a/b", "[::1", "a:port", "ü"])
def test_malformed_host(wire: Wire, host: str) -> None:
    answer = wire.request(f"GET /services/data HTTP/1.1\nHost: {host}")
    assert answer.status == 400
    assert wire.ended()


# -- connections ---------------------------------------------------------------------------------


def test_keep_alive(wire: Wire) -> None:
    for _ in range(5):
        answer = wire.request(HEALTH)
        assert answer.status == 200 and "connection" not in answer.headers
    assert wire.request(f"{HEALTH}\nConnection: close").headers["connection"] == "close"
    assert wire.ended()


def test_idle_connections_keep_no_worker(server: Server) -> None:
    """More silent connections than workers (browsers open some in advance), on both ports."""
    silent = []
    try:
        for _ in range(server.config.threads + 3):
            silent.append(socket.create_connection(("127.0.0.1", server.http or 0)))
            silent.append(socket.create_connection(("127.0.0.1", server.https or 0)))
        with socket.create_connection(("127.0.0.1", server.http or 0)) as raw:
            assert Wire(raw).request(HEALTH).status == 200
    finally:
        for one in silent:
            one.close()


def test_after_a_chunked_body_the_worker_is_free(server: Server) -> None:
    """jsforce keeps connections open on which it has sent chunked bodies."""
    wires = [
        Wire(socket.create_connection(("127.0.0.1", server.http or 0)))
        for _ in range(server.config.threads + 2)
    ]
    try:
        for one in wires:
            answer = one.request(post(CONTROL, "Transfer-Encoding: chunked"), chunked(b"[1]"))
            assert answer.status == 400
    finally:
        for one in wires:
            one.raw.close()


@pytest.mark.parametrize(
    "head",
    [
        "GET / FTP/1.0",
        "GET /",
        "get / HTTP/1.1\nHost: localhost",
        "GET / HTTP/1.1\nHost: localhost\nno colon",
        "GET / HTTP/2.0\nHost: localhost",
        "GET nowhere HTTP/1.1\nHost: localhost",
        "GET http://elsewhere/ HTTP/1.1\nHost: localhost",
    ],
)
def test_what_is_no_request(wire: Wire, head: str) -> None:
    answer = wire.request(head)
    assert answer.status in (400, 505)
    assert wire.ended()


def test_huge_heads_are_cut_off(server: Server) -> None:
    for head in (b"GET /" + b"a" * 300_000, b"GET / HTTP/1.1\r\nX: " + b"a" * 300_000):
        with socket.create_connection(("127.0.0.1", server.http or 0)) as raw:
            one = Wire(raw)
            try:
                one.send(head, b"\r\n\r\n")
                assert one.answer().status in (413, 414)
            except (BrokenPipeError, ConnectionResetError):
                pass  # closed while we were still writing
            assert one.ended()


# -- bodies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", ["x", "-5", "+5", "5_0", "5.0", "1e3", "0x10", ""])
def test_malformed_content_length(wire: Wire, length: str) -> None:
    answer = wire.request(post(CONTROL, f"Content-Length: {length}"), b"{}")
    assert answer.status == 400
    assert wire.ended()


def test_length_and_chunks_exclude_each_other(wire: Wire) -> None:
    head = post(CONTROL, "Content-Length: 2", "Transfer-Encoding: chunked")
    assert wire.request(head, chunked(b"{}")).status == 400
    assert wire.ended()


def test_unknown_transfer_coding(wire: Wire) -> None:
    assert wire.request(post(CONTROL, "Transfer-Encoding: gzip"), b"").status == 501
    assert wire.ended()


def encoded(body: bytes, how: str) -> tuple[list[str], bytes]:
    """Headers and bytes of one of the ways clients send a body."""
    if how.startswith("gzip"):
        headers, data = ["Content-Encoding: gzip"], gzip.compress(body)
    elif how.startswith("members"):
        headers = ["Content-Encoding: x-gzip"]
        data = gzip.compress(body[:3]) + gzip.compress(body[3:])
    elif how.startswith("deflate"):
        headers, data = ["Content-Encoding: deflate"], zlib.compress(body)
    else:
        headers, data = [], body
    if how.endswith("chunked"):
        pieces = [data[n : n + 5] for n in range(0, len(data), 5)]
        return [*headers, "Transfer-Encoding: chunked"], chunked(*pieces)
    return [*headers, f"Content-Length: {len(data)}"], data


WAYS = [f"{c}{f}" for c in ("plain", "gzip", "members", "deflate") for f in ("", " chunked")]


@pytest.mark.parametrize("how", WAYS)
def test_json_body_in_every_coding(wire: Wire, how: str) -> None:
    headers, data = encoded(b'{"nonsense": 1}', how)
    for _ in range(2):  # the body was read to its end: the connection goes on
        answer = wire.request(post(CONTROL, *headers), data)
        assert answer.status == 400
        assert json.loads(answer.body)["error"]["path"] == "nonsense"


@pytest.mark.parametrize("how", WAYS)
def test_form_body_in_every_coding(wire: Wire, how: str) -> None:
    headers, data = encoded(b"grant_type=nonsense", how)
    kind = "application/x-www-form-urlencoded"
    answer = wire.request(post(TOKEN, *headers, kind=kind), data)
    assert code_of(answer) == "unsupported_grant_type"


@pytest.mark.parametrize("how", WAYS)
def test_soap_body_in_every_coding(wire: Wire, how: str) -> None:
    envelope = (
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        b'<login xmlns="urn:partner.soap.sforce.com"><username>admin@acme.example</username>'
        b"<password>simorg123</password></login></e:Body></e:Envelope>"
    )
    headers, data = encoded(envelope, how)
    answer = wire.request(post(SOAP, *headers, kind="text/xml"), data)
    assert answer.status == 200 and b"sessionId" in answer.body


def test_chunk_extensions_and_trailers(wire: Wire) -> None:
    body = b'2;name="value"\r\n{}\r\n0\r\nX-Trailer: 1\r\nX-More: 2\r\n\r\n'
    head = post("/_simorg/orgs/default/explain", "Transfer-Encoding: chunked")
    for _ in range(2):
        assert wire.request(head, body).status == 400  # user is required


@pytest.mark.parametrize("path", [QUERY, TOKEN, SOAP, CONTROL, "/nowhere"])
@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}xx0\r\n\r\n",
        b"-2\r\n{}\r\n0\r\n\r\n",
        b"\r\n\r\n",
        b"2\n{}\n0\n\n\r\n",
        b"f" * 5000 + b"\r\n",
        b"11111111111111111\r\n{}\r\n",
        b"0\r\n" + b"X: y\r\n" * 100 + b"\r\n",
    ],
    ids=range(8),
)
def test_malformed_chunks(wire: Wire, path: str, body: bytes) -> None:
    answer = wire.request(post(path, "Transfer-Encoding: chunked"), body)
    assert answer.status < 500 or (path == SOAP and b"Fault" in answer.body)
    assert wire.ended()


@pytest.mark.parametrize("path", [QUERY, TOKEN, SOAP, CONTROL])
def test_client_leaves_within_the_body(server: Server, path: str) -> None:
    for head, part in (
        (post(path, "Content-Length: 100"), b"{"),
        (post(path, "Transfer-Encoding: chunked"), b"64\r\n{"),
    ):
        with socket.create_connection(("127.0.0.1", server.http or 0)) as raw:
            one = Wire(raw)
            one.send(head.replace("\n", "\r\n").encode(), b"\r\n\r\n", part)
            raw.shutdown(socket.SHUT_WR)
            answer = one.answer()
            assert answer.status < 500 or (path == SOAP and b"Fault" in answer.body)


SHAPES = {
    QUERY: (413, "EXCEEDED_MAX_SIZE_REQUEST"),
    TOKEN: (413, "invalid_request"),
    CONTROL: (413, "too_large"),
}


def too_large(wire: Wire, path: str, headers: list[str], data: bytes) -> None:
    kind = "application/x-www-form-urlencoded" if path == TOKEN else "application/json"
    answer = wire.request(post(path, *headers, kind=kind), data)
    if path == SOAP:
        assert answer.status == 413 and b"EXCEEDED_MAX_SIZE_REQUEST" in answer.body
        assert answer.headers["content-type"].startswith("text/xml")
    elif path == QUERY and answer.status == 401:
        pass  # refused for want of a session before the body was read
    else:
        assert (answer.status, code_of(answer)) == SHAPES[path]
        assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("path", [QUERY, TOKEN, SOAP, CONTROL])
@pytest.mark.parametrize("how", ["plain", "plain chunked", "gzip", "gzip chunked"])
def test_oversize(wire: Wire, path: str, how: str) -> None:
    """The whole body is sent; the answer arrives although nobody reads it."""
    body = os.urandom(LIMIT // 2).hex().encode() + b"abc"
    assert len(body) > LIMIT
    headers, data = encoded(body, how.partition(" ")[0])
    if how.endswith("chunked"):
        headers = [h for h in headers if "Length" not in h] + ["Transfer-Encoding: chunked"]
        data = chunked(*[data[n : n + 50_000] for n in range(0, len(data), 50_000)])
    too_large(wire, path, headers, data)


def test_exactly_the_limit_is_taken(wire: Wire) -> None:
    body = b'{"nonsense": "' + b"x" * (LIMIT - 16) + b'"}'
    assert len(body) == LIMIT
    for headers, data in (
        ([f"Content-Length: {LIMIT}"], body),
        (["Transfer-Encoding: chunked"], chunked(body)),
        encoded(body, "gzip"),
    ):
        assert wire.request(post(CONTROL, *headers), data).status == 400


def test_declared_gigabytes_are_refused_unread(wire: Wire) -> None:
    answer = wire.request(post(CONTROL, "Content-Length: 99999999999"), b"{")
    assert (answer.status, code_of(answer)) == (413, "too_large")
    assert answer.headers["connection"] == "close"


def test_a_gigabyte_chunk_is_not_waited_for(wire: Wire) -> None:
    body = b"3b9aca00\r\n" + b"x" * (LIMIT + 100_000)
    answer = wire.request(post(CONTROL, "Transfer-Encoding: chunked"), body)
    assert (answer.status, code_of(answer)) == (413, "too_large")


def bomb(megabytes: int, wbits: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes))
    return packed + packer.flush()


@pytest.mark.parametrize("path", [QUERY, TOKEN, SOAP, CONTROL])
@pytest.mark.parametrize(("name", "wbits"), [("gzip", 31), ("deflate", 15)])
def test_compression_bombs(wire: Wire, path: str, name: str, wbits: int) -> None:
    data = bomb(100, wbits)
    assert len(data) < LIMIT
    too_large(wire, path, [f"Content-Encoding: {name}", f"Content-Length: {len(data)}"], data)


@pytest.mark.parametrize(
    "data",
    [
        b"this is not gzip",
        gzip.compress(b'{"name": "x"}')[:-6],  # cut off
        gzip.compress(b'{"name": "x"}')[:-8] + b"\0" * 8,  # wrong checksum
        gzip.compress(b"{}") + b"rubbish",
    ],
    ids=["no gzip", "cut off", "checksum", "rubbish behind"],
)
@pytest.mark.parametrize("path", [TOKEN, SOAP, CONTROL])
def test_malformed_gzip(wire: Wire, path: str, data: bytes) -> None:
    kind = "application/x-www-form-urlencoded" if path == TOKEN else "application/json"
    head = post(path, "Content-Encoding: gzip", f"Content-Length: {len(data)}", kind=kind)
    answer = wire.request(head, data)
    if path == SOAP:
        assert answer.status == 500 and b"soapenv:Client" in answer.body
    else:
        assert answer.status == 400


@pytest.mark.parametrize("path", [QUERY, TOKEN, SOAP, CONTROL])
def test_unknown_content_encoding(wire: Wire, path: str) -> None:
    answer = wire.request(post(path, "Content-Encoding: br", "Content-Length: 2"), b"{}")
    assert answer.status == (500 if path == SOAP else 415)
    assert b"Fault" in answer.body if path == SOAP else json.loads(answer.body)


def test_identity_and_empty_bodies(wire: Wire) -> None:
    for headers in (
        ["Content-Encoding: identity", "Content-Length: 0"],
        ["Content-Encoding: gzip", "Content-Length: 0"],
        ["Content-Length: 0"],
        [],
    ):
        answer = wire.request(post("/_simorg/orgs/default/explain", *headers))
        assert json.loads(answer.body)["error"]["path"] == "user"


def test_expect_continue(wire: Wire) -> None:
    head = post(CONTROL, "Content-Length: 2", "Expect: 100-continue")
    wire.send(head.replace("\n", "\r\n").encode(), b"\r\n\r\n")
    assert wire.raw.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.send(b"[]")
    assert wire.answer().status == 400
