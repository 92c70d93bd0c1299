from __future__ import annotations

import base64
from typing import get_args

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from tests.wire.conftest import any_frame
from tools.publish.examples import DIRECTORY, FRAMES, HART, KEYS, PUB, PUBWATCH, SHOP, SIGNING_DIRECTORY, STRUCK_OFF
from wire.admission import FrameRefusedError, admit, stands_for
from wire.directory import EMPTY_DIRECTORY, open_directory, seal_directory
from wire.errors import DecodeError, FrameDecodeError, SignatureInvalidError
from wire.frames import (
    Acknowledgement,
    Alert,
    AutomaticAcknowledgement,
    Cancel,
    CentralFrame,
    DigestReceipt,
    DigestReceiptBatch,
    DigestReceipted,
    Frame,
    PathTest,
    PressAcknowledgement,
    Receipt,
    ReceiptBatch,
    Receipted,
    Refusal,
    Response,
    encode,
)
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import AlertKind, AnswerState, CancelReason, MemberResponse, Path, RefusalReason, Role
from wire.signing import SigningKey, sign_message
from wire.topics import FrameTopic

TOWN = open_directory(seal_directory(DIRECTORY, KEYS["authority"]), KEYS["authority"].public)
HART_TOPIC = FrameTopic("hart", SHOP)
ALERT = Alert(SHOP, 7, 0, AlertKind.ATTACK, 7, (HART,))
CANCEL = Cancel(SHOP, 8, 0, 7, CancelReason.MISTAKE, (HART,))
RESPONSE = Response(SHOP, 9, 0, FrameId(PUB, 3), MemberResponse.SEEN, (HART,))
TARGET = FrameId(SHOP, 7)
MEMBERS_FRAMES: dict[str, Frame] = {
    "alert": ALERT,
    "cancel": CANCEL,
    "response": RESPONSE,
    "path test": PathTest(SHOP, 10, 0, Path.NETWORK),
}
CENTRALS_FRAMES: dict[str, Frame] = {
    "receipt": Receipt(CENTRAL, 1, 0, TARGET),
    "digest receipt": DigestReceipt(CENTRAL, 4, 0, TARGET, bytes(8)),
    "digest receipt batch": DigestReceiptBatch(CENTRAL, 5, 0, (DigestReceipted(TARGET, bytes(4)),)),
    "refusal": Refusal(CENTRAL, 6, 0, TARGET, RefusalReason.ID_CONFLICT, bytes(8)),
    "automatic acknowledgement": AutomaticAcknowledgement(CENTRAL, 7, 0, TARGET, AnswerState.ANSWERED),
    "press acknowledgement": PressAcknowledgement(CENTRAL, 8, 0, TARGET, Role.PCSO, AnswerState.ANSWERED, "J Patel"),
    "receipt batch": ReceiptBatch(CENTRAL, 3, 0, (Receipted(TARGET),)),
    "acknowledgement": Acknowledgement(CENTRAL, 2, 0, TARGET, Role.PCSO, AnswerState.ANSWERED, "J Patel"),
}


def reason(data: bytes, topic: FrameTopic | None = None) -> str | None:
    """Why it was refused, or ``None``."""
    try:
        admit(data, TOWN, topic)
    except DecodeError as e:
        return e.reason
    return None


@pytest.mark.parametrize("topic", [HART_TOPIC, None], ids=["network", "radio"])
@pytest.mark.parametrize("frame", MEMBERS_FRAMES.values(), ids=MEMBERS_FRAMES.keys())
def test_member_is_admitted_in_its_own_scheme(frame: Frame, topic: FrameTopic | None) -> None:
    data = encode(frame, KEYS["shop"])
    admitted = admit(data, TOWN, topic)

    assert frame == admitted.frame
    assert data == admitted.signed.data
    assert "Corner Shop" == admitted.sender.premises


@pytest.mark.parametrize("frame", CENTRALS_FRAMES.values(), ids=CENTRALS_FRAMES.keys())
def test_central_is_admitted_and_a_shop_in_its_place_is_not(frame: Frame) -> None:
    """A receipt that a neighbour forged must never tell a presser RECEIVED (N3)."""
    assert reason(encode(frame, KEYS["central"])) is None
    assert "not central" == reason(encode(msgspec.structs.replace(frame, sender=SHOP), KEYS["shop"]))
    assert "signature" == reason(encode(frame, KEYS["shop"]))


def test_same_bytes_are_admitted_every_time() -> None:
    """Retransmissions are identical; deduping by id is the cores' business."""
    data = encode(ALERT, KEYS["shop"])

    assert admit(data, TOWN, HART_TOPIC) == admit(data, TOWN, None)


