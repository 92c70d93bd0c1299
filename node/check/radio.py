"""The radio as far as it can be seen without opening it: devices, programs, licence. ``radio-check`` tries it."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Final

from node.check.configuration import Identity
from node.check.machine import Machine
from node.check.unit import Unit
from node.core.controls import Part
from node.hw.radio.alsa import Direction, SoundDeviceError, device_names
from node.modem_program import modem
from node.radio_config import RadioTable
from node.step import Outcome, Step, bad, not_done, ok

_PARTS: Final = (Part.RADIO, Part.MODEM, Part.SPEECH)
_CARD: Final = re.compile(r"^(?:plug)?hw:(?:CARD=)?(\w+)")


def radio_steps(identity: Identity, unit: Unit, machine: Machine) -> list[Step]:
    """A line for each part of it."""
    if identity.file is None:
        return [not_done("radio", "not looked at: the configuration must be right first")]
    table = identity.file.radio
    if table.driver == "none":
        return [ok("radio", "none: alerts go by the network alone")]
    steps = [_licence(table)]
    if table.driver == "kiss-tnc":
        steps.append(_tnc(table, machine))
    elif table.driver == "sound":
        steps += [_sound(table), _key(table, machine), modem(), _speech()]
    if unit.faults is not None:
        wrong = ", ".join(part for part in _PARTS if part in unit.faults)
        if wrong:
            advice = "stop the node and run watchlink node radio-check: it says which step fails"
            steps.append(bad("radio path", f"the running node reports a fault: {wrong}", advice))
        else:
            steps.append(ok("radio path", "the running node reports no fault"))
    else:
        advice = "watchlink node radio-check, while no node runs"
        steps.append(not_done("radio path", "devices and programs only; whether it works is not tried here", advice))
    return steps


def _licence(table: RadioTable) -> Step:
    if table.licence:
        return ok("radio", f"{table.driver}: transmits under {table.licence}")
    advice = "once the scheme's licence allows it, write its reference into licence under [radio]"
    return bad("radio", f"{table.driver}: only listens: no licence reference under [radio]", advice)


def _tnc(table: RadioTable, machine: Machine) -> Step:
    port = table.tnc.port
    if "://" in port:
        return not_done("tnc", f"{port}: on the network, not tried here")
    return _device("tnc", port, machine)


def _sound(table: RadioTable) -> Step:
    wanted: dict[Direction, str] = {"input": table.sound.input, "output": table.sound.output}
    for direction, name in wanted.items():
        try:
            names = device_names(direction)
        except SoundDeviceError as e:
            return bad("sound", str(e), "apt-get install alsa-utils")
        cards = {found[1] for listed in names if (found := _CARD.match(listed))}
        card = _CARD.match(name)
        if name not in names and not (card and card[1] in cards):
            here = ", ".join(names) or "none"
            advice = "is the USB sound device plugged in, and named as listed here?"
            return bad("sound", f'no sound {direction} named "{name}"; here: {here}', advice)
    return ok("sound", f'in "{table.sound.input}", out "{table.sound.output}" are there')


def _key(table: RadioTable, machine: Machine) -> Step:
    ptt = table.ptt
    match ptt.method:
        case "gpio":
            return ok("key", f"on GPIO {ptt.gpio}; not keyed here")
        case "serial-rts":
            return _device("key", ptt.serial, machine)
        case "cm108":
            return _device("key", ptt.hidraw, machine)


def _device(name: str, path: str, machine: Machine) -> Step:
    """Is it there? Not opened: opening a serial port raises its lines, and a running node holds it."""
    if not machine.at(path).exists():
        there = ", ".join(sorted(str(Path("/dev") / found.name) for found in _alike(machine, path))) or "none"
        return bad(
            name,
            f"{path} is not there; alike: {there}",
            "is it plugged in? is the udev rule there? watchlink node install",
        )
    if not os.access(machine.at(path), os.R_OK | os.W_OK) and os.geteuid() != 0:
        return Step(name, Outcome.UNSEEN, f"{path}: no right to use it", "run it as root: sudo watchlink node check …")
    return ok(name, f"{path} is there")


def _alike(machine: Machine, path: str) -> list[Path]:
    kinds = ("hidraw*", "watchlink*") if "hidraw" in path or "watchlink" in path else ("ttyUSB*", "ttyACM*", "ttyAMA*")
    return [found for kind in kinds for found in machine.listed("/dev", kind)]


def _speech() -> Step:
    if shutil.which("espeak-ng") is None:
        advice = "apt-get install espeak-ng; until then alerts go over the air without words"
        return bad("speech", "espeak-ng is not installed", advice)
    return ok("speech", "espeak-ng is installed")
