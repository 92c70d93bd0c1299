"""The enrolment service on a thread, for tests of what asks it: with its socket and TLS, without its process."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from collections.abc import Iterator
from typing import Any

from enrolment.app import EnrolmentService
from enrolment.config import load_configuration
from runtime.logs import FactLog
from runtime.service import Service
from runtime.stop_request import StopRequest
from tests.support.enrolling_town import EnrollingTown


class ServiceThread:
    """A running service. ``port`` is where it listens."""

    def __init__(self, town: EnrollingTown) -> None:
        self.town = town
        self._told = io.StringIO()
        self._service = EnrolmentService(load_configuration(town.config), FactLog(self._told), Service())
        self.port = int(self.facts("listening")[0]["url"].rstrip("/").rpartition(":")[2])
        self._stopping = StopRequest()
        self._thread = threading.Thread(target=self._service.run, args=(self._stopping,))
        self._thread.start()

    def facts(self, name: str) -> list[dict[str, Any]]:
        """Those that were told."""
        return [one for one in map(json.loads, self._told.getvalue().splitlines()) if one["fact"] == name]

    def end(self) -> None:
        """In order."""
        self._stopping.set()
        self._thread.join()


@contextlib.contextmanager
def service_thread(town: EnrollingTown) -> Iterator[ServiceThread]:
    """A service that is ended in any case."""
    service = ServiceThread(town)
    try:
        yield service
    finally:
        service.end()
