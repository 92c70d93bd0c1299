"""What is wrong is told when it changes, and a look that fails ends nothing."""

from __future__ import annotations

from central.lookout import Lookout


def test_what_is_wrong_is_told_when_it_changes() -> None:
    told, found = list[tuple[str, str]](), [""]
    lookout = Lookout("backups", lambda: found[0], lambda about, fault: told.append((about, fault)))
    for one in ("", "late", "late", "failed", ""):
        found[0] = one
        lookout.look()

    assert [("backups", "late"), ("backups", "failed"), ("backups", "")] == told


def test_look_that_fails_leaves_what_was_told() -> None:
    told, found = list[str](), [0]
    lookout = Lookout("backups", lambda: f"{1 // found[0]}", lambda _about, fault: told.append(fault))
    lookout.look()
    found[0] = 1
    lookout.look()

    assert ["1"] == told
