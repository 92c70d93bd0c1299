"""The disk below the state folder: there, writable by the node's user, with room."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

from node.check.unit import Unit
from node.step import Outcome, Step, bad, not_done, ok

FREE_BYTES_MIN: Final = 16 * 1024 * 1024
_WORN_OUT: Final = "dmesg says more; change the card if it is worn out"


def disk_step(state_dir: Path | None, unit: Unit) -> Step:
    """Can the node's user write there, and is there room?"""
    if state_dir is None:
        return not_done("disk", "not looked at: the configuration must be right first")
    there = next(folder for folder in (state_dir, *state_dir.parents) if folder.exists())
    return _cannot_hold(state_dir, there, unit) or _tried(state_dir, there)


def _cannot_hold(state_dir: Path, there: Path, unit: Unit) -> Step | None:
    if not there.is_dir():
        return bad("disk", f"{there}: cannot be written: not a folder", "correct state_dir in node.toml")
    if there == state_dir and unit.uid not in {None, 0, there.stat().st_uid}:
        return bad("disk", f"{state_dir} belongs to another user than the node's", "sudo systemd-tmpfiles --create")
    room = os.statvfs(there)
    if room.f_flag & os.ST_RDONLY:
        return bad("disk", f"{there} is read-only", _WORN_OUT)
    free_bytes = room.f_bavail * room.f_frsize
    if free_bytes < FREE_BYTES_MIN:
        free_mb = free_bytes // 1_000_000
        advice = "make room: sudo journalctl --vacuum-size=50M; sudo du -xh --max-depth=2 /var | sort -h | tail"
        return bad("disk", f"{state_dir}: {free_mb} MB free: too little", advice, free_mb=free_mb)
    return None


def _tried(state_dir: Path, there: Path) -> Step:
    room = os.statvfs(there)
    free_mb = room.f_bavail * room.f_frsize // 1_000_000
    where = f"{state_dir}: {free_mb} MB free"
    try:
        with tempfile.NamedTemporaryFile(dir=there, prefix=".check-") as probe:
            probe.write(bytes(4096))
            probe.flush()
            os.fsync(probe.fileno())
    except PermissionError:
        advice = "run it as root: sudo watchlink node check …"
        return Step("disk", Outcome.UNSEEN, f"{where}; no right to try it", advice)
    except OSError as e:
        return bad("disk", f"{where}: cannot be written: {e.strerror}", _WORN_OUT)
    return ok("disk", f"{where}, written and synced", free_mb=free_mb)
