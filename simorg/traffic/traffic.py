"""A server's traffic: its observers and interceptors, made once, shared with the control API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simorg.traffic.exchange import Interceptor, Observer
from simorg.traffic.faults import Faults
from simorg.traffic.faults import faults as make_faults
from simorg.traffic.passage import Inner, Outer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from _typeshed.wsgi import WSGIApplication

    from simorg.config import ServerConfig
    from simorg.org.catalogue import OrgCatalogue


@dataclass(slots=True)
class Traffic:
    """Who watches and who steps in, in that order. Empty ones cost a request nothing."""

    #: calls that fail on purpose; one of the interceptors
    faults: Faults
    observers: list[Observer] = field(default_factory=list)
    interceptors: list[Interceptor] = field(default_factory=list)

    def around(
        self,
        surfaces: WSGIApplication,
        readable: Callable[[WSGIApplication], WSGIApplication],
    ) -> WSGIApplication:
        """``surfaces`` behind both layers; ``readable`` makes the body readable in between."""
        return Outer(readable(Inner(surfaces, self.interceptors)), self.observers)

    def stop(self) -> None:
        """The server stops: no request waits any longer."""
        self.faults.stop()

    def close(self) -> None:
        """The server has stopped."""
        self.faults.close()


def traffic(catalogue: OrgCatalogue, config: ServerConfig, folder: Path | None = None) -> Traffic:
    """The traffic of a server; ``folder``: where its worker processes share what they must."""
    faults = make_faults(catalogue, config, folder)
    return Traffic(faults, interceptors=[faults])
