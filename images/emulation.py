"""Lets this machine run programs of the image's machine, by QEMU: the kernel is told who runs them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from images.errors import BuildError
from images.programs import run

_NAMES: Final = {"amd64": "x86_64", "arm64": "aarch64"}
_FORMATS: Final = Path("/proc/sys/fs/binfmt_misc")
_KNOWN: Final = Path("/usr/lib/binfmt.d")
"""Debian's qemu-user-binfmt says there what systemd tells the kernel; in a container nobody does."""


def let_run(
    architecture: str, say: Callable[[str], None], *, formats: Path = _FORMATS, known: Path = _KNOWN, ours: str = ""
) -> None:
    """Make sure that programs of ``architecture`` run here. It stays so until this machine is restarted.

    Args:
        architecture: Debian's name.
        say: is told what is changed on this machine.
        formats: where the kernel is told.
        known: what to tell it.
        ours: this machine's architecture, if it is not to be looked up.

    Raises:
        BuildError: it cannot be done here.
    """
    name = f"qemu-{_NAMES[architecture]}"
    if architecture == (ours or run("dpkg", "--print-architecture").strip()) or (formats / name).exists():
        return
    say(f"telling this machine's kernel that QEMU runs programs for {architecture}")
    if not (formats / "register").exists():
        run("mount", "-t", "binfmt_misc", "binfmt_misc", formats)
    try:
        line = (known / f"{name}.conf").read_bytes().strip()
        (formats / "register").write_bytes(line)
    except OSError as e:
        raise BuildError(
            f"programs for {architecture} do not run here: {e.filename}: {e.strerror}. Build as root, "
            f"on a machine of its own (in a container of others, its kernel's owner has to allow it)"
        ) from e
