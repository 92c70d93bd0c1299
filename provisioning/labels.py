"""The label of a unit: what its installer needs, and nobody else can use. Never a key, never a Wi-Fi password."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from provisioning.claims import MadeClaim
from provisioning.errors import FleetError, FleetInputError
from provisioning.folder import FleetFolder
from runtime.atomic import PRIVATE, write_atomic

CONTACT_CHARS_MAX: Final = 40
NO_CONTACT: Final = "no address for reports was set"


class Label(Struct, frozen=True):
    """What stands on it. Names as the record has them, which every screen can show."""

    node: str
    premises: str
    place: str
    code: str
    last_day: str
    """The last whole day on which the code is good: ``15 March 2027``."""
    contact: str = ""
    """Where to report a weakness (PSTI); empty = the town has not said."""

    @property
    def where(self) -> str:
        """Premises and place."""
        return ", ".join(filter(None, (self.premises, self.place)))


def label_of(made: MadeClaim, contact: str = "") -> Label:
    """The label of a claim, with where to report a weakness."""
    claim = made.claim
    until = f"{claim.ends_at.day} {claim.ends_at:%B %Y}"
    return Label(claim.node, claim.premises, claim.place, made.code, until, contact)


def set_contact(folder: FleetFolder, contact: str) -> None:
    """Where people report a weakness, for all labels from now on.

    Raises:
        FleetInputError: it does not fit on a label.
    """
    if not (contact.strip() and contact.isprintable() and len(contact) <= CONTACT_CHARS_MAX):
        raise FleetInputError(
            f"{contact!r} does not fit on a label: give an e-mail or web address, up to {CONTACT_CHARS_MAX} characters."
        )
    with folder.changing():
        folder.commit(msgspec.structs.replace(folder.record, contact=contact.strip()))


def as_text(label: Label) -> str:
    """For a terminal."""
    return "\n".join(
        (
            f"  {label.where}",
            f"  Node        {label.node}",
            f"  Claim code  {label.code}",
            f"  Use by      {label.last_day}, for one unit only",
            f"  Weaknesses  {label.contact or NO_CONTACT}",
        )
    )


def sheet_writer(file: Path) -> Callable[[Sequence[Label]], None]:
    """What writes labels to ``file`` as a PDF, for its owner alone. Ask for it before there are codes to be lost.

    It raises :class:`FleetError` if the disk refuses.

    Raises:
        FleetInputError: there is no such folder.
        FleetError: a library that draws is missing.
    """
    if not file.parent.is_dir():
        raise FleetInputError(f"{file.parent} is no folder: the labels cannot be written there. Nothing was changed.")
    try:
        # Takes a second and 50 MB, and needs packages of Debian.
        from provisioning.label_sheets import draw_labels  # noqa: PLC0415
    except (ImportError, OSError) as e:
        raise FleetError(
            f"Labels cannot be drawn here ({e}). Nothing was changed. Install Debian's packages libpangoft2-1.0-0,"
            " libharfbuzz-subset0 and fonts-inter, or leave out --labels."
        ) from e

    def write(labels: Sequence[Label]) -> None:
        try:
            write_atomic(file, draw_labels(labels), PRIVATE)
        except OSError as e:
            raise FleetError(f"{file} cannot be written: {e.strerror}.") from e

    return write
