"""A BoardPort in memory whose every change is scripted by the test, and the server that shows it.

It answers the actions the page sends and refuses what it does not do. ``hold_commits`` makes an action wait, as a
slow disk would.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal, TypedDict, TypeVar, Unpack

from msgspec.structs import replace

from central.core.asking_lines import AskingLine, ShiftLine, WentOffLine
from central.core.board_port import DeliverChange
from central.core.details import PremisesLine
from central.core.incident import State
from central.core.rights import NO_RIGHTS, WHOLE_TOWN, Rights, Scope
from central.core.unit_lines import PathFigures
from central.core.view import (
    Acknowledge,
    Action,
    AddNote,
    Assign,
    Board,
    Card,
    Change,
    Close,
    CloseRevoked,
    Done,
    EndDuty,
    HistoryLine,
    MemberLine,
    NodeLine,
    OnDuty,
    Person,
    RadioLine,
    ReadHandover,
    Refused,
    RejectedLine,
    SetOnTheWay,
    Standing,
    StartDuty,
    TakeOffDuty,
    UndoAcknowledge,
)
from central.web.app import create_app
from central.web.feed import FeedTiming
from central.web.guard import Site
from runtime.web_server import WebServer, listen, url_of
from tests.support.kept_phones import KeptPhones
from tests.support.town_office import PRIYA, KeptSessions, TownOffice
from wire.kinds import PRIORITY, AlertKind

T = TypeVar("T")
NOTICE = "Only this computer can open this page."
UNDO_S = 600
"""Far longer than the real one's: a busy machine must not take the button away before it is pressed."""
OF_TODAY = timedelta(hours=1)
"""How far from now a card's arrival may be, before or after: a town's time that is put on by hand runs ahead."""
KINDS = {kind.slug: PRIORITY[kind] for kind in AlertKind}
Way = Literal["network", "radio"]


class CardFields(TypedDict, total=False):
    """What a test may say of a new card."""

    state: State
    path: Way
    paths: tuple[Way, ...]
    relay: str
    is_untold: bool
    is_late: bool
    is_silent: bool
    is_drill: bool
    cancelled: Literal["mistake", "stand-down"]
    answered_by: Person
    answered_at: datetime
    coming: Person
    assigned_to: str
    outcome: str
    alert_count: int
    members: tuple[MemberLine, ...]
    asking: tuple[AskingLine, ...]
    person: str
    person_scheme: int
    left: str


class ChangeFields(TypedDict, total=False):
    """What a test may let change."""

    cards: tuple[Card, ...]
    gone_cards: tuple[str, ...]
    nodes: tuple[NodeLine, ...]
    gone_nodes: tuple[str, ...]
    next_shifts: tuple[ShiftLine, ...]
    went_off: tuple[WentOffLine, ...]
    missing: tuple[ShiftLine, ...]
    on_duty: tuple[OnDuty, ...]
    is_broker_linked: bool
    is_disk_ok: bool
    has_alerts_lane: bool
    has_reserve: bool
    rejected: tuple[RejectedLine, ...]
    premises: tuple[PremisesLine, ...]
    gone_premises: tuple[str, ...]


