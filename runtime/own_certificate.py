"""The certificate that a program shows, loaded again when its files change: it renews itself (ADR 0031).

A connection that is open goes on with the one that it began with: brokers judge certificates when a client connects.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from pathlib import Path

from runtime.config import ConfigError
from runtime.key_pair import KeyPair, settle_pair
from runtime.tls import client_context

logger = logging.getLogger(__name__)


class OwnCertificate:
    """Makes TLS contexts from the files. Use it from one thread at a time."""

    def __init__(self, ca_file: Path, pair: KeyPair, remember: Callable[[OSError], None]) -> None:
        """As :func:`runtime.tls.client_context`; nothing is read yet."""
        self._ca_file = ca_file
        self._pair = pair
        self._remember = remember
        self._marks: object = None

    def context(self) -> ssl.SSLContext:
        """A context with what the files hold now.

        Raises:
            ConfigError: as :func:`runtime.tls.client_context`.
        """
        try:
            settle_pair(self._pair)
        except OSError as e:
            logger.warning("a new certificate cannot be put in place: %s", e)
        self._marks = self._look()
        return client_context(self._ca_file, self._pair.certificate_file, self._pair.key_file, self._remember)

    def renewed(self) -> ssl.SSLContext | None:
        """A new context if a file has changed since the last; ``None`` = go on with that. Never raises."""
        if self._marks == self._look():
            return None
        try:
            return self.context()
        except ConfigError as e:
            # They are being replaced, or the card is damaged: what is in memory still works.
            logger.warning("the certificate on the disk cannot be used, so the last one is: %s", e)
            return None

    def _look(self) -> object:
        """What changes when a file is replaced."""
        return [
            _mark(path)
            for path in (self._ca_file, self._pair.certificate_file, self._pair.key_file, self._pair.arriving)
        ]


def _mark(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
