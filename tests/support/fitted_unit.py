"""A node's folder, and what stands around it: programs that the check asks, and the kernel's files that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from node.check.machine import Machine
from provisioning.fleet import Fleet, NewNode

NODE = "00000010"
RUNNING = {
    "LoadState": "loaded",
    "UnitFileState": "enabled",
    "ActiveState": "active",
    "SubState": "running",
    "Result": "success",
    "NRestarts": "0",
    "StatusText": "armed, no faults; connected",
    "User": "root",
}


@dataclass
class FittedUnit:
    """A unit in a folder of the test's."""

    fleet: Fleet
    root: Path
    programs: Path
    patch: pytest.MonkeyPatch
    unit: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """Its node.toml."""
        return self.folder / "node.toml"

    @property
    def folder(self) -> Path:
        return self.fleet.node_folder(NODE)

    @property
    def machine(self) -> Machine:
        return Machine(root=self.root)

    def change(self, old: str, new: str) -> None:
        """In node.toml."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def kernel(self, path: str, text: str) -> None:
        """A file below /sys, /proc or /dev."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def program(self, name: str, says: str, status: int = 0) -> None:
        """A program that says this whatever it is asked."""
        (self.programs / f"{name}.says").write_text(says)
        program = self.programs / name
        program.write_text(f'#!/bin/sh\ncat "{self.programs}/{name}.says"\nexit {status}\n')
        program.chmod(0o755)

    def systemd(self, **properties: str) -> None:
        """What systemd says of the unit, beside that it runs well with this configuration."""
        start = f"{{ path=/opt/x ; argv[]=/opt/x node --config {self.file} ; ignore_errors=no }}"
        told: Mapping[str, str] = {**RUNNING, "ExecStart": start, **properties}
        self.program("systemctl", "".join(f"{key}={value}\n" for key, value in told.items()))

    def holds_store(self, process: int = 4711) -> None:
        """The kernel says that a process has the store open."""
        inode = (self.folder / "state" / "node.db").stat().st_ino
        self.kernel("/proc/locks", f"1: POSIX  ADVISORY  WRITE {process} 08:01:{inode} 1073741826 1073742335\n")


def fitted_unit(
    folder: Path, patch: pytest.MonkeyPatch, profile: str = "fake", premises: str = "Corner Shop"
) -> FittedUnit:
    """A unit as the fleet makes it; the check finds no program but those of the test, and the shell's."""
    fleet = Fleet.init(folder / "town", schemes={"hart": "HART", "pubwatch": "Pub Watch"}, port=1)
    fleet.add_all([NewNode(premises, "High St", ["hart"], profile=profile)])
    root, programs = folder / "root", folder / "programs"
    root.mkdir()
    programs.mkdir()
    for name in ("cat", "sh"):
        (programs / name).symlink_to(f"/bin/{name}")
    patch.setenv("PATH", str(programs))
    patch.setattr("node.check.machine._WITHIN_S", 120.0)  # A busy machine starts even a shell late.
    return FittedUnit(fleet, root, programs, patch)
