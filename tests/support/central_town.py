"""A core with its clock, disk and page, for tests of the rules; no thread, no socket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

from central.core import effects as do
from central.core import events as ev
from central.core import incidents
from central.core.boards import BoardKeeper
from central.core.journal import ActionEntry, FrameEntry, JournalEntry, Recall
from central.core.machine import CentralCore
from central.core.rights import TABLE, Rights
from central.core.timing import Timing
from central.core.view import Action, Board, Card, Done, NodeLine, Person, RadioLine, Refused
from wire.directory import Directory, DirectoryDocument, SchemeEntry, SenderEntry, open_directory, seal_directory
from wire.frames import Alert, Cancel, Frame, Response, encode
from wire.ids import FrameId, NodeId, node_text
from wire.kinds import AlertKind, CancelReason, MemberResponse, Path
from wire.messages import Health, RadioReport
from wire.signing import SigningKey
from wire.topics import FrameTopic

CORNER, BAKERY, CROWN, ARCADE = NodeId(0x10), NodeId(0x11), NodeId(0x12), NodeId(0x13)
"""A HART shop, another, a Pub Watch pub, and premises in both."""
GATEWAY = NodeId(0x20)
"""Central's own radio, in towns that have one: see :func:`radio_town`."""
SCHEMES = {CORNER: (1,), BAKERY: (1,), CROWN: (2,), ARCADE: (1, 2)}
NAMES = {CORNER: "Corner Shop", BAKERY: "Bakery", CROWN: "The Crown", ARCADE: "Arcade"}
KEYS = {node: SigningKey(bytes([node]) * 32) for node in (NodeId(1), *SCHEMES, GATEWAY)}
AUTHORITY = SigningKey(b"authority".ljust(32, b"."))
START = datetime(2026, 11, 28, 23, 40, tzinfo=UTC)
ALL_RIGHTS = Rights(frozenset((role, scheme) for role in TABLE for scheme in (1, 2)))
"""Every role in both schemes."""
PATEL, JONES = Person("pcso", "Jaswinder Patel"), Person("cctv", "Ann Jones")
RadioState = Literal["", "fault", "listening", "untested", "ready"]
"""What a node says of its radio; empty: it has none."""
E = TypeVar("E")


def make_directory(
    serial: int = 1,
    revoked: tuple[NodeId, ...] = (),
    without: tuple[NodeId, ...] = (),
    *,
    has_gateway: bool = False,
    signs: bool = False,
    members: dict[NodeId, tuple[int, ...]] | None = None,
    office_premises: dict[NodeId, int] | None = None,
    founded: tuple[int, ...] = (1, 2),
) -> bytes:
    """Sealed. ``members``: schemes that differ from :data:`SCHEMES`; ``founded``: schemes that there are."""
    both = (
        SchemeEntry(number=1, slug="hart", name="HART"),
        SchemeEntry(number=2, slug="pubwatch", name="Pub Watch"),
    )
    schemes = tuple(one for one in both if one.number in founded)
    nodes = tuple(
        SenderEntry(
            node=node_text(node),
            key=KEYS[node].public.raw,
            premises=NAMES[node],
            place="High St",
            schemes=(members or {}).get(node, SCHEMES[node]),
            office_premises=(office_premises or {}).get(node, 0),
            revoked_at=START if node in revoked else None,
            signs=signs,
        )
        for node in SCHEMES
        if node not in without
    )
    central = SenderEntry(node="00000001", key=KEYS[NodeId(1)].public.raw, premises="Central", kind="central")
    gateway = SenderEntry(
        node=node_text(GATEWAY),
        key=KEYS[GATEWAY].public.raw,
        premises="Control room radio",
        schemes=(1, 2),
        kind="gateway",
        signs=signs,
        revoked_at=START if GATEWAY in revoked else None,
    )
    senders = (central, *nodes, gateway) if has_gateway else (central, *nodes)
    document = DirectoryDocument(serial=serial, issued_at=START, schemes=schemes, senders=senders)
    return seal_directory(document, AUTHORITY)


def opened(data: bytes) -> Directory:
    return open_directory(data, AUTHORITY.public)


