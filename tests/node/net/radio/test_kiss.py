"""KISS framing: whatever a line brings, whole frames come out or nothing does (N9)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from node.net.radio.kiss import KISS_BYTES_MAX, Command, KissFrame, KissReader, encode_kiss

FEND, FESC = b"\xc0", b"\xdb"
MARKS = b"\xc0\xdb\xdc\xdd\x00a"


def lines(size_max: int) -> st.SearchStrategy[bytes]:
    """Bytes of all kinds, and of those that mean something."""
    return st.binary(max_size=size_max) | st.lists(st.sampled_from(MARKS), max_size=min(60, size_max)).map(bytes)


def test_kiss_escapes_its_own_marks() -> None:
    """The bytes of the TNC-2 KISS paper's example."""
    assert b"\xc0\x00\xdb\xdc\xdb\xdd\x01\xc0" == encode_kiss(Command.DATA, b"\xc0\xdb\x01")


def test_kiss_sets_a_parameter_of_port_zero() -> None:
    assert b"\xc0\x01\x23\xc0" == encode_kiss(Command.TXDELAY, b"\x23")


@given(st.lists(lines(KISS_BYTES_MAX - 1), max_size=5))
def test_kiss_reads_back_what_it_wrote(payloads: list[bytes]) -> None:
    line = b"".join(encode_kiss(Command.DATA, payload) for payload in payloads)

    assert [KissFrame(0, Command.DATA, payload) for payload in payloads] == KissReader().feed(line)


@given(st.lists(lines(700), max_size=6))
def test_kiss_is_the_same_byte_by_byte(pieces: list[bytes]) -> None:
    whole, slow = KissReader(), KissReader()
    line = FEND.join(pieces)
    frames = whole.feed(line)

    assert frames == [frame for byte in line for frame in slow.feed(bytes((byte,)))]
    assert whole.dropped == slow.dropped


@given(lines(2_000))
def test_kiss_finds_a_frame_after_any_garbage(garbage: bytes) -> None:
    reader = KissReader()
    reader.feed(garbage)

    assert KissFrame(0, 0, b"frame") == reader.feed(FEND + encode_kiss(Command.DATA, b"frame"))[-1]
    assert len(reader._frame) <= KISS_BYTES_MAX


def test_kiss_drops_and_counts_a_frame_that_is_too_long() -> None:
    reader = KissReader()
    fits = encode_kiss(Command.DATA, bytes(KISS_BYTES_MAX - 1))
    one_more = encode_kiss(Command.DATA, bytes(KISS_BYTES_MAX))

    assert [KISS_BYTES_MAX - 1] == [len(frame.payload) for frame in reader.feed(fits + one_more)]
    assert 1 == reader.dropped


def test_kiss_drops_and_counts_a_bad_escape() -> None:
    reader = KissReader()

    assert [] == reader.feed(FEND + b"\x00a" + FESC + b"b" + FEND)
    assert [] == reader.feed(FEND + b"\x00a" + FESC + FEND)
    assert 2 == reader.dropped
    assert [KissFrame(0, 0, b"c")] == reader.feed(b"\x00c" + FEND)


def test_kiss_drops_the_end_of_a_frame_it_joined_late() -> None:
    assert [KissFrame(0, 0, b"next")] == KissReader().feed(b"rest" + FEND + b"\x00next" + FEND)


def test_kiss_tells_port_from_command() -> None:
    assert [KissFrame(5, 12, b"\x01")] == KissReader().feed(FEND + b"\x5c\x01" + FEND)
