"""Opens a town: makes it, starts it, and clears it away afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

from demo.chronicle import Chronicle
from demo.fitting import TownError, new_folder
from demo.guardian_pipe import Guardian
from demo.notice import Notice
from demo.premises import TownPlan
from demo.town import Town


class StoppedEarlyError(TownError):
    """The person stopped it before it was up."""


@contextlib.asynccontextmanager
async def open_town(
    keep: Path | None = None, stopped: asyncio.Event | None = None, plan: TownPlan | None = None
) -> AsyncIterator[Town]:
    """A running town; stopped and cleared away afterwards.

    Args:
        plan: of the town; default: four premises without radio.
        keep: make it in this folder, which must be new or empty, and keep it.
        stopped: if set while the town is starting, it stops at once.

    Raises:
        TownError: something is missing, or does not start.
    """
    base = new_folder(keep)
    guardian = Guardian([base], is_kept=keep is not None)
    try:
        chronicle = Chronicle(time.monotonic_ns() / 1_000_000, Notice())
        town = Town(base / "town", guardian, chronicle, plan)
        try:
            await _start(town, stopped)
            yield town
        finally:
            await town.stop()
    finally:
        await asyncio.to_thread(guardian.dismiss)


async def _start(town: Town, stopped: asyncio.Event | None) -> None:
    starting = asyncio.ensure_future(town.start())
    giving_up = asyncio.ensure_future((stopped or asyncio.Event()).wait())
    try:
        await asyncio.wait((starting, giving_up), return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            raise StoppedEarlyError("stopped before it was up")
        starting.result()
    finally:
        for task in (starting, giving_up):
            task.cancel()
        await asyncio.gather(starting, giving_up, return_exceptions=True)
