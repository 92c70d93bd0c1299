from __future__ import annotations

from typing import get_args

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from tests.wire.conftest import any_frame
from tools.publish.examples import FRAMES, KEYS
from wire.errors import EncodeError, FrameDecodeError, SignatureInvalidError
from wire.frames import (
    Acknowledgement,
    Alert,
    AutomaticAcknowledgement,
    Cancel,
    DigestReceipt,
    Frame,
    PathTest,
    PressAcknowledgement,
    Receipt,
    Refusal,
    Response,
    decode,
    encode,
    frame_digest,
)
from wire.ids import U32_MAX, FrameId, NodeId
from wire.kinds import (
    AlertKind,
    AnswerState,
    CancelReason,
    FrameKind,
    LeftWhenAsked,
    MemberResponse,
    Path,
    RefusalReason,
    Role,
)
from wire.limits import FRAME_BYTES_MAX
from wire.signing import DIRECTORY_DOMAIN, SIGNATURE_BYTES, SigningKey

KEY = KEYS["shop"]
ALERT = FRAMES["alert, attack"]
every_example = pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())


def is_refused(data: bytes) -> bool:
    """Whether the two gates together keep it out; any other exception fails the test."""
    try:
        decode(data).verify(KEY.public)
    except (FrameDecodeError, SignatureInvalidError):
        return True
    return False


@given(any_frame, st.from_type(SigningKey))
def test_frame_comes_back_as_it_went(frame: Frame, key: SigningKey) -> None:
    data = encode(frame, key)
    signed = decode(data)
    signed.verify(key.public)

    assert frame == signed.frame
    assert data == signed.data
    assert frame.id == FrameId(signed.frame.sender, signed.frame.counter)


@given(any_frame)
def test_encode_repeats_identical_bytes_for_a_retransmission(frame: Frame) -> None:
    first = encode(frame, KEY)

    assert first == encode(frame, KEY)
    assert first == encode(decode(first).frame, KEY)


@given(any_frame)
def test_encode_never_makes_more_than_96_bytes(frame: Frame) -> None:
    assert len(encode(frame, KEY)) <= FRAME_BYTES_MAX == 96


def test_encode_makes_the_known_length_at_each_kinds_maximum() -> None:
    """A new field shows here before it shows as a burst that is too long on the air."""
    greatest = {frame.KIND: len(encode(frame, KEY)) for name, frame in FRAMES.items() if name.endswith("greatest")}

    assert {
        FrameKind.ALERT: 91,
        FrameKind.CANCEL: 90,
        FrameKind.RECEIPT: 86,
        FrameKind.ACKNOWLEDGEMENT: 96,
        FrameKind.PATH_TEST: 78,
        FrameKind.RESPONSE: 94,
        FrameKind.RECEIPT_BATCH: 96,
        FrameKind.DIGEST_RECEIPT: 94,
        FrameKind.DIGEST_RECEIPT_BATCH: 96,
        FrameKind.REFUSAL: 94,
        FrameKind.AUTOMATIC_ACKNOWLEDGEMENT: 86,
        FrameKind.PRESS_ACKNOWLEDGEMENT: 96,
    } == greatest


def test_every_frame_kind_has_one_class_and_an_example() -> None:
    assert sorted(FrameKind) == sorted(cls.KIND for cls in get_args(Frame))
    assert set(get_args(Frame)) == {type(frame) for frame in FRAMES.values()}


@every_example
def test_frame_of_any_length_but_its_own_is_refused(frame: Frame) -> None:
    """Fed byte by byte, and with bytes too many."""
    data = encode(frame, KEY)

    assert all(is_refused(data[:length]) for length in range(len(data)))
    assert all(is_refused(data[length:]) for length in range(1, len(data)))
    assert all(is_refused(data + bytes(count)) for count in range(1, 80))
    assert not is_refused(data)


@pytest.mark.one_python
@every_example
def test_frame_with_any_single_bit_flipped_is_refused(frame: Frame) -> None:
    data = encode(frame, KEY)
    number = int.from_bytes(data, "big")

    assert [] == [bit for bit in range(8 * len(data)) if not is_refused((number ^ 1 << bit).to_bytes(len(data), "big"))]


@given(any_frame, st.data())
def test_frame_with_bytes_cut_out_put_in_or_changed_is_refused(frame: Frame, data: st.DataObject) -> None:
    whole = encode(frame, KEY)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    mutated = whole[:start] + data.draw(st.binary(max_size=120)) + whole[end:]

    assert (mutated != whole) == is_refused(mutated)


