"""RAUC's handler of the boot loader (``bootloader=custom``): RAUC asks, and the card answers.

Nothing is kept beside ``autoboot.txt``: what the card boots by itself is good, and the other system is good once it has
been booted and proven. RAUC, "Custom bootloader backend".

=========================== ====================================================
RAUC                        here
=========================== ====================================================
``get-primary``             the system that the card boots by itself
``get-current``             the system that was booted
``get-state SLOT``          ``good`` for the primary one, else ``bad``
``set-state SLOT good``     nothing
``set-state SLOT bad``      refused for the primary one: it is never written over
``set-primary SLOT``        refused unless it was booted: only what runs is kept
=========================== ====================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from appliance.card.partition import opened
from appliance.core.slot import SLOTS, Slot
from appliance.errors import CardError
from appliance.image import Image
from appliance.slots.autoboot import read_primary, write_primary
from appliance.slots.booted import COMMAND_LINE, booted_slot


class Slots:
    """The two systems of this card."""

    def __init__(self, image: Image, command_line: Path = COMMAND_LINE) -> None:
        self._image = image
        self._command_line = command_line

    def booted(self) -> Slot:
        """The system that runs.

        Raises:
            CardError: nobody knows.
        """
        return booted_slot(self._image, self._command_line)

    def primary(self) -> Slot:
        """The system that the card boots by itself.

        Raises:
            CardError: it cannot be read.
        """
        with opened(Path(self._image.first_partition)) as partition:
            return read_primary(partition)

    def commit(self, slot: Slot) -> None:
        """Boot ``slot``, which runs, by itself from now on; on the card when this returns.

        Raises:
            CardError: it does not run, or the card refuses.
        """
        if slot != self.booted():
            raise CardError(f"system {slot} does not run, so nobody knows that it works")
        with opened(Path(self._image.first_partition), is_written=True) as partition:
            write_primary(partition, slot)


def answer(slots: Slots, question: Sequence[str]) -> str:
    """What RAUC is told.

    Raises:
        CardError: it asks for something else, or for what must not be.
    """
    match question:
        case ["get-primary"]:
            return slots.primary()
        case ["get-current"]:
            return slots.booted()
        case ["get-state", name]:
            return "good" if _slot(name) == slots.primary() else "bad"
        case ["set-state", name, "good" | "bad" as state]:
            if state == "bad" and _slot(name) == slots.primary():
                raise CardError(f"system {name} is the one that the card boots by itself: it is not written over")
            return ""
        case ["set-primary", name]:
            slots.commit(_slot(name))
            return ""
        case _:
            raise CardError(f"RAUC asks for {' '.join(question) or 'nothing'}, which this handler does not know")


def _slot(name: str) -> Slot:
    for slot in SLOTS:
        if slot == name:
            return slot
    raise CardError(f"there is no system {name}")
