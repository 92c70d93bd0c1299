"""``POST /gallery/contact``: a node says what it holds, and waits for news."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from office.gallery.line_keys import WrappedKeyError
from office.nodes.answering import NOTHING, Answering, News
from office.nodes.asking import Asking, asking_peer, refuse
from office.nodes.reports import Reports
from office.nodes.rules.asking import Asker
from office.nodes.waiting import Waiting
from runtime.web_body import read_body
from wire.gallery_contact import QUESTION_BYTES_MAX, GalleryQuestion, decode_question
from wire.gallery_lines import GalleryError
from wire.hpke import SealError

logger = logging.getLogger(__name__)

WAIT_S: Final = 25.0
"""Less than what routers and proxies allow a silent connection."""
SILENT_S: Final = 60.0
"""Who has not asked for so long has started, or was cut off: it is told the time and its lease at once."""
BUSY_RETRY_S: Final = 5
SEALED_AT_ONCE: Final = 2
"""Forty threads that seal keys would keep the loop, which only waits for them, from its turn."""


class Contact:
    """Safe on the server's loop only.

    Args:
        asking: says who asks.
        answering: makes the answers.
        waiting: the open questions.
        reports: takes what nodes say.
        now_s: Unix time.
    """

    def __init__(
        self,
        asking: Asking,
        answering: Answering,
        waiting: Waiting,
        reports: Reports,
        *,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._asking = asking
        self._answering = answering
        self._waiting = waiting
        self._reports = reports
        self._now_s = now_s
        self._sealing = asyncio.Semaphore(SEALED_AT_ONCE)

    async def answer(self, request: Request) -> Response:
        """Starlette."""
        asker = self._asking.ask(request)
        if isinstance(asker, Response):
            return asker
        body = await read_body(request, QUESTION_BYTES_MAX)
        try:
            question = decode_question(body) if body is not None else None
        except GalleryError as e:
            logger.info("a question of node %08x is none: %s", asker.node, e)
            question = None
        if question is None:
            return refuse(400, "malformed")
        silent_s = self._reports.note_asked(asker.node)
        await run_in_threadpool(self._note, request, asker, question)
        return await self._when_due(request, question, 0.0 if silent_s > SILENT_S else WAIT_S)

    def _note(self, request: Request, asker: Asker, question: GalleryQuestion) -> None:
        self._answering.note_received(asker.node, asking_peer(request), question.holds)
        self._reports.note_question(asker.node, question)
        for held, newest in self._answering.ahead(asker, question.holds):
            self._reports.note_ahead(asker.node, held, newest)

    async def _when_due(self, request: Request, question: GalleryQuestion, wait_s: float) -> Response:
        asker = self._asking.look_again(request)
        if isinstance(asker, Response):
            return asker
        ends_s = asyncio.get_running_loop().time() + wait_s
        with self._waiting.asking(asker.node) as open_question:
            if open_question is None:
                return refuse(503, "slow down", BUSY_RETRY_S)
            while (news := self._answering.news(asker, question)) is None:
                if open_question.is_ended or not await open_question.changed(ends_s):
                    break
                asker = self._asking.look_again(request)
                if isinstance(asker, Response):
                    return asker
            async with self._sealing:
                # Others were answered before: it may be struck meanwhile, or stand in another scheme.
                asker = self._asking.look_again(request)
                if isinstance(asker, Response):
                    return asker
                # Of a node that asks and asks only the last question is worth sealing for, or nobody else has a turn.
                news = None if open_question.is_ended else self._answering.news(asker, question)
                return await run_in_threadpool(self._answer, request, asker, news or NOTHING, question)

    def _answer(self, request: Request, asker: Asker, news: News, question: GalleryQuestion) -> Response:
        try:
            data = self._answering.answer(asker, news, int(self._now_s()), asking_peer(request), question.holds)
        except (SealError, WrappedKeyError) as e:
            logger.error("node %08x cannot be told what is new: %s", asker.node, e)  # noqa: TRY400
            return refuse(503, "closed", BUSY_RETRY_S)
        return Response(data, headers={"cache-control": "no-store"})
