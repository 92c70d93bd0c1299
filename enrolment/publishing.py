"""The directory with the delegate's changes, for central: made again when the authority's or the register changes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from enrolment.register import Register
from enrolment.rules.changes import DelegationError, changed_directory, clock_fault, objection, refusal
from enrolment.town import WatchedFile
from runtime.atomic import PUBLIC, write_atomic
from runtime.config import ConfigError
from wire.directory import Directory, Sender, open_directory
from wire.errors import EncodeError
from wire.ids import parse_node
from wire.limits import DIRECTORY_BYTES_MAX
from wire.signing import PublicKey, SigningKey

logger = logging.getLogger(__name__)


class Publishing:
    """Safe to use from any thread.

    Args:
        base_file: the authority's directory.
        changed_file: where central looks.
        authority: its public key.
        delegate: what signs.
        register: who was enrolled.
        now_s: Unix time.

    Raises:
        ConfigError: there is no directory of this authority yet.
    """

    def __init__(
        self,
        base_file: Path,
        changed_file: Path,
        *,
        authority: PublicKey,
        delegate: SigningKey,
        register: Register,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._lock = threading.Lock()
        self._changed_file = changed_file
        self._authority = authority
        self._delegate = delegate
        self._register = register
        self._now_s = now_s
        self._base: WatchedFile[tuple[bytes, Directory]] = WatchedFile(
            base_file, self._open, DIRECTORY_BYTES_MAX, self._note_fault
        )
        self._published: bytes | None = None
        self.fault = ""
        self._base.look()
        if self._base.contents is None:
            raise ConfigError(self.fault)

    def look(self) -> bool:
        """Publish again if the authority's directory has changed. Returns whether it did."""
        with self._lock:
            if not self._base.look() and self._published is not None:
                return False
            return self._publish()

    def add(self) -> bytes:
        """Publish with everybody who was enrolled until now; returns the directory, sealed.

        Raises:
            OSError: the disk refused; who was enrolled is in the register, and the next look publishes it.
        """
        with self._lock:
            self._publish()
            assert self._published is not None
            return self._published

    def refusal(self) -> str | None:
        """Why nobody may be enrolled now; ``None`` = they may."""
        return refusal(self._directory, self._delegate.public, int(self._now_s()))

    def clock_fault(self) -> str | None:
        """Why no certificate may be made by the clock here; ``None`` = it may."""
        return clock_fault(self._directory, int(self._now_s()))

    def sender(self, node: str) -> Sender | None:
        """A node as the authority lists it; ``None`` = it does not."""
        return self._directory.senders.get(parse_node(node))

    def struck(self) -> frozenset[str]:
        """The nodes that the authority has struck."""
        return frozenset(f"{node:08x}" for node, sender in self._directory.senders.items() if sender.is_revoked)

    @property
    def _directory(self) -> Directory:
        assert self._base.contents is not None
        return self._base.contents[1]

    def _open(self, data: bytes) -> tuple[bytes, Directory]:
        directory = open_directory(data, self._authority)
        held = self._base.contents[1] if self._base.contents is not None else None
        if held is not None and directory.serial < held.serial:
            raise ValueError("older than the one before")
        if directory.is_delegated:
            raise ValueError("it has a delegate's changes already: the authority's own is wanted")
        return data, directory

    def _publish(self) -> bool:
        assert self._base.contents is not None
        sealed, directory = self._base.contents
        # Until it is written again: whatever fails here is tried at the next look.
        before, self._published = self._published, None
        enrolled = self._register.enrolled()
        changed = sealed
        # Also when the delegation's time is over: what was made in time stays, and these are the same bytes.
        if objection(directory, self._delegate.public) is None:
            try:
                changed = changed_directory(sealed, enrolled, self._delegate, self._authority)
            except (EncodeError, DelegationError) as e:
                logger.error("the directory cannot be changed: %s", e)  # noqa: TRY400 - the sentence says it all
        if changed != before:
            write_atomic(self._changed_file, changed, PUBLIC)
        self._published = changed
        return changed != before

    def _note_fault(self, fault: str) -> None:
        self.fault = fault
        if fault:
            logger.warning("%s", fault)
