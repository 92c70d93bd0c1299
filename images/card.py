"""The card: its partitions, and the file systems that firmware reads. Needs no loop device, and mounts nothing.

| partition | | |
|---|---|---|
| 1 | FAT | ``autoboot.txt``, the Pi's first programs, and a seed until the unit has taken it |
| 2, 3 | FAT | kernel, initramfs and settings of slot a, and of slot b |
| 5, 6 | squashfs | root of slot a, and of slot b |
| 7 | ext4 | what a unit keeps: identity, store, settings, updates on their way |

Partitions are in an MBR: a Pi that reads ``autoboot.txt`` does not start from every GPT.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from appliance.core.slot import Slot
from images.errors import BuildError
from images.programs import run
from images.recipe import CARD_ID, Partitions

ROOT_PARTITIONS: Final[dict[Slot, int]] = {"a": 5, "b": 6}
_MIB: Final = 1024 * 1024
_SIZES: Final = ("-b", "4096", "-i", "65536", "-I", "256")
"""Of blocks and inodes, as a large card wants them: by itself ext4 goes by the small one that it begins as."""


class Parts(Struct, frozen=True):
    """Files with what goes into partitions: the first one, a slot's boot partition and root, the data."""

    first: Path
    boot: Path
    root: Path
    data: Path


def command_line(slot: Slot) -> str:
    """The kernel's, for a slot."""
    root = f"root=PARTUUID={CARD_ID}-{ROOT_PARTITIONS[slot]:02} rootfstype=squashfs ro rootwait"
    return f"{root} watchlink.slot={slot} quiet panic=10\n"


def make_fat(file: Path, size_mib: int, files: Mapping[str, Path], label: str, epoch_s: int) -> None:
    """A FAT file system with these files in it, the same bytes at each build.

    Raises:
        BuildError: it is too small, or a program failed.
    """
    with file.open("wb") as made:
        made.truncate(size_mib * _MIB)
    env = {"SOURCE_DATE_EPOCH": str(epoch_s), "TZ": "UTC", "MTOOLS_SKIP_CHECK": "1"}
    run("mkfs.vfat", "--invariant", "-F", "32", "-n", label, "-i", CARD_ID, file, env=env)
    for name in sorted({folder for path in files for folder in _folders(path)}):
        run("mmd", "-i", file, f"::{name}", env=env)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        for path, source in sorted(files.items()):
            dated = Path(folder) / source.name
            shutil.copyfile(source, dated)
            os.utime(dated, (epoch_s, epoch_s))
            run("mcopy", "-m", "-i", file, dated, f"::{path}", env=env)


def make_data(file: Path, size_mib: int, epoch_s: int) -> None:
    """An empty data partition, the same bytes at each build.

    Raises:
        BuildError: a program failed.
    """
    with file.open("wb") as made:
        made.truncate(size_mib * _MIB)
    identity = f"{CARD_ID}-0000-4000-8000-000000000007"
    # Room for a card of any size: it grows to the card's end when it is first used.
    options = f"lazy_itable_init=1,resize=67108864,hash_seed={identity}"
    run(
        *("mke2fs", "-q", "-t", "ext4", "-L", "data", "-U", identity, "-E", options, "-m", "1", *_SIZES, file),
        env={"SOURCE_DATE_EPOCH": str(epoch_s), "E2FSPROGS_FAKE_TIME": str(epoch_s)},
    )


def make_card(card: Path, sizes: Partitions, parts: Parts, work: Path) -> None:
    """Join the parts: slot a is filled, slot b is empty.

    Raises:
        BuildError: a part is too large, or a program failed.
    """
    root_mib = parts.root.stat().st_size / _MIB
    if root_mib > sizes.root:
        raise BuildError(f"the root takes {root_mib:.0f} MiB, and partitions.root is {sizes.root}")
    inputs, outputs, scratch = work / "inputs", work / "outputs", work / "scratch"
    for folder in (inputs, outputs, scratch):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for name, source in (("first", parts.first), ("boot", parts.boot), ("root", parts.root), ("data", parts.data)):
        (inputs / name).symlink_to(source.absolute())
    config = work / "genimage.cfg"
    config.write_text(_layout(card.name, sizes), encoding="utf-8")
    empty = work / "empty"
    empty.mkdir(exist_ok=True)
    run(
        *("genimage", "--config", config, "--rootpath", empty, "--tmppath", scratch),
        *("--inputpath", inputs, "--outputpath", outputs),
    )
    (outputs / card.name).replace(card)


def _folders(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: length + 1]) for length in range(len(parts))]


def _layout(name: str, sizes: Partitions) -> str:
    def partition(title: str, kind: str, size_mib: int, source: str = "") -> str:
        image = f'    image = "{source}"\n' if source else ""
        return f"  partition {title} {{\n    partition-type = {kind}\n    size = {size_mib}M\n{image}  }}\n"

    parts = (
        partition("first", "0x0c", sizes.first, "first"),
        partition("boot-a", "0x0c", sizes.boot, "boot"),
        partition("boot-b", "0x0c", sizes.boot),
        partition("root-a", "0x83", sizes.root, "root"),
        partition("root-b", "0x83", sizes.root),
        partition("data", "0x83", sizes.data, "data"),
    )
    table = "".join(
        f"    {line}\n"
        for line in (
            'partition-table-type = "mbr"',
            f"disk-signature = 0x{CARD_ID}",
            "extended-partition = 4",
            "align = 1M",
        )
    )
    return f"image {name} {{\n  hdimage {{\n{table}  }}\n{''.join(parts)}}}\n"
