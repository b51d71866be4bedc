"""A bounded cache whose look-ups take no lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any


class Cache:
    """Two generations: what was not asked for while the young one filled up is dropped.

    A look-up is one or two dict reads (atomic); only writes take the lock.
    """

    def __init__(self, size: int = 2048) -> None:
        self._half = max(1, size // 2)
        self._young: dict[Hashable, Any] = {}
        self._old: dict[Hashable, Any] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, default: Any = None) -> Any:
        """The value kept, or ``default``."""
        young = self._young
        if key in young:
            return young.get(key, default)
        found = self._old.get(key, self)
        if found is self:
            return default
        self[key] = found
        return found

    def __contains__(self, key: Hashable) -> bool:
        return key in self._young or key in self._old

    def __getitem__(self, key: Hashable) -> Any:
        found = self.get(key, self)
        if found is self:
            raise KeyError(key)
        return found

    def __setitem__(self, key: Hashable, value: Any) -> None:
        with self._lock:
            if len(self._young) >= self._half and key not in self._young:
                self._old, self._young = self._young, {}
            self._young[key] = value

    def get_or_make(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value kept, or what ``make()`` gives (two threads may both make it)."""
        found = self.get(key, self)
        if found is self:
            found = self[key] = make()
        return found

    def pop(self, key: Hashable, default: Any = None) -> Any:
        """Forget a key."""
        with self._lock:
            old = self._old.pop(key, default)
            return self._young.pop(key, old)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._young, self._old = {}, {}

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())