@pytest.mark.parametrize("frame", [*MEMBERS_FRAMES.values(), *CENTRALS_FRAMES.values()])
def test_unknown_and_revoked_senders_are_refused_whatever_they_send(frame: Frame) -> None:
    unknown = encode(msgspec.structs.replace(frame, sender=NodeId(0x99)), KEYS["stranger"])
    revoked = encode(msgspec.structs.replace(frame, sender=STRUCK_OFF), KEYS["struck off"])

    assert "unknown sender" == reason(unknown)
    assert "revoked sender" == reason(revoked)
    with pytest.raises(FrameRefusedError, match="unknown sender"):
        admit(encode(frame, KEYS["shop"]), EMPTY_DIRECTORY, None)


@pytest.mark.parametrize("schemes", [(PUBWATCH,), (HART, PUBWATCH), (9,), (HART, 9)])
def test_alert_for_a_scheme_the_sender_is_not_in_is_refused(schemes: tuple[int, ...]) -> None:
    elsewhere: tuple[Frame, ...] = (
        msgspec.structs.replace(ALERT, schemes=schemes),
        msgspec.structs.replace(CANCEL, schemes=schemes),
        msgspec.structs.replace(RESPONSE, schemes=schemes),
    )
    for frame in elsewhere:
        assert "foreign scheme" == reason(encode(frame, KEYS["shop"]))


def test_member_of_both_schemes_is_admitted_in_each_it_names() -> None:
    both = encode(Alert(PUB, 1, 0, AlertKind.ASSIST, 1, (HART, PUBWATCH)), KEYS["pub"])
    one = encode(Alert(PUB, 2, 0, AlertKind.ASSIST, 2, (PUBWATCH,)), KEYS["pub"])

    assert reason(both, FrameTopic("hart", PUB)) is None
    assert reason(both, FrameTopic("pubwatch", PUB)) is None
    assert reason(one, FrameTopic("pubwatch", PUB)) is None
    assert "topic scheme" == reason(one, FrameTopic("hart", PUB))


@pytest.mark.parametrize("frame", MEMBERS_FRAMES.values(), ids=MEMBERS_FRAMES.keys())
def test_frame_on_a_topic_that_is_not_its_own_is_refused(frame: Frame) -> None:
    data = encode(frame, KEYS["shop"])

    assert "topic sender" == reason(data, FrameTopic("hart", PUB))
    assert "topic scheme" == reason(data, FrameTopic("pubwatch", SHOP))
    assert "topic scheme" == reason(data, FrameTopic("elsewhere", SHOP))


def test_gateway_is_a_member_like_any_other_and_speaks_for_nobody_else() -> None:
    """It puts central's words on the air; it cannot make them (N3)."""
    gateway = NodeId(0x13)

    assert reason(encode(Alert(gateway, 1, 0, AlertKind.CALL_REQUEST, 1, (HART,)), KEYS["gateway"])) is None
    for frame in CENTRALS_FRAMES.values():
        assert "not central" == reason(encode(msgspec.structs.replace(frame, sender=gateway), KEYS["gateway"]))


def test_neighbour_cannot_speak_in_anothers_name() -> None:
    with pytest.raises(SignatureInvalidError):
        admit(encode(ALERT, KEYS["pub"]), TOWN, HART_TOPIC)


@pytest.mark.parametrize("topic", [HART_TOPIC, None], ids=["network", "radio"])
def test_alert_with_any_single_bit_flipped_is_refused(topic: FrameTopic | None) -> None:
    data = encode(ALERT, KEYS["shop"])
    number = int.from_bytes(data, "big")
    flipped = [(number ^ 1 << bit).to_bytes(len(data), "big") for bit in range(8 * len(data))]

    assert [] == [changed.hex() for changed in flipped if reason(changed, topic) is None]


@given(st.binary(max_size=120), st.none() | st.from_type(FrameTopic))
def test_admit_of_any_bytes_gives_our_error(data: bytes, topic: FrameTopic | None) -> None:
    with pytest.raises((FrameDecodeError, FrameRefusedError, SignatureInvalidError)):
        admit(data, TOWN, topic)


@given(any_frame, st.from_type(SigningKey), st.none() | st.from_type(FrameTopic))
def test_admit_of_anybodys_frame_gives_our_error(frame: Frame, key: SigningKey, topic: FrameTopic | None) -> None:
    with pytest.raises((FrameRefusedError, SignatureInvalidError)):
        admit(encode(frame, key), TOWN, topic)


TOWN_SENDERS = {SHOP: "shop", PUB: "pub", STRUCK_OFF: "struck off", CENTRAL: "central"}
TOWN_NODES = st.sampled_from(list(TOWN_SENDERS))


