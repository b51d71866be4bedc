"""Work that nobody waits for: copies made ahead of need, files of deleted orgs removed.

The work is SQLite's and the file system's, which let other Python threads run meanwhile: while a
core is free it costs nobody time, and on a busy machine no more than doing it at once.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

#: seconds a thread without work stays
_LINGER = 1.0
#: more work waiting than this is done by who asks for more, so that it cannot pile up
_MOST = 32


class Background:
    """One thread, there while there is work; what is asked for first is done first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Callable[[], object]] = deque()
        self._busy = False
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, action: Callable[[], object]) -> None:
        """Have it done; at once if this is closed or far behind."""
        with self._changed:
            late = self._closed or len(self._waiting) >= _MOST
            if not late:
                self._waiting.append(action)
                if self._thread is None:
                    self._thread = threading.Thread(
                        target=self._run, name="simorg background", daemon=True
                    )
                    self._thread.start()
                self._changed.notify_all()
        if late:
            action()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                if not self._waiting and not self._closed:
                    self._changed.wait_for(lambda: self._waiting or self._closed, _LINGER)
                if not self._waiting:
                    self._thread = None
                    return
                action = self._waiting.popleft()
                self._busy = True
            try:
                action()
            except Exception:
                logging.getLogger("simorg.store").exception("background work failed")
            del action  # it holds an org's store

    def settle(self) -> None:
        """Wait until all that was asked for is done."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and not self._busy)

    def close(self) -> None:
        """Finish, and do from here on at once whatever is asked for."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()
