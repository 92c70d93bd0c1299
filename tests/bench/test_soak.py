"""What the soak judges: memory at quiet after each flood, and that the flood was taken in."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import msgspec
import pytest

from bench import soak, soak_floods, town
from bench.soak_floods import (
    AT_ONCE,
    COMMON_FRAMES,
    NOTHING_TAKEN_S,
    RELAYS,
    REVISION_MIN,
    WRITES_AT_ONCE,
    Flood,
    Speaker,
    later_directories,
    members_floods,
    relaying,
    send,
    torn_directories,
)
from bench.soak_watch import COMMITTED_MIN, RATIO_MAX, Measured, Outcome, Report, directory_serial, highest_revision
from central.core.air import HEARINGS_MAX, RECENT_MAX, RELAYS_MAX
from central.net.inbox import Published
from central.net.reading import Reader
from demo.flood import flooder
from demo.flood.flooder import Thief
from node.core.effects import Told
from node.store import NodeStore
from tests.support.central_town import AUTHORITY, START, Town, opened
from wire.directory import DirectoryDocument, SchemeEntry, SenderEntry, open_directory, seal_directory
from wire.directory_parts import DirectoryPart, DirectoryParts
from wire.frames import Cancel, Frame, Response, decode
from wire.ids import NodeId, node_text
from wire.signing import SIGNATURE_TEXT_CHARS, SigningKey
from wire.topics import FrameTopic

QUIET_KB = 100_000


@pytest.mark.parametrize(("ratio", "is_bounded"), [(1.0, True), (RATIO_MAX, True), (RATIO_MAX + 0.01, False)])
def test_soak_fails_above_the_bar_after_any_flood(ratio: float, is_bounded: bool) -> None:  # noqa: FBT001
    readings = [("quiet", QUIET_KB, QUIET_KB), ("junk", int(ratio * QUIET_KB), 0), ("health", QUIET_KB, 0)]
    measured = Measured("central", 1, QUIET_KB, readings)
    report = Report(print)
    report.measured.append(measured)

    assert is_bounded is report.is_passed
    assert [False, not is_bounded, False] == ["TOO MUCH" in measured.row(*reading) for reading in readings]


def test_soak_does_not_judge_what_is_given_back() -> None:
    assert Measured("central", 1, QUIET_KB, [("junk", QUIET_KB, 9 * QUIET_KB)]).is_bounded


def test_soak_counts_what_was_swapped_out(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"VmRSS": QUIET_KB, "VmSwap": 0, "VmHWM": QUIET_KB}
    monkeypatch.setattr(town, "memory_kb", lambda _pid, name="VmRSS": held[name])
    measured = Measured("central", os.getpid())
    measured.read("nothing yet")
    held["VmSwap"] = QUIET_KB
    measured.read("junk")

    assert not measured.is_bounded


@pytest.mark.parametrize(
    ("outcome", "is_taken_in"),
    [
        (Outcome("junk", 1_000_000, 40.0), True),
        (Outcome("junk", 1_000_000, None), False),
        (Outcome("valid attacks", 1_000_000, 40.0, COMMITTED_MIN), True),
        (Outcome("valid attacks", 1_000_000, 40.0, COMMITTED_MIN - 1), False),
        (Outcome("valid attacks", 1_000, 40.0, 100), True),
        (Outcome("valid attacks", 1_000, 40.0, 0), False),
        (Outcome("directories", 1_000, 40.0, has_reached=False), False),
    ],
    ids=["receipt", "no receipt", "committed", "not committed", "few", "none of few", "not at the node"],
)
def test_soak_fails_when_a_flood_was_not_taken_in(outcome: Outcome, is_taken_in: bool) -> None:  # noqa: FBT001
    said: list[str] = []
    report = Report(said.append)
    report.judge(outcome)
    report.judge(Outcome("syncs", 1_000, 40.0))

    assert is_taken_in is report.is_passed
    assert is_taken_in is ("FAILED" not in "".join(said))


class Clock:
    """Time passes when somebody sleeps or asks."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        self.now_s += 0.001
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class Lines:
    """In place of Line: each connection does what ``comes`` says next: 'refused', 'lost' (unread), or 'read'."""

    def __init__(self, clock: Clock, comes: Iterator[str]) -> None:
        self.clock = clock
        self.comes = comes
        self.read = 0

    def __call__(self, *_: object) -> Lines:
        self.clock.sleep(0.5)
        self.what = next(self.comes)
        if self.what == "refused":
            raise ConnectionRefusedError
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def send(self, data: bytes) -> None:
        self.held = len(data)

    def settle(self) -> None:
        if self.what == "lost":
            raise ConnectionAbortedError
        self.read += self.held * WRITES_AT_ONCE


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    clock = Clock()
    lines = Lines(clock, itertools.repeat("refused"))
    monkeypatch.setattr(soak_floods, "time", clock)
    monkeypatch.setattr(soak_floods, "Line", lines)
    return lines


@pytest.fixture
def flood(tmp_path: Path) -> Flood:
    (tmp_path / "signing.key").write_text("07" * 32)
    return Flood("junk", [Speaker(Thief(tmp_path, "00000011"), itertools.repeat(b"j"))], 1.0)


def test_soak_counts_only_what_the_broker_has_read(lines: Lines, flood: Flood) -> None:
    lines.comes = iter(["refused", "lost", "refused", "read"])

    assert 3 * AT_ONCE * WRITES_AT_ONCE == send(flood, 1, 3 * AT_ONCE * WRITES_AT_ONCE, 1_000) == lines.read


