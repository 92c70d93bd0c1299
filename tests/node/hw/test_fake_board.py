"""The fake board over its socket: what demo and tests stand on (docs/fakes.md)."""

from __future__ import annotations

import io
import json
import math
import socket
import stat
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from node.core.controls import Button, LedPattern, Part, SoundPattern
from node.core.events import PartFailed, PartRecovered, PinChanged, ScreenShown
from node.core.settings import Timing
from node.hw.board import open_board
from node.hw.drawing import draw_screen
from node.hw.errors import FakeBoardError
from node.hw.fake_board import FakeBoard
from node.hw.fake_board_client import FINGER_UP_S, FakeBoardClient
from node.hw.fake_board_server import BACKLOG_BYTES_MAX, CLIENTS_MAX, LINE_BYTES_MAX
from node.hw.profiles import PROFILES
from node.hw.typeface import Typeface
from runtime.unix_address import socket_address
from tests.support.event_recorder import PATIENCE_S, EventRecorder
from tools.specimens import SPECIMENS

FAKE = PROFILES["fake"]


class RawClient:
    """A client that sends what no client should."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE_S)
        with socket_address(path) as address:
            self.socket.connect(address)
        self.lines = self.socket.makefile("rb")

    def next(self) -> dict[str, object]:
        """The next message."""
        message: dict[str, object] = json.loads(self.lines.readline())
        return message

    def close(self) -> None:
        """Hang up."""
        self.lines.close()
        self.socket.close()


@pytest.fixture
def raw(fake_board: FakeBoard, socket_path: Path):  # type: ignore[no-untyped-def]  # noqa: ANN201
    client = RawClient(socket_path)
    assert ["oled", "led", "sound"] == [next(iter(client.next())) for _ in range(3)]
    yield client
    client.close()


def test_client_first_gets_the_present_state(fake_board: FakeBoard, outside: FakeBoardClient) -> None:
    fake_board.show(SPECIMENS["received"])
    fake_board.set_led(LedPattern.RECEIVED)
    outside.wait_for(lambda view: view.face == "received" and view.led == "received")
    with FakeBoardClient(outside_path(fake_board)) as late:
        view = late.wait_for(lambda view: view.face == "received" and view.led == "received")

    assert ("RECEIVED", ("by central system", "No one answered yet")) == (view.headline, view.lines)
    assert not view.is_blank


def outside_path(board: FakeBoard) -> Path:
    assert board._server is not None
    return board._server._path


def test_panel_comes_as_png_of_the_very_pixels(
    fake_board: FakeBoard, outside: FakeBoardClient, terminus: Typeface
) -> None:
    fake_board.show(SPECIMENS["neighbour"])
    view = outside.wait_for_face("neighbour")
    image = Image.open(io.BytesIO(view.png))

    assert ("1", (128, 64)) == (image.mode, image.size)
    assert draw_screen(SPECIMENS["neighbour"], FAKE.panel, terminus).tobytes() == image.tobytes()


def test_level_drives_the_pin(fake_board: FakeBoard, outside: FakeBoardClient, events: EventRecorder) -> None:
    for button in Button:
        outside.set_level(button.value, "low")
        outside.set_level(button.value, "low")
        outside.set_level(button.value, "high")
        events.wait_for(PinChanged(button, is_down=False))

    assert [PinChanged(b, is_down=d) for b in Button for d in (True, False)] == events.all


@pytest.mark.finding(19)
def test_tap_heard_of_late_lasts_as_long_as_it_did(raw: RawClient, events: EventRecorder) -> None:
    """On a busy machine both lines of a tap are read together: it must not shrink to a bounce."""
    let_go_at_s = time.monotonic() - 1
    lines = (
        {"button": "attack", "level": level, "at_s": at_s}
        for level, at_s in (("low", let_go_at_s - 2), ("high", let_go_at_s))
    )

    raw.socket.sendall(b"".join(json.dumps(line).encode() + b"\n" for line in lines))

    events.wait_for(PinChanged(Button.ATTACK, is_down=False))
    told_ms = math.ceil(1_000 * time.monotonic())
    down_ms, up_ms = (told_ms - at_ms for at_ms in events.edges_at_ms if at_ms is not None)
    assert 3_000 <= down_ms
    assert 1_000 <= up_ms


@pytest.mark.finding(19)
def test_bounces_are_as_close_as_a_contacts_however_slowly_they_are_sent(tmp_path: Path) -> None:
    """A busy machine held a script up between two bounces, and one press of a hand became two alerts."""
    sent = sent_to_board(tmp_path, lambda client: client.set_level("assist", "low", bounces=2, bounce_ms=1.0))

    assert ["low", "high", "low", "high", "low"] == [line["level"] for line in sent]
    steps_ms = [1_000 * (later["at_s"] - earlier["at_s"]) for earlier, later in pairwise(sent)]
    assert [pytest.approx(1.0)] * 4 == steps_ms


@pytest.mark.finding(19)
def test_two_presses_are_never_so_close_that_the_second_is_taken_for_a_bounce(tmp_path: Path) -> None:
    """An alert can be stored, sent and answered in 10 ms; a script that pressed then pressed nothing."""

    def press_twice(client: FakeBoardClient) -> None:
        client.press("assist", hold_ms=30)
        client.press("assist", hold_ms=30)

    first_up, second_down = sent_to_board(tmp_path, press_twice)[1:3]
    assert FINGER_UP_S <= second_down["at_s"] - first_up["at_s"]
    assert 2 * Timing().debounce_ms <= 1_000 * FINGER_UP_S


@pytest.mark.finding(19)
def test_a_brush_lasts_as_long_as_it_should_however_late_the_board_hears_of_it(tmp_path: Path) -> None:
    """On a busy machine a script let go of the attack button a second late, and its brush was an attack (N1)."""
    down, up = sent_to_board(tmp_path, lambda client: client.brush("attack", 200))

    assert ("low", "high") == (down["level"], up["level"])
    assert pytest.approx(200) == 1_000 * (up["at_s"] - down["at_s"])
    assert up["at_s"] <= time.monotonic()


def sent_to_board(folder: Path, act: Callable[[FakeBoardClient], None]) -> list[dict[str, Any]]:
    """What a client that does that sends."""
    path = folder / "board.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        with socket_address(path) as address:
            server.bind(address)
        server.listen()
        client = FakeBoardClient(path)
        act(client)
        client.close()
        with server.accept()[0] as connection, connection.makefile("rb") as lines:
            return [json.loads(line) for line in lines]


def test_press_bounces_electrically(outside: FakeBoardClient, events: EventRecorder) -> None:
    """N1: a press as a contact makes it, for the core's debounce."""
    outside.press("attack", hold_ms=5, bounces=3, bounce_ms=0.5)
    events.wait_for(PinChanged(Button.ATTACK, is_down=False), count=7)
    levels = [event.is_down for event in events.of(PinChanged)]

    assert [True, False] * 7 == levels


