"""Who waits for an answer of the core: futures, by the name of the attempt or request. For any thread."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from msgspec import Struct

from gallery.core.effects import AnswerReport, AnswerSignIn, RefuseView, SignIn
from gallery.page.ports import Opened
from wire.gallery_lines import PhotographSize


class View(Struct, frozen=True):
    """Somebody waits for a view.

    Attributes:
        size: of the photograph that they asked for; ``None`` = none.
    """

    future: Future[Opened | RefuseView]
    size: PhotographSize | None


class Awaited:
    """All that wait. Each is answered once, and may have stopped waiting."""

    def __init__(self) -> None:
        self._views: dict[str, View] = {}
        self._attempts: dict[str, Future[AnswerSignIn]] = {}
        self._reports: dict[str, Future[AnswerReport]] = {}

    def view(self, request: str, size: PhotographSize | None) -> Future[Opened | RefuseView]:
        """Somebody begins to wait for a view.

        Raises:
            ValueError: a request of this name is under way.
        """
        future: Future[Opened | RefuseView] = Future()
        if self._views.setdefault(request, View(future, size)).future is not future:
            raise ValueError("a request of this name is under way")
        return future

    def attempt(self, attempt: str) -> tuple[Future[AnswerSignIn], bool]:
        """Somebody begins to wait for an attempt; returns whether it is the first of this name that does."""
        future: Future[AnswerSignIn] = Future()
        if self._attempts.setdefault(attempt, future) is future:
            return future, True
        future.set_result(AnswerSignIn(attempt, SignIn.BUSY))
        return future, False

    def report(self, request: str) -> Future[AnswerReport]:
        """Somebody begins to wait for a report to be kept.

        Raises:
            ValueError: a request of this name is under way.
        """
        future: Future[AnswerReport] = Future()
        if self._reports.setdefault(request, future) is not future:
            raise ValueError("a request of this name is under way")
        return future

    def asked(self, request: str) -> View | None:
        """Who waits for this view."""
        return self._views.get(request)

    def answer_view(self, request: str, answer: Opened | RefuseView | Exception) -> None:
        """To whoever waits for it."""
        waiting = self._views.pop(request, None)
        _answer(None if waiting is None else waiting.future, answer)

    def answer_attempt(self, attempt: str, answer: AnswerSignIn | Exception) -> None:
        """To whoever waits for it."""
        _answer(self._attempts.pop(attempt, None), answer)

    def answer_report(self, request: str, answer: AnswerReport | Exception) -> None:
        """To whoever waits for it."""
        _answer(self._reports.pop(request, None), answer)

    def cancel(self) -> None:
        """Nobody is answered any more."""
        for view in list(self._views.values()):
            view.future.cancel()
        for attempt in list(self._attempts.values()):
            attempt.cancel()
        for report in list(self._reports.values()):
            report.cancel()


def _answer(future: Future[Any] | None, answer: object) -> None:
    if future is None or not future.set_running_or_notify_cancel():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
