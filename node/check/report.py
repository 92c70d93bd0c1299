"""All parts in the order in which a person would look, printed; and the exit status."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from node.check import board, configuration, gallery, network, radio, surroundings, unit
from node.check.configuration import Identity, read_configuration
from node.check.disk import disk_step
from node.check.machine import Machine
from node.check.store_copy import StoreLook, look_at_store
from node.check.unit import Unit, look_at_unit
from node.step import Outcome, Step, bad

STATUS_GOOD: Final = 0
STATUS_BAD: Final = 1
STATUS_CANNOT_LOOK: Final = 2
_Found = Step | Iterable[Step] | None


class Findings(Struct, frozen=True):
    """Everything that was found.

    Attributes:
        steps: a line for each part.
        identity, unit, store: what they were read from.
    """

    steps: tuple[Step, ...]
    identity: Identity
    unit: Unit
    store: StoreLook

    @property
    def status(self) -> int:
        """The exit status: 0 = all right, 1 = something is wrong, 2 = the configuration, or a part, cannot be read."""
        outcomes = {step.outcome for step in self.steps}
        if self.steps[0].outcome is Outcome.UNSEEN:
            return STATUS_CANNOT_LOOK
        if Outcome.BAD in outcomes:
            return STATUS_BAD
        return STATUS_CANNOT_LOOK if Outcome.UNSEEN in outcomes else STATUS_GOOD


def check(config_file: Path, version: str, *, as_json: bool = False) -> int:
    """Look, print, and return the exit status."""
    found = look(config_file, version)
    for step in found.steps:
        sys.stdout.write(step.as_json if as_json else step.as_text)
    if not as_json:
        sys.stdout.write(_last_line(found.steps))
    return found.status


def look(config_file: Path, version: str, machine: Machine | None = None, now: datetime | None = None) -> Findings:
    """Look at every part. Never raises: a check that fails is itself a finding.

    Args:
        config_file: ``node.toml``.
        version: the program's.
        machine: ``None`` = this one.
        now: aware; ``None`` = this machine's clock.
    """
    at = now or datetime.now(UTC)
    here = machine or Machine()
    logging.disable(logging.CRITICAL)  # the steps say this better
    try:
        return _look(config_file, version, here, at)
    finally:
        logging.disable(logging.NOTSET)


def _look(config_file: Path, version: str, machine: Machine, now: datetime) -> Findings:
    identity, first = read_configuration(config_file, version)
    found = look_at_unit(machine, config_file, identity.state_dir)
    store = look_at_store(identity.state_dir)
    parts: Sequence[tuple[str, Callable[[], _Found]]] = (
        ("identity files", lambda: configuration.files_step(identity, found)),
        ("certificate", lambda: configuration.certificate_step(identity, now)),
        ("directory", lambda: configuration.directory_step(identity, store, now)),
        ("clock", lambda: surroundings.clock_step(identity, machine, now)),
        ("disk", lambda: disk_step(identity.state_dir, found)),
        ("store", lambda: store.step),
        ("unit", lambda: unit.unit_step(found, config_file)),
        ("parts", lambda: unit.faults_step(found)),
        ("hardware profile", lambda: board.board_steps(identity, found, machine)),
        ("radio", lambda: radio.radio_steps(identity, found, machine)),
        ("network", lambda: network.network_steps(identity, found)),
        ("gallery", lambda: gallery.gallery_steps(identity.folder)),
        ("power", lambda: surroundings.power_step(machine)),
        ("temperature", lambda: surroundings.temperature_step(machine)),
    )
    steps = [first]
    for name, part in parts:
        try:
            step = part()
        except PermissionError as e:
            advice = "run it as root: sudo watchlink node check …"
            step = Step(name, Outcome.UNSEEN, f"{e.filename}: no right to look", advice)
        except Exception as e:  # noqa: BLE001 - a part that cannot be looked at must not hide the others
            step = bad(name, f"could not be looked at: {type(e).__name__}: {e}", "send this line to the engineer")
        steps += [step] if isinstance(step, Step) else step or ()
    return Findings(tuple(steps), identity, found, store)


def _last_line(steps: Sequence[Step]) -> str:
    wrong = [step.name for step in steps if step.outcome is Outcome.BAD]
    unseen = [step.name for step in steps if step.outcome is Outcome.UNSEEN]
    if wrong:
        return f"\nWrong: {', '.join(wrong)}. Begin with the first.\n"
    if unseen:
        why = "" if os.geteuid() == 0 else " Run it as root."
        return f"\nNot looked at: {', '.join(unseen)}.{why}\n"
    return "\nAll right.\n"
