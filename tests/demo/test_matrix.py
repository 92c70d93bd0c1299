"""The table of lies leaves nothing out: every topic, frame and message in every manner, each lie being what it says."""

from __future__ import annotations

from collections import Counter
from enum import Enum

import msgspec
import pytest

from demo.liar import Forge, Said
from demo.lies import Lie, lie_of, path_test, relayed, row_said, truth_of
from demo.matrix import IN_TOWN_WITH_RADIO, Manner, Row, row_of, rows, why_not
from demo.scene import FLOOR_COUNTER, HART, PUB_WATCH, Scene
from tools.publish.channels import CHANNELS
from tools.publish.examples import PRESSED_AT
from wire.admission import FrameRefusedError, admit
from wire.directory import DirectoryDocument, SchemeEntry, SealedDirectory, SenderEntry, open_directory, seal_directory
from wire.directory_parts import DirectoryPart
from wire.errors import DirectoryError, SignatureInvalidError, WireError
from wire.frames import (
    Acknowledgement,
    Alert,
    AutomaticAcknowledgement,
    Cancel,
    DigestReceipt,
    Frame,
    PathTest,
    Receipt,
    Refusal,
    Response,
    decode,
    encode,
)
from wire.ids import CENTRAL, FrameId, NodeId, node_text
from wire.kinds import AlertKind, AnswerState, CancelReason, FrameKind, MemberResponse, Path, RefusalReason
from wire.messages import Message, Sync, SyncAnswer
from wire.node_settings import open_settings
from wire.signing import SigningKey, verify_message
from wire.topics import Down, DownTopic, FrameTopic, Up, UpTopic, parse_topic

NODES = [NodeId(number) for number in range(0x10, 0x17)]
VICTIM, ANSWERED, PENDING, IDLE, DEAD, THIEF, ASKING = map(node_text, NODES)
KEYS = {node_text(node): SigningKey(bytes([node]) * 32) for node in NODES}
FORGE = Forge(SigningKey(bytes([1]) * 32), SigningKey(bytes([2]) * 32), KEYS)
DOCUMENT = DirectoryDocument(
    serial=7,
    issued_at=PRESSED_AT,
    schemes=(
        SchemeEntry(number=HART, slug="hart", name="HART"),
        SchemeEntry(number=PUB_WATCH, slug="pub-watch", name="Pub Watch"),
    ),
    senders=(
        SenderEntry(node="00000001", key=FORGE.central.public.raw, premises="Central", kind="central", signs=True),
        *(
            SenderEntry(
                node=node,
                key=key.public.raw,
                premises="A shop",
                schemes=(PUB_WATCH,) if node in (IDLE, ASKING) else (HART, PUB_WATCH) if node == THIEF else (HART,),
                signs=True,
            )
            for node, key in KEYS.items()
        ),
    ),
)
SEALED = seal_directory(DOCUMENT, FORGE.authority)
DIRECTORY = open_directory(SEALED, FORGE.authority.public)
SCENE = Scene(
    victim=VICTIM,
    answered=ANSWERED,
    pending=PENDING,
    idle=IDLE,
    dead=DEAD,
    thief=THIEF,
    schemes={HART: "hart", PUB_WATCH: "pub-watch"},
    incident=f"{VICTIM}-70",
    incident_latest=f"{VICTIM}-71",
    answered_incident=f"{ANSWERED}-80",
    test_incident=f"{ASKING}-79",
    pending_alert=f"{PENDING}-90",
    pending_digest=b"\x11" * 8,
    pending_response=f"{PENDING}-91",
    response_digest=b"\x22" * 8,
    idle_counter=1_000,
    boot_id="central-1",
    runs=dict.fromkeys(KEYS, "node-1"),
    revision=20,
    revision_answered=15,
    central_counter=500,
    sequence=40,
    uptimes_ms=dict.fromkeys(KEYS, 60_000),
    nonces=dict.fromkeys(KEYS, "5" * 32),
    directory=SEALED,
    at=1_800_000_000,
)
PLAYED = [(row, manner) for row in rows() for manner in Manner if not why_not(row, manner)]
TOLD = [(row, manner) for row, manner in PLAYED if manner is not Manner.WITHHELD]
SCENES_OF_THEIR_OWN = [("frame", Manner.REORDERED)]


