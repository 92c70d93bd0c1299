"""The plug is pulled at each step on the disk, or the disk is full: what is gone stays gone, what is held is true."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from gallery.store.entries import Entries
from tests.support.gallery_card import (
    HART,
    KEY,
    NODE,
    TOWN,
    CardNode,
    Published,
    all_bytes,
    read_published,
    take_what_is_new,
    write_published,
)
from tests.support.killed_steps import killed_at_each_step

STEPS_MIN = 25


def prepared(folder: Path) -> list[bytes]:
    """A card with three faces, and what the office says next: two are lifted, one changed, one new.

    Returns:
        The rows of those three.
    """
    folder.mkdir()
    published = Published().issue(17, photograph=b"first" * 50).issue(18, photograph=b"second" * 50).issue(19)
    node = CardNode(folder / "card").start()
    node.told(published)
    rows = [node.store.row(HART, (case, published.lines[case].since)) for case in (17, 18, 19)]
    node.store.close()
    write_published(folder, "new", published.issue(18, photograph=b"third" * 50).withdraw(17, 19).issue(20))
    return [row.sealed for row in rows if row is not None]


def are_true(node: CardNode, new: Published) -> bool:
    """Whether everything that is held is whole, and can be opened where there is a key."""
    gallery, entries = node.state.galleries[HART], Entries(node.store, TOWN, NODE, KEY)
    lines = node.store.lines(HART)
    opened = [entries.open(HART, lines[case]) for case, _ in gallery.keys if case in lines]
    photographs = {name: node.store.photographs.read(name) for name in node.state.photographs}
    return (
        not node.store.damage
        and gallery.title.number in {3, new.number}
        and set(lines) == ({17, 18, 19} if gallery.title.number == 3 else {18, 20})
        and None not in opened
        and all(data is not None and sha256(data).hexdigest() == name for name, data in photographs.items())
    )


def test_card_killed_at_each_step_holds_what_is_true_and_goes_on(tmp_path: Path) -> None:
    doomed = prepared(tmp_path / "template")
    folders = killed_at_each_step(take_what_is_new, tmp_path / "template", tmp_path / "copies")
    unlike: list[str] = []
    receipts = set()
    for folder in folders:
        new = read_published(folder, "new")
        node = CardNode(folder / "card").start("boot 2")
        found = all_bytes(folder / "card")
        held = node.state.galleries[HART].held
        receipts.add(held)
        if not are_true(node, new):
            unlike.append(f"{folder.name}: not true")
        if held == new.number and any(row in found for row in doomed):
            unlike.append(f"{folder.name}: receipted, and not destroyed")
        node.told(new)
        files = {path.stem for path in (folder / "card/photographs").iterdir()}
        needed = {one.sha256 for line in new.lines.values() for one in line.photographs}
        if any(row in all_bytes(folder / "card") for row in doomed) or files != needed:
            unlike.append(f"{folder.name}: not finished")
        node.store.close()

    assert [] == unlike
    assert len(folders) > STEPS_MIN, "it was killed at each"
    assert {3, read_published(folders[0], "new").number} <= receipts


ON_A_FULL_DISK = """
import subprocess, sys
from pathlib import Path
from tests.support.gallery_card import CardNode, Published, all_bytes, HART

disk = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True)
node = CardNode(disk / "gallery").start()
published = Published()
for case in range(1, 301):
    published.issue(case, photograph=b"face" if case < 9 else b"")
node.told(published)
rows = [node.store.row(HART, (case, line.since)).sealed for case, line in published.lines.items()]
before = dict(node.state.galleries[HART].lines)
with (disk / "filler").open("wb", buffering=0) as filler:
    try:
        while filler.write(b"x" * 512):
            pass
    except OSError as e:
        print("full:", e.strerror)
for case in range(301, 601):
    published.issue(case, photograph=b"face")
node.told(published)
refused = {dict(fact.detail)["reason"] for fact in node.facts if fact.fact == "store_refused"}
print("refused:", *refused)
node.store.close()
node = CardNode(disk / "gallery").start("boot 2")
print("held:", dict(node.state.galleries[HART].lines) == before)
print("there:", sum(row in all_bytes(disk / "gallery") for row in rows))
node.told(published.withdraw(*published.lines))
node.later(31_000)
print("left:", sum(row in all_bytes(disk / "gallery") for row in rows), len(node.state.galleries[HART].keys))
"""


def test_full_disk_takes_nothing_keeps_what_it_has_and_destroys_what_it_must(tmp_path: Path) -> None:
    """A real file system of its own, in a mount namespace that ends with the process."""
    unshare = shutil.which("unshare")
    assert unshare
    own_user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    done = subprocess.run(
        [unshare, *own_user, "--mount", sys.executable, "-c", ON_A_FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    told = "full: No space left on device\nrefused: the disk is full\nheld: True\nthere: 300\nleft: 0 0\n"

    assert told == done.stdout, done.stderr
