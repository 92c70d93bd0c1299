"""The board: profile, buttons, panel, LED and sounder. Only touched while no node runs."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Final

from node.check.configuration import Identity
from node.check.machine import Machine
from node.check.unit import Unit, by_its_word
from node.core.controls import Part
from node.hw.errors import PartError, UnknownProfileError, translated
from node.hw.luma_devices import open_luma_panel
from node.hw.pins import PinSource
from node.hw.profiles import Bus, Profile, profile_named
from node.step import Outcome, Step, bad, not_done, ok

_WIRING: Final = "look at its wires and the profile's pins (docs/hardware.md)"


def board_steps(identity: Identity, unit: Unit, machine: Machine) -> list[Step]:
    """A line for each part."""
    if identity.file is None:
        return [not_done("hardware profile", "not looked at: the configuration must be right first")]
    try:
        profile = profile_named(identity.file.hardware.profile)
    except UnknownProfileError as e:
        return [bad("hardware profile", str(e), "correct profile under [hardware]")]
    steps = [ok("hardware profile", f"{profile.name}: {profile.title}")]
    told = [
        by_its_word("buttons", unit, Part.BUTTONS),
        by_its_word("panel", unit, Part.OLED),
        by_its_word("sounder and LED", unit, Part.SOUNDER, Part.LED),
    ]
    if unit.is_running:
        return steps + [step for step in told if step is not None]
    if profile.is_fake:
        return [*steps, not_done("buttons", "mocked pins and panel: there is no hardware to look at")]
    source = PinSource(machine.open_pins)
    try:
        return [*steps, _buttons(profile, source), _panel(profile, source, machine), _indicators(profile, source)]
    finally:
        source.close()


def _buttons(profile: Profile, source: PinSource) -> Step:
    pressed, broken = [], []
    for button, pin in profile.buttons.items():
        where = f"{button} ({profile.labels.get(button, f'GPIO {pin}')})"
        try:
            with ExitStack() as opened, translated():
                device = source.device("DigitalInputDevice", pin, pull_up=True, bounce_time=None)
                opened.callback(device.close)
                if device.value:
                    pressed.append(where)
        except PartError as e:
            broken.append(f"{button}: {e}")
    if broken:
        return _refused("buttons", "; ".join(broken))
    if pressed:
        advice = "let go and check again; if it stays: the button sticks, or its wire touches ground"
        return bad("buttons", f"pressed while nobody should: {', '.join(pressed)}", advice)
    return ok(
        "buttons", f"all {len(profile.buttons)} can be read, none is pressed; press test once to hear of it at central"
    )


def _panel(profile: Profile, source: PinSource, machine: Machine) -> Step:
    panel = profile.panel
    try:
        with translated("panel"):
            opened = open_luma_panel(panel, source, i2c_bus=machine.i2c_bus, spi=machine.spi)
            opened.close()
    except PartError as e:
        return _refused("panel", str(e))
    if panel.bus is Bus.I2C:
        return ok("panel", f"{panel.driver} answers on I²C at 0x{panel.i2c_address:02X}")
    return ok("panel", f"{panel.driver} was written to on SPI, which sends nothing back: look at it once the node runs")


def _indicators(profile: Profile, source: PinSource) -> Step:
    try:
        for kind, pin in (("PWMOutputDevice", profile.sounder_pin), ("LED", profile.led_pin)):
            source.device(kind, pin).close()
    except PartError as e:
        return _refused("sounder and LED", str(e))
    return ok("sounder and LED", "their pins are free and can be driven; start the node to hear and see them")


def _refused(name: str, text: str) -> Step:
    if "ermission" in text and os.geteuid() != 0:
        return Step(name, Outcome.UNSEEN, text, "run it as root: sudo watchlink node check …")
    if "library" in text:
        return bad(
            name, text, "on Raspberry Pi OS: apt install python3-lgpio python3-spidev; else use the card's image"
        )
    enable = "; on the panel's bus: dtparam=i2c_arm=on or dtparam=spi=on" if name == "panel" else ""
    return bad(name, text, _WIRING + enable)
