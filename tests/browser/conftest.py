"""Debian's Chromium over the real web server and a scripted board."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Locator, Page

from central.core.view import Person
from central.web.feed import FeedTiming
from demo.ports import claim_ports
from tests.central.web.scripted_board import ScriptedBoard, ScriptedServer
from tests.support import town_office
from tests.support.browser import PATIENT, WITHIN_MS, press_on_card, running_browser, until

_HERE: Final = Path(__file__).parent
CALM = FeedTiming(beat_ms=500, not_live_ms=60_000, lost_ms=120_000)
"""The page is live though a busy machine stands still for a while."""
QUICK = FeedTiming(beat_ms=500, not_live_ms=4_000, lost_ms=8_000)
"""The product's numbers, made shorter: for tests of a page that is not live."""

PRIYA = Person("cctv", "Priya Shah", town_office.PRIYA)
EXPECTED_ERRORS = (
    "ERR_CONNECTION_REFUSED",
    "ERR_INCOMPLETE_CHUNKED_ENCODING",
    "ERR_CONNECTION_RESET",
    "status of 401",
    "status of 409",
)
"""What the console may say: of a server that was stopped, a session that has ended, and an action that was refused."""

OpenPage = Callable[..., Page]
OpenContext = Callable[..., BrowserContext]


_OPEN: Final = ExitStack()
_STARTED: Final[list[Browser]] = []


# Started once a file, driver and browser would take more of the processor than most tests.
@pytest.fixture
def chromium() -> Browser:
    """One for all tests that a process runs here one after the other."""
    if not _STARTED:
        _STARTED.append(_OPEN.enter_context(running_browser()))
    return _STARTED[0]


# Not for the session: while Playwright's own loop runs in this thread, other tests could not run one.
@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Function | None) -> Generator[None, object, object]:
    """After the last test here, and before one that wants no browser."""
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path.parent != _HERE or "chromium" not in nextitem.fixturenames:
            _STARTED.clear()
            _OPEN.close()


@pytest.fixture
def board() -> ScriptedBoard:
    return ScriptedBoard()


@pytest.fixture
def timing() -> FeedTiming:
    return CALM


@pytest.fixture
def server(board: ScriptedBoard, timing: FeedTiming) -> Generator[ScriptedServer, None, None]:
    """On a port that nobody else gets, also while no server listens there."""
    started = ScriptedServer(board, timing=timing, port=claim_ports(1)[0])
    yield started
    if not started.has_stopped:
        started.stop()


@pytest.fixture
def complaints() -> list[str]:
    """Everything a page said on its console that it should not have; checked at the end of each test."""
    return []


@pytest.fixture
def open_context(chromium: Browser, complaints: list[str]) -> Iterator[Callable[..., BrowserContext]]:
    opened: list[BrowserContext] = []

    def open_one(**options: Any) -> BrowserContext:  # noqa: ANN401 - Playwright's own options
        context = chromium.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        context.set_default_timeout(WITHIN_MS)
        context.add_init_script(PATIENT)
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()
    assert [] == complaints


@pytest.fixture
def open_page(open_context: OpenContext, server: ScriptedServer, complaints: list[str]) -> OpenPage:
    """``open_page(context=None, is_on_duty=True, account=…, **context_options)``: a live page.

    Priya Shah is signed in, and on duty; or whoever has that account.
    """

    def open_one(
        context: BrowserContext | None = None,
        *,
        is_on_duty: bool = True,
        account: int = town_office.PRIYA,
        **options: Any,  # noqa: ANN401
    ) -> Page:
        opened = context or open_context(**options)
        if not is_signed_in(opened):
            sign_in(opened, server, account)
        page = opened.new_page()
        listen_for_complaints(page, complaints)
        if is_on_duty and not server.board.on_duty:
            server.call(lambda: server.board.set_on_duty((PRIYA,)))
        page.goto(server.url)
        page.wait_for_selector("#live[data-live=live]")
        return page

    return open_one


def is_signed_in(context: BrowserContext) -> bool:
    return any(cookie["name"] == town_office.COOKIE for cookie in context.cookies())


def sign_in(context: BrowserContext, server: ScriptedServer, account: int = town_office.PRIYA) -> None:
    """Give the browser a session of that person's."""
    (cookie,) = server.sign_in(account).values()
    context.add_cookies([{"name": town_office.COOKIE, "value": cookie, "url": server.url}])


def listen_for_complaints(page: Page, complaints: list[str]) -> None:
    def heard(kind: str, text: str) -> None:
        if not any(expected in text for expected in EXPECTED_ERRORS):
            complaints.append(f"{kind}: {text}")

    def refuse(dialog: Dialog) -> None:
        heard("dialog", dialog.message)
        dialog.dismiss()

    page.on(
        "console", lambda message: heard(message.type, message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: heard("error", str(error)))
    page.on("dialog", refuse)


def take_answers(page: Page) -> None:
    """Let the page act on what the server has answered so far: this answer comes after it."""
    page.evaluate("fetch('/me.json').then((answer) => answer.text())")


def press(page: Page, selector: str, is_done: Callable[[], object]) -> None:
    """Click until the page takes it, and wait until it counts: it ignores clicks within half a second of a move.

    A click that it took is not repeated: what is pressed may have changed meanwhile, or be gone.
    """
    press_on_card(page.locator(selector))
    until(page, is_done, f"pressing {selector} did something")
    page.mouse.move(2, 2)  # a pointer left on the list would hold it as it is


@contextmanager
def held(server: ScriptedServer) -> Iterator[None]:
    """While inside, central does not get around to committing."""
    server.call(lambda: server.board.hold_commits(is_held=True))
    yield
    server.call(lambda: server.board.hold_commits(is_held=False))


def incidents(page: Page, zone: str) -> list[str]:
    """The incidents in a zone, as they stand."""
    found: list[str] = page.eval_on_selector_all(f"#{zone} .card", "cards => cards.map(card => card.dataset.incident)")
    return found


def pulses(bar: Locator) -> bool:
    """Whether a card's bar looks otherwise while the page's pulse is set than while it is not."""
    looks: list[str] = bar.evaluate(
        """bar => new Promise((done) => {
            const looks = [];
            new MutationObserver(() => {
                if (looks.push(getComputedStyle(bar).backgroundColor) === 2) done(looks);
            }).observe(document.body, { attributeFilter: ["data-pulse"] });
        })"""
    )
    return looks[0] != looks[1]
