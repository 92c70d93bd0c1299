"""``watchlink demo --script flood``: quiet, then one member floods in each way, while the others press.

Mosquitto, central, the door's rules and the members are real; every member has its own network namespace and address.
Quiet stretches lie between the floods, so that a slow machine slows both sides of the ratio.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from msgspec import Struct

from demo.fitting import TownError, mosquitto, watchlink
from demo.flood.flooder import KINDS
from demo.flood.streets import HALL_ADDRESS, Streets
from provisioning.fleet import Fleet, NewNode

WHAT: Final = "one member floods in every way; needs root, iproute2 and nftables"
PORT: Final = 8883
NEIGHBOURS: Final = 4
STOLEN: Final = 2
"""Stolen units: the one that floods, and one whose frames it claims to have heard."""
QUIET_S: Final = 8.0
FLOOD_S: Final = 30.0
"""Some 480 presses: of a third of them the p99 is the second slowest, which one pause of the disk decides."""
SETTLE_S: Final = 3.0
"""Time after a flood before a quiet stretch begins."""
RATIO_MAX: Final = 3.0
READY_WITHIN_S: Final = 120.0
_PERCENT: Final = 100


class Setting(Struct, frozen=True):
    """Which defences are on; the product has all."""

    is_door_closed: bool = True
    has_alerts_lane: bool = True
    kinds: tuple[str, ...] = tuple(KINDS)
    flood_s: float = FLOOD_S


@dataclass(slots=True)
class Stretch:
    """A period and its presses; ``is_played``: if a flood, the broker accepted the flooder."""

    name: str
    from_s: float
    until_s: float
    latencies_ms: list[float] = field(default_factory=list)
    is_played: bool = True

    def figures(self) -> tuple[int, float, float]:
        """Number of presses, p50, p99."""
        ordered = sorted(self.latencies_ms)
        if not ordered:
            return 0, 0.0, float("inf")
        return len(ordered), statistics.median(ordered), ordered[min(len(ordered) - 1, len(ordered) * 99 // _PERCENT)]


class Pressers:
    """The honest members' programs, and all their receipted presses."""

    def __init__(self) -> None:
        self.pressed: list[tuple[float, float]] = []
        self.lost = 0
        self.ready = 0
        self._programs: list[asyncio.subprocess.Process] = []
        self._reading: list[asyncio.Task[None]] = []

    async def add(self, command: list[str]) -> None:
        """Start one more presser."""
        program = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._programs.append(program)
        self._reading.append(asyncio.create_task(self._read(program)))

    async def end(self) -> None:
        """End the presses; returns when each is receipted or lost."""
        for program in self._programs:
            if program.stdin:
                program.stdin.close()
        await asyncio.gather(*self._reading)
        for program in self._programs:
            await program.wait()

    def kill(self) -> None:
        """Kill the programs, whatever happened."""
        for program in self._programs:
            with contextlib.suppress(ProcessLookupError):
                program.kill()

    async def _read(self, program: asyncio.subprocess.Process) -> None:
        assert program.stdout
        has_ended = False
        while line := (await program.stdout.readline()).decode().split():
            match line:
                case ["ready"]:
                    self.ready += 1
                case ["lost", count]:
                    has_ended = True
                    self.lost += int(count)
                case [at, latency]:
                    self.pressed.append((float(at), float(latency)))
        if not has_ended:
            self.lost += 1  # it died, so its last presses are unknown


async def play(out: TextIO, *, is_json: bool, setting: Setting | None = None) -> bool:
    """Play everything; returns whether the bar holds.

    Raises:
        TownError: something is missing, or does not start.
    """
    started_s = time.monotonic()
    async with _town(setting or Setting()) as (streets, fleet):
        pressers = Pressers()
        try:
            stretches = await _stretches(streets, fleet, pressers, setting or Setting(), out, is_json=is_json)
        finally:
            pressers.kill()
    return _tell(stretches, pressers, out, is_json=is_json, seconds=time.monotonic() - started_s)


