"""At which ports the page is found: its own by ``gallery.toml``, and those that systemd has opened for it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from gallery.config import PageTable
from runtime.loopback import is_loopback
from runtime.web_connections import Listener
from runtime.web_server import listen

logger = logging.getLogger(__name__)

HTTP: Final = "http"
HTTPS: Final = "https"
"""Names of what is handed over (``FileDescriptorName`` of the units' sockets)."""


class Listeners:
    """Open from the start, but for its own port with TLS, which waits for a certificate.

    Args:
        page: of the file.
        handed: opened by systemd.

    Attributes:
        plain: its own first, so that a screen on the unit always finds the page.
        https_port: at which another machine finds it by TLS; ``None`` = at none.
        fit_port: without TLS, where a tablet is fitted; ``None`` = at none, or in vain.

    Raises:
        OSError: its own port is taken, or the address is none of this machine's.
    """

    def __init__(self, page: PageTable, handed: Mapping[str, Sequence[Listener]]) -> None:
        self._page = page
        self._handed_tls = [*handed.get(HTTPS, ())]
        own, handed_plain = listen(page.host, page.port, is_guarded=True), handed.get(HTTP, ())
        self.plain = (own, *handed_plain)
        self.https_port = next(map(_port, self._handed_tls), page.tls_port)
        reached = (*handed_plain, *(() if is_loopback(page.host) else (own,)))
        self.fit_port = None if self.https_port is None else next(map(_port, reached), None)

    def tls(self) -> list[Listener]:
        """Those for TLS. Once.

        Raises:
            OSError: there is none: its own port is taken, or the address is none of this machine's.
        """
        found, self._handed_tls = self._handed_tls, []
        if self._page.tls_port is not None:
            try:
                found.append(listen(self._page.host, self._page.tls_port, has_tls=True))
            except OSError as e:
                if not found:
                    raise
                logger.error("port %d: %s", self._page.tls_port, e.strerror)  # noqa: TRY400 - the sentence says it all
        return found

    def close(self) -> None:
        """All that nobody serves."""
        for one in (*self.plain, *self._handed_tls):
            one.close()


def _port(listener: Listener) -> int:
    port: int = listener.getsockname()[1]
    return port
