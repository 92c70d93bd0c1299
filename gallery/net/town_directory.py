"""The signed directory, as far as the gallery needs it: whose heads are believed, and what things are called.

It comes from the machine port and is believed by its signatures alone: the authority's, whose key is pinned, and those
of the delegate that the authority names. The newest is kept on the card, and no older one takes its place.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from gallery.net.errors import OfficeError
from runtime.atomic import PRIVATE, write_atomic
from runtime.config import ConfigError
from runtime.regular_file import read_regular
from wire.directory import EMPTY_DIRECTORY, Directory, open_directory
from wire.directory_succession import newest, refusal
from wire.errors import WireError
from wire.gallery_paths import directory_path
from wire.ids import NodeId
from wire.limits import DIRECTORY_BYTES_MAX
from wire.signing import PublicKey

logger = logging.getLogger(__name__)

EVERY_MS: Final = 3_600_000
"""An office whose key was struck is believed for so long after, at most, where the office can be asked."""
MISSED_EVERY_MS: Final = 60_000
"""Whoever sends heads that nobody signed makes us ask no oftener."""


class Known(Struct, frozen=True):
    """What is taken from a directory. All of it would be some megabytes in a large town.

    Attributes:
        premises, place: of this unit; empty = it is not listed.
        schemes: names by number.
    """

    serial: int
    office_keys: tuple[PublicKey, ...]
    premises: str
    place: str
    schemes: Mapping[int, str]


class TownDirectory:
    """Asked for by one thread; :attr:`known` may be read from any.

    Args:
        authority: whose signature counts.
        node: ours.
        first_file: as it came with the identity of the unit; ``None`` = the first one is asked for.
        kept_file: where the newest is kept.
        now_ms: monotonic.
        times_s: Unix seconds by each clock that is proven; none = there is no proof of time.

    Attributes:
        known: of the newest.

    Raises:
        ConfigError: there is a first one, and neither file holds a directory of this authority.
    """

    def __init__(
        self,
        authority: PublicKey,
        node: NodeId,
        first_file: Path | None,
        kept_file: Path,
        *,
        now_ms: Callable[[], int],
        times_s: Callable[[], tuple[int, ...]],
    ) -> None:
        self._authority = authority
        self._node = node
        self._first_file = first_file
        self._kept_file = kept_file
        self._now_ms = now_ms
        self._times_s = times_s
        self._asked_ms: int | None = None
        held = self._held()
        if first_file is not None and not held.serial:
            raise ConfigError(f"{first_file}: no directory of this town's authority")
        self.known = self._known_of(held)

    def refresh(self, get: Callable[[str, int], bytes], *, is_missed: bool = False) -> bool:
        """Ask for a newer one, if it is time to. Returns whether one came and was taken.

        Args:
            get: path and most bytes → body.
            is_missed: somebody signed something who is not in ours.

        Raises:
            OfficeError: there is no answer at all.
        """
        now_ms = self._now_ms()
        if self._asked_ms is not None and now_ms - self._asked_ms < (MISSED_EVERY_MS if is_missed else EVERY_MS):
            return False
        self._asked_ms = now_ms
        try:
            data = get(directory_path(self.known.serial), DIRECTORY_BYTES_MAX)
        except OfficeError as e:
            if not e.status:
                self._asked_ms = None
                raise
            # An office of an older version has none to give.
            logger.warning("the office gives no directory: %s", e)
            return False
        return bool(data) and self._take(data)

    def _take(self, data: bytes) -> bool:
        try:
            found = open_directory(data, self._authority)
        except WireError as e:
            logger.warning("the office sends a directory that is not the town's: %s", e)
            return False
        held = self._held()
        why = "older" if found.serial <= held.serial else refusal(found, held, self._times_s())
        if why is not None:
            logger.warning("the office sends a directory that may not follow ours: %s", why)
            return False
        try:
            write_atomic(self._kept_file, data, PRIVATE)
        except OSError as e:
            # It counts all the same until the end of this run.
            logger.warning("the directory cannot be kept: %s", e)
        self.known = self._known_of(found)
        return True

    def _held(self) -> Directory:
        """Of the two on the card the one that counts."""
        return newest(self._read(self._first_file), self._read(self._kept_file))

    def _read(self, file: Path | None) -> Directory:
        if file is None:
            return EMPTY_DIRECTORY
        try:
            return open_directory(read_regular(file, DIRECTORY_BYTES_MAX), self._authority)
        except FileNotFoundError:
            return EMPTY_DIRECTORY
        except (OSError, WireError, ValueError) as e:
            logger.warning("%s cannot be used: %s", file, e)
            return EMPTY_DIRECTORY

    def _known_of(self, directory: Directory) -> Known:
        own = directory.senders.get(self._node)
        return Known(
            directory.serial,
            directory.office_keys,
            "" if own is None else own.premises,
            "" if own is None else own.place,
            MappingProxyType({number: scheme.name for number, scheme in directory.schemes.items()}),
        )
