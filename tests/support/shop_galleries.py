"""Galleries as the publisher leaves them, and what nodes have said of them, in the folder of an office."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from office.gallery.holders import Holders, LineHolders, encode_holders, first_holders, holders_file, next_holders
from office.nodes.store import FILE_NAME, Station, Store
from tests.support.asking_town import LEASE_S, OFFICE, TOWN
from wire.gallery_contact import Held
from wire.gallery_head import GalleryHead, head_file, lines_file, seal_head
from wire.gallery_lines import GalleryLine, Lines
from wire.ids import NodeId

NOW_S: Final = 1_800_000_000


class ShopGalleries:
    """An office's folder: ``nodes/`` with the port's file, and ``snapshots/``.

    Attributes:
        config: the port's.
        store: what it keeps.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.snapshots = folder / "snapshots"
        self.config = folder / "nodes/nodes.toml"
        self._holders: dict[int, Holders] = {}
        self._since: dict[int, dict[int, int]] = {}
        self._stations: dict[NodeId, Station] = {}
        (folder / "nodes/state").mkdir(parents=True)
        self.snapshots.mkdir()
        self.config.write_text("")
        self.store = Store(folder / "nodes/state" / FILE_NAME, TOWN)
        self.store.note_alive(int(time.time()), "")

    def fit(
        self,
        node: NodeId,
        premises: int,
        *schemes: int,
        name: str = "",
        has_key: bool = True,
        is_struck: bool = False,
    ) -> None:
        """The directory has this node."""
        station = Station(node, premises, name or f"Shop {premises}", "", schemes, has_key=has_key, is_struck=is_struck)
        self._stations[node] = station
        self.store.note_stations(list(self._stations.values()))

    def publish(self, scheme: int, cases: Mapping[int, tuple[int, ...] | None], at_s: int = NOW_S) -> int:
        """A gallery of these cases, each for some premises or for all (``None``). Returns its number."""
        last = self._holders.get(scheme)
        number = 1 if last is None else last.number + 1
        before = self._since.get(scheme, {})
        self._since[scheme] = since = {case: before.get(case, number) for case in sorted(cases)}
        lines = Lines.of(
            GalleryLine(case=case, since=first, not_before_s=1, not_after_s=2**33, text=bytes(28))
            for case, first in since.items()
        )
        of_lines = tuple(LineHolders(case=case, premises=cases[case]) for case in since)
        holders = first_holders(scheme, number, of_lines) if last is None else next_holders(last, number, of_lines)
        self._holders[scheme] = holders
        head = GalleryHead(
            scheme=scheme,
            number=number,
            made_at=datetime.fromtimestamp(at_s, UTC),
            lines=len(lines),
            digest=lines.digest,
            lease_s=LEASE_S,
        )
        (self.snapshots / lines_file(scheme, number)).write_bytes(lines.data)
        (self.snapshots / holders_file(scheme, number)).write_bytes(encode_holders(holders))
        file = self.snapshots / head_file(scheme, number)
        file.write_bytes(seal_head(head, TOWN, OFFICE))
        os.utime(file, (at_s, at_s))
        return number

    def say(
        self, node: NodeId, scheme: int, number: int | None, at_s: int = NOW_S, *, is_complete: bool = True
    ) -> None:
        """A node asks, and says that it holds this gallery; ``None`` = none."""
        holds = [] if number is None else [Held(scheme=scheme, number=number, is_complete=is_complete)]
        self.store.note_holds(node, holds, at_s)
        self.store.note_contacts({node: at_s})
