"""Every face as the node itself composes it: the core plays a day of a shop, and each screen is kept.

For pictures and tests. Two faces of look.md that no rule composes yet are written down here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from node.core.controls import Button, Part
from node.core.effects import AlertDraft, CancelDraft, PathTestDraft, ResponseDraft, ShowScreen, StoreFrame
from node.core.events import (
    CentralStatusReceived,
    ClockRead,
    Event,
    FramePublished,
    FrameReceived,
    FrameStored,
    IncidentReceived,
    LinkUp,
    PartFailed,
    PinChanged,
    ScreenShown,
    Started,
    StopAsked,
    StoreRefused,
    Ticked,
)
from node.core.machine import initial_state, next_deadline_ms, step
from node.core.screens import Face, Screen
from node.core.settings import Settings
from wire.directory import Directory, SchemeEntry, Sender
from wire.frames import Alert, Cancel, Frame, PathTest, Receipt, Response, SignedFrame, encode
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import AlertKind, Path, Priority
from wire.messages import Answer, CentralStatus, IncidentState
from wire.signing import SigningKey
from wire.topics import FrameTopic

_HART: Final = 1
_OURS, _NEIGHBOUR = NodeId(0x10), NodeId(0x11)
_START: Final = datetime(2026, 11, 24, 14, 32, tzinfo=UTC)
_HELD_MS: Final = 1_100


def _key(node: NodeId) -> SigningKey:
    return SigningKey(hashlib.sha256(f"specimen {node}".encode()).digest())


def _sender(node: NodeId, premises: str, place: str) -> Sender:
    return Sender(node, _key(node).public, premises, place, frozenset({_HART}), node == CENTRAL, is_revoked=False)


_DIRECTORY: Final = Directory(
    1,
    MappingProxyType(
        {
            CENTRAL: _sender(CENTRAL, "Central", ""),
            _OURS: _sender(_OURS, "Market Bakery", "Market Place"),
            _NEIGHBOUR: _sender(_NEIGHBOUR, "Corner Shop", "High St"),
        }
    ),
    MappingProxyType({_HART: SchemeEntry(number=_HART, slug="hart", name="HART")}),
)


class _Shop:
    """One node's core, with a disk that obeys or refuses, at a clock that moves when told."""

    def __init__(self, *, is_silent: bool = False, is_disk_full: bool = False) -> None:
        settings = Settings(_OURS, "Market Bakery", "Market Place", (_HART,), is_attack_silent=is_silent, version="1.4")
        self._state = initial_state(settings)
        self._now_ms = 0
        self._counter = 0
        self._is_disk_full = is_disk_full
        self._do(Started("boot", (), (), _DIRECTORY, 0))
        self._do(ClockRead(int(_START.timestamp()), is_proven=True))

    @property
    def screen(self) -> Screen:
        """What the panel is to show now."""
        if self._state.screen is None:
            raise AssertionError("the core shows nothing yet")
        return self._state.screen

    def online(self) -> _Shop:
        """Connect, and hear central with two on duty."""
        self._do(LinkUp())
        status = CentralStatus(
            boot_id="central", at=self._wall, expires_at=self._wall + timedelta(seconds=30), on_duty=("cctv", "pcso")
        )
        self._do(CentralStatusReceived(status))
        return self

    def press(self, button: Button, held_ms: int) -> _Shop:
        """Press, hold, let go."""
        self._do(PinChanged(button, is_down=True))
        self.wait(held_ms)
        self._do(PinChanged(button, is_down=False))
        return self.wait(60)

    def wait(self, duration_ms: int) -> _Shop:
        """Let time pass, ticking when the core asked for it."""
        until_ms = self._now_ms + duration_ms
        while (due_ms := next_deadline_ms(self._state)) is not None and due_ms <= until_ms:
            self._now_ms = max(due_ms, self._now_ms + 1)
            self._do(Ticked())
        self._now_ms = max(until_ms, self._now_ms)
        return self

    def hear(self, event: Event) -> _Shop:
        """Something happened."""
        self._do(event)
        return self

    def receipt(self) -> _Shop:
        """Central has committed the latest."""
        self._do(FramePublished(FrameId(_OURS, self._counter)))
        frame = Receipt(CENTRAL, self._counter, int(self._wall.timestamp()), FrameId(_OURS, self._counter))
        self._do(FrameReceived(encode(frame, _key(CENTRAL)), None, Path.NETWORK))
        return self

    def incident(self, state: str, *, of: NodeId = _OURS, revision: int = 1) -> _Shop:
        """A person on duty has said something."""
        said = IncidentState(
            incident=FrameId(of, 1).text,
            revision=revision,
            scheme="hart",
            node=f"{of:08x}",
            premises=_DIRECTORY.senders[of].premises,
            place=_DIRECTORY.senders[of].place,
            kind="attack",
            priority=1,
            state=state,  # type: ignore[arg-type]  # one of the four, below
            opened_at=self._wall,
            expires_at=self._wall + timedelta(hours=1),
            answer=Answer(role="pcso", name="Jaswinder Patel", at=self._wall),
        )
        self._do(IncidentReceived(said))
        return self

    def neighbour(self, kind: AlertKind) -> _Shop:
        """A neighbour has pressed."""
        frame = Alert(_NEIGHBOUR, 1, int(self._wall.timestamp()), kind, 1, (_HART,))
        self._do(FrameReceived(encode(frame, _key(_NEIGHBOUR)), FrameTopic("hart", _NEIGHBOUR), Path.NETWORK))
        return self

    @property
    def _wall(self) -> datetime:
        return _START + timedelta(milliseconds=self._now_ms)

    def _do(self, event: Event) -> None:
        self._state, effects = step(self._state, event, self._now_ms)
        for effect in effects:
            if isinstance(effect, StoreFrame):
                self._do(self._store(effect))
            elif isinstance(effect, ShowScreen):
                self._do(ScreenShown(effect.screen.concerns, effect.screen.face.value))

    def _store(self, order: StoreFrame) -> Event:
        if self._is_disk_full:
            return StoreRefused(order.draft, "disk full")
        self._counter += 1
        frame = _frame(order, self._counter)
        return FrameStored(order.draft, SignedFrame(frame, encode(frame, _key(_OURS))))


