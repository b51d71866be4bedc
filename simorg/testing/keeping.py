"""Snapshots of an org: kept on the server by name, or saved to files."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A kept state."""

    name: str
    #: by the machine's clock
    made: datetime | None
    #: bytes in the database
    size: int | None


class Keeping:
    """The part of ``Org`` that keeps states and goes back to them."""

    _users: list[dict[str, Any]]
    _kept = 0

    def control(self, method: str, path: str = "", body: Any = None) -> Any:
        raise NotImplementedError

    def snapshot(self, name: str | None = None) -> str:
        """Keep the present state; the name to ``restore`` it by."""
        if name is None:
            self._kept += 1
            name = f"snapshot-{self._kept}"
        self.control("POST", "snapshots", {"name": name})
        return name

    @property
    def snapshots(self) -> list[Snapshot]:
        """The states that are kept, by name."""
        return [
            Snapshot(
                one["name"],
                datetime.fromisoformat(one["made"]) if one["made"] else None,
                one["size"],
            )
            for one in self.control("GET", "snapshots")["snapshots"]
        ]

    def drop_snapshot(self, name: str) -> None:
        """Forget a kept state."""
        self.control("DELETE", f"snapshots/{quote(name, safe='')}")

    def save(self, path: str | Path) -> Path:
        """Write the present state to one file, which ``restore`` and ``Simorg.create(snapshot=)``
        take, on any server. It holds password hashes and session tokens."""
        name = self.snapshot(f"save-{secrets.token_hex(8)}")
        try:
            content: bytes = self.control("GET", f"snapshots/{name}/file")
        finally:
            self.drop_snapshot(name)
        written = Path(path)
        written.write_bytes(content)
        return written

    def restore(self, name: str | Path) -> None:
        """Back to a snapshot, sessions too; or to the state in a file of ``save``.

        What is a ``Path``, or cannot be a snapshot's name (``state.simorg``), is a file.
        """
        if isinstance(name, str) and _NAME.fullmatch(name):
            self.control("POST", f"snapshots/{quote(name, safe='')}/restore")
        else:
            self.control("POST", "restore", Path(name).read_bytes())
        self._users = self.control("GET")["users"]
