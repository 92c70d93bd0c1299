"""The reference loop's server: raw asyncio MQTT in, SQLite FULL commit, acknowledgement out. Nothing else.

No signature, directory, rule or page: the floor for any server with the same promise ("committed before answered").
Messages that arrive in one read are committed together, as at central.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import ssl
import sys
from pathlib import Path

from bench.mqtt_client import RawClient, connect

PRESS_PREFIX = "watchlink/1/scheme/"


class ReferenceServer:
    """Collects the messages of one turn of the loop, commits them, and answers each on its node's ``down/receipt``."""

    def __init__(self, database: Path) -> None:
        self._db = sqlite3.connect(database, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("CREATE TABLE press (node TEXT, payload BLOB)")
        self._pending: list[tuple[str, bytes]] = []
        self.client: RawClient | None = None

    def on_publish(self, topic: str, payload: bytes) -> None:
        """Note a press; the commit follows in this turn of the loop."""
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._commit)
        self._pending.append((topic.rpartition("/")[2], payload))

    def _commit(self) -> None:
        batch, self._pending = self._pending, []
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO press VALUES (?, ?)", batch)
        self._db.execute("COMMIT")
        assert self.client is not None
        for node, payload in batch:
            self.client.publish(f"watchlink/1/node/{node}/down/receipt", payload)


async def serve(port: int, folder: Path, database: Path) -> None:
    """Run until cancelled; prints ``ready`` once subscribed."""
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.load_cert_chain(folder / "client.pem", folder / "client.key")
    server = ReferenceServer(database)
    server.client = await connect("00000001", port, context, ("watchlink/1/scheme/+/frame/+",), server.on_publish)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--central-folder", type=Path, required=True, help="with central's certificate and key")
    parser.add_argument("--database", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.port, arguments.central_folder, arguments.database))
    except KeyboardInterrupt:
        sys.exit(0)
