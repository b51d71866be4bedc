"""A progress bar while the records of a definition are made up, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def seeding() -> Iterator[None]:
    """Show on standard error how far ``generate`` is; nothing where nobody looks."""
    if not sys.stderr.isatty():
        yield
        return
    from simorg.org.seeds.context import PROGRESS

    bars = _Bars()
    token = PROGRESS.set(bars.told)
    try:
        yield
    finally:
        PROGRESS.reset(token)
        bars.stop()


class _Bars:
    """A bar per object. Nothing is loaded, and nothing shown, before there is something to say."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._tasks: dict[str, Any] = {}

    def told(self, name: str, made: int, count: int) -> None:
        if self._progress is None:
            self._progress = self._shown()
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=count)
        self._progress.update(self._tasks[name], completed=made)

    @staticmethod
    def _shown() -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        made = Progress(*columns, console=Console(stderr=True), transient=True)
        made.start()
        return made

    def stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
