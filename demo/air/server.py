"""The air's sockets and clock: radios on one socket, control clients on another, a tick every 20 ms."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections import deque
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from demo.air.channel import BLOCK, decoded
from demo.air.mixer import Mixer, Station, Tick
from demo.air.orders import JAMMER, SPEAKER, AirState, AnyOrder, Block, Jam, Reply, SetCnr, StationState, Stick, Talk
from demo.air.recorder import Recorder, Stretch
from demo.air.voice import VoicelessError, speech
from node.core.air import BLOCK_BYTES
from node.core.air import BLOCK_MS as TICK_MS
from runtime.logs import FactLog

logger = logging.getLogger(__name__)

RADIOS_MAX: Final = 64
_TICK_S: Final = TICK_MS / 1_000
_SLIPS_AFTER_S: Final = 0.04
_MESSAGE_BYTES_MAX: Final = 4_096
_LINE_BYTES_MAX: Final = 4_096
_CLIENT_BACKLOG_BYTES_MAX: Final = 262_144
_TELL_TICKS: Final = 8
_JAM_SHIFT_DB: Final = 12.0
_LOUD: Final = 0.4
_FOREVER_MS: Final = 86_400_000


class _Radio:
    """One radio's connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.station: Station | None = None
        self.marks: deque[bytes] = deque()

    def send(self, message: bytes) -> None:
        """Send a message; a slow node misses blocks, like a sound card's overrun, but marks wait for it."""
        with contextlib.suppress(BlockingIOError):
            while self.marks:
                self.connection.send(self.marks[0])
                self.marks.popleft()
            self.connection.send(message)