async def _stretches(
    streets: Streets, fleet: Fleet, pressers: Pressers, setting: Setting, out: TextIO, *, is_json: bool
) -> list[Stretch]:
    thief, other, *honest = fleet.nodes
    for number, node in enumerate(honest, start=1):
        folder = str(fleet.node_folder(node.node))
        command = [sys.executable, "-m", "demo.flood.neighbour", folder, node.node, HALL_ADDRESS, str(PORT)]
        await pressers.add(streets.within_house(number, command))
    await _until(lambda: pressers.ready == len(honest) and bool(pressers.pressed), "the members press")
    await asyncio.sleep(SETTLE_S)
    stretches = []
    for kind in setting.kinds:
        stretches.append(await _stretch("quiet", QUIET_S))
        stolen = [part for node in (thief, other) for part in (str(fleet.node_folder(node.node)), node.node)]
        command = [sys.executable, "-m", "demo.flood.flooder", kind, *stolen, HALL_ADDRESS, str(PORT)]
        flooder = await asyncio.create_subprocess_exec(
            *streets.within_house(0, [*command, str(setting.flood_s)]),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        stretches.append(await _stretch(kind, setting.flood_s))
        sent, _ = await flooder.communicate()
        stretches[-1].is_played = flooder.returncode == 0
        if not is_json:
            out.write(f"  {kind}: {sent.decode().strip() or 'it failed'}\n")
            out.flush()
        await asyncio.sleep(SETTLE_S)
    await pressers.end()
    for at_s, latency_ms in pressers.pressed:
        for stretch in stretches:
            if stretch.from_s <= at_s < stretch.until_s:
                stretch.latencies_ms.append(latency_ms)
    return stretches


async def _stretch(name: str, seconds: float) -> Stretch:
    from_s = time.monotonic()
    await asyncio.sleep(seconds)
    return Stretch(name, from_s, time.monotonic())


def _tell(stretches: list[Stretch], pressers: Pressers, out: TextIO, *, is_json: bool, seconds: float) -> bool:
    quiet = Stretch("quiet", 0, 0, [ms for s in stretches if s.name == "quiet" for ms in s.latencies_ms])
    _, _, quiet_p99 = quiet.figures()
    rows: list[dict[str, Any]] = []
    for stretch in (quiet, *(s for s in stretches if s.name != "quiet")):
        count, p50, p99 = stretch.figures()
        rows.append(
            {"flood": stretch.name, "presses": count, "p50_ms": p50, "p99_ms": p99, "ratio": round(p99 / quiet_p99, 2)}
        )
    unplayed = [stretch.name for stretch in stretches if not stretch.is_played]
    is_passed = (
        not unplayed and pressers.lost == 0 and all(row["presses"] and row["ratio"] <= RATIO_MAX for row in rows)
    )
    if is_json:
        out.writelines(json.dumps(row) + "\n" for row in rows)
        verdict = {"script": "flood", "verdict": "passed" if is_passed else "failed", "not_played": unplayed}
        alerts = {"lost": pressers.lost, "alerts": len(pressers.pressed) + pressers.lost, "untrue": 0}
        out.write(json.dumps({**verdict, **alerts}) + "\n")
        return is_passed
    out.write(f"\n{'press → receipt during':26} {'presses':>8} {'p50 ms':>8} {'p99 ms':>8} {'p99 / quiet':>12}\n")
    for row in rows:
        mark = "" if row["ratio"] <= RATIO_MAX else "  ✗"
        out.write(
            f"{row['flood']:26} {row['presses']:8} {row['p50_ms']:8.1f} {row['p99_ms']:8.1f}"
            f" {row['ratio']:12.2f}{mark}\n"
        )
    out.writelines(f"  {name}: the broker never accepted the flooder  ✗\n" for name in unplayed)
    out.write(
        f"\nflood {'passed' if is_passed else 'failed'}: {len(pressers.pressed)} alerts, {pressers.lost} lost;"
        f" the bar is p99 ≤ {RATIO_MAX:g} × quiet. {seconds:.0f} s.\n"
    )
    return is_passed


@contextlib.asynccontextmanager
async def _town(setting: Setting) -> AsyncIterator[tuple[Streets, Fleet]]:
    streets = Streets()
    with tempfile.TemporaryDirectory(prefix="watchlink-flood-") as folder:
        try:
            streets.build(1 + NEIGHBOURS)
            fleet = Fleet.init(Path(folder) / "town", schemes={"hart": "HART"}, host=HALL_ADDRESS, port=PORT)
            fleet.add_all([NewNode(f"Shop {number}", "", ["hart"]) for number in range(STOLEN + NEIGHBOURS)])
            if setting.is_door_closed:
                streets.close_door(fleet.layout.broker / "door.nft")
            if not setting.has_alerts_lane:
                (fleet.layout.central / "alerts.pem").unlink()
            broker = [mosquitto(), "-c", str(fleet.layout.broker / "mosquitto.conf")]
            central = watchlink("central", fleet.layout.central / "central.toml")
            with _running(streets.within_hall(broker), fleet.layout.town / "broker.log"):
                await asyncio.sleep(0.5)
                with _running(streets.within_hall(central), fleet.layout.town / "central.log") as central_log:
                    await _until(lambda: "linked to the broker" in central_log.read_text(), "central is linked")
                    yield streets, fleet
        finally:
            streets.clear()


@contextlib.contextmanager
def _running(command: list[str], log: Path) -> Iterator[Path]:
    with log.open("wb") as file:
        program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=file)
    try:
        yield log
    finally:
        program.terminate()
        try:
            program.wait(10)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()


async def _until(is_so: Any, what: str) -> None:  # noqa: ANN401
    give_up_s = time.monotonic() + READY_WITHIN_S
    while not is_so():
        if time.monotonic() > give_up_s:
            raise TownError(f"did not happen: {what}")
        await asyncio.sleep(0.1)
