"""Nodes' settings from the fleet: one file, checked every second, verified, and reported once per change (ADR 0032)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from central.core.events import InputRejected, SettingsChanged
from runtime.regular_file import read_regular
from wire.errors import SettingsError
from wire.limits import SETTINGS_FILE_BYTES_MAX
from wire.node_settings import SettingsFile, SignedSettings, open_settings
from wire.signing import PublicKey

POLL_S: Final = 1.0


class SettingsWatcher:
    """Looks on its own thread: there is no file until a node is configured; to verify those of thousands takes long."""

    def __init__(
        self, path: Path, authority: PublicKey, put: Callable[[SettingsChanged | InputRejected], None]
    ) -> None:
        self._path = path
        self._authority = authority
        self._put = put
        self._mark: tuple[int, int, int] | None = None
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="settings", daemon=True)

    def start(self) -> None:
        """Look every :data:`POLL_S` seconds, and once now."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end."""
        self._is_stopping.set()

    def look(self) -> SettingsChanged | InputRejected | None:
        """What has changed since the last look; ``None`` = nothing. A file that cannot be used changes nothing."""
        try:
            stat = self._path.stat()
            mark = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if mark == self._mark:
                return None
            data = read_regular(self._path, SETTINGS_FILE_BYTES_MAX)
        except OSError:
            self._mark = None
            return None
        self._mark = mark
        try:
            return SettingsChanged(_opened(data, self._authority))
        except SettingsError as e:
            return InputRejected(e.reason, None)

    def _run(self) -> None:
        while True:
            found = self.look()
            if found is not None:
                self._put(found)
            if self._is_stopping.wait(POLL_S):
                return


def _opened(data: bytes, authority: PublicKey) -> tuple[SignedSettings, ...]:
    if len(data) > SETTINGS_FILE_BYTES_MAX:
        raise SettingsError("settings too large", SETTINGS_FILE_BYTES_MAX)
    try:
        file = msgspec.json.decode(data, type=SettingsFile)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise SettingsError("settings") from e
    return tuple(open_settings(msgspec.json.encode(one), authority) for one in file.nodes)
