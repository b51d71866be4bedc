"""Reading a request's body twice: a look at its beginning before a surface reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

#: far enough into a SOAP envelope or a form to tell what is asked
HEAD = 64 * 1024
_KEY = "simorg.body_head"


class Stream:
    """A ``wsgi.input`` over another; subclasses say what a read is."""

    __slots__ = ("source",)

    def __init__(self, source: Any) -> None:
        self.source = source

    def read(self, size: int | None = -1) -> bytes:
        raise NotImplementedError

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readline(self, size: int | None = -1) -> bytes:
        line = bytearray()
        while size is None or size < 0 or len(line) < size:
            byte = self.read(1)
            line += byte
            if not byte or byte == b"\n":
                break
        return bytes(line)

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")


class _Again(Stream):
    """Gives what was read once more, then the rest."""

    __slots__ = ("_at", "_head")

    def __init__(self, source: Any, head: bytes) -> None:
        super().__init__(source)
        self._head = head
        self._at = 0

    def read(self, size: int | None = -1) -> bytes:
        left = self._head[self._at :]
        if size is None or size < 0:
            self._at = len(self._head)
            rest: bytes = self.source.read()
            return left + rest
        if left:
            piece = left[:size]
            self._at += len(piece)
            return piece
        data: bytes = self.source.read(size)
        return data


def has_body(environ: WSGIEnvironment) -> bool:
    """Whether there is something to read: a length, or a stream that ends by itself."""
    length = environ.get("CONTENT_LENGTH")
    return bool(length and length != "0") or bool(environ.get("wsgi.input_terminated"))


def head_of(environ: WSGIEnvironment, limit: int = HEAD) -> bytes:
    """The body's first ``limit`` bytes, decoded (gzip undone); the surface still reads all of it.

    For interceptors, which stand behind the layer that makes the body readable. Raises what
    that layer raises about a broken body.
    """
    known: bytes | None = environ.get(_KEY)
    if known is not None:
        return known[:limit]
    head = b""
    if has_body(environ):
        stream = environ["wsgi.input"]
        length = environ.get("CONTENT_LENGTH")
        wanted = min(limit, int(length)) if length else limit
        pieces = []
        while wanted > 0 and (piece := stream.read(wanted)):
            pieces.append(piece)
            wanted -= len(piece)
        head = b"".join(pieces)
        environ["wsgi.input"] = _Again(stream, head)
    environ[_KEY] = head
    return head
