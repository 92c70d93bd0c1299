"""A town for measuring galleries: faces as an office publishes them, its machine port, and nodes that ask there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from bench import town
from bench.unit_weights import environment_of
from tests.support.asking_town import HART, HOST, AskingTown, Entry, sealing_key, sender
from wire.ids import NodeId, node_text

PHOTOGRAPH_BYTES: Final = 60_000
_FIRST: Final = 0x100


class GalleryTown(AskingTown):
    """Its folder, and ``nodes`` shops in one scheme, numbered from 0."""

    def __init__(self, folder: Path, nodes: int) -> None:
        folder.mkdir()
        super().__init__(folder)
        self.shops: Final = tuple(NodeId(_FIRST + place) for place in range(nodes))
        self.list(*(sender(node, (HART,), place + 1) for place, node in enumerate(self.shops)))
        self.port = 0
        for node in self.shops:
            issued = self.certificate(node)
            self.write(f"gallery-{node:x}.pem", issued.certificate_pem)
            self.write(f"gallery-{node:x}.key", issued.key_pem)

    def program(self, node: NodeId) -> AbstractContextManager[subprocess.Popen[str]]:
        """``watchlink gallery`` of a node, on the card that it has in :meth:`card`."""
        self.write(f"sealing-{node:x}.key", sealing_key(node).private_bytes_raw().hex().encode())
        lines = (
            f'state_dir = "state-{node:x}"',
            "[identity]",
            f'node = "{node_text(node)}"',
            'ca_file = "root.pem"',
            f'certificate_file = "gallery-{node:x}.pem"',
            f'key_file = "gallery-{node:x}.key"',
            f'sealing_key_file = "sealing-{node:x}.key"',
            'directory_file = "directory.json"',
            "[office]",
            f'host = "{HOST}"',
            f"port = {self.port}",
            "[page]",
            "port = 0",
        )
        config = self.write(f"gallery-{node:x}.toml", "\n".join(lines).encode())
        arguments = ("-m", "watchlink.cli", "gallery", "--config", str(config))
        environment = environment_of("watchlink-gallery.service")
        return town.program(*arguments, log=self.folder / "gallery.log", environment=environment)

    def card(self, node: NodeId) -> Path:
        """Of the program."""
        return self.folder / f"state-{node:x}/card"

    @property
    def digests(self) -> list[str]:
        """SHA-256 of all photographs that are published."""
        return sorted(path.stem for path in (self.folder / "snapshots").glob("*.bin"))

    @contextmanager
    def serving(self) -> Iterator[subprocess.Popen[str]]:
        """The office's machine port, once it listens."""
        arguments = ("-m", "watchlink.cli", "office", "nodes", "--config", str(self.config))
        with town.program(*arguments, log=self.folder / "port.log") as process:
            url = town.wait_for(process, lambda fact: fact["fact"] == "listening")["url"]
            self.port = int(url.rstrip("/").rpartition(":")[2])
            yield process


def people(count: int, photograph_bytes: int = PHOTOGRAPH_BYTES, first: int = 1) -> list[Entry]:
    """So many, each with a photograph of one size."""
    return [
        Entry(case, photograph=os.urandom(photograph_bytes), name=f"Nobody {case}")
        for case in range(first, first + count)
    ]


class Curl:
    """Fetches what a node's gallery fetches, by one connection, and keeps nothing durable."""

    def __init__(self, of: GalleryTown, node: NodeId, digests: Sequence[str]) -> None:
        folder = of.folder / f"curl-{node:x}"
        folder.mkdir()
        lines = [
            f'url = "https://{HOST}:{of.port}/gallery/photographs/{digest}"\noutput = "{folder / digest}"'
            for digest in digests
        ]
        self._config = folder / "curl.conf"
        self._config.write_text("\n".join(lines) + "\n")
        own = of.folder / f"gallery-{node:x}"
        self._command = [
            "curl", "--silent", "--show-error", "--fail", "--tlsv1.3", "--cacert", str(of.folder / "root.pem"),
            "--cert", f"{own}.pem", "--key", f"{own}.key", "--config", str(self._config),
        ]  # fmt: skip

    def run(self) -> None:
        """Fetch all.

        Raises:
            subprocess.CalledProcessError: one of them did not come.
        """
        subprocess.run(self._command, check=True)
