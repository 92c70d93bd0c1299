"""A gallery on a machine whose clocks a script can set: ``python -m demo.gallery_unit MACHINE.JSON GALLERY.TOML``.

The program is the real one. What it reads of its machine stands in the file: which boot it is, and by how much the
machine's own count of milliseconds is ahead. As hardware is faked elsewhere, so are years here.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import msgspec

from gallery.app import GalleryApp, Machine
from gallery.config import load_configuration
from runtime.logs import FactLog, set_up_logging
from runtime.monotonic import boottime_ms
from runtime.service import Service


class Bench(msgspec.Struct, frozen=True):
    """The file.

    Attributes:
        ahead_ms: more than the machine under it; it never goes back within a boot.
    """

    boot_id: str = "first"
    ahead_ms: int = 0


def write_bench(file: Path, bench: Bench) -> None:
    """Whole or not at all."""
    beside = file.with_suffix(".new")
    beside.write_bytes(msgspec.json.encode(bench))
    beside.replace(file)


def read_bench(file: Path) -> Bench:
    """As it is now."""
    return msgspec.json.decode(file.read_bytes(), type=Bench) if file.exists() else Bench()


def main(machine: Path, config: Path) -> int:
    """As ``watchlink gallery --config CONFIG``."""
    set_up_logging()
    bench = Machine(lambda: read_bench(machine).boot_id, lambda: boottime_ms() + read_bench(machine).ahead_ms)
    app = GalleryApp(load_configuration(config), FactLog(), Service(), bench)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: app.stop())
    return app.run()


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2])))