def test_soak_ends_when_the_broker_takes_nothing(lines: Lines, flood: Flood) -> None:
    with pytest.raises(TimeoutError, match="junk: the broker takes nothing"):
        send(flood, 1, 1_000, 1_000)
    assert NOTHING_TAKEN_S < lines.clock.now_s < NOTHING_TAKEN_S + 1


@pytest.mark.parametrize(("name", "kind"), [("cancels without alert", Cancel), ("answers to nothing", Response)])
def test_soak_sends_frames_that_central_can_read_and_each_is_new(tmp_path: Path, name: str, kind: type[Frame]) -> None:
    (tmp_path / "signing.key").write_text("07" * 32)
    floods = {flood.name: flood for flood in members_floods(Thief(tmp_path, "00000011"), [])}
    topic = str(FrameTopic("hart", NodeId(0x11))).encode()
    (speaker,) = floods[name].speakers
    # After the topic comes the length of the properties, of which there are none.
    frames = [decode(said.partition(topic)[2][1:]).frame for said in itertools.islice(speaker.said, 3)]

    assert {kind} == set(map(type, frames))
    assert 3 == len({frame.id for frame in frames})


def crowd_of(count: int, folder: Path) -> list[Thief]:
    crowd = []
    for number in range(count):
        place = folder / str(number)
        place.mkdir()
        (place / "signing.key").write_text(f"{number + 1:064x}")
        crowd.append(Thief(place, node_text(NodeId(0x100 + number))))
    return crowd


def document_of(crowd: list[Thief], serial: int = 1) -> DirectoryDocument:
    senders = tuple(
        SenderEntry(node=node_text(t.id), key=t.key.public.raw, premises="Shop", schemes=(1,), signs=True)
        for t in crowd
    )
    scheme = SchemeEntry(number=1, slug="hart", name="HART")
    return DirectoryDocument(serial=serial, issued_at=START, schemes=(scheme,), senders=senders)


def published(said: bytes) -> Published:
    """The message of a PUBLISH of QoS 0 whose only property may be a signature."""
    at = 1
    while said[at] & 0x80:
        at += 1
    topic_bytes = int.from_bytes(said[at + 1 : at + 3], "big")
    at += 3 + topic_bytes
    topic, properties = said[at - topic_bytes : at].decode(), said[at + 1 : at + 1 + said[at]]
    signature = properties[-SIGNATURE_TEXT_CHARS:].decode() or None
    return Published(topic, said[at + 1 + len(properties) :], signature=signature)


@pytest.mark.one_python
def test_soak_relays_fill_what_central_remembers_of_the_air(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is signed by its relay, of another sender's frame, and new: central takes in as many as it may."""
    monkeypatch.setattr(flooder, "time", SimpleNamespace(time=START.timestamp))
    thief, *crowd = crowd_of(1 + RELAYS, tmp_path)
    data = seal_directory(document_of([thief, *crowd]), AUTHORITY)
    directory = opened(data)
    central = Town(directory=data)
    reader = Reader(lambda: directory)
    for speaker in relaying(thief, crowd):
        for said in itertools.islice(speaker.said, 61):
            central.handle(reader.read(published(said)))
    air: Any = central.core._air

    assert HEARINGS_MAX == len(air._hearings)
    assert RELAYS_MAX == max(len(hearing.relays) for hearing in air._hearings.values())
    assert RECENT_MAX == len(air._told)
    assert RELAYS * 60 - COMMON_FRAMES * (RELAYS - 2) == len(central.disk)
    assert () == central.board().rejected
    assert {"SendReceiptsToAir"} <= {type(order).__name__ for order in central.said}


def test_soak_directories_are_sealed_and_each_is_newer(tmp_path: Path) -> None:
    document = document_of(crowd_of(3, tmp_path), serial=7)
    directories = list(itertools.islice(later_directories(document, AUTHORITY), 3))

    assert [8, 9, 10] == [open_directory(data, AUTHORITY.public).serial for data in directories]


def test_soak_parts_are_of_another_directory_each_time_and_never_whole(tmp_path: Path) -> None:
    large = seal_directory(document_of(crowd_of(800, tmp_path)), AUTHORITY)
    parts = list(itertools.islice(torn_directories(large), 30))
    digests = {msgspec.json.decode(part, type=DirectoryPart).digest for part in parts}
    held = DirectoryParts()

    assert len(digests) > 5
    assert {None} == {held.take(part) for part in parts}


def test_soak_reads_what_a_running_node_keeps(tmp_path: Path) -> None:
    store = NodeStore(tmp_path / "state", NodeId(0x10), SigningKey(bytes(31) + b"1"), "boot-1")
    try:
        store.keep_told(Told(0, REVISION_MIN, (), ()))
        before = directory_serial(tmp_path)
        store.keep_directory(seal_directory(document_of(crowd_of(3, tmp_path), serial=7), AUTHORITY))

        assert REVISION_MIN == highest_revision(tmp_path)
        assert (0, 7) == (before, directory_serial(tmp_path))
    finally:
        store.close()


def test_node_of_the_soak_gives_memory_back_as_its_unit_has_it() -> None:
    assert {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "131072"} == soak.units_memory(soak.NODE_UNIT)
