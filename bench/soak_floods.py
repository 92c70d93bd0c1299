"""The floods of ``make soak``: what each sends, in whose name, and that the broker took it."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from bench import town
from bench.soak_watch import directory_serial, highest_revision
from demo.flood.flooder import Thief
from demo.flood.line import Line, publication
from provisioning.fleet import Fleet
from wire.directory import DirectoryDocument, SealedDirectory, SenderEntry, seal_directory
from wire.directory_parts import DirectoryPart, split_directory
from wire.frames import Cancel, Response, encode
from wire.ids import FrameId, NodeId, node_text
from wire.kinds import CancelReason, MemberResponse
from wire.messages import IncidentState, MemberAnswer, RadioReport
from wire.signing import DIRECTORY_DOMAIN, SigningKey, sign_message
from wire.subjects import NODES, subject_text
from wire.topics import PREFIX, Down, DownTopic, FrameTopic, IncidentTopic

SENDERS: Final = 5_000
REVISION_MIN: Final = 2_000_000_000
"""Revision of a flood's incident states: higher than any that central reaches by itself."""
RELAYS: Final = 48
"""Each may pass on 60 frames at once: together more than the 2,048 heard frames that central remembers."""
COMMON_FRAMES: Final = 12
"""Every relay passes these on: more relays than the eight that central remembers for each frame."""
NEIGHBOURS_FRAMES: Final = 4
"""As many of one sender as central lets travel with other receipts."""
AT_ONCE: Final = 32
"""Messages in one write."""
LARGE_AT_ONCE: Final = 2
"""The same for messages as large as a packet: a broker whose memory is full has room for little at a time."""
WRITES_AT_ONCE: Final = 10
"""Writes before the broker is asked whether it has read them."""
NOTHING_TAKEN_S: Final = 120.0
"""The broker counts as refusing a flood of which it takes nothing for this long."""
AFTER_DROP_S: Final = 0.1
"""Wait after the broker has dropped us for want of memory: the node reads meanwhile."""
_STRANGER: Final = 0x1000


class Speaker(Struct, frozen=True):
    """A connection: its certificate's holder, and its messages, each a whole PUBLISH."""

    who: Thief
    said: Iterator[bytes]


class Flood(Struct, frozen=True):
    """One kind of flood.

    Attributes:
        speakers: they send in turn.
        share: of all messages.
        is_committed: central must keep frames of it.
        is_frozen: the broker is frozen again and again.
        must_reach: says, from the node's folder, whether any of it is on the node's disk.
        at_once: messages in one write.
    """

    name: str
    speakers: Sequence[Speaker]
    share: float
    is_committed: bool = False
    is_frozen: bool = False
    must_reach: Callable[[Path], bool] | None = None
    at_once: int = AT_ONCE


def authority_of(fleet: Fleet) -> SigningKey:
    """The key that signs directories."""
    return SigningKey(bytes.fromhex((fleet.layout.authority / "authority.key").read_text().strip()))


def crowded_document(fleet: Fleet, strangers: int) -> DirectoryDocument:
    """The fleet's directory with ``strangers`` more senders."""
    small = fleet.record.directory()
    more = [
        SenderEntry(
            node=node_text(NodeId(_STRANGER + number)),
            key=SigningKey(number.to_bytes(32)).public.raw,
            premises=f"Shop {number}",
            place="High Street",
            schemes=(1,),
        )
        for number in range(strangers)
    ]
    return DirectoryDocument(
        serial=small.serial + strangers,
        issued_at=datetime.now(UTC),
        schemes=small.schemes,
        senders=(*small.senders, *more),
    )


def crowded_directory(fleet: Fleet, strangers: int) -> bytes:
    """:func:`crowded_document`, sealed."""
    return seal_directory(crowded_document(fleet, strangers), authority_of(fleet))


def later_directories(document: DirectoryDocument, authority: SigningKey) -> Iterator[bytes]:
    """Sealed directories of ever higher serials; without :func:`seal_directory`'s check, which costs most."""
    for serial in itertools.count(document.serial + 1):
        inner = msgspec.json.encode(msgspec.structs.replace(document, serial=serial, issued_at=datetime.now(UTC)))
        signature = authority.sign(DIRECTORY_DOMAIN, inner)
        yield msgspec.json.encode(SealedDirectory(document=inner, signature=signature))


def torn_directories(directory: bytes) -> Iterator[bytes]:
    """Parts of ever new directories, none of them complete: anyone can name a digest."""
    pieces = [msgspec.json.decode(piece, type=DirectoryPart) for piece in split_directory(directory)]
    for number in itertools.count(1):
        for piece in pieces[:-1]:
            yield msgspec.json.encode(msgspec.structs.replace(piece, digest=f"{number:016x}"))


def largest_state(number: int, node: NodeId) -> IncidentState:
    """An incident of ``node``, as large as a state may be."""
    now = datetime.now(UTC)
    members = tuple(
        MemberAnswer(node=node_text(NodeId(_STRANGER + n)), premises="\N{POLICE CAR}" * 64, response="seen", at=now)
        for n in range(64)
    )
    return IncidentState(
        incident=f"{node:08x}-{number}",
        revision=REVISION_MIN + number,
        scheme=town.SCHEME,
        node=node_text(node),
        premises="P" * 64,
        place="P" * 64,
        kind="attack",
        priority=1,
        state="unanswered",
        opened_at=now,
        expires_at=now + timedelta(hours=1),
        members=members,
    )


