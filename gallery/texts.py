"""What lines say, opened: in memory alone, and only of people who may be read now or whose key is still here.

Opening costs some tenths of a millisecond each, several on a small machine: it is done a few at a time, when there is
nothing else to do, the newest first.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from gallery.core.events import KeysLost
from gallery.core.holdings import Key
from gallery.core.readable import readable
from gallery.core.state import State
from gallery.store.entries import Entries, RowError
from gallery.store.gallery_store import GalleryStore
from wire.gallery_lines import EntryText, GalleryError, PhotographSize

logger = logging.getLogger(__name__)

AT_ONCE: Final = 32
Name = tuple[int, Key]
"""Scheme; case and ``since``."""


class Known(Struct, frozen=True, gc=False):
    """What a line says.

    Attributes:
        text: its words.
        is_here: it concerns these premises.
        sizes: of its photographs, in the order in which the line names their files.
    """

    text: EntryText
    is_here: bool
    sizes: tuple[PhotographSize, ...]


class Texts:
    """For the core's thread; what it holds may be read from any.

    Args:
        store: the card.
        entries: opens what lies on it.
    """

    def __init__(self, store: GalleryStore, entries: Entries) -> None:
        self._store = store
        self._entries = entries
        self._known: dict[Name, Known] = {}
        self._waiting: deque[Name] = deque()
        self._damaged: set[Name] = set()

    @property
    def known(self) -> Mapping[Name, Known]:
        """All that are open. Replaced, and never changed, by :meth:`settle` and :meth:`open_some`."""
        return self._known

    @property
    def are_waiting(self) -> bool:
        """Whether some are still to be opened."""
        return bool(self._waiting)

    def settle(self, state: State) -> None:
        """Forget those whose keys must go, and begin to open those that may be read."""
        held = {
            (scheme, key)
            for scheme, gallery in state.galleries.items()
            if gallery.title.is_allowed
            for key in gallery.keys - gallery.dying
        }
        self._known = {name: known for name, known in self._known.items() if name in held}
        self._damaged &= held
        wanted = (
            (scheme, gallery.lines[case].key)
            for scheme, gallery in state.galleries.items()
            for case in readable(state.now, gallery)
        )
        missing = [name for name in wanted if name not in self._known and name not in self._damaged]
        self._waiting = deque(sorted(missing, key=lambda name: (-name[1][1], -name[1][0])))

    def open_some(self) -> KeysLost | None:
        """Open a few of those that wait; returns what came out if a key does not open any more.

        Raises:
            StoreRefusedError: the disk refuses; they wait for the next time.
        """
        opened: dict[Name, Known] = {}
        lost: KeysLost | None = None
        while self._waiting and len(opened) < AT_ONCE and lost is None:
            name = self._waiting[0]
            try:
                known = self._open(*name)
            except GalleryError as e:
                logger.warning("an entry of scheme %d does not open: %s", name[0], e.reason)
                self._damaged.add(name)
                # A row is asked for again. A text that came so from the office would come so again.
                if isinstance(e, RowError):
                    self._store.destroy_keys(name[0], [name[1]])
                    lost = KeysLost(name[0], frozenset({name[1]}))
            else:
                if known is not None:
                    opened[name] = known
            self._waiting.popleft()
        self._known = self._known | opened
        return lost

    def _open(self, scheme: int, key: Key) -> Known | None:
        line = self._store.line(scheme, key[0])
        if line is None or line.since != key[1]:
            return None
        opened = self._entries.open(scheme, line)
        if opened is None:
            return None
        return Known(opened.text, opened.here, tuple(one.size for one in line.photographs))
