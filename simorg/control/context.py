"""What the control API's functions share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simorg.config import ServerConfig
    from simorg.org.catalogue import OrgCatalogue
    from simorg.org.org import Org
    from simorg.traffic.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Context:
    catalogue: OrgCatalogue
    config: ServerConfig
    #: the server's folder: definitions that came by POST are kept here
    folder: Path
    #: the content of the ready file
    info: Callable[[], dict[str, Any]]
    #: JWT Robot's private key, PEM: ``oauth`` makes it, ``server`` hands its maker in
    robot_key: Callable[[], bytes]
    #: what passes through the server: journal, faults, counters
    traffic: Traffic

    def org(self, id: str) -> Org:
        """The org of an id, or the default org by the word ``default``."""
        found = self.catalogue.living(self.catalogue.default.id if id == "default" else id)
        if found is None:
            from simorg.control.errors import not_found

            raise not_found(f"org {id}")
        return found
