"""N3: what central has told outlives the program, so that no older word of central's undoes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.core.effects import NOTHING_TOLD, Told
from node.store import NodeStore
from node.store.database import open_database
from runtime.sqlite_file import write_value
from wire.ids import FrameId, NodeId
from wire.signing import SigningKey

KEY = SigningKey(bytes(range(32)))


def told_in(folder: Path) -> Told:
    store = NodeStore(folder, NodeId(0x10), KEY, "boot-2")
    told = store.load(0, 0).told
    store.close()
    return told


@pytest.mark.finding(4)
def test_store_remembers_what_central_has_told(tmp_path: Path) -> None:
    store = NodeStore(tmp_path, NodeId(0x10), KEY, "boot-1")
    told = Told(12, 77, (3, 4), (FrameId(NodeId(0x11), 5),))
    store.keep_told(told)
    store.close()

    assert told == told_in(tmp_path)


def test_store_begins_without_it_where_it_cannot_be_read(tmp_path: Path) -> None:
    db = open_database(tmp_path)
    write_value(db, "told", b"nonsense")
    db.close()

    assert NOTHING_TOLD == told_in(tmp_path)
