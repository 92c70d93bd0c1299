"""Asks the enrolment service for the newest release, and fetches its bundle piece by piece (docs/enrolment.md).

Only the town's roots are believed, and of what comes only what the authority signed. A fetch that was cut, or is slower
than 4 kB a second, goes on later where it ended, also after a power cut.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import math
import os
import shutil
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from appliance.core import events
from appliance.identity import Identity
from runtime.bundle_folder import digest_of
from runtime.tls import describe_fault
from wire.errors import ReleaseError
from wire.limits import RELEASE_BYTES_MAX
from wire.release import BUNDLE_PATH, RELEASE_PATH, Bundle, open_release

logger = logging.getLogger(__name__)

WITHIN_S: Final = 60.0
"""For the connection, for an answer's head or a whole release, and for each piece, however slowly bytes come."""
PIECE_BYTES: Final = 262_144
"""Each is on the card before the next one comes: an alert that is saved meanwhile waits for one piece at most."""
LEAVE_FREE_BYTES: Final = 64 * 2**20
"""Of the data partition, for alerts and galleries: they come before anything that was fetched."""
RETRY_S_MAX: Final = 86_400
_BUSY: Final = frozenset({http.client.TOO_MANY_REQUESTS, http.client.SERVICE_UNAVAILABLE})


class _CutError(Exception):
    """No bytes now, or no more: one sentence, and when to ask again."""

    def __init__(self, reason: str, again_s: int = 0) -> None:
        super().__init__(reason)
        self.again_s = again_s


class _NoRoomError(Exception):
    """Alerts and galleries need what is free."""


class _Socket(ssl.SSLSocket):
    """One whose reading ends at a moment. A time limit alone begins anew with each byte."""

    until_s = math.inf

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:  # noqa: ANN401 - as the library
        left_s = self.until_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self.settimeout(left_s)
        return super().recv_into(buffer, nbytes, flags)