def assert_read_or_refused_in_our_terms(data: bytes) -> None:
    try:
        signed = decode(data)
    except FrameDecodeError as e:
        offset = e.offset
    else:
        assert data[:-SIGNATURE_BYTES] == encode(signed.frame, KEY)[:-SIGNATURE_BYTES]
        assert is_refused(data)
        return
    assert offset is not None
    assert 0 <= offset <= max(len(data), FRAME_BYTES_MAX)


@given(st.binary(max_size=200))
def test_decode_of_any_bytes_gives_a_frame_or_our_error(data: bytes) -> None:
    assert_read_or_refused_in_our_terms(data)


@given(
    st.sampled_from([*FrameKind, 0, 12, 15]),
    st.binary(min_size=12, max_size=12),
    st.binary(max_size=20),
    st.binary(min_size=64, max_size=64),
)
def test_decode_of_any_head_and_body_is_canonical_or_our_error(
    kind: int, head: bytes, body: bytes, signature: bytes
) -> None:
    """One byte string for each frame: whatever decodes, encodes to the same bytes."""
    assert_read_or_refused_in_our_terms(bytes([0x10 | kind]) + head + body + signature)


@pytest.mark.parametrize("megabytes", [1, 2])
def test_decode_refuses_a_large_payload_by_its_length_alone(megabytes: int) -> None:
    with pytest.raises(FrameDecodeError) as caught:
        decode(b"\x11" * (megabytes << 20))

    assert ("too long", 96) == (caught.value.reason, caught.value.offset)


@every_example
def test_signature_of_another_key_or_another_domain_is_refused(frame: Frame) -> None:
    data = encode(frame, KEY)
    unsigned = data[:-SIGNATURE_BYTES]

    with pytest.raises(SignatureInvalidError):
        decode(data).verify(KEYS["pub"].public)
    assert is_refused(unsigned + KEY.sign(DIRECTORY_DOMAIN, unsigned))
    assert is_refused(unsigned + KEY.sign(b"", unsigned))


