"""The fleet page: every unit in sight, those that need a person first (issue 11, *See*).

===== =========== ====================================================================================
GET   /fleet      the page; ``q`` searches, ``wrong`` names a kind of :data:`central.web.upkeep.KINDS`,
                  ``sort`` one of :data:`SORTS`, ``page`` counts from 1
GET   /fleet.json :class:`wire.fleet_list.FleetList`, within 5 min of a second factor
===== =========== ====================================================================================

Drawn from the newest board in a thread, so that the alerts' feed goes on meanwhile. It is a picture of one moment and
says so: it does not refresh itself.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from central.core.board_port import BoardPort
from central.core.unit_lines import UnitFacts
from central.core.view import Board, NodeLine
from central.signin.errors import SignInError
from central.signin.gate import Visitor
from central.web import words
from central.web.figures import SECOND_FACTOR_WITHIN, FiguresLimit
from central.web.page import Page
from central.web.sign_in import SignInRoutes
from central.web.upkeep import KINDS, Need, day, moment, needs_of, room, urgency
from central.web.versions import booted_version, by_version, update_words, versions_in_use
from runtime.web_headers import FORM_HEADERS
from wire.fleet_list import FleetList, UnitEntry
from wire.messages import SettingsReport

PAGE_UNITS: Final = 100
QUERY_CHARS_MAX: Final = 64
TOO_MANY: Final = "You have taken the list several times just now. Try again in ten minutes."
NOT_TOLD: Final = "not told"
SORTS: Final = {
    "wrong": "Most urgent first",
    "premises": "Premises",
    "seen": "Last seen, longest ago",
    "certificate": "Certificate, soonest end",
    "room": "Free space, least",
    "temperature": "Temperature, hottest",
    "version": "Version",
}
_CLOCKS: Final = {
    "ntp": "proven by NTP",
    "central": "proven by central",
    "machine": "believed as configured",
    "none": "not proven",
}
_AS_INSTALLED: Final = "as installed"
_SETTINGS: Final = {
    "taken": "set from afar",
    "trial": "on trial",
    "waiting": "{before}; newer ones wait",
    "refused": "{before}; newer ones refused",
    "returned": "{before}; newer ones tried, taken back",
}
_BRIEF: Final = {
    "version": "Version",
    "certificate": "Certificate until",
    "room": "Free space",
    "heat": "Temperature",
    "clock": "Clock",
    "radio": "Radio path",
}
_ENGINEER: Final = "fleet-engineer"
_LATEST: Final = float("inf")


class Unit(Struct, frozen=True):
    """A line with what it needs."""

    line: NodeLine
    needs: tuple[Need, ...]


class Asked(Struct, frozen=True):
    """What the page is asked for; anything that is not understood is left out."""

    query: str = ""
    wrong: str = ""
    sort: str = "wrong"
    page: int = 1


def asked_of(request: Request) -> Asked:
    """As the address says."""
    said = request.query_params
    page = said.get("page", "")
    return Asked(
        said.get("q", "")[:QUERY_CHARS_MAX].strip(),
        said["wrong"] if said.get("wrong") in KINDS else "",
        said["sort"] if said.get("sort") in SORTS else "wrong",
        max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 6 else 1,  # noqa: PLR2004
    )


def units_of(board: Board) -> list[Unit]:
    """Every unit on the board, struck-off ones too."""
    return [Unit(line, needs_of(line, board.at)) for line in board.nodes]


def chosen(units: list[Unit], asked: Asked) -> list[Unit]:
    """Those that were asked for: units that need a person first, then the rest, then those that were struck off."""
    terms = asked.query.casefold().split()
    found = [
        unit
        for unit in units
        if (not asked.wrong or any(need.kind == asked.wrong for need in unit.needs))
        and all(term in _searched(unit.line) for term in terms)
    ]
    key = _KEYS[asked.sort]
    return sorted(found, key=lambda unit: (_group(unit), key(unit), unit.line.premises.casefold(), unit.line.node))


def _searched(line: NodeLine) -> str:
    facts = line.facts
    said = [line.premises, line.place, line.node, line.version, *line.schemes]
    said += [] if facts is None else [facts.profile, facts.system, facts.image]
    return "\n".join(said).casefold()


def _group(unit: Unit) -> int:
    return 0 if unit.needs else 2 if unit.line.state == "revoked" else 1


def _by_end(unit: Unit) -> float:
    facts = unit.line.facts
    return facts.certificate_ends_at.timestamp() if facts and facts.certificate_ends_at else _LATEST


def _by_room(unit: Unit) -> float:
    facts = unit.line.facts
    return facts.free_bytes if facts and facts.free_bytes is not None else _LATEST


def _by_heat(unit: Unit) -> float:
    facts = unit.line.facts
    return -facts.temperature_c if facts and facts.temperature_c is not None else _LATEST


def _by_seen(unit: Unit) -> float:
    if unit.line.state in ("ok", "fault"):
        return _LATEST
    return unit.line.last_seen_at.timestamp() if unit.line.last_seen_at else 0.0


_KEYS: Final[dict[str, Callable[[Unit], Any]]] = {
    "wrong": lambda unit: urgency(unit.needs) if unit.needs else (),
    "premises": lambda _unit: (),
    "seen": _by_seen,
    "certificate": _by_end,
    "room": _by_room,
    "temperature": _by_heat,
    "version": lambda unit: by_version(unit.line),
}


def facts_of(line: NodeLine) -> list[tuple[str, str, str]]:
    """What the page says of a unit: a short name for the style, the label, and the words."""
    facts = line.facts
    told = [("seen", "Last seen", _seen(line)), ("version", "Version", booted_version(line) or NOT_TOLD)]
    if facts is None:
        return [*told, ("radio", "Radio path", radio_words(line)), ("rest", "Everything else", NOT_TOLD)]
    ends_at, until, free = facts.certificate_ends_at, facts.support_ends_at, facts.free_bytes
    degrees_c, has_battery = facts.temperature_c, facts.has_battery_clock
    return [
        *told,
        ("certificate", "Certificate until", NOT_TOLD if ends_at is None else day(ends_at)),
        ("room", "Free space", NOT_TOLD if free is None else room(free)),
        ("heat", "Temperature", NOT_TOLD if degrees_c is None else f"{degrees_c} °C"),
        ("clock", "Clock", NOT_TOLD if facts.clock is None else _CLOCKS.get(facts.clock, facts.clock)),
        ("battery", "Battery clock", NOT_TOLD if has_battery is None else "yes" if has_battery else "none"),
        ("radio", "Radio path", radio_words(line)),
        ("speech", "Speech", _speech(line)),
        ("profile", "Profile", facts.profile or NOT_TOLD),
        ("settings", "Settings", settings_words(facts.settings)),
        ("system", "System", facts.system or NOT_TOLD),
        ("support", "Support until", NOT_TOLD if until is None else day(until)),
        *_of_image(line.version, facts),
    ]


def _of_image(program: str, facts: UnitFacts) -> list[tuple[str, str, str]]:
    if not facts.image:
        return []
    return [
        ("slot", "Booted from", f"slot {facts.slot.upper()}" if facts.slot in ("a", "b") else NOT_TOLD),
        ("program", "Program", program or NOT_TOLD),
        ("update", "Update", update_words(facts)),
    ]


def brief_of(line: NodeLine) -> list[tuple[str, str, str]]:
    """What the one line of a unit that is in order says, of :func:`facts_of`."""
    told = {key: (key, label, said) for key, label, said in facts_of(line)}
    return [told.get(key, (key, label, NOT_TOLD)) for key, label in _BRIEF.items()]


def radio_words(line: NodeLine) -> str:
    """The radio path in words."""
    if line.radio is None:
        return "no radio"
    said = words.RADIO_WORDS[line.radio.state] or NOT_TOLD
    return said if line.state in ("ok", "fault") else f"was {said}"


def settings_words(report: SettingsReport | None) -> str:
    """Which settings from the fleet count, and what became of the newest."""
    if report is None:
        return _AS_INSTALLED
    said = _SETTINGS.get(report.state, report.state)
    if report.state == "trial" and report.reason:
        said = "on trial, soon taken back"
    return said.format(before="as set before" if report.in_force else _AS_INSTALLED)


def _speech(line: NodeLine) -> str:
    facts = line.facts
    if facts is None or facts.is_speech_ready is None:
        return "none" if line.radio is None else NOT_TOLD
    return "ready" if facts.is_speech_ready else "not ready"


def _seen(line: NodeLine) -> str:
    if line.state in ("ok", "fault"):
        return "now"
    return "never" if line.last_seen_at is None else moment(line.last_seen_at)


def fleet_list(board: Board) -> FleetList:
    """The board's units as a file."""
    return FleetList(at=board.at, units=tuple(_entry(unit) for unit in chosen(units_of(board), Asked())))


