"""One attack in a town where one clock is wrong, seen by one neighbour: late or live (N13), cell by cell.

A cell is played with the real cores: whose clock is wrong and by how much, by which path the press reaches the
neighbour, whether central is alive, and how old the press is by then.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from node.core import effects as do
from node.core.controls import SoundPattern
from node.core.screens import Emphasis, Face
from sim.broker import Message
from sim.node_actor import SimNode
from sim.people import Gesture, make_gesture
from sim.plants import Plant
from sim.town import Town
from sim.watched import WatchedNode
from wire.signing import sign_message
from wire.topics import Up, UpTopic

SETTLED_MS: Final = 12_000
"""Everyone is connected, and has asked central for its time."""
STEPPED_MS: Final = 15_000
PRESSED_MS: Final = 20_000
PRESS_TAKES_MS: Final = 2_500
"""A hold, the disk, and the way to central."""
SHOWN_MS: Final = 14_000
"""If a question to central is lost, its next status brings another."""
FOR_EVER_MS: Final = 10**9


class Who(StrEnum):
    """Whose clock is wrong."""

    CENTRAL = "central"
    PRESSER = "presser"
    NEIGHBOUR = "neighbour"


class Way(StrEnum):
    """The path by which the press reaches the neighbour."""

    NETWORK = "network"
    """The presser had no network until then."""
    RADIO = "radio"
    """Nobody had any; then the press is heard on the air."""
    RELAY = "relay"
    """The same, and it reaches central that way first."""
    QUEUE = "broker's queue"
    """The neighbour had no network; central had it at once."""
    SYNC = "sync"
    """The neighbour was down and the broker lost its queues; central's sync answer tells of it."""


class Cell(Struct, frozen=True):
    """One cell of the matrix.

    Attributes:
        error_s: how far the clock is ahead.
        is_step: it was right at first, and was set while everything ran.
        age_s: of the press, when it reaches the neighbour.
    """

    who: Who
    error_s: int
    is_step: bool
    way: Way
    is_central_alive: bool
    age_s: int


class Seen(Struct, frozen=True):
    """What the neighbour made of it.

    Attributes:
        is_shown: on the panel at all.
        is_late: by the words on its panel.
        is_inverted: the panel is inverted.
        is_heard: the sounder sounds the attack.
        offers_coming: the panel offers the button *Coming*.
    """

    is_shown: bool
    is_late: bool = False
    is_inverted: bool = False
    is_heard: bool = False
    offers_coming: bool = False


def play(cell: Cell, plant: Plant | None = None) -> Seen:
    """Play one press in a fresh town; returns what the neighbour made of it."""
    town = Town(1, 2, plant)
    presser, neighbour = town.nodes
    heard: list[SoundPattern] = []
    _listen(town, neighbour, heard)
    if not cell.is_step:
        _set(town, cell)
    town.start()
    _until(town, STEPPED_MS)
    if cell.is_step:
        _set(town, cell)
    if not cell.is_central_alive:
        town.central.crash(down_ms=FOR_EVER_MS)
    if cell.way in (Way.RADIO, Way.RELAY) or (cell.way is Way.NETWORK and cell.age_s):
        town.broker.cut(presser.id)
    if cell.way is Way.QUEUE:
        town.broker.cut(neighbour.id)
    if cell.way is Way.SYNC:
        neighbour.crash(is_power_cut=False, down_ms=PRESSED_MS - STEPPED_MS + PRESS_TAKES_MS + 1_000 * cell.age_s)
    _until(town, PRESSED_MS)
    make_gesture(town, presser, Gesture.HOLD_ATTACK)
    _until(town, PRESSED_MS + PRESS_TAKES_MS - 500)
    data = presser.disk.rows[max(presser.disk.rows)].data
    if cell.way is Way.SYNC:
        town.broker.kill(keeps_queues=False)
        town.broker.restart()
    _until(town, PRESSED_MS + PRESS_TAKES_MS + 1_000 * cell.age_s)
    if cell.way is Way.RELAY:
        topic = UpTopic(neighbour.id, Up.HEARD)
        signature = sign_message(town.keys[neighbour.id], str(topic), data)
        town.central.receive(Message(topic, data, signature))
    if cell.way in (Way.RADIO, Way.RELAY):
        neighbour.hear(data)
    else:
        town.broker.mend(presser.id)
        town.broker.mend(neighbour.id)
    _until(town, town.timeline.now_ms + SHOWN_MS)
    return _seen(neighbour, heard)


def _set(town: Town, cell: Cell) -> None:
    if cell.who is Who.CENTRAL:
        town.central.clock_error_s = cell.error_s
    else:
        town.nodes[cell.who is Who.NEIGHBOUR].set_clock(cell.error_s, is_proven=True)


def _until(town: Town, moment_ms: int) -> None:
    town.timeline.run_until(moment_ms, lambda: None)


def _listen(town: Town, neighbour: SimNode, heard: list[SoundPattern]) -> None:
    tell = town.invariants.node_orders

    def node_orders(node: WatchedNode, effect: do.Effect) -> None:
        if node is neighbour and isinstance(effect, do.PlaySound) and effect.pattern is SoundPattern.ATTACK:
            heard.append(effect.pattern)
        tell(node, effect)

    town.invariants.node_orders = node_orders  # type: ignore[method-assign]


def _seen(neighbour: SimNode, heard: list[SoundPattern]) -> Seen:
    screen = neighbour.state.screen if neighbour.state is not None else None
    if screen is None or screen.face is not Face.NEIGHBOUR:
        return Seen(is_shown=False)
    return Seen(
        is_shown=True,
        is_late=any("LATE" in line for line in screen.lines),
        is_inverted=screen.emphasis is Emphasis.INVERTED,
        is_heard=bool(heard),
        offers_coming="Coming" in screen.lines[1],
    )
