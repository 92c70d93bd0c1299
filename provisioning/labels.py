"""The label of a unit: what its installer needs, and nobody else can use. Never a key, never a Wi-Fi password."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from provisioning.claims import MadeClaim
from provisioning.errors import FleetError, FleetInputError
from runtime.atomic import PRIVATE, write_atomic


class Label(Struct, frozen=True):
    """What stands on it. Names as the record has them, which every screen can show."""

    node: str
    premises: str
    place: str
    code: str
    last_day: str
    """The last whole day on which the code is good: ``15 March 2027``."""

    @property
    def where(self) -> str:
        """Premises and place."""
        return ", ".join(filter(None, (self.premises, self.place)))


def label_of(made: MadeClaim) -> Label:
    """The label of a claim."""
    claim = made.claim
    return Label(claim.node, claim.premises, claim.place, made.code, f"{claim.ends_at.day} {claim.ends_at:%B %Y}")


def as_text(label: Label) -> str:
    """For a terminal."""
    return "\n".join(
        (
            f"  {label.where}",
            f"  Node        {label.node}",
            f"  Claim code  {label.code}",
            f"  Use by      {label.last_day}, for one unit only",
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
