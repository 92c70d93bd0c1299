"""The table of profiles in docs/hardware.md, from the profiles: ``python -m tools.profile_table`` writes it again."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from node.core.controls import Button
from node.hw.profiles import PROFILES, Bus, Profile

DOCUMENT: Final = Path("docs/hardware.md")
_BEGIN, _END = "<!-- profiles -->\n", "<!-- /profiles -->"
_COLUMNS: Final = ("profile", "panel", "reset", "DC", *(button.value for button in Button), "LED", "sounder")


def table() -> str:
    """Every profile except the fake ones, in Markdown."""
    rows = [_COLUMNS, *(_row(profile) for profile in PROFILES.values() if not profile.is_fake)]
    head, *body = (f"| {' | '.join(row)} |\n" for row in rows)
    return "".join([head, "|---" * len(_COLUMNS), "|\n", *body])


def with_table(document: str) -> str:
    """The document with the table between its two marks."""
    before, rest = document.split(_BEGIN)
    _, after = rest.split(_END)
    return f"{before}{_BEGIN}{table()}{_END}{after}"


def _row(profile: Profile) -> tuple[str, ...]:
    panel = profile.panel
    bus = f"{panel.bus} {panel.i2c_address:#04x}".replace("0x3c", "0x3C") if panel.bus is Bus.I2C else f"{panel.bus}"
    kind = f"{panel.driver.upper()} {panel.width_px}×{panel.height_px} {panel.diagonal_in:g}″ {panel.colour}, {bus}"
    pins = (panel.reset_pin, panel.dc_pin, *(profile.buttons[b] for b in Button), profile.led_pin, profile.sounder_pin)
    return (f"`{profile.name}`", kind, *("–" if pin is None else str(pin) for pin in pins))


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
