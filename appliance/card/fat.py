"""Files in the top folder of a FAT16 or FAT32 file system: found, read, written over in place, and taken away.

Every change is one sector at a time, so that a power cut between any two leaves a file system that can be read; free
space alone is wiped in larger pieces. It is not mounted: the kernel would write a mark, a time and whatever it likes
besides.

Source: Microsoft, "FAT: General Overview of On-Disk Format", 1.03. Offsets in the boot sector:

====== ===== ==================================
offset width meaning
====== ===== ==================================
11     2     bytes in a sector: 512 here
13     1     sectors in a cluster
14     2     sectors before the first table
16     1     tables (copies)
17     2     entries in the top folder; 0 = FAT32
19     2     sectors in all; 0 = at 32
22     2     sectors in a table; 0 = at 36
32     4     sectors in all
36     4     sectors in a table (FAT32)
44     4     first cluster of the top folder (FAT32)
48     2     sector that says how much is free (FAT32)
====== ===== ==================================
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from appliance.card.partition import SECTOR_BYTES, Sectors
from appliance.errors import CardError

_ENTRY_BYTES: Final = 32
_DELETED: Final = 0xE5
_LONG_NAME: Final = 0x0F
_NO_FILE: Final = 0x18
"""Attributes of a volume's label and of a folder."""
_LAST_OF_NAME: Final = 0x40
_FREE_COUNT_AT: Final = 488
_NOT_COUNTED: Final = b"\xff" * 4
_FAT16_CLUSTERS_MIN: Final = 4_085
_FAT32_CLUSTERS_MIN: Final = 65_525
_PIECE_BYTES: Final = 256 * 1024
"""Of free space, read and wiped at once."""


class FatFile(Struct, frozen=True):
    """A file in the top folder.

    Attributes:
        name: its long name, or the short one if it has no other.
        size_bytes: its length.
        cluster: its first; 0 = it is empty.
        entries: where its entries are, the one that counts last.
    """

    name: str
    size_bytes: int
    cluster: int
    entries: tuple[int, ...]


