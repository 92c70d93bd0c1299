"""Every face as the node itself composes it: the core plays scenes from a shop, and each last screen is kept.

For pictures and tests. One face that no rule composes yet is written down here.
"""

from __future__ import annotations

import hashlib
import pathlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace
from PIL import Image

from gallery.panel.fitting import Fitting, fingerprint_words, place_words
from gallery.pictures.panel_pixels import panel_pixels
from gallery.pictures.terms import PanelPlace
from node.core.controls import Button, Part
from node.core.effects import ShowScreen, StoreFrame, TransmitOver, frame_of
from node.core.events import (
    CentralStatusReceived,
    ChannelChanged,
    ClockRead,
    Event,
    FramePublished,
    FrameReceived,
    FrameStored,
    GalleryCame,
    IncidentReceived,
    LinkDown,
    LinkUp,
    OverEnded,
    OverStarted,
    PanelFaceCame,
    PartFailed,
    PinChanged,
    ScreenShown,
    SessionTaken,
    Started,
    StopAsked,
    StoreRefused,
    Ticked,
)
from node.core.machine import initial_state, next_deadline_ms, step
from node.core.screens import Place, Screen
from node.core.settings import RadioSettings, Settings
from node.core.state import NodeState
from node.enrol.command import CLAIMING, standing_of
from node.enrol.panel import screen_of
from node.enrol.trouble import refused, waiting_for_network
from node.hw.drawing import place_of_picture
from node.hw.profiles import DEFAULT_PROFILE, PROFILES
from sim.timeline import Timeline
from wire.directory import Directory, SchemeEntry, Sender
from wire.frames import Alert, PathTest, Receipt, Response, SignedFrame, decode, encode
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import AlertKind, MemberResponse, Path
from wire.messages import Answer, Asked, CentralStatus, IncidentState
from wire.signing import SigningKey
from wire.topics import FrameTopic

_HART: Final = 1
_OURS, _NEIGHBOUR, _OTHER = NodeId(0x10), NodeId(0x11), NodeId(0x12)
_START: Final = datetime(2026, 11, 24, 14, 32, tzinfo=UTC)
_HELD_MS: Final = 1_100
_PLACE: Final = place_of_picture(PROFILES[DEFAULT_PROFILE].panel)
_FACE: Final = pathlib.Path(__file__).parents[1] / "demo" / "faces" / "nobody-07.jpg"
_FITTING: Final = Fitting(hashlib.sha256(b"the web CA of nobody's town").digest().hex(":").upper(), "192.168.1.20", 80)
_OVER_MS: Final = 1_400
_ANSWER_MS: Final = 2_000


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
            _OTHER: _sender(_OTHER, "Night Stop", "Silver St"),
        }
    ),
    MappingProxyType({_HART: SchemeEntry(number=_HART, slug="hart", name="HART")}),
)


