"""How a WSGI application closes the connection under its request."""

from __future__ import annotations


class ConnectionDropped(Exception):
    """Nothing more is to be sent: the server closes the connection where it is.

    ``reset``: with a TCP reset, as a broken network path does; else as if the peer had gone.
    """

    def __init__(self, *, reset: bool = True) -> None:
        self.reset = reset
        super().__init__("the connection is dropped on purpose")
