"""Photographs central's page for the documentation: ``python -m tools.central_pictures [DIR]``.

A fixed night on a board that nobody changes, at a fixed time, so that the pictures only differ when the page does.
Needs Debian's chromium.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from msgspec.structs import replace
from playwright.sync_api import Browser, sync_playwright

from central.core.asking_lines import AskingLine, ShiftLine
from central.core.board_port import DeliverChange
from central.core.rights import Rights, Scope
from central.core.unit_lines import PathFigures
from central.core.view import (
    Action,
    Board,
    Card,
    Done,
    HistoryLine,
    MemberLine,
    NodeLine,
    OnDuty,
    Person,
    RadioLine,
    Refused,
    RejectedLine,
)
from central.web.app import create_app
from central.web.feed import encode_shown
from runtime.web_server import WebServer, listen, url_of
from tests.support.town_office import COOKIE, PATEL, PRIYA, TownOffice
from tools.pictures import FOLDER, digest, write_small
from wire.kinds import PRIORITY, AlertKind

SATURDAY: Final = datetime(2026, 11, 21, 23, 40, 12, tzinfo=UTC)
_INTER_DIR: Final = Path("/usr/share/fonts/opentype/inter")
_NOTICE: Final = "Only this computer can open this page. Everything you do here is recorded with your name."
CHROMIUM: Final = "/usr/bin/chromium"
CHROMIUM_FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_WITHIN_MS: Final = 180_000
"""A busy machine may need a minute for the first page alone."""
_PRIYA: Final = Person("cctv", "Priya Shah", PRIYA)
_JAS: Final = Person("pcso", "J Patel", PATEL)


class StillBoard:
    """A board that never changes; every act on it is refused."""

    def __init__(self, board: Board) -> None:
        self._board = board

    @property
    def is_ok(self) -> bool:
        """As the port says."""
        return True

    def board(self, scope: Scope) -> Board:  # noqa: ARG002
        """As the port says."""
        return self._board

    def subscribe(self, _deliver: DeliverChange, _scope: Scope, _cut: Callable[[], None]) -> Callable[[], None]:
        """As the port says; nothing ever changes."""
        return lambda: None

    async def act(self, action: Action, by: Person, rights: Rights) -> Done | Refused:  # noqa: ARG002
        """As the port says."""
        return Refused("This is a picture.")


def night_board() -> Board:
    """Saturday, 23:40: an attack, an assist and a theft wait; two are in hand."""
    return Board(
        sequence=412,
        at=SATURDAY,
        boot_id="picture",
        is_broker_linked=True,
        is_disk_ok=True,
        has_alerts_lane=True,
        on_duty=(OnDuty(_PRIYA.role, _PRIYA.name, _ago(6_000)), OnDuty(_JAS.role, _JAS.name, _ago(2_900))),
        next_shifts=(ShiftLine(2, "duty-officer", "K Publican", SATURDAY + timedelta(minutes=20)),),
        cards=_cards(),
        nodes=_nodes(),
        rejected=(
            RejectedLine("signature does not verify", "00000017", 3, _ago(340)),
            RejectedLine("not JSON", "00000012", 1, _ago(5_400)),
        ),
    )


def _ago(seconds: float) -> datetime:
    return SATURDAY - timedelta(seconds=seconds)


def _card(number: int, kind: AlertKind, premises: str, place: str, ago_s: float) -> Card:
    at = _ago(ago_s)
    return Card(
        incident=f"{0x10 + number:08x}-{number}",
        key=f"{0x10 + number:08x}-{number}",
        revision=1,
        node=f"{0x10 + number:08x}",
        premises=premises,
        place=place,
        schemes=("hart",),
        kind=kind.slug,
        priority=PRIORITY[kind],
        state="unanswered",
        pressed_at=at,
        arrived_at=at,
        path="network",
        is_late=False,
        is_silent=False,
        is_drill=False,
        history=(HistoryLine(at, "pressed", kind.slug.upper()),),
    )


def _answered(card: Card, by: Person, ago_s: float) -> Card:
    return replace(card, state="answered", answered_by=by, answered_at=_ago(ago_s), answered_after_s=22)


def _cards() -> tuple[Card, ...]:
    seen: Callable[[str, Literal["seen", "responding"]], MemberLine] = lambda premises, response: MemberLine(  # noqa: E731
        "00000020", premises, response, _ago(20)
    )
    coming = _answered(_card(7, AlertKind.BREACH, "Fox & Goose", "Cank St", 1_260), _JAS, 1_200)
    coming = replace(coming, person="PUBWATCH-0042", person_scheme=2, left="yes")
    return (
        replace(
            _card(1, AlertKind.ATTACK, "Corner Shop", "High St", 41),
            is_silent=True,
            alert_count=3,
            members=(seen("Market Pharmacy", "seen"), seen("The Crown", "responding")),
            asking=(
                AskingLine(
                    scheme=1,
                    scheme_name="HART",
                    role="pcso",
                    names=("J Patel",),
                    step=2,
                    steps=3,
                    since=_ago(11),
                    until=SATURDAY + timedelta(seconds=19),
                    next_role="co-ordinator",
                ),
            ),
        ),
        replace(
            _card(2, AlertKind.ASSIST, "The Crown", "Market Place", 134),
            asking=(AskingLine(scheme=2, scheme_name="Pub Watch", since=_ago(133)),),
        ),
        replace(
            _card(3, AlertKind.THEFT, "Bell’s Outdoor", "Mill Lane", 312),
            path="radio",
            paths=("radio",),
            relay="Corner Shop",
            members=(seen("Corner Shop", "seen"),),
        ),
        replace(
            _card(4, AlertKind.DISORDER, "The Railway Arms", "Station Rd", 4_080),
            arrived_at=_ago(48),
            is_late=True,
            cancelled="stand-down",
        ),
        _card(5, AlertKind.TEST, "Market Pharmacy", "High St", 95),
        _answered(_card(6, AlertKind.ASSIST, "Vine & Barrel", "Church Gate", 760), _PRIYA, 738),
        replace(
            coming,
            state="on-the-way",
            assigned_to="PCSO J Patel",
            coming=_JAS,
            coming_at=_ago(1_200),
            coming_said_by=_JAS,
        ),
    )


def _nodes() -> tuple[NodeLine, ...]:
    def line(number: int, premises: str, place: str, **more: object) -> NodeLine:
        fields = {"state": "ok", "since": _ago(9_000), "last_seen_at": _ago(4), "version": "0.1.0", **more}
        return NodeLine(node=f"{number:08x}", premises=premises, place=place, schemes=("hart",), **fields)  # type: ignore[arg-type]

    ready = RadioLine(state="ready", tested_at=_ago(7_000))
    month = f"{SATURDAY:%Y-%m}"
    counted = {"watched_minutes": 29_900, "frames": 14, "late": 0, "median_s": 1}
    figures = (
        PathFigures(month=month, path="network", available_percent=99.93, deliveries=12, most_s=2, **counted),
        PathFigures(month=month, path="radio", available_percent=97.1, deliveries=2, most_s=8, **counted),
    )
    return (
        line(0x11, "Corner Shop", "High St", radio=ready, figures=figures),
        line(0x12, "The Crown", "Market Place", radio=RadioLine(state="listening")),
        line(
            0x13,
            "Bell’s Outdoor",
            "Mill Lane",
            state="no-contact",
            since=_ago(330),
            last_seen_at=_ago(360),
            radio=RadioLine(state="ready", tested_at=_ago(7_000), heard_at=_ago(312), heard_by=("Corner Shop",)),
        ),
        line(
            0x14,
            "The Railway Arms",
            "Station Rd",
            state="fault",
            since=_ago(2_400),
            faults=("oled: no acknowledgement from address 0x3c",),
            outbox_depth=2,
        ),
        line(
            0x15,
            "Market Pharmacy",
            "High St",
            radio=RadioLine(state="untested", tested_at=_ago(100_000), is_test_overdue=True),
        ),
        line(0x20, "Control room radio", "Town Hall", is_gateway=True, radio=ready),
        line(0x16, "Vine & Barrel", "Church Gate"),
        line(0x17, "Fox & Goose", "Cank St", state="no-contact", since=_ago(190), last_seen_at=_ago(220)),
        line(0x18, "Gas & Co", "King St", state="stopped", since=_ago(4_900), last_seen_at=_ago(4_900)),
    )


def photograph(
    browser: Browser,
    url: str,
    cookie: str,
    *,
    scheme: Literal["dark", "light"],
    width: int,
    height: int,
    scale: float = 1,
) -> bytes:
    """A PNG of the page as Priya Shah sees it."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        device_scale_factor=scale,
        reduced_motion="reduce",
        timezone_id="Europe/London",
        has_touch=width < 600,  # noqa: PLR2004 - a phone
        is_mobile=width < 600,  # noqa: PLR2004
    )
    context.set_default_timeout(_WITHIN_MS)
    with closing(context):
        page = context.new_page()
        # The page carries central's time on by this clock: a busy machine would photograph a later second.
        page.add_init_script("performance.now = () => 1000")
        context.add_cookies([{"name": COOKIE, "value": cookie, "url": url}])
        page.goto(url)
        page.wait_for_selector("#live[data-live=live]")
        if page.locator("#banner-sound").is_visible():
            page.locator("#banner-sound").click()
            page.wait_for_selector("#banner-sound", state="hidden")
        page.mouse.move(1, 1)
        page.evaluate("document.activeElement.blur()")
        page.evaluate("document.fonts.ready.then(() => undefined)")
        return page.screenshot()


def made_from() -> str:
    """The digest of page, board and how they are photographed."""
    return digest("central/web", "tools/central_pictures.py", data=encode_shown(night_board()))


def main(arguments: list[str]) -> int:
    """Write the three pictures."""
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    listener = listen("127.0.0.1", 0)
    url = url_of(listener)
    office = TownOffice(now=lambda: SATURDAY)
    board = StillBoard(night_board())
    app = create_app(board, office.gate(), inter_font_dir=_INTER_DIR, notice=_NOTICE, now=lambda: SATURDAY)
    web = WebServer(app, listener, end_streams=app.state.feed.close)
    web.start_thread()
    cookie = office.sign_in(url, PRIYA)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_FLAGS))
            shots = {
                "central-dark.png": photograph(browser, url, cookie, scheme="dark", width=1440, height=900),
                "central-light.png": photograph(browser, url, cookie, scheme="light", width=1440, height=900),
                "central-phone.png": photograph(browser, url, cookie, scheme="dark", width=390, height=844, scale=2),
            }
            browser.close()
    finally:
        web.stop()
        web.join_thread()
    for name, png in shots.items():
        write_small(folder / name, png, made_from())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
