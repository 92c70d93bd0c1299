"""The gallery's socket at the node: who is heard, what is taken, and that nothing of it hurts."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Final

import pytest

from node.core.events import AlertAsked, Event, GalleryCame, InputRejected, PanelFaceCame
from node.net import gallery_socket
from node.net.gallery_socket import GallerySocket
from runtime.monotonic import monotonic_ms
from runtime.unix_address import socket_address
from tests.support.fleet_broker import wait_until
from wire.gallery_socket import (
    FACE_BYTES_MAX,
    LINE_BYTES_MAX,
    PICTURE_BYTES_MAX,
    Accepted,
    CentralTime,
    Ended,
    Hello,
    Neighbour,
    NodeLine,
    NodeState,
    PanelFace,
    Progress,
    decode_said,
    encode_line,
)
from wire.gallery_socket import AlertAsked as Asked
from wire.ids import NodeId
from wire.kinds import AlertKind, LeftWhenAsked

DEADLINE_S: Final = 30
NOBODY: Final = 65_534
HELLO: Final = Hello(version=1, node="00000010")
SIGHTING: Final = Neighbour(incident="00000011-5", kind="sighting", scheme=1, person=42, premises="Boots")
AS_NOBODY: Final = """
import os, socket, sys
os.seteuid(int(sys.argv[2]))
peer = socket.socket(socket.AF_UNIX)
peer.settimeout(30)
peer.connect(f"/proc/self/fd/{sys.argv[1]}/node.socket")
print(peer.recv(4096))
"""


def asked(number: int = 1) -> Asked:
    return Asked(request=f"{number:032x}", kind="breach", scheme=1, person=number, left="no")


class Loop:
    """Takes what the socket offers, until it is full.

    Attributes:
        came: whether a gallery was there, each time that it came or went.
    """

    def __init__(self) -> None:
        self.events: SimpleQueue[Event] = SimpleQueue()
        self.came: list[bool] = []
        self.is_full = False

    def offer(self, event: Event, _waiting_max: int, _size_bytes: int = 0) -> bool:
        if isinstance(event, GalleryCame):
            self.came.append(event.is_here)
        elif not self.is_full:
            self.events.put(event)
        return not self.is_full

    def next(self) -> Event:
        return self.events.get(timeout=DEADLINE_S)


class Gallery:
    """The gallery's end, by hand."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(DEADLINE_S)
        wait_until(lambda: self._is_connected(path), "the node listens")
        self._lines = self._socket.makefile("rb")

    def _is_connected(self, path: Path) -> bool:
        try:
            with socket_address(path) as address:
                self._socket.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def say(self, data: bytes) -> None:
        self._socket.sendall(data)

    def line(self) -> NodeLine | None:
        """The next; fails at a hang-up."""
        return decode_said(self._lines.readline())

    def first_bytes(self) -> bytes:
        """A line of the node's; empty if it hangs up without a word."""
        try:
            return self._lines.readline()
        except ConnectionResetError:
            return b""

    def is_hung_up(self, within_s: float = DEADLINE_S) -> bool:
        self._socket.settimeout(within_s)
        try:
            return not self._lines.read()
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "node.socket"


def serving(path: Path, loop: Loop, user: int | None = None) -> GallerySocket:
    made = GallerySocket(path, os.geteuid() if user is None else user, NodeId(0x10), loop.offer)
    made.start()
    return made


@pytest.fixture
def node(path: Path, loop: Loop) -> Iterator[GallerySocket]:
    made = serving(path, loop)
    yield made
    made.close()


@pytest.fixture
def gallery(node: GallerySocket, path: Path) -> Iterator[Gallery]:
    made = Gallery(path)
    assert HELLO == made.line()
    yield made
    made.close()
    assert node


def test_what_is_asked_for_becomes_an_event_and_the_answer_comes_back(
    node: GallerySocket, gallery: Gallery, loop: Loop
) -> None:
    gallery.say(encode_line(asked(42)))
    assert AlertAsked(f"{42:032x}", AlertKind.BREACH, 1, 42, LeftWhenAsked.NO) == loop.next()

    answer = Accepted(request=f"{42:032x}", incident="00000010-7", alert="00000010-7")
    node.tell(answer)
    assert answer == gallery.line()


def test_node_is_told_when_a_gallery_comes_and_goes(gallery: Gallery, loop: Loop) -> None:
    assert [True] == loop.came

    gallery.say(b"\n")

    assert gallery.is_hung_up()
    wait_until(lambda: [True, False] == loop.came, "it is gone")