def test_led_and_sound_are_told_by_name(fake_board: FakeBoard, outside: FakeBoardClient) -> None:
    fake_board.set_led(LedPattern.SENDING)
    fake_board.play(SoundPattern.ATTACK)
    outside.wait_for(lambda view: (view.led, view.sound) == ("sending", "attack"))
    fake_board.play(SoundPattern.OFF)

    outside.wait_for(lambda view: (view.led, view.sound) == ("sending", "off"))


@pytest.mark.parametrize("part", [Part.OLED, Part.BUTTONS, Part.LED, Part.SOUNDER])
def test_part_fails_at_once_and_recovers_at_a_retry(
    part: Part, fake_board: FakeBoard, outside: FakeBoardClient, events: EventRecorder
) -> None:
    fake_board.show(SPECIMENS["ready"])
    events.wait_for(ScreenShown("", "ready"))
    outside.fail(part.value)
    events.wait_until(lambda told: part in {event.part for event in told if isinstance(event, PartFailed)})
    outside.mend(part.value)
    outside.send({})  # answered after the line before it was obeyed
    outside.wait_for(lambda view: bool(view.errors))
    fake_board.retry(part)
    events.wait_for(PartRecovered(part))

    assert 1 == len(events.of(PartFailed))


def test_unplugged_panel_is_dark(fake_board: FakeBoard, outside: FakeBoardClient, events: EventRecorder) -> None:
    fake_board.show(SPECIMENS["neighbour"])
    outside.wait_for_face("neighbour")
    outside.fail("oled")
    view = outside.wait_for(lambda view: view.is_blank)

    assert {0} == set(Image.open(io.BytesIO(view.png)).convert("L").tobytes())
    assert "fake on i2c: Remote I/O error" == events.of(PartFailed)[0].detail


