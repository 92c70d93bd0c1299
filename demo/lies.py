"""The lies: the messages of each cell of the table (:mod:`demo.matrix`).

Each would do harm if believed: :func:`truth_of` is the same truly signed, and the script ``liar-control`` sees what it
changes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from demo.liar import Forge, Said
from demo.lies_json import SETTINGS_HELD, asker_of, directories, message_of, settings
from demo.matrix import DELAYS_S, FURTHER, MISSING, OF_MEMBERS, REPLAYS, STATES, Manner, Row, row_of, word_of
from demo.scene import FLOOR_COUNTER, HART, PUB_WATCH, Scene
from tools.publish.channels import CHANNELS
from wire.directory import SealedDirectory
from wire.directory_parts import DirectoryPart
from wire.errors import WireError
from wire.frames import (
    Acknowledgement,
    Alert,
    AutomaticAcknowledgement,
    Cancel,
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
    decode,
    encode,
)
from wire.ids import CENTRAL, FrameId, NodeId, node_text, parse_node
from wire.kinds import (
    AlertKind,
    AnswerState,
    CancelReason,
    FrameKind,
    MemberResponse,
    Path,
    Priority,
    RefusalReason,
    Role,
)
from wire.messages import Health, Message, Sync, decode_message
from wire.signing import SIGNATURE_BYTES, SigningKey, sign_message
from wire.topics import CentralTopic, Down, DownTopic, FrameTopic, IncidentTopic, Topic, Up, UpTopic, parse_topic

_OF_AUTHORITY: Final = ("directory", "settings")
"""Topics of what bears its signature in itself: the authority's."""
_OTHER_DIGEST: Final = bytes(8)
"""Digest of a frame that central had under that number before the card was put back, not of the one waiting now."""
_SPARE: Final = 100_000
"""How far above a node's last number: a script never gets there."""
_OVERTAKEN_S: Final = 3
"""Age of a message overtaken by a newer one, and of the newest one replayed."""


class Lie(Struct, frozen=True):
    """One cell.

    Attributes:
        said: told one after the other.
        is_news: true but late on purpose: to be accepted, marked late, and never shown as live.
    """

    row: Row
    manner: Manner
    said: tuple[Said, ...]
    is_news: bool = False

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.row.name}: {self.manner}"


def lie_of(row: Row, manner: Manner, scene: Scene, forge: Forge, kept: tuple[Said, ...] = ()) -> Lie:
    """The cell's messages.

    Args:
        row: of the table.
        manner: one that :func:`demo.matrix.why_not` allows; not *withheld*, which has no message.
        scene: what there is to lie about.
        forge: signs what the true signer would have signed.
        kept: real messages of this row, oldest first.
    """
    if manner is Manner.UNSIGNED:
        return Lie(row, manner, _unsigned(row, scene, forge))
    if manner is Manner.WRONG_SIGNER:
        return Lie(row, manner, _signed_by_thief(row, scene, forge))
    if manner is Manner.RETARGETED:
        return Lie(row, manner, _retargeted(row, scene, forge))
    if manner in REPLAYS:
        return Lie(row, manner, (*reversed(kept), *_as_kept(row, scene, forge, manner)))
    if manner is Manner.TO_ANOTHER:
        known = kept or _as_kept(row, scene, forge, manner)
        elsewhere = tuple(replace(said, topic=str(_elsewhere(said.topic, scene))) for said in known)
        if row.channel.name in ("receipt", "ack"):
            elsewhere += (_misdirected(row, scene, forge, _OVERTAKEN_S),)
        return Lie(row, manner, elsewhere)
    is_news = row.is_frame_of_member and row.what is FrameKind.ALERT and manner in DELAYS_S
    return Lie(row, manner, _as_kept(row, scene, forge, manner), is_news)


