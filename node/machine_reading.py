"""Reads the machine once a minute, in a thread of its own: a card or sensor that hangs must not hold up a press."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from node.check.machine import Machine
from node.config import NodeConfig
from node.core.events import MachineRead
from node.radio_driver import speech_of
from node.surroundings import (
    card_fault,
    certificate_ends_at,
    free_bytes,
    has_battery_clock,
    system,
    system_report,
    temperature_c,
)
from runtime.clock_proof import is_synchronised
from wire.limits import NAME_CHARS_MAX, TEXT_CHARS_MAX
from wire.messages import MachineReport
from wire.messages.health import TEMPERATURE_C_MAX, TEMPERATURE_C_MIN
from wire.text import display_text

logger = logging.getLogger(__name__)

READ_EVERY_S: Final = 60.0
_FREE_BYTES_MAX: Final = 2**53


class MachineReading:
    """Tells the core what the machine says, at start and every minute."""

    def __init__(self, config: NodeConfig, put: Callable[[MachineRead], None], machine: Machine | None = None) -> None:
        """``put`` is called from a thread of this object's."""
        self._config = config
        self._put = put
        self._machine = machine or Machine()
        self._closing = threading.Event()

    def start(self) -> None:
        """Begin. Nobody waits for the thread: it may hang in the kernel."""
        threading.Thread(target=self._read_for_ever, name="machine", daemon=True).start()

    def close(self) -> None:
        """No more readings."""
        self._closing.set()

    def read(self) -> MachineRead:
        """A reading now."""
        config, machine = self._config, self._machine
        name, support_ends_at = system(machine)
        image = system_report(machine)
        if image is not None and image.support_ends_at is not None:
            support_ends_at = image.support_ends_at
        degrees_c, free = temperature_c(machine), free_bytes(config.state_dir)
        speech = speech_of(config)
        is_told = degrees_c is not None and TEMPERATURE_C_MIN <= degrees_c <= TEMPERATURE_C_MAX
        return MachineRead(
            MachineReport(
                profile=display_text(config.profile, NAME_CHARS_MAX),
                system=display_text(name, NAME_CHARS_MAX),
                support_ends_at=support_ends_at,
                temperature_c=round(degrees_c) if degrees_c is not None and is_told else None,
                free_bytes=None if free is None else min(free, _FREE_BYTES_MAX),
                has_battery_clock=has_battery_clock(machine),
                clock="ntp" if is_synchronised() else "machine" if config.is_clock_trusted else None,
                is_speech_ready=None if speech is None else speech.is_made(),
                image="" if image is None else display_text(image.version, NAME_CHARS_MAX),
                slot=None if image is None else image.slot,
                update=None if image is None else image.update,
            ),
            certificate_ends_at(Path(config.link.certificate_file)),
            None if (card := card_fault(machine)) is None else display_text(card, TEXT_CHARS_MAX),
        )

    def _read_for_ever(self) -> None:
        while not self._closing.is_set():
            try:
                self._put(self.read())
            except Exception:
                logger.exception("the machine cannot be read")
            self._closing.wait(READ_EVERY_S)
