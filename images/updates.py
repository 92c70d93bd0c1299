"""``make image-test``: updates of a unit in QEMU: a good one, a bad one that goes back by itself, and power cuts."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shlex
import shutil
import socket
import struct
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Final, Self

from appliance.slots.autoboot import BOOT_PARTITIONS
from central.core.unit_lines import UnitFacts
from central.core.view import Board
from images.boot import PATIENCE_S, Bench, Story
from images.errors import CardError
from images.firmware import boot_partition
from images.shelf import Shelf
from wire.fleet_files import RELEASES
from wire.messages import UpdateReport

BASE: Final = "0.1.0.1"
STEPS: Final = {"download": 5.0, "write": 15.0, "switch": 3.0, "first boot": 40.0, "commit": 40.0}
"""Of an update, and within how many seconds of its beginning the power is cut."""
UPDATED_WITHIN_S: Final = 1_800.0
"""An emulated processor takes minutes to check what it fetches."""
_OF_ONE_UPDATE: Final = tuple(
    ("download", "write", *pair) for pair in (("switch", "commit"), ("switch", "first boot"), ("first boot", "commit"))
)
"""A version is tried twice, so only two of the last three steps can be cut in one update."""
_SPARE: Final = 2
"""So many rounds of these more than are needed: an update may end before a cut."""
_TRIES: Final = "Started watchlink-appliance.service"
ENDED: Final = ("taken", "returned", "refused")
_NONE: Final = UpdateReport(serial=0, version="", state="")
"""No release has come."""
SUPPORT_ENDS: Final = "2031-12-31"
_NTP_PORT: Final = 123
_NTP_BYTES: Final = 48
_NTP_EPOCH_S: Final = 2_208_988_800
"""From 1900 to 1970 (RFC 4330, section 3)."""


class TimeServer:
    """Answers units that ask for the time. Debian's servers would each take the place of the machine's own.

    Source: RFC 4330, section 4.

    Attributes:
        is_silent: it hears them, and does not answer.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", _NTP_PORT))
        self.is_silent = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, name="time server", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                asked, who = self._socket.recvfrom(_NTP_BYTES)
                if len(asked) == _NTP_BYTES and not self.is_silent:
                    self._socket.sendto(self._answer(asked), who)

    @staticmethod
    def _answer(asked: bytes) -> bytes:
        now = round((time.time() + _NTP_EPOCH_S) * 2**32).to_bytes(8)
        # Version 4, mode server; stratum 2, precision a microsecond; no delay, no dispersion; any reference.
        head = struct.pack(">BBbbII4s", 0x24, 2, asked[2], -20, 0, 0, b"\x7f\x00\x00\x01")
        return head + now + asked[40:48] + now + now


def without_a_node(root: Path) -> None:
    """A bad version: its node ends at once."""
    unit = root / "etc/systemd/system/watchlink-node.service"
    text = unit.read_text(encoding="utf-8")
    unit.write_text(text.replace("\nExecStart=", "\nExecStart=/bin/false\n#", 1), encoding="utf-8")


