"""``POST /gallery/reports``: breaches and sightings that a node reports, to be kept for the office."""

from __future__ import annotations

import logging
import time
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from office.nodes.asking import Asking, refuse
from office.nodes.reports import Reports
from office.nodes.rules.allowance import REPORTS_AT_ONCE, REPORTS_EACH_S, Allowance
from office.nodes.rules.asking import Asker
from office.nodes.store import StoreError
from runtime.web_body import read_body
from wire.gallery_lines import GalleryError
from wire.gallery_reports import REPORTS_BYTES_MAX, BreachReport, decode_reports, encode_taken

logger = logging.getLogger(__name__)


class BreachReports:
    """Safe on the server's loop only.

    Args:
        asking: says who asks.
        reports: keeps what nodes say.
    """

    def __init__(self, asking: Asking, reports: Reports) -> None:
        self._asking = asking
        self._reports = reports
        self._allowance = Allowance(REPORTS_AT_ONCE, REPORTS_EACH_S)

    async def answer(self, request: Request) -> Response:
        """Starlette."""
        asker = self._asking.ask(request)
        if isinstance(asker, Response):
            return asker
        body = await read_body(request, REPORTS_BYTES_MAX)
        try:
            reports = decode_reports(body) if body is not None else ()
        except GalleryError as e:
            logger.warning("reports of node %08x are none: %s", asker.node, e)
            reports = ()
        if not reports:
            return refuse(400, "malformed")
        wait_s = self._allowance.wait_s(asker.node, time.monotonic(), len(reports))
        if wait_s > 0:
            return refuse(429, "slow down", int(wait_s) + 1)
        response = await run_in_threadpool(self._keep, asker, reports)
        if response.status_code != HTTPStatus.OK:
            self._allowance.give_back(asker.node, len(reports))
        return response

    def _keep(self, asker: Asker, reports: tuple[BreachReport, ...]) -> Response:
        try:
            taken = self._reports.keep_reports(asker, reports)
        except StoreError as e:
            # The node keeps them, and sends them again.
            logger.error("reports are not kept: %s", e)  # noqa: TRY400 - the sentence says it all
            return refuse(503, "closed", 60)
        return Response(encode_taken(taken), media_type="application/json")
