"""The newest gallery of each scheme, as the publisher has put it into the folder of snapshots."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from office.gallery.holders import Holders, HoldersError, LineHolders, decode_holders, holders_file
from office.gallery.line_keys import TextKeys
from office.nodes.rules.lease import OLD_S, Proof
from runtime.regular_file import read_regular
from runtime.watched_file import WatchedFile
from wire.errors import DecodeError
from wire.gallery_head import (
    HEAD_BYTES_MAX,
    GalleryHead,
    ciphertext_file,
    head_file,
    lines_file,
    open_head,
    open_lines,
    parse_head_file,
)
from wire.gallery_keys import open_text
from wire.gallery_lines import LINES_BYTES_MAX, GalleryError, GalleryLine, Lines
from wire.gallery_proof import PROOF_BYTES_MAX, PROOF_FILE, open_proof
from wire.signing import PublicKey
from wire.snapshots import Town

logger = logging.getLogger(__name__)

_HOLDERS_BYTES_MAX: Final = 67_108_864
AGAIN_S: Final = 60.0
"""A gallery that could not be read is not read again before, unless its files or the office's keys have changed."""


class Gallery(Struct, frozen=True):
    """A scheme's.

    Attributes:
        sealed: the head's file.
        head: what it says.
        lines: all of them.
        holders: of each line, whom it may be shown; and what has gone before.
        by_case: the same by case.
        named_by: cases by the SHA-256 of the photographs that their lines name.
    """

    sealed: bytes
    head: GalleryHead
    lines: Lines
    holders: Holders
    by_case: Mapping[int, LineHolders]
    named_by: Mapping[str, tuple[int, ...]]

    def lines_for(self, premises: int, after: int = 0) -> list[tuple[GalleryLine, LineHolders]]:
        """Those that a premises may be shown, and that became what they are after this number."""
        return [
            (line, self.by_case[case])
            for case, line in self.lines.items()
            if line.since > after and self.by_case[case].may_show(premises)
        ]

    def may_have(self, sha256: str, premises: int) -> bool:
        """Whether a line that a premises may be shown names this photograph."""
        return any(self.by_case[case].may_show(premises) for case in self.named_by.get(sha256, ()))


class _Unread(Struct, frozen=True):
    """A gallery that could not be read.

    Attributes:
        marks: of its files and of who is believed.
        fault: why, for people; empty = it may be replaced at this moment.
        again_s: when to try again, monotonic.
    """

    marks: tuple[object, ...]
    fault: str
    again_s: float