def test_face_for_the_panel_is_taken_with_the_largest_picture(gallery: Gallery, loop: Loop) -> None:
    face = PanelFace(visit=3, lines=("HART-0042",), picture=bytes(PICTURE_BYTES_MAX))
    gallery.say(encode_line(face))

    assert PanelFaceCame(3, (), ("HART-0042",), face.picture) == loop.next()


def test_program_of_another_user_is_hung_up_on_unheard(path: Path, loop: Loop) -> None:
    node = serving(path, loop, user=os.geteuid() + 1)
    stranger = Gallery(path)

    assert b"" == stranger.first_bytes()
    assert InputRejected("gallery peer") == loop.next()
    stranger.close()
    node.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_real_program_of_another_user_is_hung_up_on(gallery: Gallery, path: Path, loop: Loop) -> None:
    path.chmod(0o666)
    path.parent.chmod(0o755)  # Somebody has been careless with the folder.
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(folder), str(NOBODY)],
        pass_fds=(folder,),
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE_S,
    )
    os.close(folder)

    assert "b''" == done.stdout.strip()
    assert InputRejected("gallery peer") == loop.next()
    assert gallery


def test_socket_is_for_its_owner_and_group_alone(node: GallerySocket, gallery: Gallery, path: Path) -> None:
    assert 0o660 == path.stat().st_mode & 0o777
    node.close()
    assert gallery.is_hung_up()
    wait_until(lambda: not path.exists(), "the socket is gone")


@pytest.mark.parametrize(
    "said",
    [
        b'{"type":"cancel"}\n',
        b"GET / HTTP/1.1\r\n",
        b"\xff\n",
        b"\n",
        b"x" * FACE_BYTES_MAX,
        encode_line(asked())[:-2] + b" " * LINE_BYTES_MAX + b"}\n",
        encode_line(asked()).replace(b"breach", b"attack"),
    ],
    ids=["another type", "http", "not text", "nothing", "no line", "long alert", "attack"],
)
def test_anything_but_an_alert_about_a_person_ends_the_connection(gallery: Gallery, loop: Loop, said: bytes) -> None:
    gallery.say(said)

    assert gallery.is_hung_up()
    assert InputRejected("socket line") == loop.next()


