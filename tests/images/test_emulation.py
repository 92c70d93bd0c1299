"""An image for a Pi is built on any machine: its kernel is told, once, who runs a Pi's programs (F1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from images.emulation import let_run
from images.errors import BuildError

LINE = b":qemu-aarch64:M::\\x7f:\\xff:/usr/bin/qemu:OPF\n"


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, Path]:
    """What the kernel and Debian's package offer."""
    for name in ("formats", "known"):
        (tmp_path / name).mkdir()
    (tmp_path / "formats/register").touch()
    (tmp_path / "known/qemu-aarch64.conf").write_bytes(LINE)
    return {"formats": tmp_path / "formats", "known": tmp_path / "known"}


def test_kernel_is_told_and_so_is_the_builder(machine: dict[str, Path]) -> None:
    said: list[str] = []

    let_run("arm64", said.append, **machine, ours="amd64")

    assert LINE.strip() == (machine["formats"] / "register").read_bytes()
    assert ["telling this machine's kernel that QEMU runs programs for arm64"] == said


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_nothing_is_told_where_it_is_not_needed(architecture: str, machine: dict[str, Path]) -> None:
    (machine["formats"] / "qemu-aarch64").touch()
    said: list[str] = []

    let_run(architecture, said.append, **machine, ours="amd64")

    assert [] == said
    assert b"" == (machine["formats"] / "register").read_bytes()


def test_kernel_of_others_is_told_of_in_a_sentence(machine: dict[str, Path]) -> None:
    (machine["known"] / "qemu-aarch64.conf").unlink()

    with pytest.raises(BuildError, match=r"programs for arm64 do not run here: .*qemu-aarch64\.conf: No such file"):
        let_run("arm64", lambda _: None, **machine, ours="amd64")
