"""A small town of examples: the keys, frames, messages and directory that vectors and documents show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from msgspec import structs

from wire.directory import DelegateChanges, Delegation, DirectoryDocument, SchemeEntry, SenderEntry
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
    encode,
    frame_digest,
)
from wire.ids import CENTRAL, U16_MAX, U32_MAX, FrameId, NodeId
from wire.kinds import (
    AlertKind,
    AnswerState,
    CancelReason,
    CentralCapability,
    LeftWhenAsked,
    MemberResponse,
    Path,
    Priority,
    RefusalReason,
    Role,
)
from wire.messages import (
    Answer,
    Asked,
    CentralStatus,
    FaultReport,
    Health,
    IncidentState,
    MachineReport,
    MemberAnswer,
    Message,
    PendingFrame,
    RadioReport,
    ReceiptedFrame,
    SettingsReport,
    Sync,
    SyncAnswer,
    UpdateReport,
)
from wire.node_settings import NodeSettings, PttSetting, Words
from wire.signing import SigningKey

# Nobody's seeds: they are printed in public documents and must never reach a real town.
SEEDS: Final = {
    "authority": bytes([0xA0]) * 32,
    "central": bytes([0x01]) * 32,
    "shop": bytes([0x10]) * 32,
    "pub": bytes([0x11]) * 32,
    "struck off": bytes([0x12]) * 32,
    "gateway": bytes([0x13]) * 32,
    "office": bytes([0x0F]) * 32,
    "next office": bytes([0x1F]) * 32,
    "stranger": bytes([0xEE]) * 32,
    "delegate": bytes([0xDE]) * 32,
    "baker": bytes([0x14]) * 32,
}
KEYS: Final = {name: SigningKey(seed) for name, seed in SEEDS.items()}
SHOP: Final = NodeId(0x10)
PUB: Final = NodeId(0x11)
STRUCK_OFF: Final = NodeId(0x12)
HART: Final = 1
PUBWATCH: Final = 2
PRESSED_AT: Final = datetime(2026, 3, 7, 23, 40, 5, tzinfo=UTC)
PRESSED_AT_S: Final = int(PRESSED_AT.timestamp())

_LAST_NODE = NodeId(U32_MAX)
_LAST = FrameId(_LAST_NODE, U32_MAX)
_LAST_OF_LAST = (_LAST_NODE, U32_MAX, U32_MAX, _LAST)
_FOUR = (1, 2, 3, U16_MAX)
_BY_PATEL = (Role.PCSO, AnswerState.ANSWERED, "J Patel")
_BY_ZOLW = (Role.POLICE, AnswerState.UNANSWERED, "A Żółw")
_PRESS = FrameId(SHOP, 7)
_DIGEST = frame_digest(encode(Alert(SHOP, 7, PRESSED_AT_S, AlertKind.ATTACK, 7, (HART,)), KEYS["shop"]))
_NONCE = bytes(range(0x50, 0x60)).hex()

FRAMES: Final[dict[str, Frame]] = {
    "alert, attack": Alert(SHOP, 7, PRESSED_AT_S, AlertKind.ATTACK, 7, (HART,)),
    "alert, upgrade of an earlier assist, silent": Alert(
        PUB, 8, PRESSED_AT_S, AlertKind.ATTACK, 7, (HART, PUBWATCH), silent=True
    ),
    "alert, drill": Alert(SHOP, 9, PRESSED_AT_S, AlertKind.TEST, 9, (HART,), drill=True),
    "alert, least": Alert(NodeId(1), 1, 0, AlertKind.ATTACK, 1, (1,)),
    "alert, greatest": Alert(_LAST_NODE, U32_MAX, U32_MAX, AlertKind.FAULT, U32_MAX, _FOUR, silent=True, drill=True),
    "alert, breach by a person who did not leave": Alert(
        SHOP, 13, PRESSED_AT_S, AlertKind.BREACH, 13, (HART,), about=42, left=LeftWhenAsked.NO
    ),
    "alert, sighting of a person": Alert(PUB, 14, PRESSED_AT_S, AlertKind.SIGHTING, 14, (PUBWATCH,), about=7),
    "alert, about a person, least": Alert(NodeId(1), 1, 0, AlertKind.SIGHTING, 1, (1,), about=1),
    "alert, drill of a breach by the last person": Alert(
        PUB, 15, PRESSED_AT_S, AlertKind.BREACH, 14, (PUBWATCH,), drill=True, about=U32_MAX, left=LeftWhenAsked.YES
    ),
    "cancel, mistake": Cancel(SHOP, 10, PRESSED_AT_S + 30, 7, CancelReason.MISTAKE, (HART,)),
    "cancel, least": Cancel(NodeId(1), 2, 0, 1, CancelReason.MISTAKE, (1,)),
    "cancel, greatest": Cancel(_LAST_NODE, U32_MAX, U32_MAX, U32_MAX - 1, CancelReason.STAND_DOWN, _FOUR),
    "receipt": Receipt(CENTRAL, 501, PRESSED_AT_S, _PRESS),
    "receipt, late": Receipt(CENTRAL, 502, PRESSED_AT_S + 4_080, _PRESS, late=True),
    "receipt, greatest": Receipt(_LAST_NODE, U32_MAX, U32_MAX, _LAST, late=True),
    "acknowledgement, answered": Acknowledgement(CENTRAL, 503, PRESSED_AT_S + 14, _PRESS, *_BY_PATEL),
    "acknowledgement, on the way": Acknowledgement(
        CENTRAL, 504, PRESSED_AT_S + 40, _PRESS, Role.PCSO, AnswerState.ON_THE_WAY, "J Patel"
    ),
    "acknowledgement, without a name": Acknowledgement(
        CENTRAL, 505, PRESSED_AT_S + 900, _PRESS, Role.CCTV, AnswerState.CLOSED
    ),
    "acknowledgement, greatest": Acknowledgement(*_LAST_OF_LAST, *_BY_ZOLW),
    "path test, network": PathTest(SHOP, 11, PRESSED_AT_S, Path.NETWORK),
    "path test, radio": PathTest(SHOP, 12, PRESSED_AT_S, Path.RADIO),
    "path test, greatest": PathTest(_LAST_NODE, U32_MAX, U32_MAX, Path.RADIO),
    "receipt batch, one": ReceiptBatch(CENTRAL, 506, PRESSED_AT_S, (Receipted(_PRESS),)),
    "receipt batch, six": ReceiptBatch(
        CENTRAL,
        507,
        PRESSED_AT_S,
        (
            *(Receipted(FrameId(NodeId(node), 40 + node)) for node in range(SHOP, SHOP + 5)),
            Receipted(FrameId(NodeId(SHOP + 5), 3), late=True),
        ),
    ),
    "receipt batch, greatest": ReceiptBatch(
        _LAST_NODE,
        U32_MAX,
        U32_MAX,
        # Four bytes of node and five of counter, then five and five: the body is full.
        (Receipted(FrameId(NodeId(1 << 27), U32_MAX), late=True), Receipted(_LAST, late=True)),
    ),
    "response, seen": Response(PUB, 3, PRESSED_AT_S + 5, _PRESS, MemberResponse.SEEN, (HART,)),
    "response, greatest": Response(_LAST_NODE, U32_MAX, U32_MAX, _LAST, MemberResponse.RESPONDING, _FOUR),
    "digest receipt": DigestReceipt(CENTRAL, 508, PRESSED_AT_S, _PRESS, _DIGEST),
    "digest receipt, late": DigestReceipt(CENTRAL, 509, PRESSED_AT_S + 4_080, _PRESS, _DIGEST, late=True),
    "digest receipt, greatest": DigestReceipt(_LAST_NODE, U32_MAX, U32_MAX, _LAST, b"\xff" * 8, late=True),
    "digest receipt batch, one": DigestReceiptBatch(
        CENTRAL, 510, PRESSED_AT_S, (DigestReceipted(_PRESS, _DIGEST[:4]),)
    ),
    "digest receipt batch, two": DigestReceiptBatch(
        CENTRAL,
        511,
        PRESSED_AT_S,
        (
            DigestReceipted(_PRESS, _DIGEST[:4]),
            DigestReceipted(FrameId(PUB, 900), bytes.fromhex("00c0ffee"), late=True),
        ),
    ),
    "digest receipt batch, greatest": DigestReceiptBatch(
        _LAST_NODE,
        U32_MAX,
        U32_MAX,
        # One byte of node, four of counter, four of digest; then two, four and four: the body is full.
        (
            DigestReceipted(FrameId(NodeId(1), (1 << 27) - 1), b"\xff" * 4, late=True),
            DigestReceipted(FrameId(NodeId(129), (1 << 27) - 1), b"\xff" * 4, late=True),
        ),
    ),
    "refusal": Refusal(CENTRAL, 512, PRESSED_AT_S, _PRESS, RefusalReason.ID_CONFLICT, _DIGEST),
    "refusal, greatest": Refusal(_LAST_NODE, U32_MAX, U32_MAX, _LAST, RefusalReason.FOREIGN_INCIDENT, b"\xff" * 8),
    "automatic acknowledgement": AutomaticAcknowledgement(
        CENTRAL, 513, PRESSED_AT_S + 1, FrameId(SHOP, 9), AnswerState.ANSWERED
    ),
    "automatic acknowledgement, greatest": AutomaticAcknowledgement(*_LAST_OF_LAST, AnswerState.UNANSWERED),
    "press acknowledgement": PressAcknowledgement(CENTRAL, 514, PRESSED_AT_S + 1, _PRESS, *_BY_PATEL, 0, Priority.P1),
    "press acknowledgement, greatest": PressAcknowledgement(*_LAST_OF_LAST, *_BY_ZOLW, 0xFF, Priority.P4),
}
"""By name. Each kind in its usual form, its least where that differs, and its greatest."""

_INCIDENT = IncidentState(
    incident=_PRESS.text,
    revision=3,
    scheme="hart",
    node="00000010",
    premises="Corner Shop",
    place="High St",
    kind="attack",
    priority=1,
    state="on-the-way",
    opened_at=PRESSED_AT,
    expires_at=PRESSED_AT.replace(hour=23, minute=55),
    silent=True,
    answer=Answer(role="pcso", name="J Patel", at=PRESSED_AT.replace(second=19)),
    members=(MemberAnswer(node="00000011", premises="The Anchor", response="seen", at=PRESSED_AT.replace(second=10)),),
)
_UNANSWERED: Final = structs.replace(_INCIDENT, state="unanswered", answer=None)

MESSAGES: Final[dict[str, Message]] = {
    "health": Health(
        state="armed",
        boot_id="b-5f1c",
        version="1.4",
        at=PRESSED_AT,
        uptime_ms=86_400_000,
        outbox_depth=1,
        oldest_unreceipted_ms=1_200,
        directory_serial=12,
        faults=(FaultReport(part="oled", detail="no answer at 0x3c on i2c-1", age_ms=61_000),),
        rejected={"signature": 2, "unknown sender": 1},
        radio=RadioReport(
            state="ready",
            licence="1234567/1",
            tested_age_ms=3_600_000,
            overs=3,
            airtime_ms=9_800,
            bursts_heard=41,
            busy_percent=7,
        ),
    ),
    "health, last will": Health(state="lost", boot_id="b-5f1c"),
    "sync": Sync(
        boot_id="b-5f1c", directory_serial=12, last_counter=8, pending=(PendingFrame(counter=7, age_ms=4_200),)
    ),
    "sync, first ever": Sync(boot_id="b-0001"),
    "sync, with a nonce": Sync(
        boot_id="b-5f1c",
        directory_serial=12,
        last_counter=8,
        nonce=_NONCE,
        receipted=(ReceiptedFrame(counter=7, digest=_DIGEST.hex()),),
        central_counter=513,
        central_revision=3,
        part=2,
        parts=2,
    ),
    "health, settings refused": Health(
        state="armed",
        boot_id="b-5f1c",
        settings=SettingsReport(
            serial=1_800_000_000,
            state="refused",
            reason="/dev/ttyUSB0 is not there",
            in_force=1_790_000_000,
        ),
    ),
    "health, newer node": Health(state="armed", boot_id="b-5f1c", speaks=("digest-receipt", "refusal", "automatic")),
    "health, with its machine": Health(
        state="armed",
        boot_id="b-5f1c",
        certificate_ends_at=datetime(2026, 6, 1, 12, tzinfo=UTC),
        machine=MachineReport(
            profile="ssd1309-128x64",
            system="Debian GNU/Linux 13 (trixie)",
            support_ends_at=datetime(2028, 8, 10, tzinfo=UTC),
            temperature_c=48,
            free_bytes=2_900_000_000,
            has_battery_clock=True,
            clock="ntp",
            is_speech_ready=True,
        ),
    ),
    "health, of a system image": Health(
        state="armed",
        boot_id="b-5f1c",
        machine=MachineReport(
            image="0.1.0.202611280725",
            slot="a",
            update=UpdateReport(
                serial=1_800_000_000, version="0.1.1.202612200900", state="returned", reason="buttons did not work"
            ),
        ),
    ),
    "incident": _INCIDENT,
    "incident, least": IncidentState(
        incident="00000010-9",
        revision=1,
        scheme="hart",
        node="00000010",
        premises="Corner Shop",
        place="",
        kind="assist",
        priority=2,
        state="unanswered",
        opened_at=PRESSED_AT,
        expires_at=PRESSED_AT.replace(minute=50),
    ),
    "central": CentralStatus(
        boot_id="c-77aa",
        at=PRESSED_AT,
        expires_at=PRESSED_AT.replace(second=35),
        on_duty=("cctv", "pcso"),
    ),
    "incident, asked": structs.replace(_UNANSWERED, asked=Asked(role="pcso", since=PRESSED_AT)),
    "incident, nobody to ask": structs.replace(_UNANSWERED, asked=Asked(since=PRESSED_AT)),
    "central, nobody on duty": CentralStatus(boot_id="c-77aa", at=PRESSED_AT, expires_at=PRESSED_AT.replace(second=35)),
    "sync answer": SyncAnswer(boot_id="c-77aa", counter_floor=8, incidents=(_INCIDENT,)),
    "sync answer, nothing open": SyncAnswer(boot_id="c-77aa", counter_floor=0),
    "sync answer, with a nonce": SyncAnswer(
        boot_id="c-77aa",
        counter_floor=8,
        nonce=_NONCE,
        at=PRESSED_AT.replace(second=30, microsecond=125_000),
        sequence=41,
        revision=3,
        missing=(7,),
    ),
    "central, with a sequence": CentralStatus(
        boot_id="c-77aa",
        at=PRESSED_AT,
        expires_at=PRESSED_AT.replace(second=35),
        on_duty=("pcso",),
        sequence=42,
    ),
    "incident, its second press unanswered": IncidentState(
        incident=_PRESS.text,
        revision=5,
        scheme="hart",
        node="00000010",
        premises="Corner Shop",
        place="High St",
        kind="attack",
        priority=1,
        state="answered",
        opened_at=PRESSED_AT,
        expires_at=PRESSED_AT.replace(hour=23, minute=55),
        answer=Answer(role="pcso", name="J Patel", at=PRESSED_AT.replace(second=19), press=_PRESS.text, after_s=14),
    ),
    "sync answer, newer central": SyncAnswer(
        boot_id="c-77aa",
        counter_floor=8,
        nonce=_NONCE,
        at=PRESSED_AT.replace(second=30),
        sequence=43,
        speaks=(CentralCapability.PERSON,),
    ),
    "incident, breach by a person": IncidentState(
        incident="00000010-13",
        revision=6,
        scheme="hart",
        node="00000010",
        premises="Corner Shop",
        place="High St",
        kind="breach",
        priority=3,
        state="unanswered",
        opened_at=PRESSED_AT,
        expires_at=PRESSED_AT.replace(hour=23, minute=55),
        live_at=PRESSED_AT,
        stamped_at=PRESSED_AT.replace(hour=22),
        person=42,
        left="no",
    ),
}

DIRECTORY: Final = DirectoryDocument(
    serial=12,
    issued_at=PRESSED_AT,
    schemes=(
        SchemeEntry(number=HART, slug="hart", name="HART"),
        SchemeEntry(number=PUBWATCH, slug="pubwatch", name="Pub Watch"),
    ),
    senders=(
        SenderEntry(node="00000001", key=KEYS["central"].public.raw, premises="Central", kind="central"),
        SenderEntry(
            node="00000010", key=KEYS["shop"].public.raw, premises="Corner Shop", place="High St", schemes=(HART,)
        ),
        SenderEntry(
            node="00000011",
            key=KEYS["pub"].public.raw,
            premises="The Anchor",
            place="Quay",
            schemes=(HART, PUBWATCH),
        ),
        SenderEntry(
            node="00000013",
            key=KEYS["gateway"].public.raw,
            premises="Control room radio",
            place="Town Hall",
            schemes=(HART, PUBWATCH),
            kind="gateway",
        ),
        SenderEntry(
            node="00000012",
            key=KEYS["struck off"].public.raw,
            premises="Closed Shop",
            schemes=(HART,),
            revoked_at=PRESSED_AT.replace(month=1),
        ),
    ),
)

SIGNING_DIRECTORY: Final = structs.replace(
    DIRECTORY,
    serial=13,
    senders=tuple(structs.replace(entry, signs=entry.node in {"00000001", "00000010"}) for entry in DIRECTORY.senders),
)
"""The same town, but central and the shop sign their JSON; the pub runs an old version."""

OFFICE_DIRECTORY: Final = structs.replace(
    SIGNING_DIRECTORY,
    serial=14,
    senders=tuple(
        structs.replace(entry, office_premises={"00000010": 5, "00000011": 8}.get(entry.node, 0))
        for entry in SIGNING_DIRECTORY.senders
    ),
    office_keys=(KEYS["office"].public.raw, KEYS["next office"].public.raw),
)
"""The same town with an office that is changing its key; the gateway stands in no member's premises."""

DELEGATING_DIRECTORY: Final = structs.replace(
    OFFICE_DIRECTORY,
    serial=1_000_000,
    delegation=Delegation(epoch=1, key=KEYS["delegate"].public.raw, expires_at=PRESSED_AT.replace(month=6, day=5)),
)
"""The same town with a delegate."""

CHANGES: Final = DelegateChanges(
    serial=1_000_001,
    made_at=PRESSED_AT.replace(day=8),
    added=(
        SenderEntry(
            node="00000014",
            key=KEYS["baker"].public.raw,
            premises="Bakery",
            place="High St",
            schemes=(HART,),
            signs=True,
            office_premises=9,
            sealing_key=bytes(range(32)),
        ),
    ),
    struck=("00000011",),
)
"""A new node at the bakery; the pub's was stolen."""

SETTINGS: Final = NodeSettings(
    node="00000010",
    serial=1_800_000_000,
    made_at=PRESSED_AT,
    licence="LG 123456/1",
    profile="ssd1309-128x64",
    ptt=PttSetting(method="gpio", gpio=13),
    words=Words(attack="Code red."),
)
"""The shop's radio, keyed by another pin."""
