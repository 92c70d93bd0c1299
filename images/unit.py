"""A unit in QEMU: a card, the firmware's stand-in, and a machine that is started, reset and cut off its power."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from images.card_faults import BadSectors, faults
from images.errors import CardError
from images.firmware import Start, device_tree, start_of

TRYBOOT_DISK: Final = "tryboot"
"""Serial number of the disk that stands for the firmware's register: ``1`` in its first byte = try the other slot."""
HOST: Final = "10.0.2.2"
"""Where a machine in QEMU finds this one's loopback (QEMU, "Network emulation", user mode)."""
_WITH_US: Final = ("setpriv", "--pdeathsig", "KILL", "--")
"""Whoever ends this program ends the machine."""
CONSOLE_FILE: Final = "console.txt"
BOARD_PORT: Final = "watchlink.board"
_TRYBOOT_BYTES: Final = 4096
_TOLD: Final = "systemd.show_status=1 systemd.journald.forward_to_console=1"
"""On the console, beside the kernel's own words."""
_MIB: Final = 1024 * 1024
_MEMORY_MIB: Final = "512"
"""As the smallest Pi has: a Zero 2 W."""
Machine = Literal["pc", "virt", "raspi3b"]
"""QEMU's: for amd64; for arm64, as quick as can be; and what it knows of a Pi 3B."""
_PI: Final = "bcm2837-rpi-3-b"
# QEMU's Pi has no watchdog that resets it, and no sound or screen that these drivers could make use of.
_LACKS: Final = "systemd.watchdog_sec=0 module_blacklist=vc4,snd_bcm2835"
Ending = Literal["reset", "off", "cut"]
_ENDINGS: Final[dict[str, Ending]] = {"guest-reset": "reset", "guest-panic": "reset", "guest-shutdown": "off"}