def truth_of(row: Row, scene: Scene, forge: Forge, number: int) -> tuple[Said, ...]:
    """The content of the row's lies, as said now by its true signer.

    Args:
        row: of the table.
        scene: what there is to lie about.
        forge: signs.
        number: above all given here before; added to the liar's own for the number of a frame.
    """
    topic = _topic(row, scene)
    if isinstance(row.what, FrameKind):
        frame = _frame(row, scene, FLOOR_COUNTER + number, _now_s(0))
        data = encode(frame, forge.of(frame.sender))
        return (_sign(_signer(row, scene, forge), topic, data) if row.channel.is_signed else Said(topic, data, None),)
    if row.channel.name in _OF_AUTHORITY:
        return _of_authority(row, scene, forge.authority, is_newer=True, number=number)
    return (_sign(_signer(row, scene, forge), topic, message_of(row, scene, _now(0))),)


def row_said(said: Said) -> Row | None:
    """Its row of the table; ``None`` = not on one of our channels."""
    try:
        channel, found = _read(said)
    except (WireError, msgspec.MsgspecError):
        return None
    what = type(found) if isinstance(found, Message) else found.KIND
    return row_of(channel, what, word_of(found))


def frame_said(said: Said) -> Frame | None:
    """The frame, if it is one."""
    try:
        return decode(said.payload).frame
    except WireError:
        return None


def relayed(said: Said, scene_relay: str, forge: Forge) -> Said:
    """The relay message of a member that has heard that frame on the air."""
    topic = str(UpTopic(parse_node(scene_relay), Up.HEARD))
    return Said(topic, said.payload, sign_message(forge.of(scene_relay), topic, said.payload))


def path_test(node: str, counter: int, scheme: str, forge: Forge) -> Said:
    """A path test, as sent by a node's radio; only relays pass it to the broker."""
    sender = parse_node(node)
    frame = PathTest(sender, counter, _now_s(0), Path.RADIO)
    return Said(str(FrameTopic(scheme, sender)), encode(frame, forge.of(node)), None)


# -- the manners ----------------------------------------------------------------------------------------------------


def _unsigned(row: Row, scene: Scene, forge: Forge) -> tuple[Said, ...]:
    topic = _topic(row, scene)
    if isinstance(row.what, FrameKind):
        data = encode(_frame(row, scene, FLOOR_COUNTER, _now_s(0)), _signer(row, scene, forge))
        # The frame in a relay's message is valid: only the relay's own message is unsigned.
        return (Said(topic, data if row.channel.is_signed else data[:-SIGNATURE_BYTES] + bytes(SIGNATURE_BYTES), None),)
    if row.channel.name in _OF_AUTHORITY:
        return _of_authority(row, scene, None, is_newer=True)
    return (Said(topic, message_of(row, scene, _now(0)), None),)


def _signed_by_thief(row: Row, scene: Scene, forge: Forge) -> tuple[Said, ...]:
    topic, thief = _topic(row, scene), forge.of(scene.thief)
    if row.channel.name == "heard":
        frame = _frame(row, scene, FLOOR_COUNTER, _now_s(0))
        good, forged = encode(frame, forge.of(frame.sender)), encode(frame, thief)
        relay = forge.of(_relay(row, scene))
        return (_sign(thief, topic, good), _sign(relay, topic, forged))
    if isinstance(row.what, FrameKind):
        frame = _frame(row, scene, FLOOR_COUNTER, _now_s(0))
        own = replace(frame, sender=parse_node(scene.thief))
        is_centrals = frame.sender == CENTRAL
        return (
            Said(topic, encode(frame, thief), None),
            *((Said(topic, encode(own, thief), None),) if is_centrals else ()),
        )
    if row.channel.name in _OF_AUTHORITY:
        return _of_authority(row, scene, thief, is_newer=True)
    return (_sign(thief, topic, message_of(row, scene, _now(0))),)


