"""``POST /gallery/views``: whom a node has shown, to be kept."""

from __future__ import annotations

import logging
import time

from msgspec import json
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from office.nodes.asking import Asking, refuse
from office.nodes.reports import Reports
from office.nodes.rules.allowance import VIEWS_AT_ONCE, VIEWS_EACH_S, Allowance
from office.nodes.rules.asking import Asker
from office.nodes.store import StoreError
from runtime.web_body import read_body
from wire.gallery_lines import GalleryError
from wire.gallery_views import VIEWS_BYTES_MAX, read_views

logger = logging.getLogger(__name__)


class Views:
    """Safe on the server's loop only.

    Args:
        asking: says who asks.
        reports: keeps what nodes say.
    """

    def __init__(self, asking: Asking, reports: Reports) -> None:
        self._asking = asking
        self._reports = reports
        self._allowance = Allowance(VIEWS_AT_ONCE, VIEWS_EACH_S)

    async def answer(self, request: Request) -> Response:
        """Starlette."""
        asker = self._asking.ask(request)
        if isinstance(asker, Response):
            return asker
        body = await read_body(request, VIEWS_BYTES_MAX)
        if body is None:
            return refuse(400, "malformed")
        wait_s = self._allowance.wait_s(asker.node, time.monotonic(), body.count(b"\n"))
        if wait_s > 0:
            return refuse(429, "slow down", int(wait_s) + 1)
        return await run_in_threadpool(self._keep, asker, body)

    def _keep(self, asker: Asker, body: bytes) -> Response:
        try:
            head = self._reports.keep_views(asker.node, read_views(body))
        except GalleryError as e:
            logger.warning("the view log of node %08x is none: %s", asker.node, e)
            return refuse(400, "malformed")
        except StoreError as e:
            # The node keeps them, and sends them again.
            logger.error("views are not kept: %s", e)  # noqa: TRY400 - the sentence says it all
            return refuse(503, "closed", 60)
        if head is None:
            return refuse(409, "fork")
        return Response(json.encode(head), media_type="application/json")
