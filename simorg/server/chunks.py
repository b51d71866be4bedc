"""The chunked transfer coding of requests, read as a stream (RFC 9112, section 7.1).

cheroot's own reader holds a whole chunk in memory, however large it says it is, and leaves the
last line behind, which keeps a worker busy with an idle connection.
"""

from __future__ import annotations

import io
from typing import Any

from werkzeug.exceptions import BadRequest

_LINE = 4096  # bytes of a chunk's size line, or of one trailer
_TRAILERS = 64


class BadChunk(BadRequest):
    """The body is not in the chunked coding that its header promises."""

    description = "Malformed chunked request body"


class ChunkedBody(io.RawIOBase):
    """The body without its coding. ``closed_cleanly`` once the last trailer was read."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self._left = 0  # bytes of the present chunk
        self._first = True
        self._broken = False
        self.closed_cleanly = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._broken:  # what comes next is no chunk, whatever it looks like
            raise BadChunk()
        self._broken = True
        count = self._readinto(buffer)
        self._broken = False
        return count

    def _readinto(self, buffer: Any) -> int:
        if self.closed_cleanly:
            return 0
        if not self._left and not self._next_chunk():
            return 0
        data = self._source.read(min(len(buffer), self._left))
        if not data:
            raise BadChunk("The request body ended within a chunk")
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)

    def _next_chunk(self) -> bool:
        if not self._first and self._line() != b"":
            raise BadChunk()
        self._first = False
        digits = self._line().partition(b";")[0].strip()
        if not digits or len(digits) > 16 or digits.strip(b"0123456789abcdefABCDEF"):
            raise BadChunk()
        self._left = int(digits, 16)
        if self._left:
            return True
        for _ in range(_TRAILERS):
            if self._line() == b"":
                self.closed_cleanly = True
                return False
        raise BadChunk()

    def _line(self) -> bytes:
        line: bytes = self._source.readline(_LINE)
        if not line.endswith(b"\r\n"):
            raise BadChunk()
        return line[:-2]
