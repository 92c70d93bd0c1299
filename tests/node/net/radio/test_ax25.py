"""AX.25 around our frames (N9): ours come back, everything else is refused by name and nothing else happens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.net.radio.ax25 import DESTINATION, HEADER_BYTES, PROBE_DESTINATION, callsign, decode_ui, encode_ui
from node.net.radio.errors import Ax25DecodeError
from wire.ids import U32_MAX, NodeId
from wire.limits import FRAME_BYTES_MAX

NODE = NodeId(0x10)
REASONS = {"ax25 truncated", "ax25 too long", "ax25 not ours", "ax25 addresses", "ax25 not information"}


def test_ax25_writes_the_standard_header() -> None:
    header = bytes.fromhex("ae 98 92 9c 96 62 60  60 60 60 60 60 8e 61  03 f0")

    assert header + b"frame" == encode_ui(b"frame", NodeId(0x10))


def test_ax25_destination_is_six_shifted_characters() -> None:
    assert DESTINATION == bytes(byte >> 1 for byte in encode_ui(b"x", NODE)[:6]).decode()


@given(st.binary(min_size=1, max_size=FRAME_BYTES_MAX), st.integers(1, U32_MAX))
def test_ax25_gives_back_what_it_carries(frame: bytes, node: int) -> None:
    assert frame == decode_ui(encode_ui(frame, NodeId(node)))


@given(st.integers(1, U32_MAX), st.integers(1, U32_MAX))
def test_ax25_callsigns_of_two_nodes_differ(a: int, b: int) -> None:
    call, ssid = callsign(NodeId(a))

    assert (callsign(NodeId(a)) == callsign(NodeId(b))) is (a == b)
    assert len(call) == 6
    assert call.isascii()
    assert call.isalnum()
    assert call == call.upper()
    assert 0 <= ssid <= 15


def test_ax25_callsign_of_a_great_id_has_its_rest_in_the_ssid() -> None:
    assert ("VVVVVV", 3) == callsign(NodeId(U32_MAX))
    assert ("00000G", 0) == callsign(NodeId(0x10))


@given(st.binary(max_size=400))
def test_ax25_refuses_garbage_by_a_known_name(data: bytes) -> None:
    assert _reason(data) in REASONS | {""}


@given(st.binary(min_size=1, max_size=FRAME_BYTES_MAX), st.data())
def test_ax25_survives_every_flipped_bit(frame: bytes, data: st.DataObject) -> None:
    ax25 = bytearray(encode_ui(frame, NODE))
    bit = data.draw(st.integers(0, 8 * len(ax25) - 1))
    ax25[bit // 8] ^= 1 << bit % 8

    assert _reason(bytes(ax25)) in REASONS | {""}


def _reason(data: bytes) -> str:
    """Why it is refused; empty = it is not."""
    try:
        decode_ui(data)
    except Ax25DecodeError as e:
        return str(e)
    return ""


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (encode_ui(b"x", NODE)[:HEADER_BYTES], "ax25 truncated"),
        (encode_ui(b"x", NODE) + bytes(FRAME_BYTES_MAX), "ax25 too long"),
        (encode_ui(b"x", NODE, PROBE_DESTINATION), "ax25 not ours"),
        (encode_ui(b"x", NODE)[:6] + b"\x61" + encode_ui(b"x", NODE)[7:], "ax25 addresses"),
        (encode_ui(b"x", NODE)[:13] + b"\x60" + encode_ui(b"x", NODE)[14:], "ax25 addresses"),
        (encode_ui(b"x", NODE)[:14] + b"\x13\xf0" + b"x", "ax25 not information"),
        (encode_ui(b"x", NODE)[:14] + b"\x03\xcf" + b"x", "ax25 not information"),
    ],
)
def test_ax25_says_what_a_frame_is_not(data: bytes, reason: str) -> None:
    with pytest.raises(Ax25DecodeError) as caught:
        decode_ui(data)

    assert reason == str(caught.value)


def test_ax25_does_not_look_at_what_modems_change() -> None:
    """The command bits of both addresses."""
    ax25 = bytearray(encode_ui(b"x", NODE))
    ax25[6] |= 0x80
    ax25[13] |= 0x80

    assert b"x" == decode_ui(bytes(ax25))


@pytest.mark.parametrize("frame", [b"", bytes(FRAME_BYTES_MAX + 1)])
def test_ax25_sends_nothing_that_is_no_frame(frame: bytes) -> None:
    with pytest.raises(ValueError, match="no frame"):
        encode_ui(frame, NODE)