def _frame(order: StoreFrame, counter: int) -> Frame:
    match order.content:
        case AlertDraft(kind=kind, incident=incident, schemes=schemes, silent=silent, drill=drill):
            return Alert(_OURS, counter, order.at_s, kind, incident or counter, schemes, silent, drill)
        case CancelDraft(incident=incident, reason=reason, schemes=schemes):
            return Cancel(_OURS, counter, order.at_s, incident, reason, schemes)
        case ResponseDraft(target=target, response=response, schemes=schemes):
            return Response(_OURS, counter, order.at_s, target, response, schemes)
        case PathTestDraft(path=path):
            return PathTest(_OURS, counter, order.at_s, path)


def _attacked(*, is_silent: bool = False) -> _Shop:
    return _Shop(is_silent=is_silent).online().wait(7_000).press(Button.ATTACK, _HELD_MS)


def _answered() -> _Shop:
    return _attacked().receipt().wait(13_000).incident("answered")


def _rehearsed() -> dict[str, Screen]:
    undelivered_ms, minute_ms = 2_500, 61_000
    shops = {
        "boot": _Shop(),
        "ready": _Shop().online(),
        "fault": _Shop().online().hear(PartFailed(Part.SOUNDER, "pins")),
        "no-link": _Shop().wait(minute_ms),
        "hint": _Shop().online().press(Button.ATTACK, 300),
        "sending": _attacked(),
        "stored": _Shop().wait(minute_ms).press(Button.ASSIST, 100),
        "not-stored": _Shop(is_disk_full=True).online().press(Button.ATTACK, _HELD_MS),
        "received": _attacked().receipt(),
        "answered": _answered(),
        "on-the-way": _answered().incident("on-the-way", revision=2),
        "undelivered": _attacked().wait(undelivered_ms),
        "cancelled": _attacked().receipt().press(Button.CANCEL, _HELD_MS).receipt(),
        "closed": _answered().incident("closed", revision=2),
        "neighbour": _Shop().online().neighbour(AlertKind.ATTACK),
        "neighbour-later": _Shop().online().neighbour(AlertKind.DISORDER).press(Button.SEEN, 100),
        "neighbour-answered": _Shop().online().neighbour(AlertKind.ATTACK).incident("on-the-way", of=_NEIGHBOUR),
        "silent-saved": _attacked(is_silent=True),
        "silent-received": _attacked(is_silent=True).receipt(),
        "silent-answered": _attacked(is_silent=True).receipt().incident("answered"),
        "silent-undelivered": _attacked(is_silent=True).wait(undelivered_ms),
        "stopping": _Shop().online().hear(StopAsked()),
    }
    return {name: shop.screen for name, shop in shops.items()}


_NOT_COMPOSED_YET: Final = {
    "claim": Screen(Face.CLAIM, ("CLAIM",), ("Code 7K4M-Q9P", "Scan the label")),
    "test-due": Screen(
        Face.TEST_DUE, ("TEST DUE",), ("Press Test when quiet", "Last good: 9 days ago"), priority=Priority.TEST
    ),
}

SPECIMENS: Final[Mapping[str, Screen]] = MappingProxyType(
    {name: replace(screen, concerns="") for name, screen in {**_rehearsed(), **_NOT_COMPOSED_YET}.items()}
)
"""By the name of its picture."""
