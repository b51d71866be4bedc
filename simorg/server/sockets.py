"""Listening sockets, bound before anything expensive so that a taken port is known at once."""

from __future__ import annotations

import errno
import socket
import time

_BACKLOG = 128
_LINGER = 2.0  # seconds a client may go on sending what nobody reads


class CannotListen(OSError):
    """A port is taken or an address is not ours; the text says which and why."""


def listen(host: str, port: int) -> socket.socket:
    """A socket listening on ``host`` (name or address) and ``port`` (0: a free one).

    ``::`` takes IPv4 too. Raises ``CannotListen``.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CannotListen(f"cannot listen on {host}: {reason}") from None
    family, _, _, _, address = found[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if port:  # a free port must not be one that another server is about to leave
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host != "::")
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _refused(host, port, error) from None
    return listener


def _refused(host: str, port: int, error: OSError) -> CannotListen:
    if error.errno == errno.EADDRINUSE:
        return CannotListen(error.errno, f"port {port} on {host} is in use by another server")
    if error.errno == errno.EACCES:
        return CannotListen(error.errno, f"port {port} on {host} needs more privileges")
    return CannotListen(error.errno, f"cannot listen on {host}, port {port}: {error.strerror}")


def port_of(listener: socket.socket) -> int:
    """The port a socket is bound to."""
    port: int = listener.getsockname()[1]
    return port


def reachable(host: str) -> str:
    """The address under which this machine reaches a listener on ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def hear_out(sender: socket.socket) -> None:
    """End our side and read on for a while: closing with unread data would reset the connection,
    and the answer might be lost with it (RFC 9112, section 9.6). Raises ``OSError``."""
    end = time.monotonic() + _LINGER
    sender.shutdown(socket.SHUT_WR)
    while (left := end - time.monotonic()) > 0:
        sender.settimeout(left)
        if not sender.recv(64 * 1024):
            return


def in_url(host: str) -> str:
    """``host`` as URLs write it: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host
