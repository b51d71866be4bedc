"""Copies of templates made ahead of need, so that a new org finds its file copied and read.

Most of a new org's time is copying its file and SQLite reading the schema of it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from functools import partial

from simorg.org.store.background import Background
from simorg.org.store.sqlite import SqliteStore

#: copies kept per template
_COPIES = 2
#: templates that copies are kept of
_TEMPLATES = 2
#: seconds to wait for a copy that is being made
_PATIENCE = 1.0


class ReadyCopies:
    """Taken one at a time; made again in the background once a template is in use.

    ``make(source)`` gives an open copy that bears no org's name yet, ``discard`` removes one.
    """

    def __init__(
        self,
        background: Background,
        make: Callable[[str], SqliteStore],
        discard: Callable[[SqliteStore], None],
    ) -> None:
        self._background = background
        self._make = make
        self._discard = discard
        self._changed = threading.Condition()
        #: source -> copies ready, last used last
        self._ready: OrderedDict[str, deque[SqliteStore]] = OrderedDict()
        self._making: str | None = None

    def take(self, source: str) -> SqliteStore | None:
        """A copy nobody else gets; None when there is none yet. Asked for twice, a source will
        be asked for again: the next copies are made."""
        found = None
        with self._changed:
            known = source in self._ready
            copies = self._ready.setdefault(source, deque())
            self._ready.move_to_end(source)
            if not copies and self._making == source:
                self._changed.wait_for(lambda: copies or self._making != source, _PATIENCE)
            if copies:
                found = copies.popleft()
            surplus = self._surplus()
        for one in surplus:
            self._discard(one)
        if known:
            self._background.submit(partial(self._fill, source))
        return found

    def _surplus(self) -> list[SqliteStore]:
        surplus: list[SqliteStore] = []
        while len(self._ready) > _TEMPLATES:
            surplus += self._ready.popitem(last=False)[1]
        return surplus

    def _fill(self, source: str) -> None:
        while (copies := self._wanted(source)) is not None:
            made: SqliteStore | None = None
            try:
                made = self._make(source)
            except (OSError, sqlite3.Error):
                return  # no room, no descriptors: whoever needs a copy makes one and is told
            finally:
                with self._changed:
                    self._making = None
                    if made is not None and self._ready.get(source) is copies:
                        copies.append(made)
                        made = None
                    self._changed.notify_all()
            if made is not None:  # the source was forgotten meanwhile
                self._discard(made)

    def _wanted(self, source: str) -> deque[SqliteStore] | None:
        """The copies of a source, if there are too few."""
        with self._changed:
            copies = self._ready.get(source)
            if copies is None or len(copies) >= _COPIES:
                return None
            self._making = source
            return copies

    def forget(self, source: str) -> None:
        """Discard the copies of a source that goes."""
        with self._changed:
            copies = self._ready.pop(source, ())
        for one in copies:
            self._discard(one)

    def close(self) -> None:
        """Discard what is ready; nothing more is kept."""
        for source in list(self._ready):
            self.forget(source)
