"""The store: one database, written by one connection, read by many."""

from core.store.engine import Store, open_store

__all__ = ["Store", "open_store"]
