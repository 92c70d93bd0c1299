"""Fetches the office's snapshots of one name over mutual TLS into a folder, for a program on another machine.

The folder is then watched by a :class:`runtime.snapshot_folder.SnapshotFolder`, which verifies what lies in it: here
nothing is trusted but the certificates. The office answers as soon as there is a newer number, so a change arrives
within a second or so.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from runtime.atomic import PRIVATE, write_atomic
from runtime.config import ConfigError
from runtime.tls import client_context, describe_fault
from wire.limits import SNAPSHOT_BYTES_MAX
from wire.snapshots import SnapshotName, file_name, parse_file_name

logger = logging.getLogger(__name__)

ANSWER_WITHIN_S: Final = 45.0
"""The office answers after 25 s even if there is nothing new."""
EVERY_S: Final = 0.5
"""Between two that bring something, however quickly the office has more: alerts are written to the same disk."""
BYTES_PER_S: Final = 4_194_304
"""After a large one it is longer, for the same reason."""
FIRST_DELAY_S: Final = 1.0
DELAY_MAX_S: Final = 60.0
FILES_KEPT: Final = 3
_READ_BYTES: Final = 65_536


class Credentials(Struct, frozen=True):
    """PEM files: the town's CA, and this program's certificate and key by it."""

    ca_file: Path
    certificate_file: Path
    key_file: Path


class FetchError(Exception):
    """The office answered something unusable; one sentence without a full stop."""


class SnapshotFetcher:
    """One name, on a thread of its own. No fault ends it.

    Args:
        url: of the office's publisher, ``https://HOST:PORT``.
        name: of the snapshots.
        folder: where the files are put; made if missing.
        credentials: read at each connection, so that a renewed certificate is used.
        on_fault: takes one sentence when what is wrong changes, and ``""`` when all is well again; on the thread.
        is_optional: an older office has none of this name, which is no fault.

    Raises:
        ConfigError: ``url`` is no such URL.
    """

    def __init__(
        self,
        url: str,
        name: SnapshotName,
        folder: Path,
        credentials: Credentials,
        *,
        on_fault: Callable[[str], None],
        is_optional: bool = False,
    ) -> None:
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port or 443
        except ValueError as e:
            raise ConfigError(f"{url}: not an address such as https://office.example.org:8091") from e
        if parts.scheme != "https" or not self._host or parts.path not in {"", "/"}:
            raise ConfigError(f"{url}: not an address such as https://office.example.org:8091")
        self._name = name
        self._folder = folder
        self._credentials = credentials
        self._on_fault = on_fault
        self._is_optional = is_optional
        self._fault = ""
        self._has_lower = False
        self._kept_bytes = 0
        self._is_stopping = threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name=f"{name} fetcher", daemon=True)

    @property
    def fault(self) -> str:
        """What is wrong, as one sentence; empty = nothing."""
        return self._fault

    def start(self) -> None:
        """Begin to fetch."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end, even while it waits for an answer. From any thread, more than once."""
        self._is_stopping.set()
        waiting = self._socket
        if waiting is not None:
            with contextlib.suppress(OSError):
                waiting.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        self._tidy()
        delay_s = FIRST_DELAY_S
        while not self._is_stopping.is_set():
            fault = self._fetch_and_say()
            if self._is_stopping.is_set():
                return
            self._tell(fault)
            if not fault and not self._has_lower:
                delay_s = FIRST_DELAY_S
                self._is_stopping.wait(pause_s(self._kept_bytes))
                continue
            # Jitter, so that after a fault of the office not all ask in the same second.
            self._is_stopping.wait(delay_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            delay_s = min(2 * delay_s, DELAY_MAX_S)

    def _tidy(self) -> None:
        """Remove what a kill in the middle of writing has left."""
        with contextlib.suppress(OSError):
            for path in self._folder.glob(f".{self._name}-*.json.*"):
                path.unlink(missing_ok=True)

    def _tell(self, fault: str) -> None:
        if fault == self._fault:
            return
        self._fault = fault
        if fault:
            logger.warning("%s", fault)
        try:
            self._on_fault(fault)
        except Exception:
            logger.exception("a fault was not taken")

    def _fetch_and_say(self) -> str:
        """Fetch once. Returns what is wrong, as one sentence."""
        remembered: list[OSError] = []
        try:
            self._fetch(remembered)
        except (ConfigError, FetchError) as e:
            fault = str(e)
        except OSError as e:
            fault = self._describe(remembered[0] if remembered else e)
        except http.client.HTTPException as e:
            fault = f"the office at {self._host}:{self._port} sends no answer that can be read ({type(e).__name__})"
        except Exception as e:
            logger.exception("fetching snapshots failed")
            fault = f"an error in Watchlink itself: {type(e).__name__}"
        else:
            return ""
        return f"New {self._name} snapshots cannot be fetched: {fault}."

    def _describe(self, error: OSError) -> str:
        # asyncio's server hangs up on a certificate that it refuses, without saying so.
        is_hang_up = isinstance(error, (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError)) or (
            isinstance(error, ssl.SSLError) and not error.reason
        )
        if not is_hang_up:
            return describe_fault(error, self._host, self._port, "office").detail
        return (
            f"the office at {self._host}:{self._port} closes the connection. It is stopping, or it refuses our"
            " certificate: one of another CA, or one that has expired"
        )

    def _fetch(self, remembered: list[OSError]) -> None:
        self._kept_bytes = 0
        paths = self._credentials
        context = client_context(paths.ca_file, paths.certificate_file, paths.key_file, remembered.append)
        after = max(self._numbers(), default=0)
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=ANSWER_WITHIN_S, context=context)
        try:
            connection.connect()
            self._socket = connection.sock
            if self._is_stopping.is_set():
                return
            connection.request("GET", f"/snapshots/{self._name}?after={after}")
            answer = connection.getresponse()
            if answer.status == http.client.NO_CONTENT:
                return
            if answer.status == http.client.NOT_FOUND and self._is_optional:
                self._has_lower = True  # Asked again, ever less often, until the office is updated.
                return
            if answer.status != http.client.OK:
                raise FetchError(f"the office at {self._host}:{self._port} answers with status {answer.status}")
            number = self._number(answer.getheader("etag", ""))
            # A lower one is kept beside: who watches the folder refuses it and says why. It is not fetched in a loop.
            self._has_lower = number <= after
            self._keep(number, self._read(answer))
        finally:
            self._socket = None
            connection.close()

    def _number(self, etag: str) -> int:
        parsed = parse_file_name(f"{etag.strip(chr(34))}.json")
        if parsed is None or parsed[0] != self._name:
            raise FetchError(f"the office at {self._host}:{self._port} does not say which number it sends")
        return parsed[1]

    def _read(self, answer: http.client.HTTPResponse) -> bytes:
        length = answer.length
        if length is None or length > SNAPSHOT_BYTES_MAX:
            raise FetchError(f"the office at {self._host}:{self._port} sends too much, or does not say how much")
        ends_s = time.monotonic() + ANSWER_WITHIN_S
        parts: list[bytes] = []
        while length:
            part = answer.read(min(length, _READ_BYTES))
            if not part:
                raise FetchError(f"the office at {self._host}:{self._port} broke off in mid-answer")
            if time.monotonic() > ends_s:
                raise FetchError(f"the office at {self._host}:{self._port} sends too slowly")
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _keep(self, number: int, data: bytes) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomic(self._folder / file_name(self._name, number), data, PRIVATE)
            self._kept_bytes = len(data)
            for old in sorted(self._numbers())[:-FILES_KEPT]:
                if old != number:
                    (self._folder / file_name(self._name, old)).unlink(missing_ok=True)
        except OSError as e:
            raise FetchError(f"{self._folder} cannot be written: {e.strerror}") from e

    def _numbers(self) -> list[int]:
        try:
            parsed = [parse_file_name(path.name) for path in self._folder.iterdir()]
        except FileNotFoundError:
            return []
        return [each[1] for each in parsed if each is not None and each[0] == self._name]


def pause_s(kept_bytes: int) -> float:
    """How long to wait after an answer of which so much was kept."""
    return max(EVERY_S, kept_bytes / BYTES_PER_S)
