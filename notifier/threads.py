"""A few threads for libraries that wait. Nobody waits for them: a program that ends does not ask whom they wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


class Threads:
    """At most so many at once. A place is free again when its thread has ended, not when somebody lost patience.

    Args:
        name: of the threads.
        at_once_max: how many.
    """

    def __init__(self, name: str, at_once_max: int) -> None:
        self._name = name
        self._places = asyncio.Semaphore(at_once_max)

    async def place(self) -> None:
        """Wait for a place; :meth:`run` gives it back, or :meth:`leave`."""
        await self._places.acquire()

    def leave(self) -> None:
        """Give the place back that was waited for, and do nothing."""
        self._places.release()

    async def run(self, do: Callable[[], T]) -> T:
        """Do it in the place that was waited for.

        Raises:
            Exception: what ``do`` raises.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, error: BaseException | None) -> None:
            self._places.release()
            if done.done():
                return
            if error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)  # type: ignore[arg-type]  # no error: it is a T

        def work() -> None:
            result, error = None, None
            try:
                result = do()
            except BaseException as e:  # noqa: BLE001 - it is raised where it is waited for
                error = e
            # The loop may have ended meanwhile.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, result, error)

        threading.Thread(target=work, name=self._name, daemon=True).start()
        return await done
