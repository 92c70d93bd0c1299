"""A liar's JSON: invented, or as the true signer may have said it earlier."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from demo.matrix import CANCELLED, COUNTERS, DELAYS_S, FLOOR, MISSING, RECEIPTED, SOMEBODY, WAITING, Manner, Row
from demo.scene import FLOOR_COUNTER, HART, Scene
from node.core.link.asking import PENDING_MAX
from node.store.node_store import clock_floor
from wire.directory import DirectoryDocument, SealedDirectory
from wire.directory_parts import DirectoryPart
from wire.ids import FrameId, NodeId
from wire.kinds import FrameKind
from wire.messages import (
    Answer,
    CentralStatus,
    FaultReport,
    Health,
    IncidentState,
    Message,
    PendingFrame,
    ReceiptedFrame,
    Sync,
    SyncAnswer,
    encode_message,
)
from wire.node_settings import NodeSettings, SealedSettings
from wire.signing import DIRECTORY_DOMAIN, SETTINGS_DOMAIN, SIGNATURE_BYTES, SigningKey

_FAR: Final = 3_000_000_000
_FARTHER: Final = 1_000_000_000
_HIGHER: Final = 4_000_000
"""Above central's number, yet near enough to be believed."""
_SINCE_MS: Final = 5_000
"""How much younger a dead unit's withheld last health was than the one before."""
SETTINGS_HELD: Final = 1_000_000
"""Serial of the settings that the idle premises was sent in the past."""
NOWHERE: Final = NodeId(0x77)
"""A bank that is in no directory."""


def message_of(row: Row, scene: Scene, at: datetime, manner: Manner | None = None) -> bytes:
    """A message on the row's topic.

    Args:
        row: of the table.
        scene: what there is to lie about.
        at: when, by its signer's clock.
        manner: how the true signer's message is treated; ``None`` = invented.
    """
    is_old = manner is not None
    if row.what is IncidentState:
        said: Message = _incident(row.word, scene, at, is_old=is_old)
    elif row.what is CentralStatus:
        on_duty = ("police",) if row.word == SOMEBODY else ()
        sequence = max(1, scene.sequence - 1) if is_old else _far(at)
        expires_at = at + timedelta(seconds=35)
        said = CentralStatus(boot_id=scene.boot_id, at=at, expires_at=expires_at, on_duty=on_duty, sequence=sequence)
    elif row.what is SyncAnswer:
        said = _answer(row.word, scene, at, is_old=is_old)
    elif row.what is Health:
        said = _health(row.word, scene, at, manner)
    elif row.what is Sync:
        said = _sync(row.word, scene, at, manner)
    else:
        raise KeyError(row.name)
    return encode_message(said)


def _far(at: datetime) -> int:
    """A revision, sequence or uptime that nobody has reached; higher if later."""
    return _FAR + int(at.timestamp() * 1_000) % _FARTHER


def directories(
    what: FrameKind | type[Message], scene: Scene, key: SigningKey | None, *, is_newer: bool
) -> tuple[bytes, ...]:
    """A directory that strikes the victim off, signed by ``key`` or with zeros; whole or in two parts."""
    inner = msgspec.json.decode(
        msgspec.json.decode(scene.directory, type=SealedDirectory).document, type=DirectoryDocument
    )
    senders = tuple(
        msgspec.structs.replace(sender, revoked_at=inner.issued_at) if sender.node == scene.victim else sender
        for sender in inner.senders
    )
    serial = inner.serial + 1 if is_newer else inner.serial - 1
    document = msgspec.json.encode(msgspec.structs.replace(inner, serial=serial, senders=senders))
    signature = bytes(SIGNATURE_BYTES) if key is None else key.sign(DIRECTORY_DOMAIN, document)
    whole = msgspec.json.encode(SealedDirectory(document=document, signature=signature))
    if what is SealedDirectory:
        return (whole,)
    digest, middle = hashlib.sha256(whole).digest()[:8].hex(), len(whole) // 2
    return tuple(
        msgspec.json.encode(DirectoryPart(digest=digest, part=number, parts=2, data=data))
        for number, data in enumerate((whole[:middle], whole[middle:]), start=1)
    )


