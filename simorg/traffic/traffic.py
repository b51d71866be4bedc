"""A server's traffic: its observers and interceptors, made once, shared with the control API."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from simorg.traffic.exchange import Interceptor, Observer
from simorg.traffic.faults import Faults
from simorg.traffic.faults import faults as make_faults
from simorg.traffic.identity import identify
from simorg.traffic.journal import Journal, Ledger
from simorg.traffic.limits import LongRequests
from simorg.traffic.metrics import Metrics
from simorg.traffic.passage import Inner, Outer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from _typeshed.wsgi import WSGIApplication

    from simorg.config import ServerConfig
    from simorg.org.catalogue import OrgCatalogue
    from simorg.traffic.journal_shared import SharedJournal


@dataclass(slots=True)
class Traffic:
    """Who watches and who steps in, in that order. Empty ones cost a request nothing."""

    #: the first to see a request: what delays one behind it makes it long
    long_requests: LongRequests
    #: calls that fail on purpose; one of the interceptors
    faults: Faults
    #: what Prometheus is told
    metrics: Metrics
    #: the last requests and answers; None: not kept
    journal: Ledger | None = None
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
        if self.journal is not None:
            self.journal.stop()

    def close(self) -> None:
        """The server has stopped."""
        self.faults.close()
        if self.journal is not None:
            self.journal.close()


def traffic(catalogue: OrgCatalogue, config: ServerConfig, folder: Path | None = None) -> Traffic:
    """The traffic of a server; ``folder``: where its worker processes share what they must."""
    faults = make_faults(catalogue, config, folder)
    shared = folder is not None and config.workers > 1
    long_requests = LongRequests(catalogue, folder / "long" if shared and folder else None)
    journal = make_journal(catalogue, config, folder if shared else None)
    metrics = Metrics(folder / "metrics" if shared and folder else None)
    return Traffic(
        long_requests,
        faults,
        metrics,
        journal,
        observers=[long_requests, *([] if journal is None else [journal]), metrics],
        interceptors=[long_requests, faults],
    )


def make_journal(
    catalogue: OrgCatalogue, config: ServerConfig, folder: Path | None
) -> Journal | SharedJournal | None:
    """The journal a server was told to keep; in ``folder`` that of several worker processes."""
    if not config.journal_entries:
        return None
    entries, key, who = config.journal_entries, config.journal_key, partial(identify, catalogue)
    if folder is None:
        return Journal(entries, key, who, control=config.journal_control)
    from simorg.traffic.journal_shared import SharedJournal

    return SharedJournal(
        folder, entries, key, who, workers=config.workers, control=config.journal_control
    )