class Unit:
    """One unit. It starts again by itself after a reset, as a Pi does, until it is switched off or cut off.

    Attributes:
        card: the SD card, a raw image.
        console: all that it has written to its serial console.
        starts: from which slot's partition each start was, oldest first.
        started_at: how long the console was at the last of them.
        bad: what the card refuses from the next start on.
    """

    def __init__(self, card: Path, folder: Path, *, machine: Machine = "pc") -> None:
        """``folder`` is for what is written on the way."""
        self.card = card
        self.console = ""
        self.starts: list[int] = []
        self.started_at = 0
        self.bad: tuple[BadSectors, ...] = ()
        self.board = folder / "board.sock"
        self._folder = folder
        self._machine: Machine = machine
        self._tryboot = folder / "tryboot.raw"
        self._tryboot.write_bytes(bytes(_TRYBOOT_BYTES))
        self._qemu: subprocess.Popen[bytes] | None = None
        self._is_cut = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._died = ""

    def switch_on(self) -> None:
        """Connect the power."""
        self._is_cut = False
        self._died = ""
        self._thread = threading.Thread(target=self._run, name="unit", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Pull the plug: what the machine holds in memory, and the firmware's register, are gone."""
        self._is_cut = True
        qemu = self._qemu
        if qemu is not None:
            qemu.kill()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._tryboot.write_bytes(bytes(_TRYBOOT_BYTES))

    @property
    def is_on(self) -> bool:
        """Whether it runs."""
        return self._thread is not None and self._thread.is_alive()

    def wait_for(self, is_there: Callable[[str], bool], what: str, timeout_s: float, *, since: int = 0) -> float:
        """Wait until the console, from character ``since`` on, shows something; returns for how long, in seconds.

        Raises:
            CardError: it never did.
        """
        began_s = time.monotonic()
        deadline = began_s + timeout_s
        with self._changed:
            while not is_there(self.console[since:]):
                left_s = deadline - time.monotonic()
                if left_s <= 0 or (self._died and not self.is_on):
                    raise CardError(f"never came: {what}. {self._died}\n{self.console[-3000:]}")
                self._changed.wait(min(left_s, 1.0))
        return time.monotonic() - began_s

    def _run(self) -> None:
        try:
            while not self._is_cut:
                is_trying = self._tryboot.read_bytes()[:1] == b"1"
                self._tryboot.write_bytes(bytes(_TRYBOOT_BYTES))
                with tempfile.TemporaryDirectory(dir=self._folder) as started:
                    start = start_of(self.card, Path(started), is_trying=is_trying)
                    control = Path(started) / "qmp.sock"
                    words = self._words(start, control)
                    # From here on, what the card refuses is of the next start.
                    self.started_at = len(self.console)
                    self.starts.append(start.partition)
                    ending = self._once(words, control)
                if ending != "reset":
                    break
        except CardError as e:
            self._died = str(e)
        with self._changed:
            self._changed.notify_all()

    def _once(self, words: list[str], control: Path) -> Ending:
        said = control.parent / "qemu.txt"
        with said.open("wb") as errors:
            self._qemu = subprocess.Popen(
                [*_WITH_US, *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
            if self._is_cut:
                self._qemu.kill()
            reading = threading.Thread(target=self._read, args=(self._qemu,), daemon=True)
            reading.start()
            ending = _ending(control, self._qemu)
            self._qemu.wait()
            reading.join()
        if self._is_cut:
            return "cut"
        if ending == "cut":
            raise CardError(f"QEMU has ended: {said.read_text(errors='replace')[-2000:]}")
        return ending

    def _read(self, qemu: subprocess.Popen[bytes]) -> None:
        assert qemu.stdout is not None
        while data := qemu.stdout.read1(65536):  # type: ignore[attr-defined]
            with self._changed, (self._folder / CONSOLE_FILE).open("ab") as kept:
                kept.write(data)
                self.console += data.decode("utf-8", "replace")
                self._changed.notify_all()

    def _words(self, start: Start, control: Path) -> list[str]:
        card = str(self.card)
        if self.bad:
            refusals = control.with_name("blkdebug.conf")
            refusals.write_text(faults(self.bad), encoding="ascii")
            card = f"blkdebug:{refusals}:{card}"
        booted = [
            *("-display", "none", "-no-reboot", "-qmp", f"unix:{control},server=on,wait=off"),
            *("-kernel", str(start.kernel), "-initrd", str(start.initramfs)),
        ]
        if self._machine == "raspi3b":
            return [
                *("qemu-system-aarch64", "-machine", "raspi3b", *booted),
                *("-dtb", str(device_tree(self.card, start, _PI, control.parent))),
                *("-serial", "null", "-serial", "stdio"),
                *("-append", f"{start.command_line} console=ttyS1,115200 {_TOLD} {_LACKS}"),
                *("-drive", f"file={card},format=raw,if=sd,cache=writeback"),
            ]
        machine, console = {
            "pc": (["qemu-system-x86_64", "-machine", "q35", "-cpu", "max"], "ttyS0"),
            "virt": (["qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a72"], "ttyAMA0"),
        }[self._machine]
        return [
            *machine,
            *booted,
            *("-accel", "tcg,thread=multi", "-smp", "2", "-m", _MEMORY_MIB, "-nodefaults", "-no-user-config"),
            *("-serial", "stdio", "-append", f"{start.command_line} console={console} {_TOLD}"),
            *("-drive", f"file={card},format=raw,if=none,id=card,cache=writeback"),
            *("-device", "virtio-blk-pci,drive=card,serial=card"),
            *("-drive", f"file={self._tryboot},format=raw,if=none,id=tryboot,cache=writethrough"),
            *("-device", f"virtio-blk-pci,drive=tryboot,serial={TRYBOOT_DISK}"),
            *("-device", "virtio-rng-pci"),
            *("-nic", "user,model=virtio-net-pci"),
            *("-chardev", f"socket,id=board,path={self.board},server=on,wait=off"),
            *("-device", "virtio-serial-pci", "-device", f"virtserialport,chardev=board,name={BOARD_PORT}"),
            *("-device", "i6300esb", "-action", "watchdog=reset"),
        ]


def _ending(control: Path, qemu: subprocess.Popen[bytes]) -> Ending:
    """Why it ended, by QEMU's own word."""
    while not control.exists():
        if qemu.poll() is not None:
            return "cut"
        time.sleep(0.02)
    ending: Ending = "cut"
    with socket.socket(socket.AF_UNIX) as link:
        try:
            link.connect(str(control))
            link.sendall(b'{"execute": "qmp_capabilities"}\n')
            for line in link.makefile("rb"):
                told = json.loads(line)
                if told.get("event") == "SHUTDOWN":
                    ending = _ENDINGS.get(told["data"]["reason"], "cut")
        except OSError:
            pass
    return ending


def new_card(image: Path, card: Path, size_mib: int) -> None:
    """A card of this size with the image written onto it."""
    shutil.copyfile(image, card)
    with card.open("r+b") as growing:
        growing.truncate(size_mib * _MIB)
