"""Events of a node's actor as text in the trace, and messages as events."""

from __future__ import annotations

from node.core import events as ev
from sim.broker import Message, is_signed_by
from sim.plants import Plant
from wire.directory import Directory, open_directory
from wire.ids import CENTRAL
from wire.kinds import Path
from wire.messages import CentralStatus, IncidentState, SyncAnswer, decode_message
from wire.signing import PublicKey
from wire.topics import CentralTopic, Down, DownTopic, FrameTopic, IncidentTopic


def told(event: ev.Event) -> str:
    """An event as text that is the same in every run."""
    match event:
        case ev.FrameReceived():
            return f"FrameReceived {event.data.hex()[:26]}"
        case ev.Started() | ev.DirectoryReceived():
            return type(event).__name__  # A directory's keys have no stable text.
        case ev.FrameStored():
            return f"FrameStored {event.signed.frame.id.text}"
        case _:
            return repr(event)


def event_of(  # noqa: PLR0911 - one return a topic
    message: Message, directory: Directory, authority: PublicKey, *, plant: Plant | None
) -> ev.Event:
    """A message, decoded as the uplink does.

    Raises:
        DecodeError: ``reason`` is what the uplink counts.
    """
    topic, payload = message.topic, message.payload

    def is_signed() -> bool:
        return plant is Plant.UNSIGNED_BELIEVED or is_signed_by(CENTRAL, directory, message)

    match topic:
        case FrameTopic():
            return ev.FrameReceived(payload, topic, Path.NETWORK)
        case DownTopic(channel=Down.RECEIPT | Down.ACK):
            return ev.FrameReceived(payload, None, Path.NETWORK)
        case DownTopic(channel=Down.AIR):
            return ev.AirAsked(payload)
        case DownTopic(channel=Down.SYNC):
            return ev.SyncAnswered(decode_message(payload, SyncAnswer), is_signed())
        case DownTopic(channel=Down.DIRECTORY):
            return ev.DirectoryReceived(open_directory(payload, authority), payload)
        case IncidentTopic():
            return ev.IncidentReceived(decode_message(payload, IncidentState), is_signed())
        case CentralTopic():
            return ev.CentralStatusReceived(decode_message(payload, CentralStatus), is_signed())
        case _:
            return ev.InputRejected("topic")
