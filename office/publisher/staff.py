"""Publishes for the machine port who may sign in at shops, which schemes show without proof, and which cards broke."""

from __future__ import annotations

import logging
from collections import defaultdict
from pathlib import Path
from typing import Final

import msgspec
from django.utils import timezone

from office.exclusions.models import SchemeTerms
from office.gallery.staff_file import STAFF_FILE, StaffFile, StaffFileError, StaffSeal
from office.in_shops.broken_cards import BrokenCards
from office.publisher.shelf import GROUP_READABLE
from office.staff.models import StaffMember
from runtime.atomic import write_atomic
from wire.gallery_staff import STAFF_MAX, StaffEntry

logger = logging.getLogger(__name__)

_read_entry: Final = msgspec.json.Decoder(StaffEntry).decode


class StaffPublishing:
    """The file of staff in the folder of snapshots. It is as large as what it says, and replaced as a whole.

    Args:
        folder: of snapshots.
        gallery_key: 32 bytes, under which the file is encrypted.
    """

    def __init__(self, folder: Path, gallery_key: bytes) -> None:
        self._path = folder / STAFF_FILE
        self._seal = StaffSeal(gallery_key)
        self._broken_cards = BrokenCards()
        self._told: set[int] = set()

    def read(self) -> StaffFile:
        """What the database says now. One unusable row is left out, and never stops the rest."""
        today = timezone.localdate()
        found: defaultdict[int, list[StaffEntry]] = defaultdict(list)
        for member in StaffMember.objects.filter(taken_off_at=None, premises__isnull=False).order_by("number"):
            assert member.premises_id is not None
            try:
                found[member.premises_id].append(_read_entry(msgspec.json.encode(member.entry(today))))
            except (msgspec.MsgspecError, UnicodeError) as e:
                self._tell(member.number, str(e))
        opened = SchemeTerms.objects.filter(shows_without_proof=True).order_by("pk").values_list("pk", flat=True)
        return StaffFile(
            premises={premises: tuple(listed[:STAFF_MAX]) for premises, listed in found.items()},
            open_schemes=tuple(opened),
            broken_cards=self._broken_cards.read(),
        )

    def publish(self, file: StaffFile) -> None:
        """Write it, if it says anything else than the file that is there.

        Raises:
            OSError: it cannot be written.
        """
        if self._newest() != file:
            write_atomic(self._path, self._seal.close(file), GROUP_READABLE)

    def _newest(self) -> StaffFile | None:
        """What the file says that is there; ``None`` = there is none, or it cannot be read."""
        try:
            return self._seal.open(self._path.read_bytes())
        except (FileNotFoundError, StaffFileError):
            return None

    def _tell(self, number: int, why: str) -> None:
        """Once, not at each look."""
        if number not in self._told:
            self._told.add(number)
            logger.error("member of staff %d is not published: %s", number, why)