class ScriptedBoard:
    """All methods run on the web's loop; from a test's thread go through :meth:`ScriptedServer.call`."""

    def __init__(self, boot_id: str = "boot-1", at: datetime | None = None) -> None:
        self.at = at or datetime.now(UTC)
        self.boot_id = boot_id
        self.sequence = 7
        self.cards: dict[str, Card] = {}
        self.nodes: dict[str, NodeLine] = {}
        self.premises: dict[str, PremisesLine] = {}
        self.on_duty: tuple[OnDuty, ...] = ()
        self.went_off: tuple[WentOffLine, ...] = ()
        self.rejected: tuple[RejectedLine, ...] = ()
        self.is_broker_linked = True
        self.is_disk_ok = True
        self.has_alerts_lane = True
        self.has_reserve = True
        self.untouched = 0
        self.actions: list[tuple[Action, Person]] = []
        self.signs: list[Person] = []
        """Whose pages have given a sign of life."""
        self._subscribers: list[DeliverChange] = []
        self._withheld: list[Change] | None = None
        self._may_commit = asyncio.Event()
        self._may_commit.set()

    @property
    def is_ok(self) -> bool:
        """As the port says."""
        return self.is_broker_linked and self.is_disk_ok

    def board(self, scope: Scope = WHOLE_TOWN) -> Board:
        """As the port says."""
        return Board(
            sequence=self.sequence,
            at=self.at,
            boot_id=self.boot_id,
            is_broker_linked=self.is_broker_linked,
            is_disk_ok=self.is_disk_ok,
            has_alerts_lane=self.has_alerts_lane,
            has_reserve=self.has_reserve,
            on_duty=self.on_duty,
            went_off=self.went_off,
            cards=tuple(self.cards.values()),
            nodes=tuple(self.nodes.values()),
            rejected=self.rejected,
            premises=tuple(self.premises.values()),
        )

    def subscribe(self, deliver: DeliverChange, scope: Scope = WHOLE_TOWN, _cut: object = None) -> Callable[[], None]:
        """As the port says."""
        self._subscribers.append(deliver)
        return lambda: self._subscribers.remove(deliver)

    async def act(self, action: Action, by: Person, rights: Rights = NO_RIGHTS) -> Done | Refused:  # noqa: PLR0911
        """As the port says."""
        if isinstance(action, StartDuty) and action.is_sign:
            self.signs.append(by)
            return Done(self.sequence)
        self.actions.append((action, by))
        await self._may_commit.wait()
        if isinstance(action, StartDuty | EndDuty | TakeOffDuty):
            others = tuple(one.person for one in self.on_duty if one.person != by)
            self.set_on_duty((*others, by) if isinstance(action, StartDuty) else others)
            return Done(self.sequence)
        if isinstance(action, ReadHandover):
            self.on_duty = tuple(replace(one, is_unread=False) if one.person == by else one for one in self.on_duty)
            self.tell(on_duty=self.on_duty)
        if isinstance(action, CloseRevoked | ReadHandover):
            return Done(self.sequence)
        card = self.cards.get(action.incident)
        if card is None:
            return Refused("There is no such incident.")
        if card.state == "closed":
            return Refused("It is closed already.")
        changed = self._changed(card, action, by)
        if isinstance(changed, Refused):
            return changed
        self.show(changed)
        return Done(self.sequence, untouched=self.untouched)

    def press(
        self,
        kind: str,
        premises: str = "Corner Shop",
        incident: str = "",
        place: str = "High St",
        **more: Unpack[CardFields],
    ) -> Card:
        """A new incident; ``more`` are fields of the card."""
        at = datetime.now(UTC)
        incident = incident or f"00000010-{len(self.cards) + 1}"
        card = Card(
            incident=incident,
            key=incident,
            revision=1,
            node="00000010",
            premises=premises,
            place=place,
            schemes=("hart",),
            kind=kind,
            priority=KINDS[kind],
            state="unanswered",
            pressed_at=at,
            arrived_at=at,
            path="network",
            is_late=False,
            is_silent=False,
            is_drill=False,
            history=(HistoryLine(at, "pressed", kind.upper()),),
        )
        card = replace(card, **more)
        self.show(card)
        return card

    def show(self, *cards: Card) -> None:
        """Put cards on the board.

        Raises:
            AssertionError: One arrived on another day. The page goes by the real time, and hides what is over: such a
                test would pass until that day and fail from then on.
        """
        now = datetime.now(UTC)
        for card in cards:
            assert abs(now - card.arrived_at) < OF_TODAY, f"{card.incident} arrived at {card.arrived_at:%d %b %H:%M}"
        self.cards.update((card.incident, card) for card in cards)
        self.tell(cards=cards)

    def show_nodes(self, *nodes: NodeLine) -> None:
        """Put premises on the board."""
        self.nodes.update((node.node, node) for node in nodes)
        self.tell(nodes=nodes)

    def show_premises(self, line: PremisesLine) -> None:
        """Say what the office knows of a premises."""
        self.premises[line.node] = line
        self.tell(premises=(line,))

    def hide_premises(self, node: str) -> None:
        """The office knows it no more."""
        del self.premises[node]
        self.tell(gone_premises=(node,))

    def set_on_duty(self, people: tuple[Person, ...]) -> None:
        """Say who is on duty."""
        self.on_duty = tuple(OnDuty(one.role, one.name, self.at, one.account) for one in people)
        self.tell(on_duty=self.on_duty)

    def set_links(self, *, is_broker_linked: bool = True, is_disk_ok: bool = True, has_reserve: bool = True) -> None:
        """Say what works."""
        self.is_broker_linked, self.is_disk_ok, self.has_reserve = is_broker_linked, is_disk_ok, has_reserve
        self.tell(is_broker_linked=is_broker_linked, is_disk_ok=is_disk_ok, has_reserve=has_reserve)

    def hold_commits(self, *, is_held: bool) -> None:
        """Let actions wait, or go on."""
        (self._may_commit.clear if is_held else self._may_commit.set)()

    def tell(self, **change: Unpack[ChangeFields]) -> None:
        """Deliver the next change."""
        self.sequence += 1
        made = Change(sequence=self.sequence, at=datetime.now(UTC), **change)
        if self._withheld is not None:
            self._withheld.append(made)
            return
        for deliver in tuple(self._subscribers):
            deliver(made)

    def withhold_changes(self) -> None:
        """Keep changes back, as a slow feed would, until :meth:`deliver_changes`."""
        self._withheld = []

    def deliver_changes(self) -> None:
        """Let them go, in order."""
        withheld, self._withheld = self._withheld or [], None
        for change in withheld:
            for deliver in tuple(self._subscribers):
                deliver(change)

    def _changed(self, card: Card, action: Action, by: Person) -> Card | Refused:  # noqa: PLR0911 - one for each action
        now = datetime.now(UTC)
        base = replace(card, revision=card.revision + 1)

        def line(what: str, text: str = "") -> tuple[HistoryLine, ...]:
            return (*card.history, HistoryLine(now, what, text, by))

        match action:
            case Acknowledge(seen_kind=seen):
                if card.answered_by is not None:
                    return Refused(f"Already answered by {card.answered_by.name}.")
                if seen and KINDS[seen] > (KINDS["test"] if card.is_drill else card.priority):
                    return Refused("It has become more urgent since you looked.")
                return replace(
                    base,
                    history=line("acknowledged"),
                    state="answered",
                    answered_by=by,
                    answered_at=now,
                    answered_after_s=int((now - (card.pressed_at or card.arrived_at)).total_seconds()),
                    undo_until=now + timedelta(seconds=UNDO_S),
                )
            case UndoAcknowledge():
                return replace(
                    base,
                    history=line("unacknowledged"),
                    state="unanswered",
                    answered_by=None,
                    answered_at=None,
                    undo_until=None,
                )
            case SetOnTheWay(who=who):
                return replace(
                    base,
                    history=line("on-the-way"),
                    state="on-the-way",
                    coming=who or by,
                    coming_at=now,
                    coming_said_by=by,
                    undo_until=None,
                )
            case Assign(to=to):
                return replace(base, assigned_to=to, history=line("assigned", to))
            case AddNote(text=text):
                return replace(base, history=line("note", text))
            case Close(outcome=outcome):
                return replace(
                    base, history=line("closed", outcome), state="closed", outcome=outcome, closed_by=by, closed_at=now
                )
            case _:
                raise NotImplementedError(action)