@given(
    any_frame,
    TOWN_NODES,
    st.sampled_from([(1,), (2,), (1, 2), (1, 9)]),
    st.none() | st.builds(FrameTopic, st.sampled_from(["hart", "pubwatch", "elsewhere"]), TOWN_NODES),
)
def test_admit_lets_in_exactly_whom_the_directory_lets_in(
    frame: Frame, node: NodeId, schemes: tuple[int, ...], topic: FrameTopic | None
) -> None:
    """Known, not struck off, a member of all it names, on its own topic of one of those; or central."""
    membership = {SHOP: {1}, PUB: {1, 2}, STRUCK_OFF: {1}, CENTRAL: set()}[node]
    own: Frame
    if isinstance(frame, Alert) and frame.about:
        schemes = schemes[:1]  # A person is of one.
    if isinstance(frame, Alert | Cancel | Response):
        own, meant_for = msgspec.structs.replace(frame, sender=node, schemes=schemes), set(schemes)
    else:
        own, meant_for = msgspec.structs.replace(frame, sender=node), membership
    has_right = node == CENTRAL if isinstance(frame, get_args(CentralFrame)) else meant_for <= membership
    is_at_home = topic is None or (
        topic.node == node and {"hart": 1, "pubwatch": 2, "elsewhere": 0}[topic.scheme] in meant_for
    )
    is_expected = node != STRUCK_OFF and has_right and is_at_home

    assert is_expected == (reason(encode(own, KEYS[TOWN_SENDERS[node]]), topic) is None)


def test_striking_a_sender_off_refuses_what_it_signed_before() -> None:
    """A stolen node can only ever be itself, until it is struck from the directory."""
    data = encode(ALERT, KEYS["shop"])
    struck = tuple(
        msgspec.structs.replace(entry, revoked_at=DIRECTORY.issued_at) if entry.node == "00000010" else entry
        for entry in DIRECTORY.senders
    )
    newer = msgspec.structs.replace(DIRECTORY, serial=13, senders=struck)
    directory = open_directory(seal_directory(newer, KEYS["authority"]), KEYS["authority"].public)

    assert reason(data) is None
    with pytest.raises(FrameRefusedError, match="revoked sender"):
        admit(data, directory, None)


def test_every_example_frame_of_the_town_is_admitted() -> None:
    """But those that show a kind's least and greatest, which nobody in the town has sent."""
    usual = {name: frame for name, frame in FRAMES.items() if not name.endswith(("least", "greatest"))}

    assert {} == {
        name: refusal
        for name, frame in usual.items()
        if (refusal := reason(encode(frame, KEYS[TOWN_SENDERS[frame.sender]])))
    }


SIGNING_TOWN = open_directory(seal_directory(SIGNING_DIRECTORY, KEYS["authority"]), KEYS["authority"].public)
SHOPS_HEALTH = "watchlink/1/node/00000010/up/health"


def standing(node: NodeId, topic: str, payload: bytes, signature: str | None) -> bool | str:
    """Whether somebody stands for it, or why it is refused."""
    try:
        return stands_for(SIGNING_TOWN.senders[node], topic, payload, signature)
    except DecodeError as e:
        return e.reason


@given(st.binary(max_size=80), st.sampled_from([SHOP, CENTRAL]), st.text(max_size=30))
def test_sender_that_signs_stands_for_what_it_signed_and_for_nothing_else(
    payload: bytes, node: NodeId, topic: str
) -> None:
    signature = sign_message(KEYS[TOWN_SENDERS[node]], topic, payload)

    assert standing(node, topic, payload, signature) is True
    assert "unsigned" == standing(node, topic, payload, None)
    assert "signature" == standing(node, topic + "x", payload, signature)
    assert "signature" == standing(node, topic, payload + b" ", signature)
    assert "signature" == standing(node, topic, payload, sign_message(KEYS["pub"], topic, payload))


def test_old_version_is_heard_and_nobody_stands_for_it() -> None:
    """It may sign before the directory says so; a false signature in its name is a lie all the same."""
    topic, payload = "watchlink/1/node/00000011/up/health", b"{}"

    assert standing(PUB, topic, payload, None) is False
    assert standing(PUB, topic, payload, sign_message(KEYS["pub"], topic, payload)) is True
    assert "signature" == standing(PUB, topic, payload, sign_message(KEYS["shop"], topic, payload))


def test_struck_off_sender_stands_for_nothing() -> None:
    signature = sign_message(KEYS["struck off"], SHOPS_HEALTH, b"{}")

    assert "revoked sender" == standing(STRUCK_OFF, SHOPS_HEALTH, b"{}", signature)
    assert "revoked sender" == standing(STRUCK_OFF, SHOPS_HEALTH, b"{}", None)


@given(st.binary(max_size=40), st.text(max_size=100) | st.text("A+/=", min_size=86, max_size=90))
def test_any_text_for_a_signature_is_refused_in_our_terms(payload: bytes, signature: str) -> None:
    assert "signature" == standing(SHOP, SHOPS_HEALTH, payload, signature)


def test_frame_and_message_of_one_key_are_never_taken_for_each_other() -> None:
    data = encode(ALERT, KEYS["shop"])

    assert "signature" == standing(SHOP, "", data[:-64], base64.b64encode(data[-64:]).decode())
