"""What survives a power cut at the node: outbox, counters, seen frames, the directory."""

from node.store.node_store import NodeStore, digest
from node.store.remembered import Remembered
from runtime.sqlite_file import StoreRefusedError

__all__ = ["NodeStore", "Remembered", "StoreRefusedError", "digest"]
