"""The directory with the delegate's changes, for central: made again when the authority's or the register changes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from enrolment.register import Register
from enrolment.rules.changes import DelegationError, changed_directory, clock_fault, objection, refusal
from enrolment.rules.claiming import Enrolled
from runtime.atomic import PUBLIC, write_atomic
from runtime.config import ConfigError
from runtime.watched_file import WatchedFile
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
        self._reading = threading.Lock()
        self._is_due = True
        """What was published is not what counts now; also if the disk has refused it."""
        self._changed_file = changed_file
        self._authority = authority
        self._delegate = delegate
        self._register = register
        self._now_s = now_s
        self._base: WatchedFile[tuple[bytes, Directory]] = WatchedFile(
            base_file, self._open, DIRECTORY_BYTES_MAX, self._note_fault
        )
        self._published: bytes | None = None
        self._newest = 0
        """Of the changes that are published."""
        self.fault = ""
        self._base.look()
        if self._base.contents is None:
            raise ConfigError(self.fault)

    def look(self) -> bool:
        """Publish again if the authority's directory has changed. Returns whether it did."""
        with self._reading:
            if self._base.look():
                self._is_due = True
        if not self._is_due:
            return False  # Also while somebody publishes: nobody who claims has to wait for that before their turn.
        with self._lock:
            return self._is_due and self._publish()

    def add(self, enrolled: Enrolled) -> bytes:
        """Publish with everybody who was enrolled until now, unless that is done; returns the directory, sealed.

        Fifty that come at once need only a few turns: in a town of thousands each takes a large part of a second.

        Args:
            enrolled: is in it.

        Raises:
            OSError: the disk refused; who was enrolled is in the register, and the next look publishes it.
        """
        with self._lock:
            if self._is_due or self._newest < enrolled.change:
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
        # Before anything is looked at: what changes meanwhile is due again.
        self._is_due = False
        try:
            return self._publish_all()
        except BaseException:
            self._is_due = True
            raise

    def _publish_all(self) -> bool:
        assert self._base.contents is not None
        sealed, directory = self._base.contents
        enrolled = self._register.enrolled()
        changed = sealed
        # Also when the delegation's time is over: what was made in time stays, and these are the same bytes.
        if objection(directory, self._delegate.public) is None:
            try:
                changed = changed_directory(sealed, enrolled, self._delegate, self._authority)
            except (EncodeError, DelegationError) as e:
                logger.error("the directory cannot be changed: %s", e)  # noqa: TRY400 - the sentence says it all
        is_new = changed != self._published
        if is_new:
            write_atomic(self._changed_file, changed, PUBLIC)
        self._published = changed
        self._newest = enrolled[-1].change if enrolled else 0
        return is_new

    def _note_fault(self, fault: str) -> None:
        self.fault = fault
        if fault:
            logger.warning("%s", fault)