def _entry(unit: Unit) -> UnitEntry:
    line = unit.line
    facts = {} if line.facts is None else msgspec.structs.asdict(line.facts)
    facts["version"] = line.version
    report, update = facts.pop("settings", None), facts.pop("update", None)
    return UnitEntry(
        node=line.node,
        premises=line.premises,
        state=line.state,
        last_seen_at=line.last_seen_at,
        radio=radio_words(line),
        needs=tuple(need.told(to_engineer=True) for need in unit.needs),
        settings="" if line.facts is None else settings_words(report),
        settings_serial=0 if report is None else report.serial,
        update="" if line.facts is None or update is None else update_words(line.facts),
        **facts,
    )


class FleetRoutes:
    """The two addresses."""

    def __init__(self, board: BoardPort, page: Page, sign_in: SignInRoutes) -> None:
        self._board = board
        self._page = page
        self._sign_in = sign_in
        self._limit = FiguresLimit()

    def routes(self) -> list[Route]:
        """For the application."""
        return [Route("/fleet", self.page, methods=["GET"]), Route("/fleet.json", self.file, methods=["GET"])]

    async def page(self, request: Request) -> Response:
        """The page."""
        visitor = self._sign_in.visitor(request)
        if visitor is None:
            return RedirectResponse("/", 303)
        board, asked = self._board.board(visitor.rights.scope), asked_of(request)
        html = await asyncio.to_thread(self.render, board, asked, visitor)
        return HTMLResponse(html, headers=FORM_HEADERS)

    async def file(self, request: Request) -> Response:
        """The list as a file, for ``watchlink fleet list --from``."""
        visitor = self._sign_in.visitor(request)
        if visitor is None:
            return RedirectResponse("/", 303)
        shown_at, now_at = visitor.session.second_factor_at, self._sign_in.now_at
        if shown_at is None or now_at - shown_at > SECOND_FACTOR_WITHIN:
            return self._sign_in.door(request, SignInError("step-up"))
        if not self._limit.take(visitor.session.account, now_at):
            return PlainTextResponse(TOO_MANY, 429, {"retry-after": "600"})
        board = self._board.board(visitor.rights.scope)
        data = await asyncio.to_thread(lambda: msgspec.json.encode(fleet_list(board)))
        headers = {"content-disposition": f'attachment; filename="watchlink-fleet-{board.at:%Y-%m-%d}.json"'}
        return Response(data, media_type="application/json", headers=headers)

    def render(self, board: Board, asked: Asked, visitor: Visitor) -> str:
        """HTML of the page. For any thread."""
        units = units_of(board)
        counts = Counter(need.kind for unit in units for need in {need.kind: need for need in unit.needs}.values())
        found = chosen(units, asked)
        pages = max(1, -(-len(found) // PAGE_UNITS))
        number = min(asked.page, pages)
        shown = found[(number - 1) * PAGE_UNITS : number * PAGE_UNITS]
        return self._page.draw(
            "fleet.html",
            board=board,
            asked=asked,
            now=board.at,
            total=len(units),
            found=len(found),
            needing=sum(bool(unit.needs) for unit in found),
            versions=versions_in_use(unit.line for unit in found),
            groups=[
                ("wrong", "Needs a person", [unit for unit in shown if _group(unit) == 0]),
                ("well", "In order", [unit for unit in shown if _group(unit) == 1]),
                ("struck", "Struck off", [unit for unit in shown if _group(unit) == 2]),  # noqa: PLR2004
            ],
            number=number,
            pages=pages,
            kinds=[(kind, said, counts[kind]) for kind, said in KINDS.items() if counts[kind]],
            sorts=SORTS,
            facts_of=facts_of,
            brief_of=brief_of,
            is_engineer=any(entry.role == _ENGINEER for entry in visitor.person.roles),
        )
