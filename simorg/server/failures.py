"""Why a server cannot be started, in one line for the person who started it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from simorg.config import ServerConfig
from simorg.org.catalogue import CatalogueError


class CannotStart(Exception):
    """The text says why."""


@contextmanager
def opening(config: ServerConfig) -> Iterator[None]:
    """Turn what databases say into ``CannotStart``."""
    try:
        yield
    except CatalogueError as error:
        raise CannotStart(str(error)) from None
    except sqlite3.Error as error:
        raise CannotStart(f"the state in {config.state} cannot be read: {error}") from None
    except ImportError as error:
        if config.database is None:
            raise
        raise CannotStart(f"--database needs {error.name}: install simorg[postgres]") from None
    except Exception as error:
        if config.database is None or not _of_psycopg(error):
            raise
        reason = " ".join(str(error).split())
        raise CannotStart(f"the database cannot be used: {reason}") from None


def _of_psycopg(error: Exception) -> bool:
    return any(kind.__module__.partition(".")[0] == "psycopg" for kind in type(error).__mro__)
