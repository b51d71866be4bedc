"""A small HTTP/1.1 load generator in its own process: N keep-alive connections, closed loop.

Run as ``python -m benchmarks.load PORT PATH CONNECTIONS SECONDS [HEADER...]``; prints requests
per second. Plain sockets, because a slow client would measure itself.
"""

from __future__ import annotations

import selectors
import socket
import subprocess
import sys
import time


def run(port: int, path: str, connections: int, seconds: float, headers: list[str]) -> float:
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *headers, "", ""]
    request = "\r\n".join(lines).encode()
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(request)
        selector.register(sock, selectors.EVENT_READ, bytearray())
    done = 0
    started = time.perf_counter()
    end = started + seconds
    while time.perf_counter() < end:
        for key, _ in selector.select(timeout=1):
            ready, buffer = key.fileobj, key.data
            assert isinstance(ready, socket.socket)
            data = ready.recv(65536)
            if not data:
                raise SystemExit("the server closed a connection")
            buffer += data
            if _complete(buffer):
                if not buffer.startswith(b"HTTP/1.1 200"):
                    raise SystemExit(bytes(buffer[:300]).decode("latin-1"))
                buffer.clear()
                done += 1
                ready.sendall(request)
    return done / (time.perf_counter() - started)


def _complete(buffer: bytearray) -> bool:
    """Whether one whole response is here (by its length, or chunked to its last chunk)."""
    head = buffer.find(b"\r\n\r\n")
    if head < 0:
        return False
    headers = bytes(buffer[:head]).lower()
    mark = headers.find(b"content-length:")
    if mark < 0:
        return buffer.endswith(b"0\r\n\r\n")
    length = int(headers[mark + 15 :].split(b"\r\n", 1)[0])
    return len(buffer) >= head + 4 + length


def measure(port: int, path: str, *, connections: int, seconds: float, headers: list[str]) -> float:
    """Requests per second, measured from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.load", str(port), path, str(connections)]
    output = subprocess.run(
        [*command, str(seconds), *headers], capture_output=True, text=True, check=False
    )
    if output.returncode:
        raise RuntimeError(output.stderr)
    return float(output.stdout)


if __name__ == "__main__":
    _, port, path, connections, seconds, *headers = sys.argv
    print(run(int(port), path, int(connections), float(seconds), headers))
