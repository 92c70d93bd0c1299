"""Publishes the galleries: a signed head over lines for each scheme, with the ciphertext of photographs beside them.

They replace the ones before, and their files too: whoever is revoked is in no file any more. A scheme that is gone has
a gallery without lines for ever. A ciphertext that no newest line names is removed. A line stays as it is, to the byte,
while nothing of it changes; else it is sealed anew, under a key of its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.utils import timezone
from msgspec import Struct

from office.gallery.holders import (
    Holders,
    HoldersError,
    LineHolders,
    decode_holders,
    encode_holders,
    first_holders,
    holders_file,
    next_holders,
    parse_holders_file,
)
from office.gallery.line_keys import TextKeys
from office.publisher import gallery_content
from office.publisher.gallery_content import ShownCase
from office.publisher.shelf import GROUP_READABLE, Shelf, give_number
from runtime.atomic import write_atomic, write_beside
from wire.errors import DecodeError, EncodeError
from wire.gallery_head import (
    GalleryHead,
    ciphertext_file,
    head_file,
    head_name,
    lines_file,
    open_head,
    open_lines,
    parse_ciphertext_file,
    parse_head_file,
    parse_lines_file,
    seal_head,
)
from wire.gallery_keys import open_text, seal_text
from wire.gallery_lines import NO_LINES, GalleryLine, Lines
from wire.gallery_proof import PROOF_FILE, GalleryProof, ProvenGallery, seal_proof
from wire.signing import SigningKey
from wire.snapshots import Town

logger = logging.getLogger(__name__)

LEASE_S: Final = 7 * 86_400
PROOF_EVERY_S: Final = 30.0
"""Each lease is counted from a proof: this is what it is shorter by."""
Galleries = dict[int, tuple[ShownCase, ...]]


class _Published(Struct, frozen=True):
    head: GalleryHead
    lines: Lines
    holders: Holders
    cases: dict[int, ShownCase]


class GalleryPublishing:
    """The galleries in the shelf's folder.

    Args:
        shelf: where snapshots are put.
        town: ours.
        key: the snapshot key.
        photographs: the folder of encrypted photographs. Its files are copied as they are: no key is needed.
        gallery_key: 32 bytes, from which the keys of texts are derived.
        on_published: told of each gallery, once its files are there.
        lease_s: how long a node may show them without contact, in seconds.
        on_step: called after each photograph that is copied: thousands of them take a minute.
        clock_s: monotonic.
    """

    def __init__(
        self,
        shelf: Shelf,
        town: Town,
        key: SigningKey,
        photographs: Path,
        *,
        gallery_key: bytes,
        on_published: Callable[[str, int], None],
        lease_s: int = LEASE_S,
        on_step: Callable[[], None] = lambda: None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shelf = shelf
        self._folder = shelf.folder
        self._town = town
        self._key = key
        self._photographs = photographs
        self._text_keys = TextKeys(gallery_key, town)
        self._on_published = on_published
        self._lease_s = lease_s
        self._on_step = on_step
        self._clock_s = clock_s
        self._in_force: dict[int, int] = {}
        """Numbers of the galleries that say what the database said when it was last read."""
        self._proven: tuple[dict[int, int], float] = ({}, float("-inf"))
        self._day: date | None = None
        self._last: dict[int, _Published] = {}
        for scheme, number in self._numbers().items():
            self._recall(scheme, number)

    def is_due(self) -> bool:
        """Whether a day has begun since :meth:`read`: people come and go at its begin, whatever anybody does."""
        return self._day != timezone.localdate()

    def read(self) -> Galleries:
        """What the database says now."""
        day = timezone.localdate()
        shown = gallery_content.shown_cases(day)
        # Not before: a database that was busy as the day began is read again at once.
        self._day = day
        return shown

    def publish(self, galleries: Galleries) -> None:
        """Publish what differs from the newest galleries.

        Raises:
            EncodeError, DecodeError, OSError: something cannot be published. Everything else is.
        """
        numbers, day = self._numbers(), self._day
        # Whoever holds the last gallery of a scheme that is gone lets go of it only for a newer one.
        gone: Galleries = dict.fromkeys((numbers.keys() | self._given()) - galleries.keys(), ())
        # Until all is done, so that a fault is followed by another try at once.
        self._day = None
        faults: list[Exception] = []
        in_force: dict[int, int] = {}
        for scheme, shown in (galleries | gone).items():
            try:
                faults += self._publish(scheme, shown, numbers.get(scheme, 0))
                in_force[scheme] = self._last[scheme].head.number
            except (EncodeError, DecodeError, OSError) as e:
                # Nobody in another scheme is shown for longer because of it.
                faults.append(e)
        self._in_force = in_force
        # Whatever else is wrong: a photograph that is missing for a year switches no gallery off.
        for last in (self.prove, self._tidy):
            try:
                last()
            except OSError as e:
                faults.append(e)
        if faults:
            raise faults[0]
        self._day = day

    def prove(self) -> None:
        """Say that nothing has changed since the galleries were read, if that is so and was not said lately.

        Raises:
            OSError: it cannot be written.
        """
        numbers, at_s = self._proven
        if not self._in_force or (numbers == self._in_force and self._clock_s() - at_s < PROOF_EVERY_S):
            return
        proven = tuple(ProvenGallery(scheme=scheme, number=number) for scheme, number in self._in_force.items())
        proof = GalleryProof(made_at=datetime.now(UTC), galleries=proven)
        write_atomic(self._folder / PROOF_FILE, seal_proof(proof, self._town, self._key), GROUP_READABLE)
        self._proven = dict(self._in_force), self._clock_s()

    def _publish(self, scheme: int, shown: tuple[ShownCase, ...], in_folder: int) -> list[OSError]:
        """Publish one; returns why photographs are left out, which stops nobody's revocation."""
        cases, faults = self._with_files(shown)
        last = self._last.get(scheme)
        if (
            last is not None
            and last.cases == cases
            and last.head.lease_s == self._lease_s
            and last.head.number >= self._shelf.given_number(head_name(scheme))
        ):
            return faults
        number = give_number(head_name(scheme), in_folder)
        published = self._made(scheme, number, cases, last)
        # The head last: what it names is there.
        for name, data in (
            (holders_file(scheme, number), encode_holders(published.holders)),
            (lines_file(scheme, number), published.lines.data),
            (head_file(scheme, number), seal_head(published.head, self._town, self._key)),
        ):
            write_atomic(self._folder / name, data, GROUP_READABLE)
        self._last[scheme] = published
        self._on_published(head_name(scheme), number)
        return faults

    def _made(self, scheme: int, number: int, cases: dict[int, ShownCase], last: _Published | None) -> _Published:
        before = {} if last is None else last.cases
        held = NO_LINES if last is None else last.lines
        fresh = Lines.of(self._line(scheme, number, one) for case, one in cases.items() if before.get(case) != one)
        lines = held.changed(fresh, held.keys() - cases.keys())
        of_lines = tuple(_holders_of(cases[case]) for case in lines)
        head = GalleryHead(
            scheme=scheme,
            number=number,
            made_at=datetime.now(UTC),
            lines=len(lines),
            digest=lines.digest,
            lease_s=self._lease_s,
        )
        holders = (
            first_holders(scheme, number, of_lines) if last is None else next_holders(last.holders, number, of_lines)
        )
        return _Published(head, lines, holders, cases)

    def _line(self, scheme: int, number: int, case: ShownCase) -> GalleryLine:
        return GalleryLine(
            case=case.case,
            since=number,
            not_before_s=case.not_before_s,
            not_after_s=case.not_after_s,
            text=seal_text(case.text, self._text_keys.of(scheme, case.case, number), scheme, case.case, number),
            photograph=case.photograph,
            photographs=case.photographs,
        )

    def _with_files(self, shown: Iterable[ShownCase]) -> tuple[dict[int, ShownCase], list[OSError]]:
        cases: dict[int, ShownCase] = {}
        faults: list[OSError] = []
        for case, ciphertexts in gallery_content.with_photographs(shown, self._photographs):
            try:
                for digest, source in ciphertexts.items():
                    self._put(digest, source)
            except OSError as e:
                faults.append(e)
                cases[case.case] = gallery_content.without_photographs(case)
            else:
                cases[case.case] = case
        return cases, faults

    def _put(self, digest: str, source: Path) -> None:
        target = self._folder / ciphertext_file(digest)
        if target.exists():
            return
        data = source.read_bytes()
        if sha256(data).hexdigest() != digest:
            raise OSError(f"{source.name} has changed while it was published")
        # Its name is made durable with the head's, which is written after it.
        write_beside(target, data, GROUP_READABLE).replace(target)
        self._on_step()

    def _recall(self, scheme: int, number: int) -> None:
        """Take up what is published already, so that a restart publishes nothing again."""
        try:
            self._last[scheme] = self._read(scheme, number)
        except (OSError, DecodeError, HoldersError) as e:
            logger.warning("the newest gallery of scheme %d in the folder is not used: %s", scheme, e)

    def _read(self, scheme: int, number: int) -> _Published:
        data = (self._folder / head_file(scheme, number)).read_bytes()
        head = open_head(data, scheme, self._town, (self._key.public,))
        lines = open_lines((self._folder / lines_file(scheme, number)).read_bytes(), head)
        holders = decode_holders((self._folder / holders_file(scheme, number)).read_bytes(), scheme, number)
        if head.number != number or not holders.fit(lines):
            raise HoldersError("head, lines and holders do not belong together")
        cases = {one.case: self._case(scheme, lines[one.case], one) for one in holders.lines}
        return _Published(head, lines, holders, cases)

    def _case(self, scheme: int, line: GalleryLine, holders: LineHolders) -> ShownCase:
        return ShownCase(
            case=line.case,
            text=open_text(line, self._text_keys.of(scheme, line.case, line.since), scheme),
            not_before_s=line.not_before_s,
            not_after_s=line.not_after_s,
            premises=holders.premises,
            here=holders.here,
            photograph=line.photograph,
            wrapped_key=holders.wrapped_key,
            photographs=line.photographs,
        )

    def _numbers(self) -> dict[int, int]:
        """The highest number in the folder, by scheme."""
        newest: dict[int, int] = {}
        for path in self._folder.iterdir():
            found = parse_head_file(path.name)
            if found is not None:
                newest[found[0]] = max(newest.get(found[0], 0), found[1])
        return newest

    def _given(self) -> set[int]:
        """Schemes of which there ever was a gallery, though its files may be lost."""
        found = (parse_head_file(f"{name}-1.json") for name in self._shelf.given_names())
        return {one[0] for one in found if one is not None}

    def _tidy(self) -> None:
        """Remove older galleries, ciphertexts that no newest line names, and what a kill in the middle has left."""
        newest = self._numbers()
        named = {digest for last in self._last.values() for digest in last.lines.ciphertexts()}
        for path in list(self._folder.iterdir()):
            name = path.name
            of_gallery = parse_head_file(name) or parse_lines_file(name) or parse_holders_file(name)
            digest = parse_ciphertext_file(name)
            is_old = of_gallery is not None and newest.get(of_gallery[0]) != of_gallery[1]
            is_unnamed = digest is not None and digest not in named
            is_left = name.startswith(".") and (".bin." in name or name.startswith(".gallery-"))
            if is_old or is_unnamed or is_left:
                path.unlink(missing_ok=True)


def _holders_of(case: ShownCase) -> LineHolders:
    return LineHolders(case=case.case, premises=case.premises, here=case.here, wrapped_key=case.wrapped_key)
