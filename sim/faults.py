"""What goes wrong in the simulation, and how it is all put right again at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sim.broker import Weather
from sim.faults_air import heal_air
from sim.node_actor import SimNode
from sim.town import SCHEMES, STRANGER, Town
from wire.frames import Alert, encode
from wire.ids import CENTRAL
from wire.kinds import AlertKind
from wire.topics import FrameTopic

LONG_MS: Final = 90_000
YEARS_S: Final = (-20 * 365 * 86_400, -3_600, 7_200, 15 * 365 * 86_400)


def random_fault(town: Town) -> None:
    """One thing goes wrong now; most mend themselves after a while."""
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
    town.watch.is_central_clock_true = True
    heal_air(town)
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
    node.set_clock(chance.choice(YEARS_S), is_proven=chance.random() < 0.3)  # noqa: PLR2004 - seldom a false proof
    town.timeline.after(_while_ms(town), lambda: node.set_clock(0, is_proven=True))


def _move_central_clock(town: Town) -> None:
    town.central.clock_error_s = town.timeline.chance.choice(YEARS_S)
    town.watch.is_central_clock_true = False
    town.timeline.note("central", f"clock off by {town.central.clock_error_s} s")

    def mend() -> None:
        town.central.clock_error_s = 0
        town.watch.is_central_clock_true = True

    town.timeline.after(_while_ms(town), mend)


def _break_panel(town: Town) -> None:
    node = _node(town)
    node.break_panel()

    def mend() -> None:
        node.is_panel_dead = False

    town.timeline.after(_while_ms(town), mend)


def _forge(town: Town) -> None:
    """Somebody with a hand on the broker: strangers, changed bits, replays, borrowed topics."""
    chance = town.timeline.chance
    victim = _node(town)
    scheme = chance.choice(SCHEMES)
    topic = FrameTopic(scheme.slug, victim.id)
    counter = chance.randint(1, 60)
    kind = chance.randrange(4)
    if kind == 0:
        alert = Alert(STRANGER, counter, 0, AlertKind.ATTACK, counter, (scheme.number,))
        town.broker.inject(FrameTopic(scheme.slug, STRANGER), encode(alert, town.keys[STRANGER]))
    elif kind == 1:
        alert = Alert(victim.id, counter, 0, AlertKind.ATTACK, counter, (scheme.number,))
        town.broker.inject(topic, encode(alert, town.keys[STRANGER]))
    elif town.watch.truth:
        data = bytearray(chance.choice(sorted(town.watch.truth.items()))[1].signed.data)
        if kind == 2:  # noqa: PLR2004 - the third of four
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        town.broker.inject(topic, bytes(data))
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
    _break_panel,
    _forge,
    _forge,
)
