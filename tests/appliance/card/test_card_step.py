"""What runs before all else mounts the card's data with real file systems, and says what is wrong (F5)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.kept import ONLY_READ

STEP = Path(__file__).parents[3] / "systemd/watchlink-card"

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def has_mounts() -> bool:
    return os.geteuid() == 0 and Path("/dev/loop-control").exists()


pytestmark = pytest.mark.skipif(not has_mounts(), reason="only root mounts")


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """The root of a unit, whose data partition has a node and eight megabytes to spare."""
    (tmp_path / "usr/lib/watchlink").mkdir(parents=True)
    content = tmp_path / "content/node"
    content.mkdir(parents=True, mode=0o700)
    (content / "node.toml").write_text("who I am")
    image = tmp_path / "data.img"
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "systemctl").write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/asked\n')
    (tools / "systemctl").chmod(0o755)
    (tools / "udevadm").write_text("#!/bin/sh\n")  # It knows no images, and would wait.
    (tools / "udevadm").chmod(0o755)
    run("truncate", "--size=40M", str(image))
    run("mkfs.ext4", "-q", "-d", str(content.parent), str(image))
    use(tmp_path, image)
    return tmp_path


def use(root: Path, device: Path) -> None:
    (root / "usr/lib/watchlink/image.conf").write_text(f"DATA_PARTITION={device}\n")


def run(*command: str) -> str:
    done = subprocess.run(command, env={"PATH": PATH}, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def step(root: Path, then: str) -> str:
    """What ``then`` says once the step has run; its mounts are gone afterwards."""
    script = f"export PATH={root}/tools:$PATH; ROOT={root}; {STEP} $ROOT >&2 || exit 1; {then}"
    return run("unshare", "--mount", "sh", "-c", script)


def asked_to_leave_a_trial(root: Path) -> bool:
    """Once, and without waiting: what the step asks for begins only after it."""
    file = root / "asked"
    asked = file.read_text().splitlines() if file.exists() else []
    assert asked in ([], ["--no-block start watchlink-trial-guard.service"])
    return bool(asked)


def told(root: Path) -> str:
    file = root / "run/watchlink-appliance/card.txt"
    return file.read_text() if file.exists() else ""


@contextmanager
def write_protected(image: Path) -> Iterator[Path]:
    device = run("losetup", "--read-only", "--find", "--show", str(image)).strip()
    try:
        yield Path(device)
    finally:
        run("losetup", "--detach", device)


def test_good_card_is_mounted_where_the_programs_look(card: Path) -> None:
    said = step(card, "cat $ROOT/var/lib/watchlink-node/node.toml; stat -c %a $ROOT/var/lib/watchlink-*")

    assert ["who I am700", "700", "700"] == said.splitlines()
    assert not asked_to_leave_a_trial(card)
    assert "" == told(card)


def test_what_is_written_is_there_after_a_restart(card: Path) -> None:
    step(card, "echo kept >$ROOT/var/lib/watchlink-gallery/file")

    assert "kept\n" == step(card, "cat $ROOT/data/gallery/file")


def test_programs_on_the_data_partition_do_not_run(card: Path) -> None:
    said = step(card, "cp /usr/bin/true $ROOT/data/true; $ROOT/data/true 2>/dev/null || echo no")

    assert "no\n" == said


def test_damaged_file_system_is_mended(card: Path) -> None:
    run("debugfs", "-w", "-R", "clri <13>", str(card / "data.img"))

    assert "here\n" == step(card, "touch $ROOT/var/lib/watchlink-node/x && echo here")
    assert "" == told(card)


def test_card_that_cannot_be_written_still_says_who_the_unit_is(card: Path) -> None:
    """The button works: what programs write lies in memory, and the panel says that the card is out of order."""
    with write_protected(card / "data.img") as device:
        use(card, device)
        said = step(card, "cd $ROOT/var/lib/watchlink-node; cat node.toml; echo new >node.toml; cat node.toml")

    assert "who I amnew\n" == said
    assert "can no longer be written" in told(card)
    assert "who I am" == run("debugfs", "-R", "cat node/node.toml", str(card / "data.img"))
    assert not asked_to_leave_a_trial(card)


@pytest.mark.parametrize("lacks", ["node", "appliance"])
def test_trial_is_left_if_the_unit_does_not_know_who_it_is_and_for_nothing_else(card: Path, lacks: str) -> None:
    """Before anybody could press (F4)."""
    mount = card / "tools/mount"
    mount.write_text(
        f'#!/bin/sh\ncase "$*" in *"overlay "*/watchlink-{lacks}) exit 32 ;; esac\nexec /usr/bin/mount "$@"\n'
    )
    mount.chmod(0o755)
    (card / "content/appliance").mkdir()
    run("mkfs.ext4", "-q", "-F", "-d", str(card / "content"), str(card / "data.img"))
    with write_protected(card / "data.img") as device:
        use(card, device)
        step(card, "true")

    assert (lacks == "node") == asked_to_leave_a_trial(card)


def test_program_that_updates_the_unit_knows_whether_its_notes_stay(card: Path) -> None:
    """A trial that is noted in memory alone would be made again after each restart."""
    ask = "import sys, pathlib, appliance.kept; print(appliance.kept.card_fault(*map(pathlib.Path, sys.argv[1:])))"
    own = f"{card}/var/lib/watchlink-appliance"
    says = f'mkdir -p {own}; {sys.executable} -c "{ask}" {own} $(findmnt -no SOURCE $ROOT/data)'

    assert "\n" == step(card, says)
    assert f"{ONLY_READ}\n" == step(card, f"mount -o remount,ro $ROOT/data; {says}")
    with write_protected(card / "data.img") as device:
        use(card, device)
        assert f"{ONLY_READ}\n" == step(card, says)
    (card / "data.img").write_bytes(bytes(4096))
    use(card, card / "data.img")
    assert f"{ONLY_READ}\n" == step(card, f"{says} {card}/data.img")


def test_card_that_cannot_be_read_keeps_nothing_from_starting(card: Path) -> None:
    (card / "data.img").write_bytes(bytes(4096))

    assert "nothing\n" == step(card, "ls $ROOT/var/lib/*/* 2>/dev/null || echo nothing")
    assert "does not know who it is" in told(card)
    assert asked_to_leave_a_trial(card)


def test_card_without_a_data_partition_keeps_nothing_from_starting(card: Path) -> None:
    use(card, card / "nothing")

    step(card, "true")
    assert "does not know who it is" in told(card)


def test_full_card_is_told_and_used(card: Path) -> None:
    fill = "dd if=/dev/zero of=$ROOT/data/node/fill bs=1M 2>/dev/null; true"
    assert "" == step(card, fill)

    assert "who I am" == step(card, "cat $ROOT/var/lib/watchlink-node/node.toml")
    assert "The card is full" in told(card)


def test_card_that_comes_late_is_waited_for(card: Path) -> None:
    device = card / "data.img"
    device.rename(card / "late.img")
    comes = f"[ \"$*\" = 'wait --timeout=10 {device}' ] && mv {card}/late.img {device}"
    (card / "tools/udevadm").write_text(f"#!/bin/sh\n{comes}\n")

    assert "who I am" == step(card, "cat $ROOT/var/lib/watchlink-node/node.toml")
    assert "" == told(card)


def test_step_that_is_run_again_leaves_everything_as_it_is(card: Path) -> None:
    said = step(card, f"echo kept >$ROOT/data/node/x; {STEP} $ROOT; cat $ROOT/var/lib/watchlink-node/x")

    assert "kept\n" == said
    assert "" == told(card)


def test_fault_that_is_over_is_no_longer_told(card: Path) -> None:
    device = card / "data.img"
    use(card, card / "nothing")
    step(card, "true")
    use(card, device)
    step(card, "true")

    assert "" == told(card)


def test_card_that_hangs_is_told_and_gives_no_folder(card: Path) -> None:
    """What would be written then lies in memory: no seed may be taken into it."""
    hangs = card / "tools/dd"
    hangs.write_text("#!/bin/sh\nkill -9 $(cat $ROOT/pid)\n")
    hangs.chmod(0o755)
    script = f"echo $$ >{card}/pid; export ROOT={card} PATH={hangs.parent}:$PATH; exec {STEP} {card}"
    subprocess.run(["unshare", "--mount", "sh", "-c", script], check=False, capture_output=True)

    assert "The card does not answer" in told(card)
