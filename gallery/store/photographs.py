"""Photographs on the card: files of ciphertext, each named by the SHA-256 of its bytes. For any thread."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from sys import intern
from typing import Final

from gallery.store.database import refused
from runtime.atomic import PRIVATE, sync_folder
from runtime.regular_file import read_regular
from runtime.sqlite_file import StoreRefusedError
from wire.gallery_head import ciphertext_file, parse_ciphertext_file
from wire.gallery_lines import PHOTOGRAPH_BYTES_MAX

logger = logging.getLogger(__name__)

FOLDER_NAME: Final = "photographs"
_FOLDER_MODE: Final = 0o700


class Photographs:
    """The folder. Nothing is done before :meth:`look`.

    Args:
        folder: made if missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def look(self) -> frozenset[str]:
        """SHA-256 of each file that is what its name says. Everything else that lies there is removed.

        Raises:
            StoreRefusedError: the folder cannot be used.
        """
        whole: set[str] = set()
        try:
            self._folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
            for path in sorted(self._folder.iterdir()):
                digest = parse_ciphertext_file(path.name)
                if digest is not None and self.read(digest) is not None:
                    whole.add(intern(digest))
                elif digest is None:
                    # Half a file, of when the power went.
                    path.unlink()
            sync_folder(self._folder)
        except OSError as e:
            raise refused(e) from e
        return frozenset(whole)

    def keep(self, digest: str, data: bytes) -> None:
        """Store a file, whole or not at all. It outlives a power cut once :meth:`settle` has returned.

        Raises:
            StoreRefusedError: it is not what its name says, or the disk refuses.
        """
        if len(data) > PHOTOGRAPH_BYTES_MAX or sha256(data).hexdigest() != digest:
            raise StoreRefusedError("a photograph is not what its name says")
        path = self._folder / ciphertext_file(digest)
        beside = path.with_name(f".{path.name}.part")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            beside.replace(path)
        except OSError as e:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise refused(e) from e

    def settle(self) -> None:
        """Make everything durable that was kept, all at once: two syncs a file would take longer than to fetch it.

        A file that the power takes before is not what its name says, and :meth:`look` removes it.
        """
        os.sync()

    def read(self, digest: str) -> bytes | None:
        """A file's bytes; ``None`` = it is not there, or is not what its name says, and so is removed.

        Raises:
            OSError: the disk refuses.
        """
        path = self._folder / ciphertext_file(digest)
        try:
            data = read_regular(path, PHOTOGRAPH_BYTES_MAX, may_be_link=False)
        except FileNotFoundError:
            return None
        if sha256(data).hexdigest() == digest:
            return data
        logger.warning("a photograph on the card was damaged, and is removed")
        path.unlink(missing_ok=True)
        return None

    def destroy(self, digests: Iterable[str]) -> None:
        """Remove files. Those that are not there are removed.

        Raises:
            StoreRefusedError: some may still be there.
        """
        try:
            for digest in digests:
                with contextlib.suppress(FileNotFoundError):
                    (self._folder / ciphertext_file(digest)).unlink()
            sync_folder(self._folder)
        except OSError as e:
            raise refused(e) from e