class Galleries:
    """One thread looks, any asks.

    Args:
        folder: of the publisher.
        town: ours.
        office_keys: those that the directory trusts now.
        text_keys: of the lines.
        clock_s: monotonic.
    """

    def __init__(
        self,
        folder: Path,
        town: Town,
        office_keys: Callable[[], tuple[PublicKey, ...]],
        text_keys: TextKeys,
        *,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._town = town
        self._office_keys = office_keys
        self._text_keys = text_keys
        self._clock_s = clock_s
        self._newest: dict[int, Gallery] = {}
        self._unread: dict[int, _Unread] = {}
        self._told: set[str] = set()
        self._proofs: WatchedFile[Proof] = WatchedFile(
            folder / PROOF_FILE, self._open_proof, PROOF_BYTES_MAX, self._tell
        )

    @property
    def proof(self) -> Proof | None:
        """What the publisher has proven last; ``None`` = nothing yet."""
        return self._proofs.contents

    def alarm(self, now_s: int) -> str:
        """What somebody must look after; empty = all is well.

        Args:
            now_s: Unix time.
        """
        faults = [one.fault for _, one in sorted(self._unread.items()) if one.fault]
        if faults:
            return f"{'; '.join(faults)}. Shops show what they hold until their lease ends"
        proof = self.proof
        if not self._newest or (proof is not None and abs(now_s - proof.at_s) <= OLD_S):
            return ""
        last = "never" if proof is None else f"last at {_moment(proof.at_s)}"
        return (
            f"the publisher does not prove that what shops show is in force ({last}): no lease is renewed, and a"
            " gallery whose lease has ended is off"
        )

    def of(self, scheme: int) -> Gallery | None:
        """A scheme's newest; ``None`` = nothing was published of it."""
        return self._newest.get(scheme)

    def look(self) -> bool:
        """Read what is new. Returns whether any gallery is."""
        self._proofs.look()
        numbers: dict[int, int] = {}
        try:
            for path in self._folder.iterdir():
                found = parse_head_file(path.name)
                if found is not None:
                    numbers[found[0]] = max(numbers.get(found[0], 0), found[1])
        except OSError as e:
            self._tell(f"{self._folder} cannot be read: {e.strerror}")
            return False
        new = {}
        for scheme, number in numbers.items():
            held = self._newest.get(scheme)
            gallery = self._read(scheme, number) if held is None or number > held.head.number else held
            if gallery is not None:
                self._unread.pop(scheme, None)
            if gallery is not None and gallery is not held:
                new[scheme] = gallery
        self._unread = {scheme: one for scheme, one in self._unread.items() if scheme in numbers}
        # As one: whoever asks meanwhile sees the former or the new.
        self._newest = self._newest | new
        return bool(new)

    def lines_file(self, gallery: Gallery) -> Path:
        """Where a gallery's lines are."""
        return self._folder / lines_file(gallery.head.scheme, gallery.head.number)

    def photograph(self, sha256: str) -> Path:
        """Where its ciphertext is."""
        return self._folder / ciphertext_file(sha256)

    def _read(self, scheme: int, number: int) -> Gallery | None:
        """``None`` = it cannot be, which is noted."""
        marks = self._marks(scheme, number)
        before = self._unread.get(scheme)
        if before is not None and before.marks == marks and self._clock_s() < before.again_s:
            return None
        what, is_again = f"gallery {number} of scheme {scheme}", before is not None and before.marks == marks
        again_s = self._clock_s() + AGAIN_S
        try:
            return self._opened(scheme, number)
        except FileNotFoundError:
            # It is being replaced by the next; if it still is at the next look, it is not.
            fault = f"{what} is not whole: files of it are missing" if is_again else ""
            again_s = again_s if is_again else 0.0
        except OSError as e:
            fault = f"{what} cannot be read: {e.strerror}"
        except (DecodeError, HoldersError) as e:
            fault = f"{what} is not used: {e}"
        self._unread[scheme] = _Unread(marks, fault, again_s)
        return None

    def _marks(self, scheme: int, number: int) -> tuple[object, ...]:
        found: list[object] = [self._office_keys()]
        for name in (head_file(scheme, number), lines_file(scheme, number), holders_file(scheme, number)):
            try:
                status = (self._folder / name).stat()
            except OSError:
                found.append(name)
            else:
                found.append((name, status.st_mtime_ns, status.st_size, status.st_ino))
        return tuple(found)

    def _opened(self, scheme: int, number: int) -> Gallery:
        """Raises what reading and decoding it raise."""
        sealed = read_regular(self._folder / head_file(scheme, number), HEAD_BYTES_MAX)
        head = open_head(sealed, scheme, self._town, self._office_keys())
        lines = open_lines(read_regular(self._folder / lines_file(scheme, number), LINES_BYTES_MAX), head)
        beside = read_regular(self._folder / holders_file(scheme, number), _HOLDERS_BYTES_MAX)
        holders = decode_holders(beside, scheme, number)
        if head.number != number:
            raise HoldersError(f"its head is that of number {head.number}")
        self._check(scheme, lines, holders)
        named: dict[str, tuple[int, ...]] = {}
        for case, line in lines.items():
            for one in line.photographs:
                named[one.sha256] = (*named.get(one.sha256, ()), case)
        return Gallery(sealed, head, lines, holders, {one.case: one for one in holders.lines}, named)

    def _check(self, scheme: int, lines: Lines, holders: Holders) -> None:
        if not holders.fit(lines):
            raise HoldersError("it does not say whom its lines may be shown")
        for line in lines.values():
            try:
                open_text(line, self._text_keys.of(scheme, line.case, line.since), scheme)
            except GalleryError as e:
                # A lost gallery key is made anew by the publisher: rows of ours would open nothing.
                raise HoldersError("its texts are under another gallery key: restart this program") from e
            return

    def _open_proof(self, data: bytes) -> Proof:
        found = open_proof(data, self._town, self._office_keys())
        return Proof(int(found.made_at.timestamp()), {one.scheme: one.number for one in found.galleries})

    def _tell(self, fault: str) -> None:
        if fault and fault not in self._told:
            self._told = {*list(self._told)[-99:], fault}
            logger.warning("%s", fault)


def _moment(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M} UTC"