def test_bad_lines_are_counted_and_only_the_first_is_logged(
    node: GallerySocket, path: Path, loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    """A gallery that somebody has taken over must not fill the disk."""
    for said in (b"\n", encode_line(asked()) + b"\n", b"\n"):
        gallery = Gallery(path)
        assert HELLO == gallery.line()
        gallery.say(said)
        assert gallery.is_hung_up()
        gallery.close()
    node.close()

    assert [InputRejected, AlertAsked, InputRejected, InputRejected] == [type(loop.next()) for _ in range(4)]
    assert 1 == len([line for line in caplog.messages if line.startswith("the gallery said what it may not")])


def test_line_in_pieces_is_one_line(gallery: Gallery, loop: Loop) -> None:
    for byte in encode_line(asked()):
        gallery.say(bytes([byte]))

    assert isinstance(loop.next(), AlertAsked)


def test_gallery_that_reads_nothing_is_hung_up_on(
    node: GallerySocket, gallery: Gallery, path: Path, loop: Loop
) -> None:
    for _ in range(4_000):
        node.tell(SIGHTING)
    wait_until(lambda: [True, False] == loop.came and not node._news, "it is gone, and all is told")
    again = Gallery(path)

    assert HELLO == again.line()
    assert SIGHTING == again.line()
    again.close()
    assert gallery


def test_flood_is_taken_ten_times_a_second_and_the_loop_is_spared(gallery: Gallery, loop: Loop) -> None:
    began_ms = monotonic_ms()
    gallery.say(b"".join(encode_line(asked(number)) for number in range(1, 30)))
    found = [loop.next() for _ in range(3)]
    taken = len(found) + loop.events.qsize()
    took_ms = monotonic_ms() - began_ms

    assert [1, 2, 3] == [event.person for event in found if isinstance(event, AlertAsked)]
    assert taken <= 1 + took_ms / gallery_socket.PACE_MS, "the rest waits at the gallery's end"


def test_line_that_comes_byte_by_byte_costs_few_reads(
    gallery: Gallery, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever drips keeps the node's processor busy, and a press waits for it."""
    reads: list[int] = []
    read = gallery_socket._Connection.read

    def counted(connection: gallery_socket._Connection) -> bool:
        reads.append(1)
        return read(connection)

    monkeypatch.setattr(gallery_socket._Connection, "read", counted)
    began_ms = monotonic_ms()
    for byte in encode_line(asked())[:-2] + b" " * 800 + b"}\n":
        gallery.say(bytes([byte]))
        time.sleep(0.0005)
    assert isinstance(loop.next(), AlertAsked)

    assert len(reads) <= 1 + (monotonic_ms() - began_ms) / gallery_socket.READ_MS


def test_whatever_is_said_in_any_order_and_size_costs_the_loop_a_few_steps(
    node: GallerySocket, path: Path, loop: Loop
) -> None:
    """Of all of it only alerts about a person and faces come through, no faster than their pace."""
    chance = random.Random(12)
    whole = [encode_line(asked(number)) for number in range(20)]
    whole += [encode_line(PanelFace(visit=visit, picture=bytes(size))) for visit in (0, 3) for size in (0, 98, 9_604)]
    began_ms = monotonic_ms()
    for _ in range(20):
        peer = Gallery(path)
        assert HELLO == peer.line()
        with contextlib.suppress(OSError):
            for _ in range(chance.randrange(6)):
                line = bytearray(chance.choice(whole))
                for _ in range(chance.choice((0, 0, 1, 9))):
                    line[chance.randrange(len(line))] = chance.randrange(256)
                peer.say(bytes(line[: chance.choice((len(line), len(line), chance.randrange(len(line)))) or None]))
            peer.is_hung_up(within_s=0.3)
        peer.close()
    took_ms = monotonic_ms() - began_ms
    found = [loop.next() for _ in range(loop.events.qsize())]

    assert {type(one) for one in found} <= {AlertAsked, PanelFaceCame, InputRejected}
    assert {AlertAsked, InputRejected} <= {type(one) for one in found}
    assert len(found) + len(loop.came) <= 4 * (1 + took_ms / gallery_socket.PACE_MS)
    again = Gallery(path)
    assert HELLO == again.line()
    again.say(encode_line(asked(99)))
    wait_until(lambda: _is_asked(loop, 99), "whoever behaves is heard")
    again.close()
    assert node


def _is_asked(loop: Loop, person: int) -> bool:
    event = loop.next()
    return isinstance(event, AlertAsked) and event.person == person


def test_loop_that_is_full_hangs_up_so_that_the_gallery_asks_again(gallery: Gallery, loop: Loop) -> None:
    loop.is_full = True
    gallery.say(encode_line(asked()))

    assert gallery.is_hung_up()


def test_newest_connection_counts_so_that_a_hung_gallery_keeps_nobody_out(gallery: Gallery, path: Path) -> None:
    again = Gallery(path)

    assert gallery.is_hung_up()
    assert HELLO == again.line()
    again.close()


def test_whoever_connects_is_told_what_is_so_now(node: GallerySocket, gallery: Gallery, path: Path) -> None:
    over = Neighbour(incident="00000011-4", kind="sighting", scheme=1, person=7, premises="Boots")
    state = NodeState(reach="central", words="Alerts reach the control room.")
    progress = Progress(incident="00000010-7", state="received", words="Received by central")
    for line in (CentralTime(at_s=1_800_000_000), over, state, progress, SIGHTING, Ended(incident="00000011-4")):
        node.tell(line)
    assert [CentralTime, Neighbour, NodeState, Progress, Neighbour, Ended] == [type(gallery.line()) for _ in range(6)]

    again = Gallery(path)
    found = [again.line() for _ in range(5)]
    assert [HELLO, state, progress, SIGHTING] == found[:4]
    assert isinstance(time := found[4], CentralTime)
    assert 1_800_000_000 <= time.at_s < 1_800_000_000 + DEADLINE_S
    again.close()


def test_file_in_its_place_is_not_replaced(path: Path, loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    path.write_text("somebody's")
    node = serving(path, loop)
    wait_until(lambda: "the gallery cannot connect" in caplog.text, "the log says so")
    node.close()

    assert "somebody's" == path.read_text()


def test_socket_left_behind_is_replaced(path: Path, loop: Loop) -> None:
    left = socket.socket(socket.AF_UNIX)
    with socket_address(path) as address:
        left.bind(address)
    left.close()
    node = serving(path, loop)
    gallery = Gallery(path)
    assert HELLO == gallery.line()
    gallery.close()
    node.close()
