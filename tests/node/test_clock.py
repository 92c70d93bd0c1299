"""Wall time is read when there is reason to, and believed only when proven (F5)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from node import clock
from node.clock import READ_EVERY_MS, WallClock
from runtime.clock_proof import is_synchronised


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    now = {"s": 1_800_000_000.0}
    monkeypatch.setattr(time, "time", lambda: now["s"])
    monkeypatch.setattr(time, "time_ns", lambda: int(now["s"] * 1e9))
    return now


def test_clock_is_read_at_start_and_each_minute(wall: dict[str, float]) -> None:
    look = WallClock(is_trusted=True).look
    read = [look(now_ms) for now_ms in (0, 1)]
    wall["s"] += 60
    again = look(READ_EVERY_MS)

    assert [1_800_000_000, None] == [r and r.wall_at_s for r in read]
    assert again
    assert again.wall_at_s == 1_800_000_060


@pytest.mark.parametrize("jump_s", [-(10**8), -2, 2, 10**8])
def test_clock_is_read_when_it_jumps(wall: dict[str, float], jump_s: int) -> None:
    look = WallClock(is_trusted=True).look
    look(0)
    wall["s"] += jump_s
    found = look(1)

    assert found
    assert found.wall_at_s == 1_800_000_000 + jump_s
    assert look(2) is None


def test_clock_that_drifts_slowly_is_no_jump(wall: dict[str, float]) -> None:
    look = WallClock(is_trusted=True).look
    look(0)
    wall["s"] += 5.5

    assert look(5_000) is None


def test_clock_is_proven_by_ntp_or_by_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for is_synced in (False, True):
        monkeypatch.setattr(clock, "is_synchronised", lambda is_synced=is_synced: is_synced)

        assert is_synced == WallClock(is_trusted=False).read().is_proven
        assert WallClock(is_trusted=True).read().is_proven


def test_clock_asks_timesyncs_mark_where_the_kernel_may_not_be_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """ProtectClock= forbids adjtimex."""

    class Forbidden:
        def __init__(self, *_: object, **__: object) -> None:
            self.adjtimex = lambda _: -1

    monkeypatch.setattr("ctypes.CDLL", Forbidden)

    assert not is_synchronised(tmp_path / "synchronized")
    (tmp_path / "synchronized").touch()
    assert is_synchronised(tmp_path / "synchronized")


def test_clock_asks_the_real_kernel_without_error() -> None:
    assert is_synchronised() in (True, False)
