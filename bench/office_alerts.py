"""The alerts of one node, one after another, to a real central: alone, and beside what people do at the office."""

from __future__ import annotations

import asyncio
import ssl
import statistics
import time
from collections.abc import Callable
from typing import Final

from bench import town
from bench.mqtt_client import RawClient, connect
from bench.office_work import Beside
from bench.percentiles import percentile, told
from provisioning.fleet import Fleet
from wire.ids import parse_node
from wire.topics import Down, DownTopic, FrameTopic

WARM_UP: Final = 50
ANSWER_DEADLINE_S: Final = 30.0
BAR_RATIO: Final = 1.2


class PressingNode:
    """One node, raw: its next alert goes when the last one's receipt is here. Counters rise over all rounds."""

    def __init__(self, fleet: Fleet) -> None:
        (record,) = fleet.nodes
        self._fleet = fleet
        self._node = parse_node(record.node)
        self._text = record.node
        self._folder = fleet.node_folder(record.node)
        self._counter = 0
        self._press(WARM_UP)

    def print_beside(self, what: str, work: Callable[[], None], *, presses: int, times: int, rounds: int) -> None:
        """Press alone, then while ``work`` is done, in each round.

        Args:
            what: the work, for people.
            work: done again and again.
            presses: of each half of a round; beside the work there are more, until it was done often enough.
            times: that the work is done at least, from the first press to the last.
            rounds: of which the median counts.
        """
        ratios = []
        for number in range(1, rounds + 1):
            alone = self._press(presses)
            with Beside(work) as beside:
                during = self._press(presses, lambda beside=beside: beside.done() >= times)  # type: ignore[misc]
            ratios.append(percentile(during, 99) / percentile(alone, 99))
            print(
                f"  round {number}: alone {told(alone)}; while the office {what} {told(during)} ({len(during)} presses)"
            )
        print(f"  p99 {statistics.median(ratios):.2f} x alone, median of {len(ratios)} rounds (bar {BAR_RATIO})")

    def _press(self, count: int, is_enough: Callable[[], bool] = lambda: True) -> list[float]:
        """Milliseconds from each press to its receipt: ``count`` of them, and more until it is enough."""
        return asyncio.run(self._press_on_one_connection(count, is_enough))

    async def _press_on_one_connection(self, count: int, is_enough: Callable[[], bool]) -> list[float]:
        context = ssl.create_default_context(cafile=str(self._folder / "ca.pem"))
        context.load_cert_chain(self._folder / "client.pem", self._folder / "client.key")
        answered = asyncio.Event()
        topic = str(DownTopic(self._node, Down.RECEIPT))
        client = await connect(
            self._text, self._fleet.record.broker.port, context, (topic,), lambda _topic, _payload: answered.set()
        )
        values: list[float] = []
        try:
            while len(values) < count or not is_enough():
                values.append(await self._press_once(client, answered))
        finally:
            client.close()
            await asyncio.sleep(0)
        return values

    async def _press_once(self, client: RawClient, answered: asyncio.Event) -> float:
        self._counter += 1
        frame = town.signed_alert(self._folder, self._text, int(time.time()), self._counter)
        answered.clear()
        began_s = time.perf_counter()
        client.publish(str(FrameTopic(town.SCHEME, self._node)), frame)
        await asyncio.wait_for(answered.wait(), ANSWER_DEADLINE_S)
        return (time.perf_counter() - began_s) * 1_000
