"""``GET`` of what is large: lines, rows, photographs. Of a scheme that is not the node's own there is nothing here."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from office.gallery.line_keys import WrappedKeyError
from office.nodes.answering import Answering
from office.nodes.asking import Asking, asking_peer, refuse
from office.nodes.galleries import Galleries, Gallery
from office.nodes.rules.asking import Asker
from wire.gallery_contact import encode_rows
from wire.hpke import SealError
from wire.ids import NodeId

logger = logging.getLogger(__name__)

BUSY_RETRY_S: Final = 5
_HEADERS = {"cache-control": "no-store"}
_TYPE = "application/octet-stream"


class Files:
    """Safe on the server's loop only.

    Args:
        asking: says who asks.
        galleries: what is published.
        answering: makes rows.
    """

    def __init__(self, asking: Asking, galleries: Galleries, answering: Answering) -> None:
        self._asking = asking
        self._galleries = galleries
        self._answering = answering
        self._sealing = asyncio.Semaphore(1)
        """A whole gallery takes a second at most; meanwhile changes go out."""
        self._making: set[NodeId] = set()

    async def lines(self, request: Request) -> Response:
        """All lines of a gallery."""
        found = self._gallery(request)
        if isinstance(found, Response):
            return found
        _, gallery = found
        return _file(self._galleries.lines_file(gallery))

    async def rows(self, request: Request) -> Response:
        """All rows of a gallery that are the node's."""
        found = self._gallery(request)
        if isinstance(found, Response):
            return found
        node = found[0].node
        if node in self._making:
            # One at a time, or a node that asks and asks leaves nobody else a turn.
            return refuse(429, "slow down", BUSY_RETRY_S)
        self._making.add(node)
        try:
            async with self._sealing:
                return await run_in_threadpool(self._rows, request, *found)
        finally:
            self._making.remove(node)

    async def photograph(self, request: Request) -> Response:
        """Ciphertext of a photograph that a line names which the node may be shown."""
        asker = self._asking.ask(request)
        if isinstance(asker, Response):
            return asker
        sha256 = request.path_params["sha256"]
        galleries = (self._galleries.of(scheme) for scheme in asker.schemes)
        if not any(one is not None and one.may_have(sha256, asker.premises) for one in galleries):
            return refuse(404, "not found")
        return _file(self._galleries.photograph(sha256), _Ciphertext)

    def _gallery(self, request: Request) -> tuple[Asker, Gallery] | Response:
        asker = self._asking.ask(request)
        if isinstance(asker, Response):
            return asker
        wanted = request.path_params["scheme"], request.path_params["number"]
        # Compared as texts: a number of ten thousand digits is no gallery's, and is not worth being read as one.
        scheme = next((one for one in asker.schemes if str(one) == wanted[0]), None)
        gallery = None if scheme is None else self._galleries.of(scheme)
        # Of an older number there is nothing any more: the node asks what is new, and comes again.
        if gallery is None or str(gallery.head.number) != wanted[1]:
            return refuse(404, "not found")
        return asker, gallery

    def _rows(self, request: Request, asker: Asker, gallery: Gallery) -> Response:
        try:
            data = encode_rows(self._answering.rows(asker, gallery))
            self._answering.note_sent(asker, gallery.head.scheme, gallery.head.number, asking_peer(request))
        except (SealError, WrappedKeyError) as e:
            logger.error("node %08x gets no rows: %s", asker.node, e)  # noqa: TRY400 - the sentence says it all
            return refuse(503, "closed", BUSY_RETRY_S)
        return Response(data, media_type=_TYPE, headers=_HEADERS)


class _Ciphertext(FileResponse):
    """Of what never changes under its name, the length alone: each shop pays for every byte beside the photograph."""

    max_ranges = 1

    def __init__(self, path: Path, *, stat_result: os.stat_result, media_type: str, headers: dict[str, str]) -> None:
        super().__init__(path, stat_result=stat_result, media_type=media_type, headers=headers)
        for name in ("accept-ranges", "cache-control", "content-type", "etag", "last-modified"):
            del self.headers[name]

    def _should_use_range(self, _http_if_range: str) -> bool:
        return False


def _file(path: Path, kind: type[FileResponse] = FileResponse) -> Response:
    try:
        # Looked at now: the publisher may have taken it away, and FileResponse would fail only once it has begun.
        status = path.stat()
    except OSError:
        return refuse(404, "not found")
    return kind(path, media_type=_TYPE, headers=_HEADERS, stat_result=status)
