"""A crowd of nodes, each a raw connection with its own certificate, that all press at once."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from msgspec import Struct

from bench.mqtt_client import RawClient, connect
from wire.ids import NodeId, node_text
from wire.topics import Down, DownTopic, FrameTopic

CONNECTING_AT_ONCE: Final = 50
ANSWER_DEADLINE_S: Final = 60.0


class Presser(Struct, frozen=True):
    """One node of the crowd: its identity and what it will publish."""

    node: NodeId
    scheme: str
    folder: Path
    payload: bytes


class StormResult(Struct, frozen=True):
    """When each answer came, from the first press.

    Attributes:
        answers_ms: sorted; one for each presser, fewer if some never came.
        payloads: the first answer to each presser, verified after the clock has stopped.
    """

    answers_ms: list[float]
    payloads: dict[NodeId, bytes]


class Crowd:
    """Connected pressers. ``async with Crowd(...)`` connects them all, and closes them all.

    Attributes:
        pressers: all of them.
    """

    def __init__(self, port: int, pressers: list[Presser]) -> None:
        self._port = port
        self.pressers = pressers
        self._clients: dict[NodeId, RawClient] = {}
        self._answers: dict[NodeId, tuple[float, bytes]] = {}
        self._all_answered = asyncio.Event()

    async def __aenter__(self) -> Self:
        places = asyncio.Semaphore(CONNECTING_AT_ONCE)

        async def join(presser: Presser) -> None:
            context = ssl.create_default_context(cafile=str(presser.folder / "ca.pem"))
            context.load_cert_chain(presser.folder / "client.pem", presser.folder / "client.key")
            async with places:
                self._clients[presser.node] = await connect(
                    node_text(presser.node),
                    self._port,
                    context,
                    (str(DownTopic(presser.node, Down.RECEIPT)),),
                    self._taker(presser.node),
                )

        await asyncio.gather(*(join(presser) for presser in self.pressers))
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()
        await asyncio.sleep(0)

    async def press_all(self) -> StormResult:
        """Publish once for every presser, as fast as one process can; wait for the last answer, at most a minute."""
        self._answers.clear()
        self._all_answered.clear()
        start_s = time.perf_counter()
        for at, presser in enumerate(self.pressers):
            self._clients[presser.node].publish(str(FrameTopic(presser.scheme, presser.node)), presser.payload)
            if at % 100 == 99:  # noqa: PLR2004 - let answers in: a real crowd is many machines
                await asyncio.sleep(0)
        with contextlib.suppress(TimeoutError):  # the caller sees how many are missing
            await asyncio.wait_for(self._all_answered.wait(), ANSWER_DEADLINE_S)
        return StormResult(
            sorted((answered_s - start_s) * 1_000 for answered_s, _ in self._answers.values()),
            {node: payload for node, (_, payload) in self._answers.items()},
        )

    def _taker(self, node: NodeId) -> Callable[[str, bytes], None]:
        def take(_topic: str, payload: bytes) -> None:
            if node not in self._answers:
                self._answers[node] = (time.perf_counter(), payload)
                if len(self._answers) == len(self.pressers):
                    self._all_answered.set()

        return take