def _retargeted(row: Row, scene: Scene, forge: Forge) -> tuple[Said, ...]:
    """From the true signer, but for someone else."""
    topic = _topic(row, scene)
    elsewhere = str(_elsewhere(topic, scene))
    if row.channel.name == "frame":
        frame = _frame(row, scene, FLOOR_COUNTER, _now_s(0))
        data = encode(frame, forge.of(frame.sender))
        anothers = FrameTopic(scene.schemes[HART], parse_node(scene.thief))
        return (Said(elsewhere, data, None), Said(str(anothers), data, None))
    if row.channel.name in ("receipt", "ack"):
        return (_misdirected(row, scene, forge, 0),)
    if row.channel.name == "settings":
        return (Said(topic, settings(scene.victim, forge.authority, SETTINGS_HELD + 1), None),)
    if isinstance(row.what, FrameKind):
        frame = _frame(row, scene, FLOOR_COUNTER, _now_s(0))
        payload = encode(frame, forge.of(frame.sender))
    else:
        payload = message_of(row, scene, _now(0))
    return (replace(_sign(_signer(row, scene, forge), elsewhere, payload), topic=topic),)


def _misdirected(row: Row, scene: Scene, forge: Forge, age_s: int) -> Said:
    """Central's message for another premises, about something with the same number there."""
    frame = _of_central(row, scene, FLOOR_COUNTER, _now_s(age_s))
    assert isinstance(frame, Receipt | DigestReceipt | Refusal | Acknowledgement | AutomaticAcknowledgement)
    target = FrameId(parse_node(scene.idle), frame.target.counter)
    return Said(
        _topic(row, scene),
        encode(replace(frame, counter=scene.central_counter + 1, target=target), forge.central),
        None,
    )


def _as_kept(row: Row, scene: Scene, forge: Forge, manner: Manner) -> tuple[Said, ...]:
    """As the true signer said it, or may have said it, before everything since."""
    topic, age_s = _topic(row, scene), DELAYS_S.get(manner, _OVERTAKEN_S)
    if manner in (*REPLAYS, Manner.TO_ANOTHER):
        age_s += max(0, _now_s(0) - scene.at)
    if row.is_frame_of_member:
        return _late_press(row, scene, forge, age_s) if manner in DELAYS_S else ()
    if isinstance(row.what, FrameKind):
        # A delayed message of central's has a number not heard yet; an overtaken one has a low number.
        frame = _frame(row, scene, scene.central_counter + 1 if manner in DELAYS_S else 1, _now_s(age_s))
        return (Said(topic, encode(frame, forge.of(frame.sender)), None),)
    if row.channel.name in _OF_AUTHORITY:
        return _of_authority(row, scene, forge.authority, is_newer=False)
    told = [_sign(_signer(row, scene, forge), topic, message_of(row, scene, _now(age_s), manner))]
    if row.what in (Health, Sync):  # A dead unit, which may have said this just before.
        dead = replace(scene, idle=scene.dead, victim=scene.dead)
        topic = _topic(row, dead)
        told.append(_sign(forge.of(scene.dead), topic, message_of(row, dead, _now(age_s), manner)))
    return tuple(told)


def _of_authority(
    row: Row, scene: Scene, key: SigningKey | None, *, is_newer: bool, number: int = 0
) -> tuple[Said, ...]:
    """What only the authority signs: directories, settings. ``number``: above all given here before."""
    topic = _topic(row, scene)
    if row.channel.name == "settings":
        serial = SETTINGS_HELD + 1 + number if is_newer else SETTINGS_HELD - 1
        return (Said(topic, settings(scene.idle, key, serial), None),)
    return tuple(Said(topic, data, None) for data in directories(row.what, scene, key, is_newer=is_newer))


def _late_press(row: Row, scene: Scene, forge: Forge, age_s: int) -> tuple[Said, ...]:
    sender = parse_node(scene.idle)
    counter = scene.idle_counter + _SPARE + age_s + (1 if row.channel.name == "heard" else 0)
    frame = Alert(sender, counter, _now_s(age_s), AlertKind.ATTACK, counter, (PUB_WATCH,))
    direct = Said(str(FrameTopic(scene.schemes[PUB_WATCH], sender)), encode(frame, forge.of(sender)), None)
    return (relayed(direct, scene.answered, forge),) if row.channel.name == "heard" else (direct,)


# -- what is said ---------------------------------------------------------------------------------------------------


def _frame(row: Row, scene: Scene, counter: int, at_s: int) -> Frame:
    return (_of_member if row.what in OF_MEMBERS else _of_central)(row, scene, counter, at_s)


