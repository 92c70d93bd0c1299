"""Carries out the core's effects one by one, and turns failures into events. Runs on the loop's thread."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

from node.core.air import about
from node.core.controls import LedPattern, Part, SoundPattern
from node.core.effects import (
    CheckSettings,
    ConnectAnew,
    Effect,
    ForgetFrame,
    KeepAirtime,
    KeepDirectory,
    KeepScales,
    KeepSeen,
    KeepSettings,
    KeepTold,
    MarkReceipted,
    PlaySound,
    PrepareSentence,
    PublishFrame,
    PublishHealth,
    PublishSync,
    RaiseCounterFloor,
    RelayFrame,
    ReopenFrames,
    ReportFact,
    RetryPart,
    SetLed,
    ShowScreen,
    Stop,
    StopOver,
    StoreFrame,
    TellGallery,
    TransmitOver,
)
from node.core.events import (
    Event,
    FramesReopened,
    FrameStored,
    ListingRefused,
    OverFailed,
    PartFailed,
    PartRecovered,
    SeenFrame,
    SettingsChecked,
    SettingsKept,
    StoreRefused,
)
from node.core.listing import parts_of
from node.core.screens import Screen
from node.core.trial import Kept
from node.net.radio.ports import RadioPort
from node.store import NodeStore, StoreRefusedError
from runtime.logs import FactLog
from runtime.monotonic import monotonic_ms
from wire.directory import Directory, open_directory
from wire.frames import SignedFrame
from wire.gallery_socket import NodeLine
from wire.messages import Health, Sync
from wire.node_settings import SignedSettings
from wire.signing import PublicKey

logger = logging.getLogger(__name__)

DAMAGE_TOLD_MS: Final = 3_600_000
"""How long a database that was set aside stays reported, although the new one works."""

_PART_OF: Final[dict[type[Effect], Part]] = {
    ShowScreen: Part.OLED,
    PlaySound: Part.SOUNDER,
    SetLed: Part.LED,
    PublishFrame: Part.NETWORK,
    PublishHealth: Part.NETWORK,
    PublishSync: Part.NETWORK,
    ConnectAnew: Part.NETWORK,
    RelayFrame: Part.NETWORK,
    StopOver: Part.RADIO,
}


class BoardPort(Protocol):
    """What the effects need from a board; :class:`node.hw.board.Board` is one."""

    def show(self, screen: Screen) -> None: ...  # noqa: D102
    def play(self, pattern: SoundPattern) -> None: ...  # noqa: D102
    def set_led(self, pattern: LedPattern) -> None: ...  # noqa: D102
    def retry(self, part: Part) -> None: ...  # noqa: D102


class UplinkPort(Protocol):
    """What the effects need from the network; :class:`node.net.mqtt.PahoUplink` is one."""

    def publish_frame(self, signed: SignedFrame, scheme_numbers: tuple[int, ...]) -> None: ...  # noqa: D102
    def publish_relay(self, data: bytes) -> None: ...  # noqa: D102
    def publish_health(self, health: Health) -> None: ...  # noqa: D102
    def publish_sync(self, sync: Sync) -> None: ...  # noqa: D102
    def connect_anew(self) -> None: ...  # noqa: D102
    def use_directory(self, directory: Directory) -> None: ...  # noqa: D102


class SettingsPort(Protocol):
    """What the effects need for settings from the fleet; :class:`node.fleet_settings.FleetSettings` is one."""

    def objection(self, signed: SignedSettings) -> str: ...  # noqa: D102
    def keep(self, kept: Kept) -> None: ...  # noqa: D102


class GalleryPort(Protocol):
    """What the effects need from the gallery's socket; :class:`node.net.gallery_socket.GallerySocket` is one."""

    def tell(self, line: NodeLine) -> None: ...  # noqa: D102


