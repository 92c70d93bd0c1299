"""Runs inside the booted root, beside a running central: what its journal holds, and how far its numbers went.

Writes a line of JSON: ids of alerts in the order of arrival, the highest counter that central may have signed with,
and the highest entry.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from typing import Final

JOURNAL: Final = "file:/var/lib/watchlink-central/central/state/central.db?mode=ro"

if __name__ == "__main__":
    with closing(sqlite3.connect(JOURNAL, uri=True)) as disk:
        alerts = disk.execute("SELECT sender, counter FROM frames WHERE kind = 1 ORDER BY entry")
        ids = [f"{sender:08x}-{counter}" for sender, counter in alerts]
        (used,) = disk.execute("SELECT value FROM counters WHERE name = 'frames'").fetchone()
        entries = "SELECT max(entry) FROM (SELECT entry FROM frames UNION SELECT entry FROM actions)"
        (entry,) = disk.execute(entries).fetchone()
    json.dump({"alerts": ids, "counter": used, "entry": entry}, sys.stdout)
    sys.stdout.write("\n")
