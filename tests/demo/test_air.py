"""The air as a server: fake radios on one socket, who controls it on another, recordings on the disk."""

from __future__ import annotations

import asyncio
import io
import json
import queue
import socket
import threading
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from demo.air.mixer import Mixer
from demo.air.server import AirServer
from node.core.air import BLOCK_BYTES, RATE_HZ
from node.hw.radio.fake_radio import FakeRadio
from runtime.logs import FactLog

WITHIN_S = 60
TICKS_MAX = 2_000
"""Of the air's own time; longer than any sound here and than it takes to be spoken, shorter than :data:`HELD_MS`."""
HELD_MS = 600_000
"""After which a key is let go by itself."""
SILENCE = bytes(BLOCK_BYTES)
TONE = (8_000 * np.sin(2 * np.pi * 1_000 * np.arange(RATE_HZ) / RATE_HZ)).astype("<i2").tobytes()


class Controls:
    """Whoever controls the air."""

    def __init__(self, path: Path) -> None:
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.settimeout(WITHIN_S)
        self._connection.connect(str(path))
        self._lines = self._connection.makefile()

    def line(self) -> dict[str, Any]:
        line: dict[str, Any] = json.loads(self._lines.readline())
        return line

    def order(self, **order: object) -> dict[str, Any]:
        self._connection.sendall(json.dumps(order).encode() + b"\n")
        while "air" in (answer := self.line()):
            pass
        return answer

    def close(self) -> None:
        self._lines.close()
        self._connection.close()


def listening(path: Path, kind: socket.SocketKind) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, kind)
    listener.bind(str(path))
    listener.listen()
    return listener


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Of an air that runs."""
    radios = listening(tmp_path / "air.sock", socket.SOCK_SEQPACKET)
    controls = listening(tmp_path / "control.sock", socket.SOCK_STREAM)
    running: queue.Queue[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = queue.Queue()

    async def serve() -> None:
        server = AirServer(Mixer(seed=1), tmp_path, FactLog(io.StringIO()))
        task = asyncio.create_task(server.serve(radios, controls))
        running.put((asyncio.get_running_loop(), task))
        await asyncio.wait([task])

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    loop, task = running.get(timeout=WITHIN_S)
    yield tmp_path
    loop.call_soon_threadsafe(task.cancel)
    thread.join(WITHIN_S)
    assert not thread.is_alive()
    radios.close()
    controls.close()


@pytest.fixture
def controls(folder: Path) -> Iterator[Controls]:
    there = Controls(folder / "control.sock")
    yield there
    there.close()


class Radio:
    """A fake radio and what it heard."""

    def __init__(self, folder: Path, name: str) -> None:
        self.blocks: queue.Queue[bytes] = queue.Queue()
        self.radio = FakeRadio(folder / "air.sock", name)
        self.radio.start(self.blocks.put, lambda _reason: None)

    def until(self, *, is_silent: bool) -> None:
        for _ in range(TICKS_MAX):
            if is_silent == (self.blocks.get(timeout=WITHIN_S) == SILENCE):
                return
        raise AssertionError(f"still {'not ' * is_silent}silent after {TICKS_MAX} ticks of the air")


@pytest.fixture
def pair(folder: Path) -> Iterator[tuple[Radio, Radio]]:
    both = Radio(folder, "00000010"), Radio(folder, "00000011")
    for one in both:
        one.until(is_silent=True)
    yield both
    for one in both:
        one.radio.close()


def until_recorded(controls: Controls) -> dict[str, Any]:
    while not (recordings := controls.line().get("air", {}).get("recordings")):
        pass
    first: dict[str, Any] = recordings[0]
    return first


def test_air_carries_an_over_and_records_it(folder: Path, controls: Controls, pair: tuple[Radio, Radio]) -> None:
    sender, hearer = pair
    ended = threading.Event()

    def unkey(_why: str) -> None:
        sender.radio.unkey()
        ended.set()

    sender.radio.key(HELD_MS)
    sender.radio.play(TONE, unkey)

    hearer.until(is_silent=False)
    assert ended.wait(WITHIN_S)
    hearer.until(is_silent=True)
    recording = until_recorded(controls)
    assert ["00000010"] == recording["who"]
    with wave.open(str(folder / recording["wav"])) as sound:
        assert recording["seconds"] == round(sound.getnframes() / RATE_HZ, 2)
        assert sound.getnframes() >= RATE_HZ
    with Image.open(folder / recording["png"]) as picture:
        assert picture.width >= 100


def test_air_unkeys_a_radio_whose_node_is_gone(controls: Controls, pair: tuple[Radio, Radio]) -> None:
    sender, hearer = pair
    sender.radio.key(HELD_MS)
    sender.radio.play(TONE, lambda _why: None)
    hearer.until(is_silent=False)

    sender.radio.close()

    hearer.until(is_silent=True)


def test_somebody_talks_and_is_heard_and_is_gone_again(controls: Controls, pair: tuple[Radio, Radio]) -> None:
    _, hearer = pair

    assert {"ok": True} == controls.order(do="talk", seconds=1)

    hearer.until(is_silent=False)
    hearer.until(is_silent=True)
    assert ["somebody"] == until_recorded(controls)["who"]


def test_jammer_is_heard_until_it_is_switched_off(controls: Controls, pair: tuple[Radio, Radio]) -> None:
    _, hearer = pair

    controls.order(do="jam", is_on=True)
    hearer.until(is_silent=False)
    controls.order(do="jam", is_on=False)

    hearer.until(is_silent=True)


def test_air_refuses_what_it_cannot_do_in_a_sentence(controls: Controls) -> None:
    answers = [
        controls.order(do="sing"),
        controls.order(do="cnr", db=1_000),
        controls.order(do="stick", who="nobody"),
        controls.order(do="talk", seconds=1e9),
    ]

    assert all(answer["error"] for answer in answers)
    assert {"ok": True} == controls.order(do="block", a="00000010", b="00000011")


def test_radio_that_speaks_no_sense_is_cut_off_and_others_stay(folder: Path, pair: tuple[Radio, Radio]) -> None:
    stranger = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    stranger.settimeout(WITHIN_S)
    stranger.connect(str(folder / "air.sock"))
    stranger.send(b"N00000099")
    stranger.send(b"Z")

    while stranger.recv(4_096):
        pass

    stranger.close()
    pair[0].until(is_silent=True)
