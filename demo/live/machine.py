"""Central's machine: a folder that stands for its disk, on which ``watchlink central install`` puts what belongs there.

``python -m demo.live.machine --root FOLDER --from TOWN`` is that command, as the fleet's ``--reload-command`` runs it.
Users and owners are made by systemd's own programs, if they are here and we are root. What starts and restarts units
does nothing, for the script starts the programs itself; but the broker is truly told to read its files again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from installation import places
from installation.errors import InstallError
from installation.install import Order, install
from installation.machine import Answer, Machine
from installation.pack import read_pack

PID_FILE: Final = "/run/mosquitto.pid"
_BROKERS_USER: Final = "mosquitto:x:901:901::/var/lib/mosquitto:/usr/sbin/nologin\n"
_BROKERS_GROUP: Final = "mosquitto:x:901:\n"
_OF_MACHINE: Final = ("/etc/watchlink", "/var/lib/watchlink")
_MAKERS: Final = ("systemd-sysusers", "systemd-tmpfiles")
"""They make users, folders and rights, and know the option ``--root``."""


class FolderMachine(Machine):
    """Central's machine below a folder."""

    def run(self, *command: str) -> Answer:
        """Run it there as far as that can be; the rest is done well by doing nothing."""
        program, *arguments = command
        if places.PROGRAM in command:
            # As ourselves, whoever it would be there: that user is not of this machine.
            words = command[command.index(places.PROGRAM) + 1 :]
            return super().run(sys.executable, "-m", "watchlink.cli", *map(self._here, words))
        if program in _MAKERS and has_rights():
            return super().run(program, f"--root={self.root}", *arguments)
        if program == "systemd-tmpfiles":
            self._make_folders(arguments)
        if command == ("systemctl", "reload", "mosquitto"):
            try:
                os.kill(int(self.path(PID_FILE).read_text()), signal.SIGHUP)
            except (OSError, ValueError) as e:
                return Answer(1, f"the broker cannot be told: {e}")
        return Answer(0, "installed" if program == "dpkg-query" else "")

    def _make_folders(self, settings: Sequence[str]) -> None:
        """Those that ``systemd-tmpfiles`` would make, with their modes and without their owners."""
        for name in settings:
            file = self.path(f"/etc/tmpfiles.d/{name}")
            lines = file.read_text("utf-8").splitlines() if file.is_file() else []
            for path, mode in (line.split()[1:3] for line in lines if line.startswith("d ")):
                folder = self.path(path)
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(int(mode, 8))

    def _here(self, word: str) -> str:
        is_of_machine = word.startswith(_OF_MACHINE) and not Path(word).is_relative_to(self.root)
        return str(self.path(word)) if is_of_machine else word


def has_rights() -> bool:
    """Whether users and rights can be made here, and not files alone."""
    return os.geteuid() == 0 and all(map(shutil.which, _MAKERS))


def bare(root: Path) -> FolderMachine:
    """A bare Debian, as far as the installation looks at it: the broker's package, and ours."""
    machine = FolderMachine(root)
    for folder in ("/etc", "/run", "/var/lib/mosquitto", "/var/lib", Path(places.PROGRAM).parent):
        machine.path(str(folder)).mkdir(parents=True, exist_ok=True)
    machine.path("/etc/passwd").write_text(f"root:x:0:0:root:/root:/bin/sh\n{_BROKERS_USER}")
    machine.path("/etc/group").write_text(f"root:x:0:\n{_BROKERS_GROUP}")
    machine.path(places.PROGRAM).touch(0o755)
    return machine


def main(arguments: Sequence[str] | None = None) -> int:
    """Install what the fleet hands over. Returns 0, or 1 if it could not be done."""
    parser = argparse.ArgumentParser(prog="demo.live.machine")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--from", dest="source", type=Path, required=True)
    given = parser.parse_args(arguments)
    try:
        install(FolderMachine(given.root), read_pack(given.source), print, Order())
    except InstallError as e:
        sys.stderr.write(f"{e}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
