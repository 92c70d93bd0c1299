"""``POST /gallery/page-certificate``: a certificate for a unit's own page, by the town's web CA."""

from __future__ import annotations

import logging
import time
from typing import Final

from msgspec import json
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from office.nodes.asking import Asking, refuse
from office.nodes.page_issuer import EndedError, PageIssuer, RequestError, read_request
from office.nodes.rules.allowance import Allowance
from office.nodes.rules.page_names import why_not_sign
from runtime.logs import FactLog
from runtime.web_body import read_body
from wire.ids import NodeId, node_text
from wire.page_certificate import REQUEST_BYTES_MAX

logger = logging.getLogger(__name__)

AT_ONCE: Final = 6
EACH_S: Final = 1 / 600
"""A unit whose address changes every ten minutes is served for ever."""
LATER_S: Final = 3_600


class PageCertificates:
    """Safe on the server's loop only.

    Args:
        asking: says who asks.
        issuer: signs; ``None`` = the fleet has given none to this machine.
        facts: each certificate is told here.
    """

    def __init__(self, asking: Asking, issuer: PageIssuer | None, facts: FactLog) -> None:
        self._asking = asking
        self._issuer = issuer
        self._facts = facts
        self._allowance = Allowance(AT_ONCE, EACH_S)

    async def answer(self, request: Request) -> Response:
        """Starlette."""
        asker = self._asking.ask(request)
        if isinstance(asker, Response):
            return asker
        if self._issuer is None:
            return refuse(404, "no issuer", LATER_S)
        body = await read_body(request, REQUEST_BYTES_MAX)
        if body is None:
            return refuse(400, "malformed")
        wait_s = self._allowance.wait_s(asker.node, time.monotonic())
        if wait_s > 0:
            return refuse(429, "slow down", int(wait_s) + 1)
        return await run_in_threadpool(self._sign, self._issuer, asker.node, body)

    def _sign(self, issuer: PageIssuer, node: NodeId, body: bytes) -> Response:
        try:
            wanted = read_request(body)
            problem = why_not_sign(node, wanted.names, wanted.addresses, issuer.excluded)
            if problem is not None:
                logger.warning("the page of node %08x gets no certificate: %s", node, problem)
                return refuse(400, problem)
            answer, serial = issuer.sign(node, wanted)
        except RequestError as e:
            logger.warning("the page of node %08x gets no certificate: %s", node, e)
            return refuse(400, "malformed")
        except EndedError:
            logger.error("the issuer of pages ends: no unit's page gets a certificate")  # noqa: TRY400
            return refuse(503, "closed", LATER_S)
        names = [*wanted.names, *map(str, wanted.addresses)]
        self._facts.write("page certificate", node=node_text(node), serial=f"{serial:x}", names=names)
        return Response(json.encode(answer), media_type="application/json", headers={"cache-control": "no-store"})
