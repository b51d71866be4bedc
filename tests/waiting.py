"""Waiting for what another thread or process does."""

from __future__ import annotations

import time
from collections.abc import Callable

#: seconds that only bound a hang: a busy machine takes its time
PATIENCE = 60.0


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Look until it holds; fail where it does not within so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} seconds"
        time.sleep(0.005)
