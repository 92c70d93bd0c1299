"""Everything that people in the town read and hear before and after a lie: panels, page, facts, central's disk.

Every change counts, except those that happen without a lie, which are named here.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
from PIL import Image

from central.core.unit_lines import UnitFacts
from central.core.view import Board
from demo.board import Look
from demo.chronicle import Chronicle
from demo.notice import NeverCameError
from demo.scripts.stage import PATIENCE_S, Stage
from node.core.settings import Timing
from node.hw.fake_board_client import BoardView

PAGE_S: Final = Timing().page_turn_ms / 1_000
"""How long one alert has a panel to itself before the next one's turn."""
LAGS_S: Final = 4.0
"""Allowance for a busy machine."""
_ELSEWHERE: Final = 2
"""Alerts that take turns on panels without an open card at central: the one kept from it, and one just closed."""
_LOOK_EVERY_S: Final = 1.0
_NOTHING: Final = "nothing"

OF_BOARD: Final = frozenset({"sequence", "at", "rejected"})
"""Changes by itself on central's page: each board has its own number and time, and refusals are counted."""
OF_UNIT: Final = frozenset({"last_seen_at", "rejected", "figures"})
"""Likewise in a premises' line: its last sign of life, its refusals, and the hour's figures."""
OF_MACHINE: Final = frozenset({"free_bytes", "temperature_c"})
"""Likewise in what a unit tells of its machine: other programs fill its disk and warm it."""
FACTS: Final = frozenset({"published", "rejected"})
"""Likewise: waiting frames are sent repeatedly, and refused lies are counted."""
_IN_LINE: Final = (
    (re.compile(r"^\d\d:\d\d(?=  Net✓)"), "…"),
    (re.compile(r"^(No news for|By radio now|Channel is busy) +\d+ (s|min|h|d)$"), r"\1 …"),
)
"""Likewise in a panel's line: the idle face's clock, and the time without news or answer."""
_PASSING: Final = ("shows answered", "shows on-the-way", "shows closed", "shows cancelled", "shows hint")
"""Faces that leave a panel by themselves within a minute."""


class Panel:
    """One premises' panel, lamp and sounder, and what is usual for them before the first lie.

    Args:
        name: of the premises.
        looks: of its board; a growing list.
        since_ms: what it does from here to ``until_ms`` is usual.
        until_ms: now.
    """

    def __init__(self, name: str, looks: Sequence[Look], since_ms: float, until_ms: float) -> None:
        self.name = name
        self._looks = looks
        self._pages_ms = until_ms - since_ms
        self._at = next(n for n in reversed(range(len(looks))) if looks[n].at_ms <= since_ms)
        self._until_ms = since_ms
        self._seen_ms = {thing: to_ms for _, to_ms, things in self._spans(until_ms) for thing in things}
        self._told: set[str] = set()

    @property
    def usual(self) -> frozenset[str]:
        """What is usual."""
        return frozenset(self._seen_ms)

    def moved(self, now_ms: float) -> list[str]:
        """What is new since the last call, or absent for longer than usual; each once."""
        moved = []
        for from_ms, to_ms, things in self._spans(now_ms):
            for thing in things:
                if thing not in self._seen_ms:
                    moved.append(f"{self.name} {thing}")
                else:
                    moved += self._missed(thing, from_ms)
                    self._seen_ms[thing] = to_ms
        for thing in self._seen_ms:
            moved += self._missed(thing, now_ms)
        fresh = [sentence for sentence in dict.fromkeys(moved) if sentence not in self._told]
        self._told.update(fresh)
        return fresh

    def _missed(self, thing: str, at_ms: float) -> list[str]:
        is_missed = at_ms - self._seen_ms[thing] > self._pages_ms
        return [f"{self.name} no longer {thing}"] if is_missed else []

    def _spans(self, now_ms: float) -> list[tuple[float, float, tuple[str, ...]]]:
        """What it did since the last call: from, until, and what was shown together."""
        ends = [*(look.at_ms for look in self._looks[self._at + 1 :]), now_ms]
        spans = [
            (max(look.at_ms, self._until_ms), to_ms, tuple(things_of(look.view)))
            for look, to_ms in zip(self._looks[self._at :], ends, strict=True)
        ]
        self._at, self._until_ms = len(self._looks) - 1, now_ms
        return spans


