"""Storm: every premises of a big town presses at the same moment. When does the last one have its receipt?"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from bench import town
from bench.crowd import Crowd, Presser, StormResult
from wire.directory import open_directory
from wire.frames import DigestReceipt, Frame, Receipt, decode, frame_digest
from wire.ids import CENTRAL
from wire.signing import PublicKey


def run(nodes: int) -> None:
    """Print a storm of ``nodes``, and the same crowd against the reference server just before it."""
    with tempfile.TemporaryDirectory(prefix="watchlink-bench-") as folder:
        base = Path(folder)
        fleet = town.make_fleet(base / "town", nodes)
        log = base / "log"
        with town.broker(fleet):
            with town.reference(fleet, base / "reference.db", log):
                crowd = town.pressers(fleet, town.unsigned_press, 0)
                reference = asyncio.run(_storm(fleet.record.broker.port, crowd))
            with town.central(fleet, log) as central:
                crowd = town.pressers(fleet, town.signed_alert, int(time.time()))
                ours = asyncio.run(_storm(fleet.record.broker.port, crowd))
                memory_kb = town.memory_kb(central.pid, "VmHWM")
        verified = _verified(ours, crowd, fleet.layout.directory, fleet.layout.authority / "authority.pub")
        _print(nodes, reference, ours, verified, memory_kb)


async def _storm(port: int, pressers: list[Presser]) -> StormResult:
    async with Crowd(port, pressers) as crowd:
        return await crowd.press_all()


def _verified(result: StormResult, crowd: list[Presser], directory_file: Path, authority_file: Path) -> int:
    """How many answers are genuine receipts: signed by central, for this presser's own bytes."""
    authority = PublicKey(bytes.fromhex(authority_file.read_text().strip()))
    central_key = open_directory(directory_file.read_bytes(), authority).senders[CENTRAL].key
    count = 0
    for presser in crowd:
        signed = decode(result.payloads[presser.node]) if presser.node in result.payloads else None
        if signed and _is_of(signed.frame, presser.payload):
            signed.verify(central_key)
            count += 1
    return count


def _is_of(frame: Frame, alert: bytes) -> bool:
    """Whether it is the receipt of these bytes; one without a digest, of their number."""
    if isinstance(frame, DigestReceipt):
        return frame_digest(alert).startswith(frame.digest) and frame.target == decode(alert).frame.id
    return isinstance(frame, Receipt) and frame.target == decode(alert).frame.id


def _print(nodes: int, reference: StormResult, ours: StormResult, verified: int, memory_kb: int) -> None:
    print(f"storm of {nodes}, all pressing at once, mTLS (receipts verified after the clock stopped)")
    for name, result in (("reference", reference), ("watchlink", ours)):
        answers = result.answers_ms
        if not answers:
            print(f"  {name}: no answer")
            continue
        half = answers[len(answers) // 2]
        print(f"  {name}: {len(answers)} answered, median {half:.0f} ms, last {answers[-1]:.0f} ms")
    if reference.answers_ms and ours.answers_ms:
        ratio = ours.answers_ms[-1] / reference.answers_ms[-1]
        print(f"  last receipt {ratio:.2f} x reference (bar 3)   true receipts {verified}/{nodes}")
    print(f"  central's peak memory {memory_kb / 1024:.0f} MB")