class Updates:
    """What the fleet publishes, and what becomes of it at the unit."""

    def __init__(self, bench: Bench, story: Story) -> None:
        self._bench = bench
        self._story = story

    async def publish(self, bundle: Path, percent: int = 100) -> None:
        """Sign a release for so many units, and bring it to the enrolment service."""
        site = self._bench.site
        await self._release("publish", str(bundle), "--support-ends", SUPPORT_ENDS, "--percent", str(percent))
        for one in (site.town.folder / RELEASES).iterdir():
            target = site.enrolment.parent / RELEASES / one.name
            target.parent.mkdir(exist_ok=True)
            if one.is_file() and not target.exists():
                shutil.copyfile(one, target)
        self._story.say("published", bundle=bundle.name)

    async def widen(self) -> None:
        """The newest release is for everybody."""
        await self._release("widen", "--percent", "100")

    async def pause(self) -> None:
        """No unit begins the newest release any more."""
        await self._release("pause")
        self._story.say("paused")

    async def _release(self, *words: str) -> None:
        site = self._bench.site
        where = ("--dir", str(site.town.folder), "--yes", "--reload-command", shlex.join(site.apply))
        await site.watchlink("fleet", "release", *words, *where)

    async def until(self, version: str, state: str, *, of: str = "", because: str = "") -> UnitFacts:
        """Wait until central's page shows that the unit has booted ``version``, and this of the newest release.

        Args:
            version: that runs.
            state: of the update; empty = there has been none.
            of: version of the release, if it is not to be any.
            because: in the reason.

        Raises:
            NeverCameError: it never did.
        """
        found: list[UnitFacts] = []

        def is_so(board: Board) -> bool:
            facts = self._facts(board)
            if facts is None:
                return False
            told = facts.update or _NONE
            if (facts.image, told.state) == (version, state) and of in ("", told.version) and because in told.reason:
                found.append(facts)
            return bool(found)

        what = f"the unit ran {version}, {of or 'the newest release'} {state} {because}"
        await self._bench.town.watch_room.board_when(what, is_so, UPDATED_WITHIN_S)
        facts = found[-1]
        told = facts.update or _NONE
        self._story.say("booted", version=version, slot=facts.slot, release=told.version, state=state, why=told.reason)
        return facts

    async def until_ended(self, version: str) -> dict[str, str]:
        """Wait until the update to a version has ended; returns how, and which version runs.

        Raises:
            NeverCameError: it goes on and on.
        """
        found: dict[str, str] = {}

        def is_so(board: Board) -> bool:
            facts = self._facts(board)
            if facts is not None and facts.update and facts.update.version == version and facts.update.state in ENDED:
                found.update(state=facts.update.state, why=facts.update.reason, runs=facts.image or "")
            return bool(found)

        await self._bench.town.watch_room.board_when(f"the update to {version} ended", is_so, UPDATED_WITHIN_S)
        return found

    async def reach(self, step: str, version: str) -> bool:
        """Wait until the update to a version is in this step, or past it.

        Returns:
            whether it is; ``False`` = it has ended before.

        Raises:
            CardError: neither.
        """
        bench, unit = self._bench, self._bench.unit
        deadline = time.monotonic() + UPDATED_WITHIN_S
        while time.monotonic() < deadline:
            facts = self._facts(await bench.town.watch_room.board())
            update = facts.update if facts is not None else None
            state = update.state if update is not None and update.version == version else ""
            said = bench.said
            match step:
                case "download":
                    is_there = state == "fetching"
                case "write":
                    is_there = "rauc" in said
                case "switch":
                    is_there = "reboot: Restarting system" in said or "Stopping watchlink-node" in said
                case "first boot":
                    is_there = bench.has_restarted
                case _:  # Central hears of a trial only after it, when it is hurried.
                    is_there = bench.has_restarted and _TRIES in unit.console[unit.started_at :]
            if is_there or state in ENDED:
                return is_there
            await asyncio.sleep(0.2)
        raise CardError(f"the update to {version} never came to its step “{step}”")

    async def facts(self) -> UnitFacts:
        """What the unit says of itself, as soon as it has."""
        board = await self._bench.town.watch_room.board_when(
            "the unit said which system runs", lambda board: self._facts(board) is not None, PATIENCE_S
        )
        facts = self._facts(board)
        assert facts is not None, "it was just there"
        return facts

    def _facts(self, board: Board) -> UnitFacts | None:
        found = next((line for line in board.nodes if line.node == self._bench.node), None)
        facts = None if found is None or found.state not in ("ok", "fault") else found.facts
        return facts if facts is not None and facts.image else None

    async def press(self) -> None:
        """A press that central receives, and is acknowledged and closed."""
        card = await self._bench.press()
        room = self._bench.town.watch_room
        await self._bench.face("received", "answered")
        await room.acknowledge(card.incident)
        await room.close(card.incident, "Attended")
        self._story.say("pressed", incident=card.incident)


async def good_and_bad(bench: Bench, story: Story, shelf: Shelf) -> None:
    """A good version is taken, a bad one goes back by itself; the unit delivers presses before and after each.

    Raises:
        CardError: the card boots another system than the one that works.
    """
    updates = Updates(bench, story)
    await updates.until(BASE, "")
    await updates.press()
    good, bundle = await shelf.whole()
    await updates.publish(bundle)
    taken = await updates.until(good, "taken")
    check_boots(bench, taken.slot, "b")
    await updates.press()
    bad, bundle = await shelf.whole(without_a_node)
    await updates.publish(bundle)
    returned = await updates.until(good, "returned", of=bad)
    check_boots(bench, returned.slot, "b")
    await updates.press()
    story.say("starts", partitions=bench.unit.starts)


async def power_cuts(bench: Bench, story: Story, shelf: Shelf, times: int, seed: int) -> None:
    """Cut the power in each step of updates, ``times`` times; then the unit comes up, and a press is received.

    Args:
        bench: with a unit that is armed.
        story: is told.
        shelf: of good versions.
        times: in each step.
        seed: of the moments.

    Raises:
        CardError, NeverCameError: it did not come up, the press never came, or updates ended too often before a cut.
    """
    updates, chance = Updates(bench, story), random.Random(seed)  # noqa: S311 - to be played again
    left = Counter(dict.fromkeys(STEPS, times))
    for steps in _OF_ONE_UPDATE * (times // 2 + _SPARE):
        if not left & Counter(steps):
            continue
        version, bundle = await shelf.whole()
        await updates.publish(bundle)
        bundle.unlink()
        for step in steps:
            if left[step] <= 0 or not await updates.reach(step, version):
                continue
            await asyncio.sleep(chance.uniform(0, STEPS[step]))
            await bench.switch_off()
            left[step] -= 1
            story.say("cut", step=step, version=version, starts=len(bench.unit.starts), left=left.total())
            await bench.start()
            await updates.press()
        story.say("ended", version=version, **await updates.until_ended(version))
    if left.total():
        raise CardError(f"updates ended before the power could be cut in: {dict(+left)}")


def check_boots(bench: Bench, told: str | None, slot: str | None) -> None:
    """Make sure that the unit says this slot, and that its card boots it by itself.

    Raises:
        CardError: it is another.
    """
    wanted = next((partition for one, partition in BOOT_PARTITIONS.items() if one == slot), None)
    boots = boot_partition(bench.unit.card, is_trying=False)
    if (told, boots) != (slot, wanted):
        raise CardError(f"the unit says slot {told}, and its card boots partition {boots}; it should be slot {slot}")