def test_button_pressed_while_its_pins_are_broken_is_found_when_they_are_mended(
    fake_board: FakeBoard, outside: FakeBoardClient, events: EventRecorder
) -> None:
    fake_board.set_broken(Part.BUTTONS, is_broken=True)
    fake_board.set_level(Button.ASSIST, low=True)
    fake_board.set_broken(Part.BUTTONS, is_broken=False)
    fake_board.retry(Part.BUTTONS)

    assert PinChanged(Button.ASSIST, is_down=True, is_initial=True) in events.all


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", "Expecting"),
        (b"[1]", "expected a JSON object"),
        (b'"x"', "expected a JSON object"),
        (b'{"button": "\xff"}', "codec can't decode"),
        (b"{}", 'expected {"button", "level"}, with "at_s" or without, or {"part", "state"}'),
        (b'{"button":"attack","level":"low","at_s":true}', "at_s is a number of seconds"),
        (b'{"button": "attack"}', "expected"),
        (b'{"button": "attack", "level": "low", "x": 1}', "expected"),
        (b'{"button": "panic", "level": "low"}', "button is one of attack, assist"),
        (b'{"button": ["attack"], "level": "low"}', "button is one of"),
        (b'{"button": "attack", "level": 0}', "level is one of low, high"),
        (b'{"part": "store", "state": "fail"}', "part is one of oled, buttons, sounder, led"),
        (b'{"part": "oled", "state": null}', "state is one of fail, mend"),
        (b"[" * 3000, "Expecting value" if sys.version_info >= (3, 12) else "nested too deeply"),
        (b"9" * LINE_BYTES_MAX, "expected a JSON object"),
        (b"x" * (LINE_BYTES_MAX + 1), f"a line has at most {LINE_BYTES_MAX} bytes"),
        (b"x" * (LINE_BYTES_MAX * 40), f"a line has at most {LINE_BYTES_MAX} bytes"),
    ],
)
def test_malformed_line_is_answered_and_the_next_is_obeyed(
    line: bytes, error: str, raw: RawClient, events: EventRecorder
) -> None:
    raw.socket.sendall(line + b'\n\n{"button": "attack", "level": "low"}\n')

    assert error in str(raw.next()["error"])
    events.wait_for(PinChanged(Button.ATTACK, is_down=True))


def test_line_is_understood_byte_by_byte(raw: RawClient, events: EventRecorder) -> None:
    for byte in b'{"button": "attack", "level": "low"}\n':
        raw.socket.sendall(bytes([byte]))

    events.wait_for(PinChanged(Button.ATTACK, is_down=True))


def test_client_that_never_reads_hurts_nobody(
    fake_board: FakeBoard, raw: RawClient, outside: FakeBoardClient, events: EventRecorder
) -> None:
    for n in range(400):
        fake_board._tell("oled", {**fake_board._latest["oled"], "lines": ["x" * 4_000], "headline": str(n)})
    outside.wait_for(lambda view: view.headline == "399")
    backlogs = [len(client.outgoing) for client in fake_board._server._clients.values()]  # type: ignore[union-attr]

    assert max(backlogs) <= BACKLOG_BYTES_MAX


def test_client_that_was_behind_catches_up_with_the_state_of_now(fake_board: FakeBoard, raw: RawClient) -> None:
    for n in range(400):
        fake_board._tell("oled", {**fake_board._latest["oled"], "lines": ["x" * 4_000], "headline": str(n)})
    headlines = [-1]
    while headlines[-1] != 399:
        message = raw.next()
        if "headline" in message:
            headlines.append(int(str(message["headline"])))

    assert sorted(headlines) == headlines