def members_floods(thief: Thief, crowd: Sequence[Thief]) -> list[Flood]:
    """All that one member can send, and what a crowd of relays can send, each of others' frames."""
    topic = str(FrameTopic(town.SCHEME, thief.id))

    def cancels() -> Iterator[bytes]:
        for counter in itertools.count(1_000_000_000):
            frame = Cancel(thief.id, counter, int(time.time()), counter - 1, CancelReason.MISTAKE, (1,))
            yield publication(topic, encode(frame, thief.key))

    def responses() -> Iterator[bytes]:
        for counter in itertools.count(1_500_000_000):
            target = FrameId(NodeId(_STRANGER + counter % SENDERS), counter)
            frame = Response(thief.id, counter, int(time.time()), target, MemberResponse.SEEN, (1,))
            yield publication(topic, encode(frame, thief.key))

    return [
        Flood("valid attacks", [Speaker(thief, thief.frames())], 0.22, is_committed=True),
        Flood("attacks, broker frozen", [Speaker(thief, thief.frames())], 0.06, is_committed=True, is_frozen=True),
        Flood("cancels without alert", [Speaker(thief, cancels())], 0.06, is_committed=True),
        Flood("answers to nothing", [Speaker(thief, responses())], 0.06, is_committed=True),
        Flood("junk", [Speaker(thief, thief.junk())], 0.30),
        Flood("relayed frames", relaying(thief, crowd), 0.08, is_committed=True),
        Flood("health", [Speaker(thief, thief.health())], 0.10),
        Flood("syncs", [Speaker(thief, thief.sync())], 0.10),
    ]


def relaying(thief: Thief, crowd: Sequence[Thief]) -> list[Speaker]:
    """Each of the crowd has a radio, and passes on what all have heard, a few alerts of its neighbour, and the thief's.

    Only the thief presses without end; the others' alerts are few, because each member's open one has its place.
    """
    common = [(sender.id, sender.alert()) for sender in crowd[:COMMON_FRAMES]]

    def heard(place: int) -> Iterator[bytes]:
        yield from (frame for sender, frame in common if sender != crowd[place].id)
        yield from (crowd[place - 1].alert() for _ in range(NEIGHBOURS_FRAMES))
        yield from (thief.alert() for _ in itertools.count())

    def said(place: int, relay: Thief) -> Iterator[bytes]:
        yield next(relay.health(RadioReport(state="ready", licence="none")))
        yield from relay.relays(heard(place))

    return [Speaker(relay, said(place, relay)) for place, relay in enumerate(crowd)]


def brokers_rights(node: NodeId) -> str:
    """Lines for the broker's ACL: ``node`` may write what central writes, so that both can be connected at once."""
    topics = (IncidentTopic(town.SCHEME), f"{PREFIX}/node/+/down/+")
    user = subject_text(node_text(node), NODES)
    return "\n".join((f"\nuser {user}", *(f"topic write {topic}" for topic in topics), ""))


def brokers_floods(fleet: Fleet, shop: NodeId, holder: Thief, document: DirectoryDocument) -> list[Flood]:
    """What a holder of the broker and of central's signing key, or of the authority's, can send a node."""
    key = SigningKey(bytes.fromhex((fleet.layout.central / "signing.key").read_text().strip()))
    authority = authority_of(fleet)
    topic, to_shop = str(IncidentTopic(town.SCHEME)), str(DownTopic(shop, Down.DIRECTORY))

    def states() -> Iterator[bytes]:
        for number in itertools.count(1):
            node = holder.id if number % 2 else NodeId(_STRANGER + number % SENDERS)
            payload = msgspec.json.encode(largest_state(number, node))
            yield publication(topic, payload, sign_message(key, topic, payload))

    directories = (
        publication(to_shop, piece)
        for directory in later_directories(document, authority)
        for piece in split_directory(directory)
    )
    parts = (publication(to_shop, piece) for piece in torn_directories(seal_directory(document, authority)))

    def has_states(node: Path) -> bool:
        return highest_revision(node) >= REVISION_MIN

    def has_directories(node: Path) -> bool:
        return directory_serial(node) > document.serial

    return [
        Flood("incident states", [Speaker(holder, states())], 0.01, must_reach=has_states),
        Flood("directories", [Speaker(holder, directories)], 0.005, must_reach=has_directories, at_once=LARGE_AT_ONCE),
        Flood("parts of directories", [Speaker(holder, parts)], 0.005, at_once=LARGE_AT_ONCE),
    ]


def send(flood: Flood, port: int, count: int, per_s: int) -> int:
    """Send ``count`` messages at ``per_s`` at most; reconnect when the broker drops us.

    Returns how many messages the broker has read, in connections that it accepted.

    Raises:
        TimeoutError: it reads nothing for :data:`NOTHING_TAKEN_S`.
    """
    sent = taken = 0
    started_s = taken_s = time.monotonic()
    while taken < count:
        with contextlib.suppress(OSError), ExitStack() as stack:
            lines = [
                (
                    stack.enter_context(Line("127.0.0.1", port, speaker.who.folder, node_text(speaker.who.id))),
                    speaker.said,
                )
                for speaker in flood.speakers
            ]
            for line, said in itertools.cycle(lines):
                for _ in range(WRITES_AT_ONCE):
                    line.send(b"".join(itertools.islice(said, flood.at_once)))
                    sent += flood.at_once
                    time.sleep(max(0.0, started_s + sent / per_s - time.monotonic()))
                line.settle()
                taken += flood.at_once * WRITES_AT_ONCE
                taken_s = time.monotonic()
                if taken >= count:
                    return taken
        time.sleep(AFTER_DROP_S)
        if time.monotonic() - taken_s > NOTHING_TAKEN_S:
            raise TimeoutError(f"{flood.name}: the broker takes nothing")
    return taken
