"""A minimal Debian booted under systemd-nspawn with the product in it: what a script inside it saw."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support.own_groups import own_groups

REPOSITORY: Final = Path(__file__).parents[2]
UNITS: Final = REPOSITORY / "systemd"
BOOT_DEADLINE_S: Final = 1_800
PACKAGES: Final = ("wire", "runtime", "node", "central", "watchlink")
LOCKED: Final = ("fido2", "jwt", "pyrage")
"""Libraries of central's that are taken from the lock: Debian's fido2 is too old, and it has no pyrage."""

PROGRAM: Final = """\
#!/usr/bin/python3
import sys
sys.path.insert(0, "/opt/watchlink/lib")
from watchlink.cli import main
raise SystemExit(main())
"""
PATIENT_START_AND_STOP: Final = "TimeoutStartSec=10min\nTimeoutStopSec=1min\n"
"""Of a node. Two programs start before it, and one when it stops, which takes a busy machine more than five seconds."""
_LIBRARY: Final = "/opt/watchlink/lib"
_DEBIANS_PYTHON: Final = Path("/usr/bin/python3.13")
"""The root's, if this machine runs the same Debian."""
_PROOF_UNIT: Final = "[Unit]\nAfter=basic.target\n[Service]\nType=oneshot\nExecStart=/proof.sh\n"
SYSTEM: Final = "/etc/systemd/system"
_NO_HOUR: Final = "[Timer]\nOnCalendar=\nOnCalendar=2099-01-01\n"
"""Of every timer: by this machine's clock a nightly one would make a second backup in the middle of a proof."""


@dataclass
class Proof:
    """What the booted system wrote down."""

    folder: Path

    def text(self, name: str) -> str:
        """One of its files."""
        return (self.folder / name).read_text()

    def json(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """What a script in the root has seen."""
        return json.loads(self.text(name))

    def status(self, name: str) -> dict[str, str]:
        """Of a process."""
        return dict(line.split(":\t", 1) for line in self.text(name).splitlines())

    def properties(self, name: str) -> dict[str, str]:
        """``systemctl show`` of one moment."""
        return dict(line.split("=", 1) for line in self.text(name).splitlines())


def product(
    folder: Path, script: Path, program: str = PROGRAM, drop_in: str = "", packages: Iterable[str] = ()
) -> dict[Path, str]:
    """What is mounted read-only, and where: programs, and the script that does the proving.

    Args:
        folder: for what is written on the way.
        script: run as ``/proof.sh`` once the system is up; writes to ``/proof`` and powers off.
        program: ``/opt/watchlink/bin/watchlink``.
        drop_in: of the node's unit.
        packages: of ours, besides those of node and central.
    """
    copies = {
        copied(package, folder / "lib" / package.name): f"{_LIBRARY}/{package.name}"
        for package in (*(REPOSITORY / name for name in (*PACKAGES, *packages)), *map(installed, LOCKED))
    }
    compiled(folder / "lib")
    return {
        script: "/proof.sh",
        written(folder / "watchlink", program, 0o755): "/opt/watchlink/bin/watchlink",
        written(folder / "proof.service", _PROOF_UNIT): f"{SYSTEM}/proof.service",
        written(folder / "drop-in.conf", drop_in): f"{SYSTEM}/watchlink-node.service.d/proof.conf",
        **copies,
    }


def node_unit() -> dict[Path, str]:
    """What a card has of the unit, where nobody installs it."""
    return {
        UNITS / "watchlink-node.service": f"{SYSTEM}/watchlink-node.service",
        UNITS / "watchlink-adopt": "/opt/watchlink/libexec/watchlink-adopt",
        **{
            UNITS / f"{kind}.d/watchlink-node.conf": f"/etc/{kind}.d/watchlink-node.conf"
            for kind in ("sysusers", "tmpfiles")
        },
    }


def boot(
    root: Path, folder: Path, mounts: dict[Path, str], binds: dict[Path, str], identity: Path | None = None
) -> Proof:
    """Boot ``root``, wait until it has powered off, and return what it saw.

    Args:
        root: never written to.
        folder: for ``/proof``.
        mounts: read-only.
        binds: writable.
        identity: a node's folder; as flashing does it, its files come as credentials, and the unit takes them over.
            ``None`` = none.
    """
    proof = folder / "proof"
    proof.mkdir()
    files = sorted(identity.iterdir()) if identity else []
    mounts = {**mounts, written(folder / "timers.conf", _NO_HOUR): "/usr/lib/systemd/system/timer.d/00-proof.conf"}
    system = [
        *("systemd-nspawn", "--quiet", f"--directory={root}", "--boot", "--volatile=overlay"),
        *(f"--machine=proof-{os.getpid()}", "--register=no", "--keep-unit"),
        *("--private-users=no", "--private-network", "--console=read-only"),
        *(f"--bind-ro={_escaped(source)}:{target}" for source, target in mounts.items()),
        *(f"--bind={_escaped(source)}:{target}" for source, target in {**binds, proof: "/proof"}.items()),
        *(f"--load-credential=watchlink.{path.name}:{path}" for path in files),
        *("systemd.unit=multi-user.target", "systemd.wants=proof.service"),
    ]
    with own_groups() as groups:
        said = _said_until_off([*groups, *system])
    assert (proof / "done").exists(), said.decode(errors="replace")[-4000:]
    return Proof(proof)


def _said_until_off(command: list[str]) -> bytes:
    system = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        said, _ = system.communicate(timeout=BOOT_DEADLINE_S)
    except subprocess.TimeoutExpired:
        # Killed, it would leave the booted system behind; asked, it powers it off.
        system.terminate()
        said, _ = system.communicate(timeout=BOOT_DEADLINE_S)
    return said


def written(path: Path, text: str, mode: int = 0o644) -> Path:
    """A file of that text."""
    path.write_text(text)
    path.chmod(mode)
    return path


def installed(name: str) -> Path:
    """Folder of a library from the lock."""
    found = importlib.util.find_spec(name)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def copied(package: Path, target: Path) -> Path:
    """A copy, because the work tree may change under the boot; with what is compiled of it already.

    While another test starts programs, Python compiles some: a file that it has not done yet vanishes under its name.
    """
    shutil.copytree(package, target, ignore=shutil.ignore_patterns("*.cpython-311.pyc", "*.pyc.*", "*.mo", "*.po"))
    return target


def compiled(library: Path) -> None:
    """Compile what is not, as any installation does. Otherwise each program does, at its start, and may not keep it."""
    if _DEBIANS_PYTHON.exists():
        stated = ("-s", str(library), "-p", _LIBRARY)
        subprocess.run([str(_DEBIANS_PYTHON), "-m", "compileall", "-q", *stated, str(library)], check=True)


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace(":", "\\:")