class ScriptedServer:
    """The real server over a scripted board, in a thread, on a free loopback port or the one given."""

    def __init__(
        self,
        board: ScriptedBoard,
        *,
        timing: FeedTiming | None = None,
        port: int = 0,
        before: ScriptedServer | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """``before``: the one that this one is, started again: sessions go on."""
        self.board = board
        self.office: TownOffice = before.office if before else TownOffice()
        self.disk: KeptSessions = before.disk if before else KeptSessions()
        self.gate = self.office.gate(self.disk)
        listener = listen("127.0.0.1", port, has_tls=tls is not None)
        self.url = url_of(listener, has_tls=tls is not None)
        self.port = listener.getsockname()[1]
        site = Site(is_tls=tls is not None, port=self.port)
        self.phones = KeptPhones()
        self.app = create_app(
            board,
            self.gate,
            inter_font_dir=None,
            notice=NOTICE,
            phones=self.phones.phones(self.gate.now),
            site=site,
            timing=timing,
        )
        self._web = WebServer(self.app, listener, tls=tls, end_streams=self.app.state.feed.close)
        self._loop = self._web.start_thread()
        self.has_stopped = False

    def call(self, script: Callable[[], T]) -> T:
        """Run ``script`` on the web's loop and return what it returns."""
        result: list[T] = []
        is_done = threading.Event()

        def run() -> None:
            try:
                result.append(script())
            finally:
                is_done.set()

        self._loop.call_soon_threadsafe(run)
        assert is_done.wait(60), "the web's loop does not answer"
        return result[0]

    def sign_in(self, account: int = PRIYA) -> dict[str, str]:
        """Sign in, as a browser does; returns its cookies."""
        return self.office.cookies(self.url, account)

    def publish(self) -> None:
        """Let central have the office's people as they are now."""
        self.gate.take_people(self.office.snapshot())

    def stop(self) -> None:
        """End every stream and the server."""
        self._web.stop()
        self.has_stopped = True
        assert self._web.join_thread(60), "the web server did not stop"


def healthy(
    node: str,
    premises: str,
    place: str = "High St",
    *,
    state: Standing = "ok",
    faults: tuple[str, ...] = (),
    outbox_depth: int = 0,
    is_gateway: bool = False,
    radio: RadioLine | None = None,
    weekly_test_at: datetime | None = None,
    is_weekly_test_overdue: bool = False,
    figures: tuple[PathFigures, ...] = (),
) -> NodeLine:
    """The line of a premises that was seen just now."""
    now = datetime.now(UTC)
    return NodeLine(
        node=node,
        premises=premises,
        place=place,
        schemes=("hart",),
        state=state,
        since=now,
        last_seen_at=now,
        faults=faults,
        outbox_depth=outbox_depth,
        version="0.1.0",
        is_gateway=is_gateway,
        radio=radio,
        weekly_test_at=weekly_test_at,
        is_weekly_test_overdue=is_weekly_test_overdue,
        figures=figures,
    )


def members(*lines: tuple[str, Literal["seen", "responding"]]) -> Iterable[MemberLine]:
    """Member lines from (premises, response)."""
    now = datetime.now(UTC)
    return (MemberLine(f"{i:08x}", premises, response, now) for i, (premises, response) in enumerate(lines, 0x20))