class Fat:
    """The file system on a partition.

    Raises:
        CardError: it is none, or of another sort.
    """

    def __init__(self, sectors: Sectors) -> None:
        self._sectors = sectors
        boot = sectors.read(0, SECTOR_BYTES)
        sector_bytes, per_cluster, reserved, tables, root_entries, total_16, _, table_16 = struct.unpack_from(
            "<HBHBHHBH", boot, 11
        )
        total_32, table_32 = struct.unpack_from("<II", boot, 32)
        table_sectors, total = table_16 or table_32, total_16 or total_32
        if sector_bytes != SECTOR_BYTES or not (per_cluster and tables and table_sectors):
            raise CardError("the card's first partition has no FAT file system")
        self._cluster_bytes = per_cluster * SECTOR_BYTES
        self._tables = tuple((reserved + n * table_sectors) * SECTOR_BYTES for n in range(tables))
        top_at = reserved + tables * table_sectors
        data_at = top_at + -(-root_entries * _ENTRY_BYTES // SECTOR_BYTES)
        self._clusters = (total - data_at) // per_cluster
        if self._clusters < _FAT16_CLUSTERS_MIN:
            raise CardError("the card's first partition has a FAT file system of another sort")
        self._is_32 = self._clusters >= _FAT32_CLUSTERS_MIN
        self._data_at = data_at * SECTOR_BYTES
        self._top_cluster, free_at = struct.unpack_from("<IH", boot, 44)
        self._free_count_at = free_at * SECTOR_BYTES + _FREE_COUNT_AT
        self._top = range(top_at * SECTOR_BYTES, data_at * SECTOR_BYTES, SECTOR_BYTES)

    def find(self, name: str) -> FatFile | None:
        """The file of that name in the top folder, in capitals or not; ``None`` = there is none."""
        return next((one for one in self._files() if one.name.lower() == name.lower()), None)

    def read(self, file: FatFile) -> bytes:
        """All that it holds. The caller has looked at its size."""
        data = b"".join(self._sectors.read(at, SECTOR_BYTES) for at in self.sectors_of(file))
        return data[: file.size_bytes]

    def sectors_of(self, file: FatFile) -> list[int]:
        """Where its contents are, in order."""
        needed = -(-file.size_bytes // SECTOR_BYTES)
        found = [at for cluster in self._chain(file.cluster) for at in self._sectors_in(cluster)]
        if len(found) < needed:
            raise CardError(f"the file {file.name} on the card is damaged")
        return found

    def erase(self, file: FatFile) -> None:
        """Write zeros over all that it holds and held, and take it away. May be repeated after a power cut.

        Its first sector is zeros from the first write on: so the caller knows one that is erased in part. Older copies,
        as an editor leaves them in free space, go before its entry does.
        """
        for at in self.sectors_of(file):
            self._sectors.write(at, bytes(SECTOR_BYTES))
        self._wipe_free()
        chain = list(self._chain(file.cluster))
        for at in reversed(file.entries):  # The one that counts first: the others mean nothing without it.
            self._change(at, bytes([_DELETED]))
        if self._is_32:
            self._change(self._free_count_at, _NOT_COUNTED)
        width = 4 if self._is_32 else 2
        for table in self._tables:
            for cluster in chain:
                self._change(table + cluster * width, bytes(width))

    def _wipe_free(self) -> None:
        """Zeros over all that belongs to no file; what is zeros already is only read, to spare the card."""
        for at, count in self._free_pieces():
            if self._sectors.read(at, count).strip(b"\0"):
                self._sectors.wipe(at, count)

    def _free_pieces(self) -> Iterator[tuple[int, int]]:
        """Where free clusters are, side by side ones as one piece, and how many bytes."""
        begin = count = 0
        for cluster in self._free_clusters():
            at = self._sectors_in(cluster).start
            if at != begin + count or count + self._cluster_bytes > _PIECE_BYTES:
                if count:
                    yield begin, count
                begin, count = at, 0
            count += self._cluster_bytes
        if count:
            yield begin, count

    def _free_clusters(self) -> Iterator[int]:
        width, kind = (4, "<I") if self._is_32 else (2, "<H")
        table_bytes = (self._clusters + 2) * width
        for offset in range(0, table_bytes, _PIECE_BYTES):
            data = self._sectors.read(self._tables[0] + offset, min(_PIECE_BYTES, table_bytes - offset))
            for n, (entry,) in enumerate(struct.iter_unpack(kind, data), offset // width):
                if n >= 2 and not entry & 0x0FFF_FFFF:  # noqa: PLR2004 - the first two are no clusters
                    yield n

    def _files(self) -> Iterator[FatFile]:
        long_name: list[str] = []
        entries: list[int] = []
        for at, entry in self._entries():
            entries.append(at)
            if entry[11] == _LONG_NAME:
                if entry[0] & _LAST_OF_NAME:
                    long_name, entries = [], [at]
                characters = entry[1:11] + entry[14:26] + entry[28:32]
                long_name.insert(0, characters.decode("utf-16-le", "replace"))
                continue
            if entry[0] != _DELETED and not entry[11] & _NO_FILE:
                short = f"{entry[:8].decode('ascii', 'replace').rstrip()}.{entry[8:11].decode('ascii', 'replace')}"
                name = "".join(long_name).partition("\0")[0] or short.rstrip(". ")
                high, low, size_bytes = struct.unpack_from("<H4xHI", entry, 20)
                yield FatFile(name, size_bytes, (high << 16 | low) if self._is_32 else low, tuple(entries))
            long_name, entries = [], []

    def _entries(self) -> Iterator[tuple[int, bytes]]:
        for sector in self._top_sectors():
            data = self._sectors.read(sector, SECTOR_BYTES)
            for at in range(0, SECTOR_BYTES, _ENTRY_BYTES):
                entry = data[at : at + _ENTRY_BYTES]
                if not entry[0]:
                    return
                yield sector + at, entry

    def _top_sectors(self) -> Iterable[int]:
        if not self._is_32:
            return self._top
        return (at for cluster in self._chain(self._top_cluster) for at in self._sectors_in(cluster))

    def _sectors_in(self, cluster: int) -> range:
        first = self._data_at + (cluster - 2) * self._cluster_bytes
        return range(first, first + self._cluster_bytes, SECTOR_BYTES)

    def _chain(self, cluster: int) -> Iterator[int]:
        """The clusters of a file; it ends also where the table is damaged."""
        width, kind = (4, "<I") if self._is_32 else (2, "<H")
        seen: set[int] = set()
        while 2 <= cluster < self._clusters + 2 and cluster not in seen:  # noqa: PLR2004 - the first two are no clusters
            seen.add(cluster)
            yield cluster
            (cluster,) = struct.unpack(kind, self._sectors.read(self._tables[0] + cluster * width, width))
            cluster &= 0x0FFF_FFFF

    def _change(self, at: int, data: bytes) -> None:
        sector = at - at % SECTOR_BYTES
        whole = bytearray(self._sectors.read(sector, SECTOR_BYTES))
        whole[at - sector : at - sector + len(data)] = data
        self._sectors.write(sector, bytes(whole))
