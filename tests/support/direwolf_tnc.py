"""Two Dire Wolfs as TNCs on TCP ports that hear one another, for drivers of real TNCs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import socket
import subprocess
import threading
import time
from pathlib import Path

from node.core.air import BLOCK_BYTES, BLOCK_MS
from tests.support.fleet_broker import DEADLINE_S, free_port

SILENCE = bytes(BLOCK_BYTES)
_TAIL_BLOCKS = 10
_PIPE_BYTES = 1 << 20


class DireWolfTnc:
    """One TNC. What it sends is read by :meth:`take`, what it hears is given by :meth:`hear`."""

    def __init__(self, folder: Path, *, correction: str = "IL2PTX 1") -> None:
        self.port = free_port()
        folder.mkdir(parents=True)
        self._folder = folder
        fifo = folder / "sent"
        os.mkfifo(fifo)
        self._sent = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self._sent, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        (folder / "asound.conf").write_text(
            "</usr/share/alsa/alsa.conf>\n"
            f'pcm.air {{ type plug slave.pcm {{ type file slave.pcm "null" file "{fifo}" format "raw" }} }}\n'
        )
        (folder / "tnc.conf").write_text(
            "ADEVICE stdin air\nARATE 44100\nACHANNELS 1\nCHANNEL 0\nMODEM 1200\n"
            f"{correction}\nFULLDUP ON\nAGWPORT 0\nKISSPORT 0\nKISSPORT {self.port}\nDNSSD 0\n"
        )
        self.start()

    @property
    def url(self) -> str:
        return f"socket://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["direwolf", "-t", "0", "-q", "hd", "-c", "tnc.conf"],
            cwd=self._folder,
            env={"ALSA_CONFIG_PATH": str(self._folder / "asound.conf"), "PATH": os.defpath},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline_s = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline_s:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
                return
            time.sleep(0.05)
        self.kill()
        raise AssertionError("the TNC does not listen")

    def take(self) -> bytes:
        with contextlib.suppress(BlockingIOError):
            return os.read(self._sent, _PIPE_BYTES)
        return b""

    def is_at_rest(self) -> bool:
        """Whether no thread of it has anything to do.

        On a busy machine it may wait for the processor, or for a page of its program, in mid-burst.
        """
        for task in Path(f"/proc/{self._process.pid}/task").glob("*/stat"):
            with contextlib.suppress(OSError):
                if task.read_text().rpartition(")")[2].split()[0] in ("R", "D"):
                    return False
        return True

    def hear(self, samples: bytes) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(samples)
            self._process.stdin.flush()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def close(self) -> None:
        self.kill()
        os.close(self._sent)


class TncPair:
    """Two of them, and the thread that carries what each sends to the other."""

    def __init__(self, folder: Path) -> None:
        self.tncs = [DireWolfTnc(folder / name) for name in ("a", "b")]
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._carry, name="tnc-air", daemon=True)
        self._thread.start()

    def say(self, samples: bytes) -> None:
        """Somebody else is heard by both."""
        for tnc in self.tncs:
            tnc.hear(samples + _TAIL_BLOCKS * SILENCE)

    def close(self) -> None:
        self._is_over.set()
        self._thread.join()
        for tnc in self.tncs:
            tnc.close()

    def _carry(self) -> None:
        a, b = self.tncs
        is_on_air = {a: False, b: False}
        while not self._is_over.is_set():
            select.select([], [], [], BLOCK_MS / 1000)
            for sender, receiver in ((a, b), (b, a)):
                # Silence follows where it has ended, never in the middle: of a burst that is torn nothing is heard.
                has_ended = sender.is_at_rest()
                if samples := sender.take():
                    receiver.hear(samples)
                    is_on_air[sender] = True
                elif has_ended and is_on_air[sender]:
                    receiver.hear(_TAIL_BLOCKS * SILENCE)
                    is_on_air[sender] = False