TARGET = FrameId(NodeId(16), 7)
OUT_OF_RANGE: dict[str, Frame] = {
    "sender 0": msgspec.structs.replace(ALERT, sender=NodeId(0)),
    "sender past 32 bits": msgspec.structs.replace(ALERT, sender=NodeId(U32_MAX + 1)),
    "counter 0": msgspec.structs.replace(ALERT, counter=0),
    "counter past 32 bits": msgspec.structs.replace(ALERT, counter=U32_MAX + 1),
    "before 1970": msgspec.structs.replace(ALERT, at_s=-1),
    "after 2106": msgspec.structs.replace(ALERT, at_s=U32_MAX + 1),
    "alert of incident 0": Alert(NodeId(16), 7, 0, AlertKind.ATTACK, 0, (1,)),
    "alert of an incident to come": Alert(NodeId(16), 7, 0, AlertKind.ATTACK, 8, (1,)),
    "alert for no scheme": Alert(NodeId(16), 7, 0, AlertKind.ATTACK, 7, ()),
    "alert for five schemes": Alert(NodeId(16), 7, 0, AlertKind.ATTACK, 7, (1, 2, 3, 4, 5)),
    "alert for scheme 0": Alert(NodeId(16), 7, 0, AlertKind.ATTACK, 7, (0, 1)),
    "alert for a scheme past 16 bits": Alert(NodeId(16), 7, 0, AlertKind.ATTACK, 7, (1, 65_536)),
    "alert for schemes that descend": Alert(NodeId(16), 7, 0, AlertKind.ATTACK, 7, (2, 1)),
    "alert for a scheme twice": Alert(NodeId(16), 7, 0, AlertKind.ATTACK, 7, (1, 1)),
    "person in an attack": Alert(NodeId(16), 7, 0, AlertKind.ATTACK, 7, (1,), about=42),
    "person of two schemes": Alert(NodeId(16), 7, 0, AlertKind.BREACH, 7, (1, 2), about=42),
    "person in a silent alert": Alert(NodeId(16), 7, 0, AlertKind.BREACH, 7, (1,), silent=True, about=42),
    "person past 32 bits": Alert(NodeId(16), 7, 0, AlertKind.BREACH, 7, (1,), about=U32_MAX + 1),
    "answer of nobody": Alert(NodeId(16), 7, 0, AlertKind.BREACH, 7, (1,), left=LeftWhenAsked.NO),
    "answer to a sighting": Alert(NodeId(16), 7, 0, AlertKind.SIGHTING, 7, (1,), about=42, left=LeftWhenAsked.NO),
    "cancel of itself": Cancel(NodeId(16), 7, 0, 7, CancelReason.MISTAKE, (1,)),
    "cancel of incident 0": Cancel(NodeId(16), 7, 0, 0, CancelReason.MISTAKE, (1,)),
    "receipt for node 0": Receipt(NodeId(1), 1, 0, FrameId(NodeId(0), 7)),
    "receipt for counter 0": Receipt(NodeId(1), 1, 0, FrameId(NodeId(16), 0)),
    "receipt for a counter past 32 bits": Receipt(NodeId(1), 1, 0, FrameId(NodeId(16), U32_MAX + 1)),
    "response to nothing": Response(NodeId(1), 1, 0, FrameId(NodeId(0), 0), MemberResponse.SEEN, (1,)),
    "digest of seven bytes": DigestReceipt(NodeId(1), 1, 0, TARGET, bytes(7)),
    "digest of nine bytes": DigestReceipt(NodeId(1), 1, 0, TARGET, bytes(9)),
    "refusal of nothing": Refusal(NodeId(1), 1, 0, FrameId(NodeId(0), 7), RefusalReason.ID_CONFLICT, bytes(8)),
    "refusal without a digest": Refusal(NodeId(1), 1, 0, TARGET, RefusalReason.ID_CONFLICT, b""),
    "automatic answer to nothing": AutomaticAcknowledgement(
        NodeId(1), 1, 0, FrameId(NodeId(16), 0), AnswerState.ANSWERED
    ),
    "ten bytes of name": Acknowledgement(NodeId(1), 1, 0, TARGET, Role.PCSO, AnswerState.ANSWERED, "J Żółkiew"),
    "press before its incident": PressAcknowledgement(
        NodeId(1), 1, 0, TARGET, Role.PCSO, AnswerState.ANSWERED, "J Patel", -1
    ),
    "press too far above its incident": PressAcknowledgement(
        NodeId(1), 1, 0, TARGET, Role.PCSO, AnswerState.ANSWERED, "J Patel", 256
    ),
    "half a surrogate pair": Acknowledgement(NodeId(1), 1, 0, TARGET, Role.PCSO, AnswerState.ANSWERED, "\ud800"),
}


@pytest.mark.parametrize("frame", OUT_OF_RANGE.values(), ids=OUT_OF_RANGE.keys())
def test_encode_refuses_what_no_receiver_would_take(frame: Frame) -> None:
    with pytest.raises(EncodeError):
        encode(frame, KEY)


def test_breach_about_a_person_is_laid_out_as_the_table_says() -> None:
    """By hand, so that encoder and decoder cannot agree on a mistake."""
    data = encode(FRAMES["alert, breach by a person who did not leave"], KEY)

    assert "11 00000010 0000000d 69acb755 06 04 0000000d 0001 0000002a 02".replace(" ", "") == data[:-64].hex()


def test_alert_and_cancel_name_the_same_incident() -> None:
    """An upgrade and a cancel stay within the incident that the first press opened (N2, N6)."""
    upgrade = Alert(NodeId(16), 8, 0, AlertKind.ATTACK, 7, (1,))
    cancel = Cancel(NodeId(16), 9, 0, 7, CancelReason.MISTAKE, (1,))

    assert FrameId(NodeId(16), 7) == upgrade.incident_id == cancel.incident_id


def test_path_test_names_both_paths() -> None:
    frames = [PathTest(NodeId(16), 1, 0, path) for path in Path]

    assert frames == [decode(encode(frame, KEY)).frame for frame in frames]


def test_frames_of_one_id_and_other_bytes_have_other_digests() -> None:
    """A card put back uses a counter twice; a receipt by its id alone would be taken for both."""
    first = encode(ALERT, KEY)
    second = encode(msgspec.structs.replace(ALERT, at_s=ALERT.at_s + 1), KEY)

    assert decode(first).frame.id == decode(second).frame.id
    assert frame_digest(first) != frame_digest(second)
    assert 8 == len(frame_digest(first))