def kept(row: Row) -> tuple[Said, ...]:
    """What members' rows have of the town's past; central's have their own forgeries beside it."""
    victim, member = NODES[0], NODES[2]
    frames: dict[tuple[object, str], Frame] = {
        (FrameKind.ALERT, "press"): Alert(victim, 70, 1_000, AlertKind.ATTACK, 70, (HART,)),
        (FrameKind.ALERT, "further press"): Alert(victim, 71, 1_000, AlertKind.ATTACK, 70, (HART,)),
        **{(FrameKind.CANCEL, r.slug): Cancel(victim, 72, 1_000, 70, r, (HART,)) for r in CancelReason},
        **{
            (FrameKind.RESPONSE, r.slug): Response(member, 91, 1_000, FrameId(victim, 70), r, (HART,))
            for r in MemberResponse
        },
        (FrameKind.PATH_TEST, ""): PathTest(victim, 73, 1_000, Path.RADIO),
    }
    frame = frames.get((row.what, row.word))
    if frame is None or not row.is_frame_of_member:
        return ()
    said = Said(str(FrameTopic("hart", frame.sender)), encode(frame, FORGE.of(frame.sender)), None)
    return (relayed(said, ANSWERED, FORGE) if row.channel.name == "heard" else said,)


def told(row: Row, manner: Manner) -> Lie:
    return lie_of(row, manner, SCENE, FORGE, kept(row))


def is_believable(said: Said) -> bool:
    """Whether any receiver would take its signature, on the topic where it is said, for its owner's."""
    topic = parse_topic(said.topic)
    signer = topic.node if isinstance(topic, UpTopic) else CENTRAL
    try:
        if isinstance(topic, FrameTopic) or (
            isinstance(topic, DownTopic) and topic.channel in ("receipt", "ack", "air")
        ):
            admit(said.payload, DIRECTORY, topic if isinstance(topic, FrameTopic) else None)
            return True
        if isinstance(topic, DownTopic) and topic.channel is Down.DIRECTORY:
            open_directory(said.payload, FORGE.authority.public)
            return True
        if isinstance(topic, DownTopic) and topic.channel is Down.SETTINGS:
            return open_settings(said.payload, FORGE.authority.public).node == topic.node
        verify_message(DIRECTORY.senders[signer].key, said.topic, said.payload, said.signature or "")
        if isinstance(topic, UpTopic) and topic.channel is Up.HEARD:
            admit(said.payload, DIRECTORY, None)
    except (WireError, FrameRefusedError, SignatureInvalidError, DirectoryError):
        return False
    return True


def test_table_has_every_topic_and_what_travels_on_it() -> None:
    """From wire's own lists: also each word by which frames and states differ."""
    carried = {
        (channel.name, what)
        for channel in CHANNELS
        for what in (channel.payload if isinstance(channel.payload, tuple) else channel.messages)
    }
    words: dict[FrameKind, type[Enum]] = {
        FrameKind.ACKNOWLEDGEMENT: AnswerState,
        FrameKind.AUTOMATIC_ACKNOWLEDGEMENT: AnswerState,
        FrameKind.PRESS_ACKNOWLEDGEMENT: AnswerState,
        FrameKind.CANCEL: CancelReason,
        FrameKind.RESPONSE: MemberResponse,
        FrameKind.REFUSAL: RefusalReason,
    }

    assert carried == {(row.channel.name, row.what) for row in rows()}
    assert set(FrameKind) == {row.what for row in rows() if isinstance(row.what, FrameKind)}
    assert {*Up, *Down} == {topic.channel for c in CHANNELS if isinstance(topic := c.topic, UpTopic | DownTopic)}
    assert len(rows()) == len({row.name for row in rows()})
    for kind, enum in words.items():
        lines = [row for row in rows() if row.what is kind and row.channel.name != "air"]
        assert {member.name.lower().replace("_", "-") for member in enum} == {row.word for row in lines}


def test_type_without_words_is_an_error() -> None:
    class New(Message, frozen=True):
        """What somebody may add to the wire tomorrow."""

    channel = msgspec.structs.replace(CHANNELS[1], payload=New)

    with pytest.raises(KeyError):
        rows((channel,))


def test_table_is_played_or_says_why_not() -> None:
    reasons = Counter(why_not(row, manner) for row in rows() for manner in Manner)

    assert len(PLAYED) == reasons.pop("")
    assert 400 < len(PLAYED)
    assert all(len(reason) > 20 for reason in reasons)
    for row in rows():  # Nothing escapes by reasons alone.
        for manner in (Manner.UNSIGNED, Manner.WRONG_SIGNER, Manner.REPLAYED):
            assert why_not(row, manner) in ("", IN_TOWN_WITH_RADIO), row.name