class AirServer:
    """Runs until it is cancelled.

    Args:
        mixer: to be served.
        folder: for recordings; must exist.
        facts: ``keyed`` and ``unkeyed``, with ``air_ms``, the air's own time, which stands still while the machine
            is too busy for it; ``timed_out``, ``stuck``, ``recorded``, ``jam``, ``talk``, ``blocked_link``.
    """

    def __init__(self, mixer: Mixer, folder: Path, facts: FactLog) -> None:
        self._mixer = mixer
        self._recorder = Recorder(folder)
        self._facts = facts
        self._radios: dict[str, _Radio] = {}
        self._clients: set[asyncio.StreamWriter] = set()
        self._noise = np.random.default_rng()
        self._ticks = 0
        self._slipped = 0
        self._told = b""
        self._quiet_ticks = 0
        self._writing: set[asyncio.Task[None]] = set()

    async def serve(self, radio_socket: socket.socket, control_socket: socket.socket) -> None:
        """Serve both; they must listen."""
        loop = asyncio.get_running_loop()
        radio_socket.settimeout(0)
        loop.add_reader(radio_socket, self._accept, radio_socket)
        control = await asyncio.start_unix_server(self._control, sock=control_socket, limit=_LINE_BYTES_MAX)
        try:
            await self._tick_for_ever()
        finally:
            control.close()
            for client in self._clients:
                client.close()
            loop.remove_reader(radio_socket)
            for radio in list(self._radios.values()):
                self._hang_up(radio)

    async def _tick_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            self._carry(self._mixer.tick())
            due_s += _TICK_S
            late_s = loop.time() - due_s
            if late_s > _SLIPS_AFTER_S:
                # The machine was busy, so the town's time stood still: no double ticks to catch up.
                self._slipped += int(late_s / _TICK_S)
                due_s = loop.time()
            await asyncio.sleep(max(0.0, due_s - loop.time()))

    # -- a tick ---------------------------------------------------------------------------------------------------

    def _carry(self, tick: Tick) -> None:
        for name, radio in list(self._radios.items()):
            heard = tick.heard.get(name)
            radio.marks.extend(b"E" + mark.to_bytes(4, "little") for mark in tick.ended.get(name, ()))
            try:
                radio.send(b"S" if heard is None else b"A" + heard)
            except OSError:
                self._hang_up(radio)
        over = self._recorder.take(tick.monitor, self._mixer.keyed)
        if over is not None:
            task = asyncio.create_task(self._write(over))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)
        self._say(tick)
        self._keep_noise_going()
        self._quiet_ticks += 1
        is_changed = tick.keyed or tick.unkeyed or tick.stuck or tick.timed_out
        if is_changed or (tick.monitor is not None and self._quiet_ticks >= _TELL_TICKS):
            self._tell()

    def _say(self, tick: Tick) -> None:
        self._ticks += 1
        air_ms = self._ticks * TICK_MS
        for name in tick.keyed:
            self._facts.write("keyed", who=name, air_ms=air_ms)
        for name, airtime_ms in tick.unkeyed:
            self._facts.write("unkeyed", who=name, airtime_ms=airtime_ms, air_ms=air_ms)
            if name == SPEAKER:
                self._mixer.leave(self._mixer.stations[SPEAKER])
        for name in tick.timed_out:
            self._facts.write("timed_out", who=name)
        for name in tick.stuck:
            self._facts.write("stuck", who=name)
        speaker = self._mixer.stations.get(SPEAKER)
        if speaker is not None and not speaker.queue:
            speaker.release()

    def _keep_noise_going(self) -> None:
        jammer = self._mixer.stations.get(JAMMER)
        if jammer is not None:
            jammer.say((self._noise.standard_normal(BLOCK) * _LOUD).astype(np.float32))

    async def _write(self, stretch: Stretch) -> None:
        try:
            recording = await asyncio.to_thread(self._recorder.write, stretch)
        except OSError:
            logger.exception("a recording could not be written")
            return
        self._recorder.keep(recording)
        self._facts.write(
            "recorded",
            over=recording.number,
            who=", ".join(recording.who),
            seconds=recording.seconds,
            wav=recording.wav,
        )
        self._tell()

    # -- radios ---------------------------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            connection.settimeout(0)
            radio = _Radio(connection)
            asyncio.get_running_loop().add_reader(connection, self._read, radio)

    def _read(self, radio: _Radio) -> None:
        try:
            while message := radio.connection.recv(_MESSAGE_BYTES_MAX):
                if not self._take(radio, message):
                    break
        except BlockingIOError:
            return
        except OSError:
            pass
        self._hang_up(radio)

    def _take(self, radio: _Radio, message: bytes) -> bool:
        """Take a radio's message; returns whether the radio may stay."""
        kind, rest = message[:1], message[1:]
        station = radio.station
        if station is None:
            return kind == b"N" and self._join(radio, rest)
        match kind:
            case b"A" if len(rest) == BLOCK_BYTES:
                station.say(decoded(rest))
            case b"E":
                station.queue.append(int.from_bytes(rest, "little"))
            case b"K":
                station.press(int.from_bytes(rest, "little"))
            case b"U":
                station.release()
            case b"F":
                station.queue.clear()
            case _:
                logger.warning("%s sends what is no message", station.name)
                return False
        return True

    def _join(self, radio: _Radio, name: bytes) -> bool:
        text = name.decode(errors="replace")
        if not text or text in (SPEAKER, JAMMER) or len(self._radios) >= RADIOS_MAX:
            return False
        former = self._radios.pop(text, None)
        if former is not None:
            self._hang_up(former)
        radio.station = self._mixer.join(text)
        self._radios[text] = radio
        self._tell()
        return True

    def _hang_up(self, radio: _Radio) -> None:
        if radio.connection.fileno() < 0:
            return
        asyncio.get_running_loop().remove_reader(radio.connection)
        radio.connection.close()
        if radio.station is not None:
            self._mixer.leave(radio.station)
            if self._radios.get(radio.station.name) is radio:
                del self._radios[radio.station.name]
        self._tell()

    # -- control clients ------------------------------------------------------------------------------------------

    async def _control(self, lines: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        self._clients.add(out)
        out.write(_line(Reply(air=self._state())))
        try:
            while line := await lines.readline():
                answer = await self._answer(line)
                # The new state first: a client told that its order is done has seen the result.
                self._tell()
                out.write(_line(answer))
        except (OSError, ValueError):
            pass  # gone, or a line without an end
        finally:
            self._clients.discard(out)
            out.close()

    async def _answer(self, line: bytes) -> Reply:
        try:
            await self._obey(msgspec.json.decode(line, type=AnyOrder))
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, VoicelessError) as e:
            return Reply(error=str(e))
        return Reply(ok=True)

    async def _obey(self, order: AnyOrder) -> None:
        match order:
            case Block(a, b, is_blocked):
                self._mixer.links.block(a, b, is_blocked=is_blocked)
                self._facts.write("blocked_link" if is_blocked else "opened_link", a=a, b=b)
            case SetCnr(db, a, b):
                self._mixer.links.set_cnr(db, a, b)
            case Jam(is_on):
                self._jam(is_on=is_on)
            case Talk(seconds):
                blocks = await asyncio.to_thread(speech, seconds)
                speaker = self._mixer.join(SPEAKER, is_radio=False)
                speaker.queue.extend(blocks)
                speaker.press(_FOREVER_MS)
            case Stick(who, is_stuck):
                if who not in self._mixer.stations:
                    raise ValueError(f"there is no station {who!r}")
                self._mixer.stations[who].is_welded = is_stuck

    def _jam(self, *, is_on: bool) -> None:
        jammer = self._mixer.stations.get(JAMMER)
        if is_on and jammer is None:
            jammer = self._mixer.join(JAMMER, is_radio=False, shift_db=_JAM_SHIFT_DB)
            jammer.press(_FOREVER_MS)
        elif not is_on and jammer is not None:
            self._mixer.leave(jammer)

    def _state(self) -> AirState:
        stations = self._mixer.stations
        return AirState(
            stations={
                name: StationState(one.is_radio, one.is_keyed, one.is_stuck, one.is_welded)
                for name, one in stations.items()
            },
            level_dbfs=round(self._recorder.level_dbfs),
            is_jammed=JAMMER in stations,
            is_talking=SPEAKER in stations,
            cnr_db=self._mixer.links.cnr_db,
            blocked=self._mixer.links.blocked,
            recordings=tuple(self._recorder.recordings),
            slipped_ticks=self._slipped,
        )

    def _tell(self) -> None:
        self._quiet_ticks = 0
        line = _line(Reply(air=self._state()))
        if line == self._told:
            return
        self._told = line
        for client in self._clients:
            # Each message is the whole state: a slow client may miss some without harm.
            if client.transport.get_write_buffer_size() < _CLIENT_BACKLOG_BYTES_MAX:
                client.write(line)


def _line(reply: Reply) -> bytes:
    return msgspec.json.encode(reply) + b"\n"
