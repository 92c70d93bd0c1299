"""What the node remembers through a power cut: its outbox, counters, what it has seen, the directory."""

from node.store.database import StoreRefusedError
from node.store.node_store import NodeStore, digest
from node.store.remembered import Remembered

__all__ = ["NodeStore", "Remembered", "StoreRefusedError", "digest"]
