"""The largest lists that the office may sign, one after the other, leave central well within its unit's memory."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support.list_reader import OFFICE, TOWN
from wire.limits import SNAPSHOT_BYTES_MAX
from wire.signing import SNAPSHOT_DOMAIN
from wire.snapshots import ENTRIES_MAX, SnapshotName, file_name

pytestmark = pytest.mark.integration

UNIT: Final = Path(__file__).parents[3] / "systemd/watchlink-central.service"
PAIRS: Final = 2
SHARE_MAX: Final = 0.75
"""The rest is for floods, pages and the database, and for what Python does not give back."""


def sealed(name: SnapshotName, number: int, entries: list[bytes], more: bytes = b"") -> bytes:
    """As whoever has the office's key may write it: not with one's own types, which take longer than the reading."""
    town, digest = TOWN.text.encode(), b"ab" * 32
    inner = b'{"number":%d,"made_at":"2026-11-27T12:00:00Z","audit":{"sequence":7,"digest":"%s"},%s"%s":[%s]}' % (
        *(number, digest, more, name.encode(), b",".join(entries)),
    )
    signature = OFFICE.sign(SNAPSHOT_DOMAIN, name.encode() + b"\n" + town + b"\n" + inner)
    file = b'{"name":"%s","town":"%s","snapshot":%s,"signature":"%s"}'
    return file % (name.encode(), town, inner, base64.b64encode(signature))


def people(number: int) -> bytes:
    """Of many small things each, which take most memory by byte."""
    sessions = b",".join(b'"%032x"' % session for session in range(45))
    person = b'{"account":%d,"username":"%d","name":"A","ended_sessions":[' + sessions + b"]}"
    key = b'"ticket_key":"%s",' % base64.b64encode(b"t" * 32)
    return sealed("people", number, [person % (one, one) for one in range(1, ENTRIES_MAX - 100)], key)


def premises(number: int) -> bytes:
    contacts = b",".join(b'{"name":"%d","phone":"%d","is_key_holder":true,"note":"x"}' % (c, c) for c in range(16))
    shop = b'{"premises":%d,"name":"A","schemes":[1,2,3,4],"when_going":"%s","contacts":[%s]}'
    return sealed(
        *("premises", number),
        [shop % (one, b"d" * 640, contacts) for one in range(1, ENTRIES_MAX)],
    )


def test_largest_lists_leave_central_within_its_memory(tmp_path: Path) -> None:
    for number in range(1, PAIRS + 1):
        pair: dict[SnapshotName, bytes] = {"people": people(number), "premises": premises(number)}
        for name, data in pair.items():
            assert 0.95 * SNAPSHOT_BYTES_MAX < len(data) <= SNAPSHOT_BYTES_MAX
            (tmp_path / f"{file_name(name, number)}.new").write_bytes(data)
    command = [sys.executable, "-m", "tests.support.list_reader", str(tmp_path)]
    most_mib = int(subprocess.run(command, check=True, capture_output=True, text=True, timeout=3_600).stdout)
    (limit,) = [line for line in UNIT.read_text(encoding="utf-8").splitlines() if line.startswith("MemoryMax=")]

    assert most_mib <= SHARE_MAX * int(limit.removeprefix("MemoryMax=").removesuffix("M"))