class Watch:
    """Watches all panels, central's page and its disk."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._panels: list[Panel] = []
        self._before: dict[str, object] = {}
        self._pages_s = 0.0

    async def begin(self) -> None:
        """Let every panel finish its turns and come to rest: what it shows then is the truth.

        Raises:
            NeverCameError: something still changes by itself.
        """
        board = await self._stage.town.watch_room.board()
        self._pages_s = PAGE_S * (sum(card.state != "closed" for card in board.cards) + _ELSEWHERE) + LAGS_S
        await asyncio.sleep(self._pages_s)
        tries = int(PATIENCE_S / _LOOK_EVERY_S)
        while restless := self._look():
            tries -= 1
            if not tries:
                raise NeverCameError(f"the town came to rest; {restless[0]}")
            await asyncio.sleep(_LOOK_EVERY_S)
        self._before = await self._read()

    async def moved(self) -> list[str]:
        """What appeared or disappeared since before, a sentence each; each once."""
        was, now = self._before, await self._read()
        self._before = now
        now_ms = self._stage.town.now_ms()
        return changes(was, now) + [sentence for panel in self._panels for sentence in panel.moved(now_ms)]

    async def end(self) -> list[str]:
        """The same after every panel has had its turns again, which reveals what the last lie removed."""
        await asyncio.sleep(self._pages_s)
        return await self.moved()

    def _look(self) -> list[str]:
        """Take what the panels do in these seconds as usual; returns what will not stay, a sentence each."""
        now_ms = self._stage.town.now_ms()
        self._panels = [
            Panel(one.name, one.board.looks, now_ms - 1_000 * self._pages_s, now_ms)
            for one in self._stage.town.premises.values()
        ]
        return [f"{panel.name} {thing}" for panel in self._panels for thing in panel.usual if is_passing(thing)]

    async def _read(self) -> dict[str, object]:
        town = self._stage.town
        seen = read_on(await town.watch_room.board()) | told_by(town.chronicle)
        seen["central's disk"] = self._stage.records.counts()
        return seen


def changes(was: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """The differences, a sentence each."""
    return [
        f"{what}: {was.get(what, _NOTHING)} → {now.get(what, _NOTHING)}"
        for what in sorted({**was, **now})
        if was.get(what, _NOTHING) != now.get(what, _NOTHING)
    ]


def read_on(board: Board) -> dict[str, object]:
    """All that central's page shows, field by field."""
    seen = _fields("page", board, OF_BOARD | {"cards", "nodes"})
    for card in board.cards:
        seen |= _fields(f"card {card.key}", card, frozenset())
    for line in board.nodes:
        seen |= _fields(f"unit {line.node}", line, OF_UNIT | {"facts"})
        own = _fields("facts", line.facts, OF_MACHINE) if isinstance(line.facts, UnitFacts) else {"facts": line.facts}
        seen |= {f"unit {line.node} {what}": value for what, value in own.items()}
    return seen


def told_by(chronicle: Chronicle) -> dict[str, object]:
    """How often each program has told each fact."""
    facts = Counter((fact.fact, fact.node) for fact in chronicle if fact.node and fact.fact not in FACTS)
    return {f"fact '{fact}' of {node}": count for (fact, node), count in facts.items()}


def things_of(view: BoardView) -> Iterator[str]:
    """What a person sees and hears at a board, as ends of sentences."""
    if view.is_blank:
        yield "is dark"
    else:
        lines = tuple(_still(line) for line in view.lines)
        yield " · ".join((f"shows {view.face}", _emphasis(view.png), view.headline, *lines))
    yield f"lights {view.led}"
    yield f"sounds {view.sound}"


def is_passing(thing: str) -> bool:
    """Whether it ends within a minute: an own outcome, a new neighbour's alert, any sound, a link lost for a moment."""
    is_new = thing.startswith("shows neighbour · inverted")
    is_lost = thing.startswith("shows fault") and "NO LINK" in thing
    return is_new or is_lost or thing.startswith(_PASSING) or (thing.startswith("sounds") and thing != "sounds off")


def _fields(what: str, record: msgspec.Struct, left_out: frozenset[str]) -> dict[str, object]:
    told = msgspec.structs.asdict(record)
    return {f"{what} {name}": value for name, value in told.items() if name not in left_out}


def _still(line: str) -> str:
    for moving, still in _IN_LINE:
        line = moving.sub(still, line)
    return line


def _emphasis(png: bytes) -> str:
    """How the panel is drawn, which its words do not tell."""
    image = Image.open(io.BytesIO(png)).convert("L")
    shades = image.histogram()
    if shades[-1] > shades[0]:
        return "inverted"
    return "framed" if image.getpixel((0, 0)) and image.getpixel((image.width - 1, 0)) else "plain"
