"""The boot's id is the kernel's."""

from __future__ import annotations

from pathlib import Path

from runtime.boot_id import machine_boot_id


def test_boot_id_is_the_kernels() -> None:
    assert Path("/proc/sys/kernel/random/boot_id").read_text().strip() == machine_boot_id()
