"""The in-shop page over a running gallery: the real core, card and photographs. The test plays office and node."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gallery.core import events as ev
from gallery.core.staff import StaffTold
from gallery.page import acting, drawing, keeping
from gallery.page.fitting import Reached
from gallery.page.ports import AlertAnswer, AlertAsked, AlertState, Nearby, NodeState
from gallery.page.site import PageSettings, Site
from provisioning.web_authority import create_web_authority
from runtime.web_server import WebServer, listen, url_of
from tests.support.fleet_broker import DEADLINE_S
from tests.support.gallery_card import NOW_S, Published
from tests.support.gallery_running import CODE, PIN, RunningGallery
from wire.gallery_lines import Category

FACES: Final = Path(__file__).parents[2] / "demo" / "faces"
ALICE, BOB = 7, 8
ROOT: Final = create_web_authority("Anytown", "watch.example.org", datetime.fromtimestamp(NOW_S, UTC)).certificate
ADDRESSES: Final = tuple(map(ip_address, ("192.168.0.7", "192.168.1.20", "fd00::7")))
SETTINGS: Final = PageSettings(root=lambda: ROOT, reached=Reached(443, lambda: ADDRESSES, "watchlink-00000010.local"))
LOST_S: Final = 12
"""Of ``stream.js``."""
AGES_S: Final = 36_000
HIDE: Final = """() => {
  Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
"""As if the tablet's screen went off, or another program came to the front."""
TRACES: Final = "() => document.images.length + document.querySelectorAll('[data-person*=\" \"]').length"
"""How much of anybody's face or name a page has."""
URL: Final = "https://192.168.1.20:8443"
Row = tuple[int, str, Category, bool, int]
PEOPLE: Final[tuple[Row, ...]] = (
    (31, "Bartholomew Featherstonehaugh", "theft", False, 200),
    (34, "Jo Reed", "violence", True, 90),
    (35, "", "theft", False, 60),
    (38, "Sam Vale", "fraud", False, 45),
    (40, "Mia Long", "abuse-of-staff", True, 30),
    (41, "Zoë Tarn", "disorder", False, 20),
    (42, "Dean Marsh", "theft", True, 4),
    (44, "Noor Hale", "drugs", False, 2),
)
"""Case, name, what they did, whether here, and how many days ago: nobody."""


def face(number: int) -> bytes:
    """One of the faces of nobody."""
    files = sorted(FACES.glob("nobody-*.jpg"))
    return files[number % len(files)].read_bytes()


def published(people: tuple[Row, ...] = PEOPLE) -> Published:
    """A scheme's gallery of nobody; one of them has no photograph."""
    gallery = Published()
    for case, name, category, here, days in people:
        photograph = b"" if case == PEOPLE[2][0] else face(case)
        gallery.issue(case, name, photograph, category=category, here=here, days=(days, 340 - days))
    return gallery


class PlayedNode:
    """The node, as the page sees it.

    Attributes:
        state: what it says of itself.
        answer: to an alert; ``None`` = it never answers.
        asked: alerts.
    """

    def __init__(self) -> None:
        self.state: NodeState | None = NodeState("Alerts reach the control room.")
        self.answer: AlertAnswer | None = AlertAnswer(AlertState.SENT, "00000010-7")
        self.asked: list[AlertAsked] = []

    def alert(self, asked: AlertAsked) -> Future[AlertAnswer]:
        """At once, or never."""
        self.asked.append(asked)
        future: Future[AlertAnswer] = Future()
        if self.answer is not None:
            future.set_result(self.answer)
        return future


def nearby(person: int = 42) -> Nearby:
    """A neighbour has seen somebody."""
    return Nearby("00000011-3", "sighting", 1, person, "The Red Lion", "High Street", 1_800_000_000 - 240)


def wait_for_ages(monkeypatch: pytest.MonkeyPatch, *, is_idle: bool = True) -> None:
    """A session outlasts a browser that stands still on a busy machine; ``is_idle``: nobody need touch it."""
    for module, name in ((keeping, "IDLE_S"), (keeping, "UNWATCHED_S"), (acting, "ALERT_S")):
        monkeypatch.setattr(module, name, AGES_S)
    if is_idle:
        monkeypatch.setattr(drawing, "IDLE_S", AGES_S)


def patient() -> str:
    """``stream.js`` of a page that is not lost however long the unit says nothing."""
    text = (drawing.STATIC_DIR / "js" / "stream.js").read_text(encoding="utf-8")
    assert f"LOST_S = {LOST_S};" in text
    return text.replace(f"LOST_S = {LOST_S};", f"LOST_S = {AGES_S};")


# Put in by the browser's driver, it would have every request of a page go through there.
def _patiently(app: ASGIApp) -> ASGIApp:
    script = Response(patient(), media_type="text/javascript", headers={"cache-control": "max-age=3600"})

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        is_stream = scope["type"] == "http" and scope["path"].endswith("/js/stream.js")
        await (script if is_stream else app)(scope, receive, send)

    return served


class PageUnderTest:
    """A gallery, its page, and whoever plays office and node. :meth:`end` it.

    Attributes:
        gallery: that runs.
        node: as the page sees it.
        site: the page.
    """

    def __init__(self, folder: Path, settings: PageSettings | None = None) -> None:
        self.gallery = RunningGallery(folder).start()
        self.node = PlayedNode()
        self.site = Site(
            self.gallery.running, settings or SETTINGS, alerts=self.node, node_state=lambda: self.node.state
        )
        self.published = published()
        self._server: WebServer | None = None

    def hear(self, *, staff: bool = True) -> PageUnderTest:
        """The office has answered, and everything is here."""
        told = (
            StaffTold(ALICE, "Alice Alder", 1, CODE.text),
            StaffTold(BOB, "Bob Birch", 1, CODE.text),
        )
        self.gallery.told(self.published, staff=told if staff else None)
        self.gallery.arrive(self.published)
        self.gallery.until(lambda: len(self.published.lines) == len(self.gallery.people()))
        return self

    def with_pin(self) -> PageUnderTest:
        """Alice has chosen her PIN."""
        running = self.gallery.running
        running.sign_in(ev.SignInAsked("first", ALICE, CODE, is_start_code=True)).result(DEADLINE_S)
        running.choose_pin(ev.PinChosen("first", PIN)).result(DEADLINE_S)
        running.sign_out("first")
        self.gallery.until(lambda: not running.snapshot().sessions)
        return self

    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncGenerator[httpx.AsyncClient, None]:  # noqa: ANN401 - httpx's own
        """A tablet in the shop, and the page kept up meanwhile."""
        address = options.pop("address", "192.168.1.50")
        url = options.pop("url", URL)
        transport = httpx.ASGITransport(self.site.app, client=(address, 50_000))
        headers = {"x-watchlink": "1", "origin": url}
        async with (
            self.site.kept_up(),
            httpx.AsyncClient(transport=transport, base_url=url, headers=headers, **options) as client,
        ):
            yield client

    async def sign_in(self, client: httpx.AsyncClient) -> None:
        """Alice, by her PIN."""
        answer = await client.post("/sign-in", json={"person": ALICE, "secret": PIN.text})
        assert "open" == answer.json()["outcome"]

    def serve(self, *, is_patient: bool = False) -> str:
        """On this machine; returns the address. ``is_patient``: with :func:`patient`."""
        listener = listen("127.0.0.1", 0)
        app = _patiently(self.site.app) if is_patient else self.site.app
        self._server = WebServer(app, listener, end_streams=self.site.end_streams)
        self._server.start_thread()
        return url_of(listener)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Its page answers nothing meanwhile, and keeps all connections."""
        assert self._server is not None
        stops, may_go_on = threading.Event(), threading.Event()

        def wait() -> None:
            stops.set()
            may_go_on.wait()

        assert self._server._loop is not None
        self._server._loop.call_soon_threadsafe(wait)
        assert stops.wait(DEADLINE_S)
        try:
            yield
        finally:
            may_go_on.set()

    def end(self) -> None:
        """In order."""
        if self._server is not None:
            self._server.stop()
            assert self._server.join_thread(DEADLINE_S)
            self._server = None
        self.gallery.end()
