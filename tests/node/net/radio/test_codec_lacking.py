"""N8: with the first modem gone, its neighbour of 1200 baud hears what everybody sends first. Real Dire Wolf."""

from __future__ import annotations

import time

import pytest

from node.core.air import LADDER
from node.net.radio import codec as codec_module
from node.net.radio.ax25 import encode_ui
from node.net.radio.codec import Codec
from node.net.radio.direwolf import MODEMS, DireWolf, Modem
from node.net.radio.errors import CodecError
from node.net.radio.ports import BLOCK_BYTES
from runtime.monotonic import monotonic_ms
from wire.ids import NodeId

pytestmark = [pytest.mark.integration, pytest.mark.finding(9)]

FAST = LADDER[0]
WITHIN_S = 120.0


class WithoutFirst(DireWolf):
    """The first modem cannot be started."""

    def __init__(self, modem: Modem) -> None:
        if modem.mode is FAST:
            raise CodecError("killed")
        super().__init__(modem)


def test_codec_without_its_first_modem_hears_that_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []
    sender = DireWolf(next(modem for modem in MODEMS if modem.mode is FAST))
    monkeypatch.setattr(codec_module, "DireWolf", WithoutFirst)
    codec = Codec(NodeId(0x10), heard.append, lambda _: None)
    frame = bytes(range(80))
    end_s = time.monotonic() + WITHIN_S
    try:
        sender.await_listening(lambda: False)
        while time.monotonic() < end_s and sum(slot.is_proven for slot in codec._slots.values()) < 2:
            codec.step(monotonic_ms(), is_quiet=True)
            time.sleep(0.02)
        samples = sender.encode((encode_ui(frame, NodeId(0x11)),), sender.modem.bytes_min((frame,)), lambda: False)
        padded = samples + bytes(20 * BLOCK_BYTES)
        for at in range(0, len(padded), BLOCK_BYTES):
            codec.feed(padded[at : at + BLOCK_BYTES])
            time.sleep(0.005)
        while time.monotonic() < end_s and not heard:
            codec.feed(bytes(BLOCK_BYTES))  # what a full pipe had no room for follows with the next block
            codec.collect()
            time.sleep(0.02)
    finally:
        codec.close()
        sender.close()

    assert [frame] == heard