def test_clients_are_bounded(fake_board: FakeBoard, socket_path: Path) -> None:
    clients = [RawClient(socket_path) for _ in range(CLIENTS_MAX + 1)]
    for client in clients[:CLIENTS_MAX]:
        assert "oled" in client.next()

    assert {"error": f"at most {CLIENTS_MAX} clients"} == clients[-1].next()
    for client in clients:
        client.close()


def test_closing_board_shows_a_dark_panel_and_hangs_up(fake_board: FakeBoard, outside: FakeBoardClient) -> None:
    fake_board.show(SPECIMENS["ready"])
    fake_board.set_led(LedPattern.READY)
    outside.wait_for(lambda view: view.face == "ready" and view.led == "ready")
    fake_board.close()
    view = outside.wait_for(lambda view: view.is_blank and view.led == "off")

    assert not outside_path(fake_board).exists()
    assert "" == view.face
    with pytest.raises(ConnectionError, match="went away"):
        outside.wait_for_face("ready")
    assert not outside.is_open


def test_socket_belongs_to_its_owner_alone(fake_board: FakeBoard, socket_path: Path) -> None:
    """Whoever may connect may press the button."""
    assert 0o600 == stat.S_IMODE(socket_path.stat().st_mode)


def test_second_board_on_one_socket_is_refused(
    fake_board: FakeBoard, socket_path: Path, events: EventRecorder, outside: FakeBoardClient
) -> None:
    with pytest.raises(FakeBoardError, match="another board serves"):
        open_board(FAKE, events, fake_socket=socket_path)
    fake_board.show(SPECIMENS["ready"])
    outside.wait_for_face("ready")


def test_socket_left_by_a_killed_board_is_replaced(socket_path: Path, events: EventRecorder) -> None:
    left = socket.socket(socket.AF_UNIX)
    with socket_address(socket_path) as address:
        left.bind(address)
    left.close()
    board = open_board(FAKE, events, fake_socket=socket_path)
    with FakeBoardClient(socket_path) as client:
        client.wait_for(lambda view: view.png != b"")
    board.close()


def test_socket_in_a_missing_folder_is_one_sentence(tmp_path: Path, events: EventRecorder) -> None:
    with pytest.raises(FakeBoardError, match=r"cannot serve .*/no/board.sock: .*No such file"):
        open_board(FAKE, events, fake_socket=tmp_path / "no" / "board.sock")


def test_file_that_is_no_socket_is_left_alone(socket_path: Path, events: EventRecorder) -> None:
    socket_path.write_text("precious")
    with pytest.raises(FakeBoardError, match="cannot serve"):
        open_board(FAKE, events, fake_socket=socket_path)

    assert "precious" == socket_path.read_text()


def test_socket_path_may_be_longer_than_the_kernel_allows(tmp_path: Path, events: EventRecorder) -> None:
    folder = tmp_path / ("deep" * 40) / ("deeper" * 30)
    folder.mkdir(parents=True)
    board = open_board(FAKE, events, fake_socket=folder / "board.sock")
    with FakeBoardClient(folder / "board.sock") as client:
        client.wait_for(lambda view: view.png != b"")
    board.close()

    assert [] == list(folder.iterdir())


def test_client_without_a_board_gives_up_in_words(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match=r"no fake board at .*/board.sock"):
        FakeBoardClient(tmp_path / "board.sock", connect_timeout_s=0.01)


def test_client_tells_what_it_saw_instead(outside: FakeBoardClient) -> None:
    with pytest.raises(TimeoutError, match=r"no ready within 0.01 s: BoardView\(face=''"):
        outside.wait_for_face("ready", timeout_s=0.01)


def test_client_keeps_the_faces_that_passed(fake_board: FakeBoard, outside: FakeBoardClient) -> None:
    for name in ("sending", "received", "answered"):
        fake_board.show(SPECIMENS[name])
        outside.wait_for_face(name)

    assert ("sending", "received", "answered") == outside.faces_seen


def test_fake_board_without_a_socket_works_inside(events: EventRecorder) -> None:
    board = open_board(FAKE, events)
    board.show(SPECIMENS["ready"])
    events.wait_for(ScreenShown("", "ready"))
    board.close()