def open_besides(order: do.RecallOpen, journal: list[JournalEntry]) -> ev.OpenRecalled:
    """What a disk has of it: half as many as are kept in memory."""
    is_open = {entry.incident: not (isinstance(entry, ActionEntry) and entry.kind == "closed") for entry in journal}
    found = [one for one, is_it in is_open.items() if is_it and one and one.node == order.node]
    unknown = [one for one in sorted(found, reverse=True) if one.counter not in order.known]
    some = unknown[: incidents.OPEN_EACH_MAX // 2]
    entries = tuple(entry for entry in journal if entry.incident in some)
    return ev.OpenRecalled(order.node, entries, is_all=len(some) == len(unknown), act=order.act)


class Town:
    """A core, its clock, its disk and everything it ordered; commits are carried out at once unless they are held."""

    def __init__(
        self,
        recall: Recall | None = None,
        directory: bytes | None = None,
        now_at: datetime = START,
        timing: Timing | None = None,
    ) -> None:
        self.now_at = now_at
        self.core = CentralCore(timing)
        self.said: list[do.Effect] = []
        self.disk: list[JournalEntry] = []
        self.waiting: list[JournalEntry] = []
        self.wanted: list[Any] = []
        self.is_disk_slow = False
        self.requests = 0
        data = directory or make_directory()
        started = self.core.handle(ev.Started("boot-1", opened(data), data, recall or Recall()), self.now_at)
        board = next(order.board for order in started if isinstance(order, do.ShowBoard))
        self.keeper = BoardKeeper(board)
        self.said += started

    def handle(self, event: ev.Event) -> list[do.Effect]:
        """One event, and the commits that follow from it; returns all that was said."""
        said = self.core.handle(event, self.now_at)
        for order in said:
            if isinstance(order, do.CommitFrame | do.CommitAction):
                self.waiting.append(order.entry)
            elif isinstance(order, do.ShowChange):
                self.keeper.apply(order.change)
            elif hasattr(order, "known"):
                self.wanted.append(order)
        self.said += said
        for error in (getattr(order, "error", None) for order in said):
            if error is not None:
                raise error  # A bug of ours: the core goes on, a test must not.
        if not self.is_disk_slow:
            said = said + self.commit()
            while self.wanted:
                said += self.handle(open_besides(self.wanted.pop(), self.disk))
        return said

    def commit(self) -> list[do.Effect]:
        """The disk takes everything that waits."""
        said: list[do.Effect] = []
        while self.waiting:
            entry = self.waiting.pop(0)
            self.disk.append(entry)
            if hasattr(entry, "signed"):
                said += self.handle(ev.FramesCommitted((entry.signed.frame.id,)))
            else:
                said += self.handle(ev.ActionCommitted(entry.entry))
        return said

    def refuse(self, detail: str = "disk full") -> list[do.Effect]:
        """The disk takes nothing of what waits."""
        frames = tuple(e.signed.frame.id for e in self.waiting if hasattr(e, "signed"))
        actions = tuple(e.entry for e in self.waiting if not hasattr(e, "signed"))
        self.waiting = []
        return self.handle(ev.CommitFailed(frames, actions, detail))

    def press(
        self,
        counter: int,
        kind: AlertKind = AlertKind.ASSIST,
        *,
        node: NodeId = CORNER,
        incident: int | None = None,
        at_s: int | None = None,
        drill: bool = False,
    ) -> list[do.Effect]:
        """A member presses; the frame arrives on its first scheme's topic."""
        return self.send(self.alert(counter, node, kind, incident=incident, at_s=at_s, drill=drill))

    def cancel(self, counter: int, incident: int, reason: CancelReason = CancelReason.MISTAKE) -> list[do.Effect]:
        """Corner Shop takes it back."""
        return self.send(Cancel(CORNER, counter, int(self.now_at.timestamp()), incident, reason, (1,)))

    def respond(self, node: NodeId, counter: int, target: FrameId, response: MemberResponse) -> list[do.Effect]:
        """Another member presses *seen* or *responding*."""
        return self.send(Response(node, counter, int(self.now_at.timestamp()), target, response, SCHEMES[node]))

    def send(self, frame: Frame, topic: FrameTopic | None = None, key: SigningKey | None = None) -> list[do.Effect]:
        """A frame arrives by network."""
        scheme = {1: "hart", 2: "pubwatch"}[SCHEMES[frame.sender][0]]
        data = encode(frame, key or KEYS[frame.sender])
        return self.arrive(data, topic or FrameTopic(scheme, frame.sender))

    def arrive(self, data: bytes, topic: FrameTopic | None) -> list[do.Effect]:
        """Bytes arrive by network."""
        return self.handle(ev.FrameArrived(data, topic, Path.NETWORK))

    def hear(self, frame: Frame, relay: NodeId = BAKERY, key: SigningKey | None = None) -> list[do.Effect]:
        """A frame arrives by radio, passed on by ``relay``."""
        return self.hear_bytes(encode(frame, key or KEYS[frame.sender]), relay)

    def hear_bytes(self, data: bytes, relay: NodeId = BAKERY) -> list[do.Effect]:
        """Bytes arrive by radio."""
        return self.handle(ev.FrameArrived(data, None, Path.RADIO, relay))

    def alert(
        self,
        counter: int = 7,
        node: NodeId = CORNER,
        kind: AlertKind = AlertKind.ATTACK,
        *,
        incident: int | None = None,
        schemes: tuple[int, ...] | None = None,
        at_s: int | None = None,
        drill: bool = False,
    ) -> Alert:
        """A press of now, which opens an incident of its own, for all the node's schemes."""
        return Alert(
            node,
            counter,
            int(self.now_at.timestamp()) if at_s is None else at_s,
            kind,
            counter if incident is None else incident,
            SCHEMES[node] if schemes is None else schemes,
            drill=drill,
        )

    def beat(
        self,
        node: NodeId,
        radio: RadioState = "",
        boot_id: str = "n1",
        *,
        tested_age_ms: int | None = None,
        busy_percent: int = 0,
        blocked_ms: int = 0,
    ) -> list[do.Effect]:
        """A heartbeat by network."""
        about = (
            RadioReport(state=radio, tested_age_ms=tested_age_ms, busy_percent=busy_percent, blocked_ms=blocked_ms)
            if radio
            else None
        )
        return self.handle(ev.HealthArrived(node, Health(state="armed", boot_id=boot_id, radio=about)))

    def line(self, node: NodeId) -> NodeLine:
        """One node as the page has it."""
        return next(line for line in self.board().nodes if line.node == node_text(node))

    def radio(self, node: NodeId) -> RadioLine:
        """One node's radio as the page has it."""
        radio = self.line(node).radio
        assert radio is not None
        return radio

    def act(self, action: Action, by: Person = PATEL, rights: Rights = ALL_RIGHTS) -> Done | Refused | None:
        """A person does something; ``None`` while it waits for the disk."""
        self.requests += 1
        self.handle(ev.ActionRequested(self.requests, action, by, rights))
        return self.answer_to(self.requests)

    def answer_to(self, request: int) -> Done | Refused | None:
        """What became of a request, if it is settled."""
        answers = [o.result for o in self.said if isinstance(o, do.AnswerAction) and o.request == request]
        return answers[0] if answers else None

    def later(self, seconds: float, *, tick_s: float = 1) -> list[do.Effect]:
        """Time goes by, a tick each second; over days a slower one does, as of a busy machine."""
        said: list[do.Effect] = []
        end_at = self.now_at + timedelta(seconds=seconds)
        while self.now_at < end_at:
            self.now_at = min(self.now_at + timedelta(seconds=tick_s), end_at)
            said += self.handle(ev.Ticked())
        return said

    def board(self) -> Board:
        """As the page has it."""
        return self.keeper.board(self.now_at)

    def card(self, incident: str = "00000010-7") -> Card:
        """One incident as the page has it."""
        return next(card for card in self.board().cards if card.incident == incident)

    def node_state(self, node: NodeId) -> str:
        """One node as the page has it."""
        return next(line.state for line in self.board().nodes if line.node == node_text(node))

    def rejected(self) -> dict[tuple[str, str], int]:
        """What the page says was dropped, by reason and sender; a second goes by."""
        self.later(1)
        return {(line.reason, line.sender): line.count for line in self.board().rejected}


def radio_town(*, has_gateway: bool = True, timing: Timing | None = None) -> Town:
    """Everybody alive; the bakery and, if there is one, the gateway have radios that may transmit."""
    town = Town(directory=make_directory(has_gateway=has_gateway), timing=timing)
    for node in SCHEMES:
        town.beat(node, "untested" if node == BAKERY else "")
    if has_gateway:
        town.beat(GATEWAY, "ready")
    return town


def only(said: list[do.Effect], kind: type[E]) -> list[E]:
    """Those of one kind, in order."""
    return [order for order in said if isinstance(order, kind)]


def frame_entry(entry: JournalEntry) -> FrameEntry:
    """The same, which is a frame's."""
    assert isinstance(entry, FrameEntry)
    return entry


def keep_alive(town: Town, seconds: int, *nodes: NodeId) -> list[do.Effect]:
    """Time goes by; these give signs of life, the others do not."""
    said: list[do.Effect] = []
    for _ in range(0, seconds, 10):
        for node in nodes:
            said += town.beat(node, "ready" if node == GATEWAY else "untested" if node == BAKERY else "")
        said += town.later(min(10, seconds))
    return said
