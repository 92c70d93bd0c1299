"""Faults in the simulation, and how all of them are healed at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sim.broker import Message, Weather
from sim.faults_air import heal_air
from sim.faults_liar import heal_liar
from sim.node_actor import SimNode
from sim.town import SCHEMES, STRANGER, Town
from wire.frames import Alert, encode
from wire.ids import CENTRAL
from wire.kinds import AlertKind
from wire.topics import FrameTopic

LONG_MS: Final = 90_000
_LOOK_MS: Final = 1_700
YEARS_S: Final = (-20 * 365 * 86_400, -3_600, 7_200, 15 * 365 * 86_400)


def random_fault(town: Town) -> None:
    """One fault now; most heal after a while."""
    town.timeline.chance.choice(_FAULTS)(town)


def heal(town: Town) -> None:
    """Everything works again."""
    town.timeline.note("world", "heals")
    town.broker.weather = Weather()
    if not town.broker.is_up:
        town.broker.restart()
    town.broker.mend(CENTRAL)
    town.central.disk.is_refusing = False
    town.central.crash_after_orders = None
    town.central.clock_error_s = 0
    if town.central.bugs is not None:
        town.central.bugs.is_over = True
    heal_air(town)
    heal_liar(town)
    for node in town.stations:
        town.broker.mend(node.id)
        node.disk.is_refusing = False
        node.is_panel_dead = False
        node.crash_after_orders = None
        node.set_clock(0, is_proven=True)


def _node(town: Town) -> SimNode:
    return town.timeline.chance.choice(town.stations)


def _while_ms(town: Town) -> int:
    return town.timeline.chance.randint(500, LONG_MS)


def _kill_node(town: Town) -> None:
    _node(town).crash(is_power_cut=town.timeline.chance.random() < 0.5)  # noqa: PLR2004 - either


def _kill_node_between_orders(town: Town) -> None:
    _node(town).crash_after_orders = town.timeline.chance.randint(1, 12)


def _kill_central(town: Town) -> None:
    town.central.crash()


def _kill_central_between_orders(town: Town) -> None:
    town.central.crash_after_orders = town.timeline.chance.randint(1, 20)


def _kill_broker(town: Town) -> None:
    if town.broker.is_up:
        town.broker.kill(keeps_queues=town.timeline.chance.random() < 0.5)  # noqa: PLR2004 - either
        town.timeline.after(_while_ms(town), lambda: None if town.broker.is_up else town.broker.restart())


def _cut_node(town: Town) -> None:
    node = _node(town).id
    town.broker.cut(node)
    town.timeline.after(_while_ms(town), lambda: town.broker.mend(node))


def _cut_central(town: Town) -> None:
    town.broker.cut(CENTRAL)
    town.timeline.after(_while_ms(town), lambda: town.broker.mend(CENTRAL))


def _bad_weather(town: Town) -> None:
    chance = town.timeline.chance
    town.broker.weather = Weather(chance.uniform(0, 0.4), chance.uniform(0, 0.4), chance.choice((20, 300, 3_000)))


def _fill_node_disk(town: Town) -> None:
    node = _node(town)
    node.disk.is_refusing = True
    town.timeline.note(node.name, "disk refuses")

    def mend() -> None:
        node.disk.is_refusing = False

    town.timeline.after(_while_ms(town), mend)


def _fill_central_disk(town: Town) -> None:
    town.central.disk.is_refusing = True
    town.timeline.note("central", "disk refuses")

    def mend() -> None:
        town.central.disk.is_refusing = False

    town.timeline.after(_while_ms(town), mend)


def _move_node_clock(town: Town) -> None:
    chance = town.timeline.chance
    node = _node(town)
    node.set_clock(chance.choice(YEARS_S), is_proven=chance.random() < 0.3)  # noqa: PLR2004 - a false proof is rare
    town.timeline.after(_while_ms(town), lambda: node.set_clock(0, is_proven=True))


def _move_central_clock(town: Town) -> None:
    town.central.clock_error_s = town.timeline.chance.choice(YEARS_S)
    town.timeline.note("central", f"clock off by {town.central.clock_error_s} s")
    if town.timeline.chance.random() < 0.5:  # noqa: PLR2004 - either
        town.central.crash()  # Central takes a new clock setting at its next start.

    def mend() -> None:
        town.central.clock_error_s = 0

    town.timeline.after(_while_ms(town), mend)


def put_back_card(town: Town) -> None:
    """A card loses its last writes, and its node has no network until the next press: a number is issued twice."""
    node, timeline = _node(town), town.timeline
    if town.air is not None:
        return  # The rules of the air are judged in towns whose cards are whole.
    card, copy = node.disk, node.disk.copy()
    ends_ms = timeline.now_ms + 2 * LONG_MS

    def look() -> None:
        if node.disk is not card:
            return  # Put back meanwhile: this copy is not a past state of the present card.
        is_new = bool(node.disk.rows.keys() - copy.rows.keys())
        if is_new and node.is_running:
            town.broker.cut(node.id)
            node.put_back(copy.copy())
            timeline.after(_LOOK_MS, wait)
        elif timeline.now_ms < ends_ms:
            timeline.after(_LOOK_MS, look)

    def wait() -> None:
        if node.disk.rows.keys() - copy.rows.keys() or timeline.now_ms >= ends_ms:
            town.broker.mend(node.id)
        else:
            timeline.after(_LOOK_MS, wait)

    look()


def _restore_central(town: Town) -> None:
    """Central's database is replaced by an older backup."""
    if town.air is not None:
        return
    copy = town.central.disk.copy()
    town.timeline.after(_while_ms(town), lambda: town.central.put_back(copy))


def _break_panel(town: Town) -> None:
    node = _node(town)
    node.break_panel()

    def mend() -> None:
        node.is_panel_dead = False

    town.timeline.after(_while_ms(town), mend)


def _forge(town: Town) -> None:
    """An adversary at the broker: strangers, changed bits, replays, borrowed topics."""
    chance = town.timeline.chance
    victim = _node(town)
    scheme = chance.choice(SCHEMES)
    topic = FrameTopic(scheme.slug, victim.id)
    counter = chance.randint(1, 60)
    kind = chance.randrange(4)
    if kind == 0:
        alert = Alert(STRANGER, counter, 0, AlertKind.ATTACK, counter, (scheme.number,))
        town.broker.inject(Message(FrameTopic(scheme.slug, STRANGER), encode(alert, town.keys[STRANGER])))
    elif kind == 1:
        alert = Alert(victim.id, counter, 0, AlertKind.ATTACK, counter, (scheme.number,))
        town.broker.inject(Message(topic, encode(alert, town.keys[STRANGER])))
    elif town.invariants.truth:
        data = bytearray(chance.choice(sorted(town.invariants.truth.items()))[1].signed.data)
        if kind == 2:  # noqa: PLR2004 - the third of four
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        town.broker.inject(Message(topic, bytes(data)))
    town.timeline.note("forger", f"attack {kind} as {victim.name} in {scheme.slug}")


_FAULTS: Final[tuple[Callable[[Town], None], ...]] = (
    _kill_node,
    _kill_node_between_orders,
    _kill_node_between_orders,
    _kill_central,
    _kill_central_between_orders,
    _kill_broker,
    _cut_node,
    _cut_node,
    _cut_central,
    _bad_weather,
    _fill_node_disk,
    _fill_central_disk,
    _move_node_clock,
    _move_central_clock,
    _restore_central,
    _restore_central,
    _break_panel,
    _forge,
    _forge,
)