@pytest.mark.parametrize(("row", "manner"), TOLD, ids=lambda value: value.name if isinstance(value, Row) else value)
def test_lie_is_of_its_row(row: Row, manner: Manner) -> None:
    if (row.channel.name, manner) in SCENES_OF_THEIR_OWN:
        return
    lie = told(row, manner)

    assert lie.said
    for said in lie.said:
        found = row_said(said)
        assert found is not None
        assert (row.channel.name, row.what) == (found.channel.name, found.what)
        assert row.word == found.word or lie.is_news


def test_what_nobody_has_signed_bears_no_good_signature() -> None:
    for row in rows():
        for manner in (Manner.UNSIGNED, Manner.WRONG_SIGNER, Manner.RETARGETED):
            if why_not(row, manner) or (row.channel.name, manner) in (
                ("receipt", Manner.RETARGETED),
                ("ack", Manner.RETARGETED),
            ):
                continue
            believed = [said for said in told(row, manner).said if is_believable(said)]
            assert [] == believed, (row.name, manner)


def target_of(said: Said) -> FrameId:
    """What a word of central's is about."""
    frame = decode(said.payload).frame
    assert isinstance(frame, Receipt | DigestReceipt | Refusal | Acknowledgement | AutomaticAcknowledgement)
    return frame.target


def test_retargeted_frame_of_central_is_good_and_about_the_same_number_elsewhere() -> None:
    """Of another number its receiver has nothing that it could be about."""
    for row in rows():
        if row.channel.name not in ("receipt", "ack"):
            continue
        (said,), (meant,) = told(row, Manner.RETARGETED).said, truth_of(row, SCENE, FORGE, 0)
        wanted, given = target_of(meant), target_of(said)
        assert is_believable(said)
        assert meant.topic == said.topic
        assert wanted.node != given.node
        assert wanted.counter == given.counter


def test_truth_is_what_the_lies_say_under_the_true_signature() -> None:
    for row in rows():
        if row.channel.name == "air" or row.what is DirectoryPart:
            continue
        for said in truth_of(row, SCENE, FORGE, 0):
            assert is_believable(said), row.name
            assert row == row_said(said)
            assert told(row, Manner.UNSIGNED).said[0].topic == said.topic


def test_answer_bears_the_nonce_of_the_question_that_is_open() -> None:
    """With any other, its signature would not be looked at."""
    for word in ("counter floor", "what is missing", "states"):
        for manner in (Manner.UNSIGNED, Manner.WRONG_SIGNER, Manner.RETARGETED, Manner.DELAYED_100_S):
            (said,) = told(row("syncAnswer", word), manner).said
            assert "5" * 32 == msgspec.json.decode(said.payload, type=SyncAnswer).nonce


@pytest.mark.parametrize("manner", [Manner.REPLAYED, Manner.DELAYED_100_S, Manner.DELAYED_2_H, Manner.REORDERED])
def test_what_was_kept_bears_the_true_signature(manner: Manner) -> None:
    """Else its refusal would prove nothing but that of a bad signature."""
    for row in rows():
        if why_not(row, manner) or (row.channel.name, manner) in SCENES_OF_THEIR_OWN or row.what is DirectoryPart:
            continue
        assert all(is_believable(said) for said in told(row, manner).said), (row.name, manner)


def test_kept_directory_is_the_authoritys_and_older() -> None:
    for manner in (Manner.REPLAYED, Manner.AFTER_NODE):
        (said,) = told(next(row for row in rows() if row.what is SealedDirectory), manner).said
        directory = open_directory(said.payload, FORGE.authority.public)
        assert directory.serial < DIRECTORY.serial
        assert directory.senders[NODES[0]].is_revoked


def test_made_up_numbers_would_show() -> None:
    """What a node or central believed of them would burn its own."""
    (floor,) = told(row("syncAnswer", "counter floor"), Manner.UNSIGNED).said
    (sync,) = told(row("sync", "counters"), Manner.UNSIGNED).said

    assert FLOOR_COUNTER == msgspec.json.decode(floor.payload)["counter_floor"]
    assert SCENE.central_counter + 1_000_000 < msgspec.json.decode(sync.payload, type=Sync).central_counter


def test_path_test_is_what_a_radio_says() -> None:
    assert row("frame", "", FrameKind.PATH_TEST) == row_said(path_test(VICTIM, 5, "hart", FORGE))


def row(channel: str, word: str, what: object = None) -> Row:
    return next(r for r in rows() if (r.channel.name, r.word) == (channel, word) and what in (None, r.what))


def test_order_to_put_something_on_the_air_is_one_row_for_each_kind() -> None:
    assert row_of("air", FrameKind.ACKNOWLEDGEMENT, "closed") == row_of("air", FrameKind.ACKNOWLEDGEMENT, "answered")