class _Shop:
    """One node's core, with a disk that works or refuses, a radio that is heard or not, and a clock that works."""

    def __init__(
        self,
        *,
        is_silent: bool = False,
        is_disk_full: bool = False,
        radio: RadioSettings | None = None,
        is_heard: bool = True,
        tested_days_ago: int = 0,
        picture_place: Place | None = None,
    ) -> None:
        settings = Settings(_OURS, "Market Bakery", "Market Place", (_HART,), is_silent, version="1.4", radio=radio)
        has_gallery = picture_place is not None
        self._state = initial_state(replace(settings, has_gallery=has_gallery, picture_place=picture_place))
        self._timeline = Timeline(0)
        self._counter = self._latest = 0
        self._is_disk_full = is_disk_full
        self._is_heard = is_heard
        tested_at_s = int((_START - timedelta(days=tested_days_ago)).timestamp()) if tested_days_ago else 0
        self._do(Started("boot", (), (), _DIRECTORY, 0, tested_at_s))
        self._do(ClockRead(int(_START.timestamp()), is_proven=True))

    @property
    def screen(self) -> Screen:
        """What the panel should show now."""
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
        """Press, hold, release."""
        self._do(PinChanged(button, is_down=True))
        self.wait(held_ms)
        self._do(PinChanged(button, is_down=False))
        return self.wait(60)

    def wait(self, duration_ms: int) -> _Shop:
        """Let time pass, ticking when the core asks for it."""
        self._timeline.run_until(self._timeline.now_ms + duration_ms, lambda: None)
        return self

    def deaf(self) -> _Shop:
        """From now on nobody hears our radio."""
        self._is_heard = False
        return self

    def hear(self, event: Event) -> _Shop:
        """Give the core an event."""
        self._do(event)
        return self

    def receipt(self) -> _Shop:
        """Central has committed our latest frame."""
        self._do(FramePublished(FrameId(_OURS, self._latest)))
        self._do(self._receipt(FrameId(_OURS, self._latest), Path.NETWORK))
        return self

    def responds(self, response: MemberResponse) -> _Shop:
        """The neighbour has pressed *seen* or *responding* about our latest alert."""
        frame = Response(_NEIGHBOUR, 9, int(self._wall.timestamp()), FrameId(_OURS, self._latest), response, (_HART,))
        self._do(FrameReceived(encode(frame, _key(_NEIGHBOUR)), None, Path.RADIO))
        return self

    def asked(self, role: str | None) -> _Shop:
        """Central asks this role about ours; ``None`` = nobody can be asked."""
        said = replace(self._said("unanswered", _OURS, 1), answer=None, asked=Asked(role=role, since=self._wall))
        self._do(IncidentReceived(said, is_signed=True))
        return self

    def incident(self, state: str, *, of: NodeId = _OURS, revision: int = 1) -> _Shop:
        """A person on duty has acted on an incident."""
        self._do(IncidentReceived(self._said(state, of, revision), is_signed=True))
        return self

    def _said(self, state: str, of: NodeId, revision: int) -> IncidentState:
        return IncidentState(
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

    def neighbour(self, kind: AlertKind, ago_s: int = 0, by: NodeId = _NEIGHBOUR) -> _Shop:
        """A neighbour has pressed, now or a while ago."""
        frame = Alert(by, 1, int(self._wall.timestamp()) - ago_s, kind, 1, (_HART,))
        self._do(FrameReceived(encode(frame, _key(by)), FrameTopic("hart", by), Path.NETWORK))
        return self

    @property
    def _wall(self) -> datetime:
        return _START + timedelta(milliseconds=self._timeline.now_ms)

    def _do(self, event: Event) -> None:
        self._state, effects = step(self._state, event, self._timeline.now_ms)
        for effect in effects:
            if isinstance(effect, StoreFrame):
                self._do(self._store(effect))
            elif isinstance(effect, ShowScreen):
                self._do(ScreenShown(effect.screen.concerns, effect.screen.face.value, effect.screen.priority))
            elif isinstance(effect, TransmitOver):
                self._transmit(effect)
        due_ms, state = next_deadline_ms(self._state), self._state
        if due_ms is not None:
            tick = partial(self._tick, state)
            self._timeline.after(due_ms - self._timeline.now_ms, tick)

    def _tick(self, state: NodeState) -> None:
        if self._state is state:
            self._do(Ticked())

    def _transmit(self, order: TransmitOver) -> None:
        self._later(1, OverStarted(order.over))
        self._later(_OVER_MS, OverEnded(order.over, _OVER_MS))
        for burst in order.bursts if self._is_heard else ():
            self._later(_OVER_MS + _ANSWER_MS, self._receipt(decode(burst).frame.id, Path.RADIO))

    def _later(self, wait_ms: int, event: Event) -> None:
        self._timeline.after(wait_ms, partial(self._do, event))

    def _receipt(self, target: FrameId, path: Path) -> Event:
        frame = Receipt(CENTRAL, target.counter, int(self._wall.timestamp()), target)
        return FrameReceived(encode(frame, _key(CENTRAL)), None, path)

    def _store(self, order: StoreFrame) -> Event:
        self._counter += 1
        frame = frame_of(order.content, _OURS, self._counter, order.at_s)
        signed = order.signed or SignedFrame(frame, encode(frame, _key(_OURS)))
        if self._is_disk_full:
            return StoreRefused(order.draft, "disk full", signed)
        self._latest = self._latest if isinstance(frame, PathTest) else self._counter
        return FrameStored(order.draft, signed)


def _licensed(*, is_heard: bool = True) -> _Shop:
    """A shop with a radio that is already tested."""
    shop = _Shop(radio=RadioSettings(licence="OFCOM 1"), is_heard=is_heard)
    return shop.online().wait(25_000).online().wait(25_000).online().wait(25_000).online()


def _steady(shop: _Shop) -> _Shop:
    """A minute later; central was heard all the while."""
    return shop.wait(25_000).online().wait(25_000).online().wait(15_000).online()


def _cut(*, is_heard: bool = False) -> _Shop:
    """The licensed shop after its network went; what it transmits now is not heard."""
    shop = _licensed().hear(LinkDown("gone"))
    return shop.deaf() if not is_heard else shop


def _attacked(*, is_silent: bool = False) -> _Shop:
    return _Shop(is_silent=is_silent).online().wait(7_000).press(Button.ATTACK, _HELD_MS)


def _answered() -> _Shop:
    return _attacked().receipt().wait(13_000).incident("answered")


def gallery_entry(place: Place) -> Screen:
    """Somebody who is nobody, in the gallery on a panel with this place for a picture."""
    with Image.open(_FACE) as photograph:
        pixels = panel_pixels(photograph.convert("RGB"), PanelPlace(place.width_px, place.height_px, place.mode.value))
    lines = ("HART-0042", "Banned to", "03 Nov 27", "View 1234")
    return _visited(place).hear(PanelFaceCame(1, lines=lines, pixels=pixels)).screen


def _visited(place: Place) -> _Shop:
    shop = _Shop(picture_place=place).online().hear(GalleryCame(is_here=True))
    return shop.press(Button.SEEN, 100)


def _rehearsed() -> dict[str, Screen]:
    undelivered_ms, minute_ms = 2_500, 61_000
    shops = {
        "boot": _Shop(),
        "ready": _Shop().online(),
        "fault": _Shop().online().hear(PartFailed(Part.SOUNDER, "pins")),
        "fault-tell": _steady(_Shop().online()).hear(PartFailed(Part.SOUNDER, "pins")),
        "card-fault": _Shop().online().hear(PartFailed(Part.CARD, "its data cannot be read")),
        "refused": _Shop().hear(LinkDown("not authorised", is_permanent=True)),
        "duplicate": _Shop().online().hear(SessionTaken()).wait(2_000).hear(SessionTaken()),
        "no-link": _Shop().wait(minute_ms),
        "hint": _Shop().online().press(Button.ATTACK, 300),
        "sending": _attacked(),
        "stored": _Shop().wait(minute_ms).press(Button.ASSIST, 100),
        "not-stored": _Shop(is_disk_full=True).online().press(Button.ATTACK, _HELD_MS),
        "not-stored-on-air": _Shop(is_disk_full=True, radio=RadioSettings("L-1")).press(Button.ATTACK, 2_000),
        "not-stored-undelivered": _Shop(is_disk_full=True).online().press(Button.ATTACK, _HELD_MS).wait(undelivered_ms),
        "received": _attacked().receipt(),
        "received-asking": _attacked().receipt().asked("pcso"),
        "received-nobody": _attacked().receipt().asked(None),
        "received-cut-off": _attacked().receipt().hear(LinkDown("gone")).wait(38_000),
        "answered": _answered(),
        "pressed-again": _answered().wait(20_000).press(Button.ATTACK, _HELD_MS).receipt(),
        "on-the-way": _answered().incident("on-the-way", revision=2),
        "undelivered": _attacked().wait(undelivered_ms),
        "cancelled": _attacked().receipt().press(Button.CANCEL, _HELD_MS).receipt(),
        "closed": _answered().incident("closed", revision=2),
        "neighbour": _Shop().online().neighbour(AlertKind.ATTACK),
        "neighbour-later": _Shop().online().neighbour(AlertKind.DISORDER).press(Button.SEEN, 100),
        "neighbour-several": _Shop()
        .online()
        .neighbour(AlertKind.ATTACK)
        .wait(2_000)
        .neighbour(AlertKind.ASSIST, by=_OTHER),
        "neighbour-late": _Shop().online().neighbour(AlertKind.ATTACK, ago_s=240),
        "neighbour-old": _Shop().online().neighbour(AlertKind.ATTACK, ago_s=1_800),
        "neighbour-answered": _Shop().online().neighbour(AlertKind.ATTACK).incident("on-the-way", of=_NEIGHBOUR),
        "silent-saved": _attacked(is_silent=True),
        "silent-received": _attacked(is_silent=True).receipt(),
        "silent-answered": _attacked(is_silent=True).receipt().incident("answered"),
        "silent-undelivered": _attacked(is_silent=True).wait(undelivered_ms),
        "ready-radio": _licensed(),
        "ready-untested": _Shop(radio=RadioSettings(licence="OFCOM 1")).online(),
        "ready-listening": _Shop(radio=RadioSettings()).online(),
        "radio-fault": _licensed().hear(PartFailed(Part.RADIO, "no sound device")),
        "radio-test-failed": _licensed(is_heard=False)
        .wait(20_000)
        .online()
        .wait(25_000)
        .online()
        .wait(25_000)
        .online(),
        "network-down": _cut(),
        "on-air": _cut().press(Button.ATTACK, _HELD_MS).wait(4_000),
        "on-air-busy": _cut().press(Button.ATTACK, _HELD_MS).hear(ChannelChanged(is_busy=True)).wait(3_000),
        "undelivered-busy": _cut().hear(ChannelChanged(is_busy=True)).press(Button.ASSIST, 100).wait(20_000),
        "nearby-seen": _attacked().wait(undelivered_ms).responds(MemberResponse.SEEN),
        "nearby-coming": _attacked().wait(undelivered_ms).responds(MemberResponse.RESPONDING),
        "nearby-on-air": _cut().press(Button.ATTACK, _HELD_MS).wait(2_000).responds(MemberResponse.RESPONDING),
        "test-due": _steady(_Shop(tested_days_ago=9).online()),
        "test-ok": _licensed().press(Button.TEST, 100).receipt().wait(8_000),
        "test-radio-lost": _licensed().deaf().press(Button.TEST, 100).receipt().wait(15_000),
        "test-failed": _Shop().online().press(Button.TEST, 100).wait(undelivered_ms),
        "gallery-locked": _visited(_PLACE).hear(
            PanelFaceCame(1, ("LOCKED",), ("Gallery: 31 people", "►sign in  ▲fit tablet"))
        ),
        "gallery-fit": _visited(_PLACE).hear(PanelFaceCame(1, *place_words(_FITTING))),
        "gallery-compare": _visited(_PLACE).hear(PanelFaceCame(1, *fingerprint_words(_FITTING))),
        "stopping": _Shop().online().hear(StopAsked()),
    }
    return {name: shop.screen for name, shop in shops.items()} | {"gallery-entry": gallery_entry(_PLACE)}


_OF_NEW_UNITS: Final = {
    "claim": screen_of(CLAIMING),
    "claim-waiting": screen_of(standing_of(waiting_for_network("no route"))),
    "claim-used": screen_of(standing_of(refused("used", 0))),
}

SPECIMENS: Final[Mapping[str, Screen]] = MappingProxyType(
    {name: replace(screen, concerns="") for name, screen in {**_rehearsed(), **_OF_NEW_UNITS}.items()}
)
"""By the name of its picture."""
