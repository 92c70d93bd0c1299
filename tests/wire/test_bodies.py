"""The packed list of targets in a receipt batch (N8, N9): what a storm's answers are made of."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tests.wire.conftest import digest_receipted, frame_ids, receipted
from tools.publish.examples import KEYS
from wire.bodies import BodyReader, pack_entries, pack_pairs
from wire.errors import EncodeError, FrameDecodeError
from wire.frames import DigestReceiptBatch, DigestReceipted, ReceiptBatch, Receipted, decode, encode
from wire.ids import CENTRAL, U32_MAX, FrameId, NodeId
from wire.limits import BODY_BYTES_MAX

pairs = st.lists(st.tuples(frame_ids, st.booleans()), min_size=1, max_size=8, unique_by=lambda pair: pair[0]).map(
    sorted
)


def read(data: bytes) -> tuple[tuple[FrameId, bool], ...]:
    """As a body that begins at 0."""
    return BodyReader(data, 0).pairs()


@given(pairs)
def test_pairs_come_back_as_they_went(found: list[tuple[FrameId, bool]]) -> None:
    assert tuple(found) == read(pack_pairs(found))


@given(st.binary(max_size=BODY_BYTES_MAX + 2))
def test_pairs_of_any_bytes_are_canonical_or_refused_in_our_terms(data: bytes) -> None:
    """One byte string for one list, or an identical answer could be repeated in a thousand spellings."""
    try:
        found = read(data)
    except FrameDecodeError as e:
        offset = e.offset
        assert offset is not None
        assert 0 <= offset <= len(data)
    else:
        assert data == pack_pairs(found)


def test_pack_pairs_refuses_nodes_that_descend() -> None:
    """A negative difference would never end as a varint."""
    with pytest.raises(EncodeError):
        pack_pairs([(FrameId(NodeId(17), 1), False), (FrameId(NodeId(16), 1), False)])


@given(st.lists(receipted, max_size=12))
def test_fitting_takes_the_first_that_fit_and_at_least_one(wanted: list[Receipted]) -> None:
    chosen = ReceiptBatch.fitting(wanted)
    targets = [entry.target for entry in chosen]

    assert bool(chosen) == bool(wanted)
    assert list(dict.fromkeys(entry.target for entry in wanted))[: len(chosen)] == sorted(
        targets, key=[entry.target for entry in wanted].index
    )
    if chosen:
        frame = ReceiptBatch(CENTRAL, 1, 0, chosen)
        assert frame == decode(encode(frame, KEYS["central"])).frame


@given(st.lists(receipted, min_size=1, max_size=12, unique_by=lambda entry: entry.target))
def test_fitting_leaves_out_only_what_does_not_fit(wanted: list[Receipted]) -> None:
    chosen = ReceiptBatch.fitting(wanted)
    if len(chosen) < len(wanted):
        longer = tuple(sorted([*chosen, wanted[len(chosen)]]))
        with pytest.raises(EncodeError):
            ReceiptBatch(CENTRAL, 1, 0, longer).body()


def test_six_receipts_of_a_towns_small_ids_fit_one_frame() -> None:
    """A storm of fifty needs nine bursts of receipts, not fifty (N9)."""
    wanted = [Receipted(FrameId(NodeId(16 + i), 40 + i), late=bool(i % 2)) for i in range(9)]

    assert 9 == len(ReceiptBatch.fitting(wanted))
    busy = [Receipted(FrameId(NodeId(16 + i), 900 + i)) for i in range(9)]
    assert 6 == len(ReceiptBatch.fitting(busy))


def test_two_receipts_of_the_greatest_ids_fit_or_the_first_alone() -> None:
    wanted = [Receipted(FrameId(NodeId(U32_MAX - i), U32_MAX), late=True) for i in range(3)]

    assert 2 == len(ReceiptBatch.fitting(wanted))
    far = [Receipted(FrameId(NodeId(U32_MAX), U32_MAX)), Receipted(FrameId(NodeId(1 << 30), U32_MAX))]
    assert tuple(far[:1]) == ReceiptBatch.fitting(far)


@pytest.mark.parametrize(
    "targets",
    [
        (),
        (Receipted(FrameId(NodeId(17), 1)), Receipted(FrameId(NodeId(16), 1))),
        (Receipted(FrameId(NodeId(16), 1)), Receipted(FrameId(NodeId(16), 1), late=True)),
        tuple(Receipted(FrameId(NodeId(1 << 20 | i), 1 << 20)) for i in range(9)),
    ],
    ids=["nothing", "descending", "a frame twice", "too many"],
)
def test_batch_that_no_receiver_would_take_is_not_made(targets: tuple[Receipted, ...]) -> None:
    with pytest.raises(EncodeError):
        encode(ReceiptBatch(CENTRAL, 1, 0, targets), KEYS["central"])


@given(st.binary(max_size=BODY_BYTES_MAX + 2))
def test_entries_of_any_bytes_are_canonical_or_refused_in_our_terms(data: bytes) -> None:
    try:
        found = BodyReader(data, 0).entries(4)
    except FrameDecodeError as e:
        offset = e.offset
        assert offset is not None
        assert 0 <= offset <= len(data)
    else:
        assert data == pack_entries(found, 4)


@given(st.lists(digest_receipted, min_size=1, max_size=6, unique_by=lambda entry: entry.target))
def test_fitting_with_digests_takes_the_first_that_fit_and_leaves_out_only_the_rest(
    wanted: list[DigestReceipted],
) -> None:
    chosen = DigestReceiptBatch.fitting(wanted)
    frame = DigestReceiptBatch(CENTRAL, 1, 0, chosen)

    assert sorted(wanted[: len(chosen)]) == list(chosen)
    assert frame == decode(encode(frame, KEYS["central"])).frame
    if len(chosen) < len(wanted):
        with pytest.raises(EncodeError):
            DigestReceiptBatch(CENTRAL, 1, 0, tuple(sorted([*chosen, wanted[len(chosen)]]))).body()


def test_two_receipts_with_digests_of_a_towns_small_ids_fit_one_frame() -> None:
    wanted = [DigestReceipted(FrameId(NodeId(16 + i), 900 + i), bytes(4)) for i in range(5)]

    assert 2 == len(DigestReceiptBatch.fitting(wanted))


def test_entry_with_a_digest_of_another_width_is_not_packed() -> None:
    with pytest.raises(EncodeError):
        pack_entries([(FrameId(NodeId(16), 1), False, bytes(8))], 4)