def _of_member(row: Row, scene: Scene, counter: int, at_s: int) -> Frame:
    victim, incident = parse_node(scene.victim), FrameId.parse(scene.incident)
    held, word = FrameId.parse(scene.answered_incident), row.word
    match row.what:
        case FrameKind.ALERT if word == FURTHER:
            return Alert(held.node, counter, at_s, AlertKind.ATTACK, held.counter, (HART,))
        case FrameKind.ALERT:
            return Alert(victim, counter, at_s, AlertKind.ATTACK, counter, (HART,))
        case FrameKind.CANCEL:
            reason = CancelReason.by_slug(word) or CancelReason.MISTAKE
            return Cancel(victim, max(counter, incident.counter + 1), at_s, incident.counter, reason, (HART,))
        case FrameKind.RESPONSE:
            response = MemberResponse.by_slug(word) or MemberResponse.SEEN
            return Response(parse_node(scene.dead), counter, at_s, incident, response, (HART,))
        case FrameKind.PATH_TEST:
            return PathTest(victim, counter, at_s, Path.RADIO if row.channel.name == "heard" else Path.NETWORK)
    raise KeyError(row.name)


def _of_central(row: Row, scene: Scene, counter: int, at_s: int) -> Frame:  # noqa: PLR0911 - one for each kind
    pending, word = FrameId.parse(scene.pending_alert), row.word
    match row.what:
        case FrameKind.RECEIPT:
            return Receipt(CENTRAL, counter, at_s, pending)
        case FrameKind.RECEIPT_BATCH:
            return ReceiptBatch(CENTRAL, counter, at_s, (Receipted(pending),))
        case FrameKind.DIGEST_RECEIPT:
            return DigestReceipt(CENTRAL, counter, at_s, pending, _digest(scene.pending_digest, counter))
        case FrameKind.DIGEST_RECEIPT_BATCH:
            entry = DigestReceipted(pending, _digest(scene.pending_digest, counter)[:4])
            return DigestReceiptBatch(CENTRAL, counter, at_s, (entry,))
        case FrameKind.REFUSAL:
            because = RefusalReason.by_slug(word) or RefusalReason.ID_CONFLICT
            refused, digest = pending, scene.pending_digest
            if because is RefusalReason.FOREIGN_INCIDENT:  # Only a response to someone else's alert can be that.
                refused, digest = FrameId.parse(scene.pending_response), scene.response_digest
            return Refusal(CENTRAL, counter, at_s, refused, because, _digest(digest, counter))
        case FrameKind.ACKNOWLEDGEMENT | FrameKind.PRESS_ACKNOWLEDGEMENT as kind:
            said = AnswerState.by_slug(word) or AnswerState.ON_THE_WAY
            is_taken_back = said is AnswerState.UNANSWERED
            target = FrameId.parse(scene.answered_incident if is_taken_back else scene.incident)
            if kind is FrameKind.ACKNOWLEDGEMENT:
                return Acknowledgement(CENTRAL, counter, at_s, target, Role.POLICE, said, "Nobody")
            press = 0 if is_taken_back else FrameId.parse(scene.incident_latest).counter - target.counter
            return PressAcknowledgement(CENTRAL, counter, at_s, target, Role.POLICE, said, "Nobody", press, Priority.P1)
        case FrameKind.AUTOMATIC_ACKNOWLEDGEMENT:
            said = AnswerState.by_slug(word) or AnswerState.ON_THE_WAY
            return AutomaticAcknowledgement(CENTRAL, counter, at_s, FrameId.parse(scene.test_incident), said)
    raise KeyError(row.name)


def _digest(waiting: bytes, counter: int) -> bytes:
    """An invented message names the very bytes; central really signed others, as it never had these."""
    return waiting if counter >= FLOOR_COUNTER else _OTHER_DIGEST


def _relay(row: Row, scene: Scene) -> str:
    """The relay of a frame; nobody relays its own."""
    return scene.victim if row.word == FURTHER else scene.answered


