"""Where an org's records live: SQLite files or PostgreSQL schemas behind one seam."""

from simorg.org.store.base import Reader, Statement, Store, Transaction
from simorg.org.store.open import open_store

__all__ = ["Reader", "Statement", "Store", "Transaction", "open_store"]