class Releases:
    """What the service has for this unit.

    Args:
        identity: whom to ask, and whom to believe; ``None`` = nobody yet.
        folder: where bundles are kept.
    """

    def __init__(self, identity: Identity | None, folder: Path) -> None:
        self._identity = identity
        self._folder = folder

    def ask(self) -> events.ReleaseSeen | events.NothingNew:
        """The newest release."""
        who = self._identity
        if who is None or not who.host:
            return events.NothingNew()
        try:
            with self._answer(RELEASE_PATH, {}) as (answer, _):
                if answer.status == http.client.NOT_FOUND:
                    return events.NothingNew()
                self._check(answer, {http.client.OK})
                sealed = answer.read(RELEASE_BYTES_MAX + 1)
            return events.ReleaseSeen(open_release(sealed, who.authority), sealed)
        except ReleaseError as e:
            logger.warning("the enrolment service has a release that cannot be used: %s", e)
            return events.NothingNew()
        except _CutError as e:
            logger.info("no release: %s", e)
            return events.NothingNew(e.again_s)

    def path_of(self, bundle: Bundle) -> Path:
        """Where a bundle lies once it is here."""
        return self._folder / f"{bundle.sha256}.raucb"

    def fetch(self, bundle: Bundle) -> events.BundleFetched | events.FetchFailed:
        """Get all of it, or what is still missing."""
        part = self.path_of(bundle).with_suffix(".part")
        try:
            self.drop(but=bundle)
            if not self.path_of(bundle).exists():
                has = part.stat().st_size if part.exists() else 0
                self._check_room(bundle.size_bytes - has)
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._fetch_rest(bundle, part, has)
                part.replace(self.path_of(bundle))
            if digest_of(self.path_of(bundle)) == bundle.sha256:
                return events.BundleFetched(bundle.sha256)
            self.path_of(bundle).unlink()
        except _CutError as e:
            return events.FetchFailed("cut", str(e), e.again_s)
        except _NoRoomError as e:
            self.drop()
            return events.FetchFailed("no room", str(e))
        except OSError as e:
            return events.FetchFailed("cut", f"The card refuses: {e.strerror}.")
        return events.FetchFailed("corrupt", "What came is not what the release names.")

    def drop(self, *, but: Bundle | None = None) -> None:
        """Delete what was fetched, except of one bundle."""
        for path in self._folder.glob("*"):
            if but is None or path.stem != but.sha256:
                with contextlib.suppress(OSError):
                    path.unlink()

    def make_room(self) -> None:
        """Delete what was fetched, if alerts and galleries need its room. Not while it is fetched or written."""
        with contextlib.suppress(OSError):
            if next(self._folder.glob("*"), None) and shutil.disk_usage(self._folder).free < LEAVE_FREE_BYTES:
                self.drop()

    def _check_room(self, size_bytes: int) -> None:
        room = shutil.disk_usage(self._folder.parent).free - size_bytes
        if room < LEAVE_FREE_BYTES:
            raise _NoRoomError(f"The card lacks {max((LEAVE_FREE_BYTES - room) >> 20, 1)} MB.")

    def _fetch_rest(self, bundle: Bundle, part: Path, has: int) -> None:
        if has == bundle.size_bytes:
            return
        logger.info("fetching %s from byte %d", bundle.sha256, has)
        headers = {"Range": f"bytes={has}-"} if has else {}
        with part.open("ab") as file, self._answer(BUNDLE_PATH + bundle.sha256, headers) as (answer, socket):
            if answer.status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                file.truncate(0)
                raise _CutError("The enrolment service has another length of it.")
            self._check(answer, {http.client.OK, http.client.PARTIAL_CONTENT})
            if answer.status == http.client.OK or not _begins_at(answer, has):
                if answer.status != http.client.OK:
                    raise _CutError("The enrolment service sends another piece than asked for.")
                file.truncate(0)
                has = 0
            left = bundle.size_bytes - has + 1  # One more if there is one, which its sum shows.
            for piece in _pieces(answer, socket, left):
                self._check_room(len(piece))
                _write(file, piece)
                left -= len(piece)
            if left > 1:
                raise _CutError("The connection broke off.")

    @contextlib.contextmanager
    def _answer(self, path: str, headers: dict[str, str]) -> Iterator[tuple[http.client.HTTPResponse, _Socket]]:
        who = self._identity
        assert who is not None, "a unit that knows nobody asks nobody"
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.load_verify_locations(who.ca_file)
            context.sslsocket_class = _Socket
            connection = http.client.HTTPSConnection(who.host, who.port, timeout=WITHIN_S, context=context)
            with contextlib.closing(connection):
                connection.connect()
                socket = connection.sock
                assert isinstance(socket, _Socket), "the context makes no other"
                socket.until_s = time.monotonic() + WITHIN_S
                connection.request("GET", path, headers=headers)
                with contextlib.closing(connection.getresponse()) as answer:
                    yield answer, socket
        except http.client.HTTPException as e:
            raise _CutError(f"The enrolment service's answer broke off ({type(e).__name__}).") from e
        except _CardError as e:
            raise OSError(e.errno, e.strerror) from e
        except OSError as e:
            raise _CutError(f"{_capital(describe_fault(e, who.host, who.port, 'enrolment service').detail)}.") from e

    @staticmethod
    def _check(answer: http.client.HTTPResponse, good: set[int]) -> None:
        if answer.status in good:
            return
        asked = answer.headers.get("Retry-After", "")
        again_s = min(int(asked), RETRY_S_MAX) if asked.isascii() and asked.isdigit() else 0
        if answer.status in _BUSY:
            raise _CutError("The enrolment service is busy.", again_s)
        raise _CutError(f"The enrolment service answers with status {answer.status}.", again_s)


class _CardError(OSError):
    """Not the network's."""


def _begins_at(answer: http.client.HTTPResponse, offset: int) -> bool:
    return answer.headers.get("Content-Range", "").startswith(f"bytes {offset}-")


def _pieces(answer: http.client.HTTPResponse, socket: _Socket, count: int) -> Iterator[bytes]:
    """``count`` bytes at most, as few pieces as may be; what came before a fault comes before it is raised."""
    while count:
        socket.until_s = time.monotonic() + WITHIN_S
        piece = bytearray()
        try:
            while (wants := min(PIECE_BYTES, count) - len(piece)) and (some := answer.read1(wants)):
                piece += some
        except OSError:
            yield bytes(piece)
            raise
        yield bytes(piece)
        if wants:
            return
        count -= len(piece)


def _write(file: BinaryIO, piece: bytes) -> None:
    try:
        file.write(piece)
        file.flush()
        os.fdatasync(file.fileno())
    except OSError as e:
        raise _CardError(e.errno, e.strerror) from e


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
