"""AX.25 UI frames around ours (AX.25 link access protocol 2.2, section 3), as carried by every TNC and Dire Wolf.

| offset | width | meaning |
|---|---|---|
| 0 | 7 | destination: six characters, each shifted left by one, padded with spaces; then the SSID's byte |
| 7 | 7 | source, likewise, its last bit set: no digipeater follows |
| 14 | 1 | control ``03``: unnumbered information |
| 15 | 1 | PID ``F0``: no layer 3 |
| 16 | … | the signed frame, as :mod:`wire.frames` has it |

The destination :data:`DESTINATION` marks our protocol; everything else is not ours. The source only tells a listener
with an ordinary TNC who that was: the frame's signature proves the sender, so receivers ignore the source. Both
addresses and the two bytes after them have the form that IL2P packs into its own header.
"""

from __future__ import annotations

from typing import Final

from node.net.radio.errors import Ax25DecodeError
from wire.ids import NodeId
from wire.limits import FRAME_BYTES_MAX

DESTINATION: Final = "WLINK1"
PROBE_DESTINATION: Final = "WLTEST"
"""Destination of the probes that a modem must encode and decode to prove that it works; never on the air."""
HEADER_BYTES: Final = 16
_UI_NO_LAYER_3: Final = b"\x03\xf0"
_CALL_CHARS: Final = 6
_RESERVED: Final = 0x60
_LAST: Final = 0x01
_SSID_BITS: Final = 4
# Callsigns hold capital letters and digits.
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
_BITS_PER_DIGIT: Final = 5


def callsign(node: NodeId) -> tuple[str, int]:
    """Call and SSID of a node: the id's low 30 bits in base 32, and the rest."""
    shifts = range(_BITS_PER_DIGIT * (_CALL_CHARS - 1), -1, -_BITS_PER_DIGIT)
    call = "".join(_DIGITS[(node >> shift) & (len(_DIGITS) - 1)] for shift in shifts)
    return call, node >> (_BITS_PER_DIGIT * _CALL_CHARS)


def encode_ui(info: bytes, node: NodeId, destination: str = DESTINATION) -> bytes:
    """One of our UI frames, without the checksum, which the modem adds.

    Args:
        info: at most ``FRAME_BYTES_MAX``.
        node: its callsign is the source.
        destination: six capital letters and digits.

    Raises:
        ValueError: ``info`` is empty or too long.
    """
    if not 0 < len(info) <= FRAME_BYTES_MAX:
        raise ValueError(f"{len(info)} bytes are no frame")
    call, ssid = callsign(node)
    return _address(destination, 0) + _address(call, ssid, _LAST) + _UI_NO_LAYER_3 + info


def decode_ui(data: bytes, destination: str = DESTINATION) -> bytes:
    """The content of one of our UI frames.

    Raises:
        Ax25DecodeError: not one of ours; ``args[0]`` says why.
    """
    if len(data) <= HEADER_BYTES:
        raise Ax25DecodeError("ax25 truncated")
    if len(data) > HEADER_BYTES + FRAME_BYTES_MAX:
        raise Ax25DecodeError("ax25 too long")
    # The SSID's byte also holds the command bit, which modems set as they like.
    if data[:_CALL_CHARS] != _shifted(destination):
        raise Ax25DecodeError("ax25 not ours")
    if data[_CALL_CHARS] & _LAST or not data[2 * _CALL_CHARS + 1] & _LAST:
        raise Ax25DecodeError("ax25 addresses")
    if data[HEADER_BYTES - 2 : HEADER_BYTES] != _UI_NO_LAYER_3:
        raise Ax25DecodeError("ax25 not information")
    return data[HEADER_BYTES:]


def _address(call: str, ssid: int, last: int = 0) -> bytes:
    return _shifted(call) + bytes((_RESERVED | ssid << 1 & (1 << _SSID_BITS + 1) - 1 | last,))


def _shifted(call: str) -> bytes:
    return bytes(ord(character) << 1 for character in call.ljust(_CALL_CHARS))
