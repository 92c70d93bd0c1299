"""A broker as bad as a real one may be: it loses, repeats, reorders, withholds and dies.

A QoS 1 message to a client is kept until delivered, unless the broker is killed and loses its queues. A publish on its
way to the broker may be lost without notice. Who may read a topic follows the ACL. A partition is half-open: for a
while neither side notices.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Protocol

from msgspec import Struct

from sim.timeline import Timeline
from wire.admission import FrameRefusedError, stands_for
from wire.directory import Directory, Sender
from wire.ids import CENTRAL, NodeId
from wire.topics import CentralTopic, DownTopic, FrameTopic, IncidentTopic, Topic, UpTopic

QUEUED_MAX: Final = 10_000
OVERHEARD_MAX: Final = 500
KEEPALIVE_NOTICE_MS: Final = 22_000
RECONNECT_MS: Final = (500, 4_000)


class Message(Struct, frozen=True):
    """A message on its way: JSON with its signature, frames without one."""

    topic: Topic
    payload: bytes
    signature: str | None = None


def is_signed_by(node: NodeId, directory: Directory, message: Message) -> bool:
    """As :func:`wire.admission.is_signed_by`; a message sent to many is verified only once."""
    sender = directory.senders.get(node)
    if sender is None:
        raise FrameRefusedError("unknown sender")
    return _stands_for(sender, message)


@lru_cache(4_096)
def _stands_for(sender: Sender, message: Message) -> bool:
    return stands_for(sender, str(message.topic), message.payload, message.signature)


class Client(Protocol):
    """A client of the broker: a node or central."""

    @property
    def id(self) -> NodeId:
        """The name in its certificate."""
        ...

    @property
    def is_running(self) -> bool:
        """Whether its program runs."""
        ...

    def link_up(self) -> None:
        """Connected and subscribed."""
        ...

    def link_down(self) -> None:
        """It noticed that the connection is lost."""
        ...

    def receive(self, message: Message) -> None:
        """A message arrived."""
        ...


@dataclass(slots=True)
class Weather:
    """The present state of the network.

    Attributes:
        loss: share of publishes that never reach the broker.
        repeat: share of deliveries that arrive twice.
        delay_ms: the longest that one message takes.
    """

    loss: float = 0.0
    repeat: float = 0.0
    delay_ms: int = 20


@dataclass(slots=True)
class _Session:
    client: Client
    schemes: frozenset[str]
    is_connected: bool = False
    connection: int = 0
    is_cut: bool = False
    is_held: bool = False
    queue: deque[Message] = field(default_factory=deque)


class SimBroker:
    """Sessions, and the messages between them.

    Attributes:
        overheard: recent publishes, for an adversary at the broker.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.weather = Weather()
        self.is_up = True
        self.overheard: deque[Message] = deque(maxlen=OVERHEARD_MAX)
        self._timeline = timeline
        self._sessions: dict[NodeId, _Session] = {}

    def admit(self, client: Client, schemes: frozenset[str]) -> None:
        """Accept a client's certificate; ``schemes``: the slugs of its schemes."""
        self._sessions[client.id] = _Session(client, schemes)

    def connect(self, client: NodeId) -> None:
        """Begin to connect, and retry while the client runs."""
        self._timeline.after(self._timeline.chance.randint(*RECONNECT_MS), lambda: self._try(client))

    def break_off(self, client: NodeId) -> None:
        """A client ends its connection, which it makes anew."""
        session = self._sessions[client]
        if session.is_connected:
            self._drop(session, notice_ms=0)

    def publish(self, sender: NodeId, message: Message, qos: int, puback: Callable[[], None]) -> None:
        """A client publishes; without a connection the message is lost."""
        session = self._sessions[sender]
        if not session.is_connected:
            return
        connection = session.connection
        chance = self._timeline.chance
        if session.is_cut or chance.random() < self.weather.loss:
            if not session.is_cut:  # A segment lost for good on TCP is a broken connection.
                self._drop(session, notice_ms=chance.randint(0, 300))
            return

        def arrive() -> None:
            if not self.is_up or session.connection != connection or session.is_cut:
                return
            self.overheard.append(message)
            self._route(message, qos)
            if qos:
                self._timeline.after(self._way_ms(), lambda: self._acknowledge(session, connection, puback))

        self._timeline.after(self._way_ms(), arrive)

    def kill(self, *, keeps_queues: bool) -> None:
        """SIGKILL: every connection breaks; queued messages survive or not."""
        self.is_up = False
        self._timeline.note("broker", f"killed, queues {'kept' if keeps_queues else 'lost'}")
        for session in self._sessions.values():
            if not keeps_queues:
                session.queue.clear()
            if session.is_connected:
                self._drop(session, notice_ms=self._timeline.chance.randint(0, 50))

    def restart(self) -> None:
        """Listen again."""
        self.is_up = True
        self._timeline.note("broker", "restarted")

    def cut(self, client: NodeId) -> None:
        """Half-open: nothing passes any more, and only the keepalive shows it."""
        session = self._sessions[client]
        if session.is_cut:
            return
        session.is_cut = True
        self._timeline.note("broker", f"cut {client:08x}")
        if session.is_connected:
            connection = session.connection

            def notice() -> None:
                if session.is_connected and session.connection == connection and session.is_cut:
                    self._drop(session, notice_ms=0)

            self._timeline.after(KEEPALIVE_NOTICE_MS, notice)

    def mend(self, client: NodeId) -> None:
        """The network is back; a connection cut earlier is dead all the same."""
        session = self._sessions[client]
        if not session.is_cut:
            return
        session.is_cut = False
        self._timeline.note("broker", f"mended {client:08x}")
        if session.is_connected:
            self._drop(session, notice_ms=0)

    def gone(self, client: NodeId) -> None:
        """The client's program has died."""
        session = self._sessions[client]
        session.is_connected = False
        session.connection += 1

    def is_cut(self, client: NodeId) -> bool:
        """Whether that client's network is down."""
        return self._sessions[client].is_cut

    def inject(self, message: Message) -> None:
        """An adversary at the broker publishes on a topic."""
        self._route(message, 1)

    def hold(self, client: NodeId) -> None:
        """Withhold messages to a client, whose connection stays up, until :meth:`release`."""
        self._sessions[client].is_held = True

    def release(self, client: NodeId) -> None:
        """Deliver what was withheld."""
        session = self._sessions[client]
        if session.is_held:
            session.is_held = False
            for _ in range(len(session.queue)):
                self._deliver(session)

    def is_through(self, client: NodeId) -> bool:
        """Whether messages sent to that client now reach it."""
        session = self._sessions[client]
        return self.is_up and session.is_connected and not session.is_cut and not session.is_held

    def _try(self, client: NodeId) -> None:
        session = self._sessions[client]
        if session.is_connected or not session.client.is_running:
            return
        if not self.is_up or session.is_cut:
            self.connect(client)
            return
        session.is_connected = True
        session.connection += 1
        session.client.link_up()
        for _ in range(len(session.queue)):
            self._deliver(session)

    def _drop(self, session: _Session, notice_ms: int) -> None:
        session.is_connected = False
        session.connection += 1
        connection = session.connection

        def notice() -> None:
            if session.client.is_running and session.connection == connection:
                session.client.link_down()
                self.connect(session.client.id)

        self._timeline.after(notice_ms, notice)

    def _route(self, message: Message, qos: int) -> None:
        for session in self._sessions.values():
            if not _may_read(session, message.topic):
                continue
            # Withholding includes QoS 0, which is never queued otherwise.
            if (qos or session.is_held) and len(session.queue) < QUEUED_MAX:
                session.queue.append(message)
                self._deliver(session)
            elif session.is_connected and self.is_up:
                self._send(session, message)

    def _deliver(self, session: _Session) -> None:
        """Start one QoS 1 delivery, of the message that is first on arrival; now and then a later one overtakes."""
        connection = session.connection
        if not session.is_connected:
            return

        def arrive() -> None:
            is_gone = session.connection != connection or session.is_cut or not self.is_up
            if is_gone or session.is_held or not session.queue:
                return
            at = 0 if self._timeline.chance.random() < 0.8 else self._timeline.chance.randrange(len(session.queue))  # noqa: PLR2004 - one in five overtakes
            message = session.queue[at]
            if self._timeline.chance.random() >= self.weather.repeat:
                del session.queue[at]
            else:
                self._deliver(session)  # The client's PUBACK was lost: the same message comes again.
            session.client.receive(message)

        self._timeline.after(self._way_ms(), arrive)

    def _send(self, session: _Session, message: Message) -> None:
        connection = session.connection

        def arrive() -> None:
            if session.connection == connection and not session.is_cut and self.is_up:
                session.client.receive(message)

        self._timeline.after(self._way_ms(), arrive)

    def _acknowledge(self, session: _Session, connection: int, puback: Callable[[], None]) -> None:
        if session.connection == connection and session.client.is_running and self.is_up:
            puback()

    def _way_ms(self) -> int:
        return self._timeline.chance.randint(1, max(1, self.weather.delay_ms))


def _may_read(session: _Session, topic: Topic) -> bool:
    match topic:
        case FrameTopic():
            return session.client.id == CENTRAL or topic.scheme in session.schemes
        case IncidentTopic() | CentralTopic():
            return topic.scheme in session.schemes
        case UpTopic():
            return session.client.id == CENTRAL
        case DownTopic():
            return session.client.id == topic.node
