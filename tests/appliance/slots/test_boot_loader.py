"""A unit whose boot loader cannot try a system is not updated: it could not go back by itself (F4)."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from appliance.image import Image
from appliance.slots.boot_loader import TOO_OLD, why_no_trial

PI = Image(
    version="1.0",
    compatible="watchlink-pi",
    first_partition="/dev/p1",
    data_partition="/dev/p7",
    root_a="/dev/p5",
    root_b="/dev/p6",
    root_at="/run/root",
)
ZERO_2 = b"raspberrypi,model-zero-2-w\0brcm,bcm2837\0"
PI_4 = b"raspberrypi,4-model-b\0brcm,bcm2711\0"


@pytest.mark.parametrize(
    ("board", "capabilities", "reason"),
    [
        (PI_4, 0x7F, ""),
        (PI_4, 0x1F, ""),
        (PI_4, 0x0B, TOO_OLD),
        (PI_4, 0x07, TOO_OLD),
        (PI_4, None, TOO_OLD),
        # Its boot loader is bootcode.bin, on the card.
        (ZERO_2, None, ""),
        (b"", None, "This machine does not say what it is."),
    ],
)
def test_boot_loader_that_cannot_go_back_is_told(
    board: bytes, capabilities: int | None, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "chosen/bootloader").mkdir(parents=True)
    if capabilities is not None:
        (tmp_path / "chosen/bootloader/capabilities").write_bytes(capabilities.to_bytes(4, "big"))
    if board:
        (tmp_path / "compatible").write_bytes(board)

    assert reason == why_no_trial(PI, tmp_path)


def test_stand_in_tries_whatever_it_is_told(tmp_path: Path) -> None:
    assert "" == why_no_trial(replace(PI, stand_in="/dev/flag"), tmp_path)
