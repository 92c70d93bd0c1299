"""A lying broker: it repeats, misdirects, changes, invents and delays its clients' messages.

It takes central's place on the broker, but has no keys except a stranger's and a member's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec.structs import replace

from sim.broker import Message
from sim.town import SCHEMES, STRANGER, Town
from wire.ids import CENTRAL, FrameId, NodeId, node_text
from wire.messages import (
    Answer,
    CentralStatus,
    Health,
    IncidentState,
    Sync,
    SyncAnswer,
    decode_message,
    encode_message,
)
from wire.messages import Message as Json
from wire.signing import sign_message
from wire.topics import CentralTopic, Down, DownTopic, FrameTopic, IncidentTopic, Topic, Up, UpTopic

HELD_MS: Final = (5_000, 100_000)
SAID_AGAIN_MS: Final = (0, 100_000)
BURNT_COUNTER: Final = 4_278_190_080
ROLES: Final = ("cctv", "pcso", "duty-sergeant", "duty-officer")


def lie(town: Town) -> None:
    """One lie, now or in a while."""
    town.timeline.chance.choice(_LIES)(town)


def heal_liar(town: Town) -> None:
    """It delivers everything that it withheld."""
    for client in (CENTRAL, *(node.id for node in town.stations)):
        town.broker.release(client)


def _overheard(town: Town) -> Message | None:
    """A recent message; each kind is equally likely."""
    chance, kinds = town.timeline.chance, {type(message.topic) for message in town.broker.overheard}
    if not kinds:
        return None
    kind = chance.choice(sorted(kinds, key=lambda one: one.__name__))
    return chance.choice([message for message in town.broker.overheard if type(message.topic) is kind])


def _tell(town: Town, message: Message, what: str) -> None:
    town.timeline.note("liar", f"{what} {type(message.topic).__name__}")
    town.broker.inject(message)


def _say_again(town: Town) -> None:
    message = _overheard(town)
    if message is not None:
        town.timeline.after(town.timeline.chance.randint(*SAID_AGAIN_MS), lambda: _tell(town, message, "says again"))


def _tell_others(town: Town) -> None:
    message = _overheard(town)
    if message is not None:
        _tell(town, Message(_elsewhere(town, message.topic), message.payload, message.signature), "tells others")


def _change(town: Town) -> None:
    """Other content under the old signature, under none, or under a stranger's or a member's."""
    message = _overheard(town)
    changed = None if message is None else _changed(town, message)
    if message is not None and changed is not None:
        _tell(town, _as_somebody(town, message.topic, changed, message.signature), "changes")


def _invent(town: Town) -> None:
    """An attack at a place that does not exist, and people on duty who are not."""
    chance, scheme, now_at = town.timeline.chance, town.timeline.chance.choice(SCHEMES), town.central.now_at
    victim = chance.choice((STRANGER, town.timeline.chance.choice(town.stations).id))
    state = IncidentState(
        incident=FrameId(victim, chance.randint(1, 99)).text,
        revision=chance.choice((1, 2**40)),
        scheme=scheme.slug,
        node=node_text(victim),
        premises="Town Bank",
        place="Nowhere",
        kind="attack",
        priority=1,
        state=chance.choice(("unanswered", "answered", "on-the-way", "closed")),
        opened_at=now_at,
        expires_at=now_at + timedelta(hours=1),
        answer=_answer(now_at),
    )
    status = CentralStatus(
        boot_id=chance.choice(("central-1", "invented")),
        at=now_at,
        expires_at=now_at + timedelta(hours=1),
        on_duty=ROLES,
        sequence=chance.choice((0, 2**40)),
    )
    said: tuple[tuple[Topic, Json], ...] = (
        (IncidentTopic(scheme.slug), state),
        (CentralTopic(scheme.slug), status),
        (DownTopic(victim, Down.SYNC), _burning_answer(state)),
    )
    topic, made_up = chance.choice(said)
    _tell(town, _as_somebody(town, topic, encode_message(made_up), None), "invents")


def _hold(town: Town) -> None:
    chance = town.timeline.chance
    client = chance.choice((CENTRAL, *(node.id for node in town.stations)))
    town.broker.hold(client)
    town.timeline.note("liar", f"keeps back what is for {node_text(client)}")
    town.timeline.after(chance.randint(*HELD_MS), lambda: town.broker.release(client))


_LIES: Final[tuple[Callable[[Town], None], ...]] = (_say_again, _tell_others, _change, _change, _invent, _invent, _hold)


def _as_somebody(town: Town, topic: Topic, payload: bytes, signature: str | None) -> Message:
    chance = town.timeline.chance
    liars: tuple[NodeId, ...] = (STRANGER, chance.choice(town.stations).id)
    liars = tuple(node for node in liars if not isinstance(topic, UpTopic) or node != topic.node)
    forged = sign_message(town.keys[chance.choice(liars)], str(topic), payload)
    return Message(topic, payload, chance.choice((None, signature, forged)))


def _elsewhere(town: Town, topic: Topic) -> Topic:
    chance = town.timeline.chance
    node, scheme = chance.choice(town.stations).id, chance.choice(SCHEMES).slug
    match topic:
        case IncidentTopic():
            return IncidentTopic(scheme)
        case CentralTopic():
            return CentralTopic(scheme)
        case DownTopic():
            return DownTopic(node, chance.choice((topic.channel, Down.RECEIPT, Down.ACK)))
        case UpTopic():
            return UpTopic(node, topic.channel)
        case FrameTopic():
            return FrameTopic(scheme, node)


def _changed(town: Town, message: Message) -> bytes | None:
    """Other content; ``None`` for frames, which the forger changes, and for channels left alone."""
    chance, now_at = town.timeline.chance, town.central.now_at
    match message.topic:
        case IncidentTopic():
            state = decode_message(message.payload, IncidentState)
            told: Literal["answered", "on-the-way", "closed"] = chance.choice(("answered", "on-the-way", "closed"))
            return encode_message(
                replace(state, state=told, revision=state.revision + chance.randint(0, 99), answer=_answer(now_at))
            )
        case CentralTopic():
            status = decode_message(message.payload, CentralStatus)
            on_duty = tuple(role for role in ROLES if chance.random() < 0.5)  # noqa: PLR2004 - either
            return encode_message(replace(status, on_duty=on_duty, sequence=status.sequence + 1_000))
        case DownTopic(channel=Down.SYNC):
            answer = decode_message(message.payload, SyncAnswer)
            return encode_message(replace(answer, counter_floor=BURNT_COUNTER))
        case UpTopic(channel=Up.HEALTH):
            health = decode_message(message.payload, Health)
            return encode_message(replace(health, state=chance.choice(("lost", "stopping")), outbox_depth=9))
        case UpTopic(channel=Up.SYNC):
            sync = decode_message(message.payload, Sync)
            return encode_message(replace(sync, central_counter=BURNT_COUNTER, last_counter=BURNT_COUNTER))
        case _:
            return None


def _burning_answer(state: IncidentState) -> SyncAnswer:
    return SyncAnswer(boot_id="invented", counter_floor=BURNT_COUNTER, incidents=(state,))


def _answer(at: datetime) -> Answer:
    return Answer(role="pcso", name="Nobody", at=at)