class EffectRunner:
    """Carries out effects one by one, in the order given. Never raises.

    Attributes:
        answers: events caused by effects; the loop takes these first.
        is_stopping: the core has ordered its last effect.
    """

    def __init__(
        self,
        store: NodeStore,
        board: BoardPort,
        uplink: UplinkPort | None,
        radio: RadioPort | None,
        *,
        facts: FactLog,
        about: dict[str, str],
        authority: PublicKey,
        proven_at_s: Callable[[], int],
        settings: SettingsPort,
        gallery: GalleryPort | None = None,
    ) -> None:
        """Wire up.

        Args:
            store: for rows.
            board: for screens, sounds and lights.
            uplink: ``None`` if there can be none.
            radio: ``None`` if there is none.
            facts: the fact log.
            about: details added to every fact.
            authority: for verifying directories.
            proven_at_s: proven Unix time, or 0.
            settings: for settings from the fleet.
            gallery: ``None`` if there is none on this unit.
        """
        self.answers: deque[Event] = deque()
        self.is_stopping = False
        self._store = store
        self._board = board
        self._uplink = uplink
        self._radio = radio
        self._facts = facts
        self._about = about
        self._authority = authority
        self._proven_at_s = proven_at_s
        self._settings = settings
        self._gallery = gallery
        self._is_store_failed = False
        self._damage_told = ""
        self._damaged_ms = 0
        self._do = self._doers()

    def carry_out(self, effect: Effect) -> None:
        """Carry out one effect. An exception becomes an event."""
        try:
            self._do[type(effect)](effect)
        except StoreRefusedError as e:
            self._store_refused(effect, str(e))
        except Exception as e:
            logger.exception("an order failed", extra={"order": type(effect).__name__})
            detail = f"{type(e).__name__}: {e}"
            if isinstance(effect, RetryPart):
                self.answers.append(PartFailed(effect.part, detail))
            elif isinstance(effect, TransmitOver):
                self.answers.append(OverFailed(effect.over, detail))
            elif type(effect) in _PART_OF:
                self.answers.append(PartFailed(_PART_OF[type(effect)], detail))
            elif not isinstance(effect, ReportFact | TellGallery | PrepareSentence | Stop):
                self._store_refused(effect, detail)

    def fact(self, fact: str, **details: object) -> None:
        """Write a fact that is not the core's."""
        self._facts.write(fact, **details, **self._about)

    def settle(self) -> None:
        """The loop is idle: commit gathered writes."""
        try:
            self._store.flush()
        except StoreRefusedError as e:
            self._store_refused(None, str(e))
        except Exception as e:
            logger.exception("gathered rows not kept")
            self._store_refused(None, f"{type(e).__name__}: {e}")

    def prune(self) -> None:
        """Delete old rows."""
        try:
            self._store.prune(self._proven_at_s())
        except StoreRefusedError as e:
            self._store_refused(None, str(e))
        except Exception as e:
            logger.exception("old rows not forgotten")
            self._store_refused(None, f"{type(e).__name__}: {e}")

    def _doers(self) -> dict[type[Any], Callable[[Any], None]]:
        store, board, at_s = self._store, self._board, self._proven_at_s
        return {
            StoreFrame: self._store_frame,
            MarkReceipted: lambda effect: store.mark_receipted(effect.id.counter, at_s()),
            ReopenFrames: self._reopen_frames,
            ForgetFrame: lambda effect: store.forget_frame(effect.id.counter),
            KeepSeen: self._keep_seen,
            KeepDirectory: self._keep_directory,
            KeepScales: lambda effect: store.keep_scales(effect.scales),
            KeepTold: lambda effect: store.keep_told(effect.told),
            KeepAirtime: lambda effect: store.keep_airtime(effect.slices, monotonic_ms(), at_s()),
            CheckSettings: self._check_settings,
            KeepSettings: self._keep_settings,
            RaiseCounterFloor: lambda effect: store.raise_counter_floor(effect.counter),
            PublishFrame: self._by_network(lambda uplink, effect: uplink.publish_frame(effect.signed, effect.schemes)),
            PublishHealth: self._by_network(lambda uplink, effect: uplink.publish_health(effect.health)),
            PublishSync: self._by_network(self._publish_sync),
            ConnectAnew: self._by_network(lambda uplink, _effect: uplink.connect_anew()),
            RelayFrame: self._by_network(lambda uplink, effect: uplink.publish_relay(effect.data)),
            TransmitOver: self._transmit,
            StopOver: self._stop_over,
            PrepareSentence: self._prepare,
            ShowScreen: lambda effect: board.show(effect.screen),
            PlaySound: lambda effect: board.play(effect.pattern),
            SetLed: lambda effect: board.set_led(effect.pattern),
            RetryPart: lambda effect: self._retry(effect.part),
            TellGallery: self._tell_gallery,
            ReportFact: self._report,
            Stop: self._stop,
        }

    def _store_frame(self, effect: StoreFrame) -> None:
        signed = effect.signed or self._store.number(effect.content, effect.wall_at_s, effect.at_s)
        pressed_ms = monotonic_ms() if effect.pressed_ms is None else effect.pressed_ms
        try:
            self._store.keep_frame(signed, effect.wall_at_s, pressed_ms, effect.replaces)
        except StoreRefusedError as e:
            self._store_refused(effect, str(e), signed)
            return
        except Exception as e:
            logger.exception("a frame not stored")
            self._store_refused(effect, f"{type(e).__name__}: {e}", signed)
            return
        self._is_store_failed = False
        self.answers.append(FrameStored(effect.draft, signed))
        self.look_for_damage()

    def _reopen_frames(self, effect: ReopenFrames) -> None:
        self.answers.append(FramesReopened(self._store.reopen(effect.counters, monotonic_ms(), self._proven_at_s())))
        # They are sent again even if this is refused: then only a restart would show them as received once more.
        self._store.flush()

    def _keep_seen(self, effect: KeepSeen) -> None:
        self._store.keep_seen(SeenFrame(effect.id, effect.digest, effect.shown), self._proven_at_s())
        if effect.shown is not None:
            # Durable before it is reported: after a crash now it must not be shown a second time.
            self._store.flush()

    def _keep_directory(self, effect: KeepDirectory) -> None:
        # Topics first: a full disk must not cut us off from a scheme's alerts.
        if self._uplink:
            self._uplink.use_directory(effect.directory or open_directory(effect.data, self._authority))
        self._store.keep_directory(effect.data)

    def _check_settings(self, effect: CheckSettings) -> None:
        signed = effect.signed
        try:
            objection = self._settings.objection(signed)
        except Exception as e:
            logger.exception("settings could not be looked at")
            objection = f"they could not be looked at: {type(e).__name__}"
        self.answers.append(SettingsChecked(signed.serial, objection))

    def _keep_settings(self, effect: KeepSettings) -> None:
        try:
            self._settings.keep(effect.kept)
        except OSError as e:
            logger.error("settings not kept: %s", e)  # noqa: TRY400 - a full disk is not a bug
            self.answers.append(SettingsKept(effect.kept, is_kept=False))
        else:
            self.answers.append(SettingsKept(effect.kept, is_kept=True))

    def _by_network(self, publish: Callable[[UplinkPort, Any], None]) -> Callable[[Any], None]:
        uplink = self._uplink
        return (lambda _effect: None) if uplink is None else partial(publish, uplink)

    def _publish_sync(self, uplink: UplinkPort, effect: PublishSync) -> None:
        for part in parts_of(effect.sync, self._receipted() if effect.is_listing else ()):
            uplink.publish_sync(part)

    def _transmit(self, effect: TransmitOver) -> None:
        if self._radio is None:
            self.answers.append(OverFailed(effect.over, "there is no radio"))
        else:
            phrase = None if effect.phrase is None else about(effect.phrase, effect.reference)
            self._radio.transmit(effect.over, effect.bursts, effect.mode, phrase)

    def _prepare(self, effect: PrepareSentence) -> None:
        if self._radio is not None:
            self._radio.prepare(about(effect.phrase, effect.reference))

    def _stop_over(self, effect: StopOver) -> None:
        if self._radio is not None:
            self._radio.stop_over(effect.over)

    def _tell_gallery(self, effect: TellGallery) -> None:
        if self._gallery is not None:
            self._gallery.tell(effect.line)

    def _report(self, effect: ReportFact) -> None:
        alert = {} if effect.alert is None else {"alert": effect.alert.text}
        self._facts.write(effect.fact, **{**dict(effect.detail), **self._about, **alert})

    def _stop(self, _effect: Stop) -> None:
        self.is_stopping = True

    def _receipted(self) -> tuple[tuple[int, str], ...]:
        try:
            return self._store.receipted()
        except StoreRefusedError as e:
            logger.warning("receipts not listed: %s", e)
            self.answers.append(ListingRefused())
            return ()

    def _retry(self, part: Part) -> None:
        if part is Part.STORE:
            self._retry_store()
        elif part is Part.NETWORK:
            # It retries by itself, and reports LinkUp and LinkDown.
            self.answers.append(PartRecovered(part))
        elif part is Part.SPEECH and self._radio is not None:
            self._radio.retry_speech()
        elif part in (Part.RADIO, Part.MODEM, Part.SPEECH, Part.CLOCK, Part.CARD):
            pass  # These are retried all the time, and report when they work again.
        else:
            self._board.retry(part)

    def _retry_store(self) -> None:
        try:
            self._store.open()
            self._store.flush()
        except StoreRefusedError as e:
            self.answers.append(PartFailed(Part.STORE, str(e)))
            return
        self._is_store_failed = False
        self.look_for_damage()
        if self._damage_told and monotonic_ms() - self._damaged_ms < DAMAGE_TOLD_MS:
            self.answers.append(PartFailed(Part.STORE, self._damage_told))
        else:
            self.answers.append(PartRecovered(Part.STORE))

    def _store_refused(self, effect: Effect | None, detail: str, signed: SignedFrame | None = None) -> None:
        if isinstance(effect, StoreFrame):
            self.answers.append(StoreRefused(effect.draft, detail, signed))
        elif not self._is_store_failed:
            self.answers.append(StoreRefused(None, detail))
        if not self._is_store_failed:
            logger.error("not stored: %s", detail)
        self._is_store_failed = True

    def look_for_damage(self) -> None:
        """Report a database that was set aside since the last look."""
        if self._store.damage != self._damage_told:
            self._damage_told = self._store.damage
            self._damaged_ms = monotonic_ms()
            self.answers.append(PartFailed(Part.STORE, self._damage_told))
