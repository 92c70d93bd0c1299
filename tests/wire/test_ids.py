from __future__ import annotations

import contextlib

import hypothesis.strategies as st
import pytest
from hypothesis import given

from wire.errors import DecodeError
from wire.ids import U32_MAX, FrameId, NodeId, node_text, parse_node

ALMOST_IDS = st.text("0123456789abcdefABCDEF-\n +_١", max_size=22) | st.text(max_size=22)


@given(st.integers(1, U32_MAX).map(NodeId))
def test_node_id_comes_back_as_it_went(node: NodeId) -> None:
    assert node == parse_node(node_text(node))
    assert 8 == len(node_text(node))


@given(st.from_type(FrameId))
def test_frame_id_comes_back_as_it_went(frame_id: FrameId) -> None:
    assert frame_id == FrameId.parse(frame_id.text)


@given(ALMOST_IDS)
def test_ids_of_any_text_are_canonical_or_our_error(text: str) -> None:
    with contextlib.suppress(DecodeError):
        assert text == node_text(parse_node(text))
    with contextlib.suppress(DecodeError):
        assert text == FrameId.parse(text).text


@given(st.from_type(FrameId))
def test_frame_id_fed_byte_by_byte_is_another_id_or_refused(frame_id: FrameId) -> None:
    for length in range(len(frame_id.text)):
        try:
            assert frame_id != FrameId.parse(frame_id.text[:length])
        except DecodeError:
            assert length < 10 or "-" == frame_id.text[:length][-1]


@pytest.mark.parametrize("text", ["", "0", "00000000", "0000001A", "0000010", "000000010", "00000010\n", "+0000010"])
def test_parse_node_refuses_what_is_not_eight_hexadecimal_digits(text: str) -> None:
    with pytest.raises(DecodeError, match="node id"):
        parse_node(text)


@pytest.mark.parametrize(
    "text", ["00000010", "00000010-", "00000010-0", "00000010-07", "00000010-4294967296", "00000000-7", "00000010-7\n"]
)
def test_frame_id_refuses_what_is_out_of_range(text: str) -> None:
    with pytest.raises(DecodeError, match=r"frame id|node id"):
        FrameId.parse(text)


def test_frame_ids_sort_by_node_then_counter() -> None:
    ids = [FrameId(NodeId(16), 9), FrameId(NodeId(16), 10), FrameId(NodeId(17), 1)]

    assert ids == sorted([ids[2], ids[0], ids[1]])