def settings(node: str, key: SigningKey | None, serial: int) -> bytes:
    """Settings of ``node`` with a profile that no node has, signed by ``key`` or with zeros.

    A node that believes them refuses them, in a sentence that central's page shows, and goes on as it was.
    """
    document = msgspec.json.encode(
        NodeSettings(node=node, serial=serial, made_at=datetime.now(UTC), profile=f"invented-{serial}")
    )
    signature = bytes(SIGNATURE_BYTES) if key is None else key.sign(SETTINGS_DOMAIN, document)
    return msgspec.json.encode(SealedSettings(document=document, signature=signature))


def _incident(word: str, scene: Scene, at: datetime, *, is_old: bool) -> IncidentState:
    """*Unanswered*: an attack at a bank that does not exist, or an answer taken back before it was given."""
    is_bank = word == "unanswered" and not is_old
    about, revision = scene.incident, scene.revision
    if word == "unanswered":
        about, revision = scene.answered_incident, scene.revision_answered
    if is_bank:
        about = FrameId(NOWHERE, 1).text
    is_assist = word == "unanswered" and is_old
    return IncidentState(
        incident=about,
        revision=revision - 1 if is_old else _far(at),
        scheme=scene.schemes[HART],
        node=about.partition("-")[0],
        premises="City Bank" if is_bank else "?",
        place="",
        kind="assist" if is_assist else "attack",
        priority=2 if is_assist else 1,
        state="unanswered" if word == CANCELLED else word,  # type: ignore[arg-type]
        opened_at=at,
        expires_at=at + timedelta(hours=1),
        cancelled="mistake" if word == CANCELLED else None,
        answer=None if word in ("unanswered", CANCELLED) else Answer(role="police", name="Nobody", at=at),
    )


def _answer(word: str, scene: Scene, at: datetime, *, is_old: bool) -> SyncAnswer:
    receiver = scene.idle if word == FLOOR else scene.victim
    closed = _incident("closed", scene, at, is_old=False)
    return SyncAnswer(
        boot_id=scene.boot_id,
        counter_floor=FLOOR_COUNTER,
        incidents=() if word in (FLOOR, MISSING) else (closed,),
        nonce=scene.nonces[receiver],
        at=at,
        sequence=max(1, scene.sequence - 1) if is_old else _far(at),
        revision=scene.revision - 1 if is_old else _far(at),
        missing=(FrameId.parse(scene.incident_latest).counter,) if word == MISSING else (),
    )


def _health(word: str, scene: Scene, at: datetime, manner: Manner | None) -> Health:
    if word == "lost":
        return Health(state="lost", boot_id=scene.runs[scene.idle] if manner is None else "an earlier run")
    uptime_ms = _far(at) if manner is None else 1
    if scene.idle == scene.dead:
        uptime_ms = scene.uptimes_ms[scene.dead] + (_SINCE_MS if manner in DELAYS_S else 0)
    return Health(
        state=word,  # type: ignore[arg-type]
        boot_id=scene.runs[scene.idle],
        at=at,
        uptime_ms=uptime_ms,
        faults=(FaultReport(part="oled", detail=f"invented, {word}", age_ms=1),),
    )


def _sync(word: str, scene: Scene, at: datetime, manner: Manner | None) -> Sync:
    """*What waits* makes its sender's next press ten minutes old; *receipted* tells of a receipt for other bytes."""
    is_made_up, asker = manner is None, asker_of(word, scene)
    is_led = is_made_up and word == COUNTERS
    latest = FrameId.parse(scene.incident_latest).counter
    following = max(scene.idle_counter, clock_floor(int(at.timestamp()))) + 1
    pending = tuple(
        PendingFrame(counter=counter, age_ms=600_000 if is_made_up else 1_000)
        for counter in range(following, following + PENDING_MAX)
    )
    # A question kept back until now has a nonce that central has not heard; *what waits* goes with the true questions.
    is_nonce_new = manner in DELAYS_S or (is_made_up and word == WAITING)
    return Sync(
        boot_id=scene.runs[asker],
        last_counter=FLOOR_COUNTER if is_made_up else latest,
        nonce=secrets.token_hex(16) if is_nonce_new else scene.nonces[asker],
        central_counter=scene.central_counter + _HIGHER if is_led else 1,
        central_revision=_far(at) if is_led else 1,
        pending=pending if word == WAITING else (),
        receipted=(ReceiptedFrame(counter=latest, digest="0" * 16),) if word == RECEIPTED else (),
    )


def asker_of(word: str, scene: Scene) -> str:
    """The node in whose name a sync of this row is."""
    return scene.idle if word == WAITING else scene.victim