def _topic(row: Row, scene: Scene) -> str:
    match row.channel.topic:
        case FrameTopic():
            frame = _frame(row, scene, FLOOR_COUNTER, 0)
            return str(FrameTopic(scene.schemes[HART], frame.sender))
        case IncidentTopic():
            return str(IncidentTopic(scene.schemes[HART]))
        case CentralTopic():
            return str(CentralTopic(scene.schemes[PUB_WATCH]))
        case UpTopic(channel=Up.HEARD):
            return str(UpTopic(parse_node(_relay(row, scene)), Up.HEARD))
        case UpTopic(channel=channel):
            asker = asker_of(row.word, scene) if channel is Up.SYNC else scene.idle
            return str(UpTopic(parse_node(asker), channel))
        case DownTopic(channel=channel):
            return str(DownTopic(parse_node(_receiver(row, channel, scene)), channel))
    raise KeyError(row.name)


def _receiver(row: Row, channel: Down, scene: Scene) -> str:  # noqa: PLR0911 - one for each
    match channel:
        case Down.RECEIPT:
            return scene.pending
        case Down.ACK if row.what is FrameKind.AUTOMATIC_ACKNOWLEDGEMENT:
            return node_text(FrameId.parse(scene.test_incident).node)
        case Down.ACK if row.word == AnswerState.UNANSWERED.slug:
            return scene.answered
        case Down.ACK:
            return scene.victim
        case Down.SYNC if row.word in (MISSING, STATES):
            return scene.victim
        case Down.DIRECTORY:  # Both show the alert of the premises that it strikes off.
            return scene.pending if row.what is SealedDirectory else scene.answered
        case _:
            return scene.idle


def _elsewhere(topic: str, scene: Scene) -> Topic:
    hart, pub_watch = scene.schemes[HART], scene.schemes[PUB_WATCH]
    match parse_topic(topic):
        case FrameTopic(scheme=scheme, node=node):
            return FrameTopic(pub_watch if scheme == hart else hart, node)
        case IncidentTopic(scheme=scheme):
            return IncidentTopic(pub_watch if scheme == hart else hart)
        case CentralTopic(scheme=scheme):
            return CentralTopic(pub_watch if scheme == hart else hart)
        case UpTopic(node=node, channel=up):  # As if the dead one lived.
            return UpTopic(parse_node(scene.dead if node_text(node) != scene.dead else scene.idle), up)
        case DownTopic(node=node, channel=down):
            return DownTopic(parse_node(scene.victim if node_text(node) != scene.victim else scene.idle), down)


def _signer(row: Row, scene: Scene, forge: Forge) -> SigningKey:
    """Signer of the message, or of the frame if that is all."""
    if row.channel.name in ("heard", "health", "sync"):
        return forge.of(node_text(_owner(row, scene)))
    if row.channel.name == "frame":
        return forge.of(_frame(row, scene, FLOOR_COUNTER, 0).sender)
    return forge.central


def _owner(row: Row, scene: Scene) -> NodeId:
    topic = parse_topic(_topic(row, scene))
    assert isinstance(topic, UpTopic)
    return topic.node


def _sign(key: SigningKey, topic: str, payload: bytes) -> Said:
    return Said(topic, payload, sign_message(key, topic, payload))


def _read(said: Said) -> tuple[str, Frame | Message]:
    topic = parse_topic(said.topic)
    channel = next(c for c in CHANNELS if type(c.topic) is type(topic) and _channel(c.topic) == _channel(topic))
    if isinstance(channel.payload, tuple):
        return channel.name, decode(said.payload).frame
    if channel.in_parts is not None:
        try:
            return channel.name, msgspec.json.decode(said.payload, type=SealedDirectory)
        except msgspec.MsgspecError:
            return channel.name, msgspec.json.decode(said.payload, type=DirectoryPart)
    return channel.name, decode_message(said.payload, channel.payload)


def _channel(topic: Topic) -> object:
    return topic.channel if isinstance(topic, UpTopic | DownTopic) else None


def _now(age_s: int) -> datetime:
    """The wall clock ``age_s`` ago, to the millisecond."""
    moment = datetime.now(UTC) - timedelta(seconds=age_s)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _now_s(age_s: int) -> int:
    return int(_now(age_s).timestamp())
