"""Faults on the air: noise, jammers, talkers, hidden nodes, broken radios, and an attacker with a transmitter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from node.core.air import Mode
from sim.air import AirWeather, SimAir
from sim.node_actor import SimNode
from sim.town import SCHEMES, STRANGER, Town
from wire.frames import Acknowledgement, Alert, Cancel, Receipt, encode
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import AlertKind, AnswerState, CancelReason, Role

LONG_MS: Final = 90_000
TALK_MS: Final = (1_000, 15_000)
JAM_MS: Final = (5_000, 60_000)
TALKER: Final = "talker"
JAMMER: Final = "jammer"
ATTACKER: Final = "attacker"
FRESH: Final = 3
FLOOD: Final = 12
"""Bursts that an attacker sends in a row: three overs."""


def join(air: SimAir) -> None:
    """Add those who only transmit."""
    for name in (TALKER, JAMMER, ATTACKER):
        air.join(name, None)


def random_air_fault(town: Town) -> None:
    """One fault on the air now; most heal after a while."""
    town.timeline.chance.choice(_FAULTS)(town)


def heal_air(town: Town) -> None:
    """Everyone hears everyone again, and every radio works."""
    if town.air is None:
        return
    town.air.weather = AirWeather()
    town.air.clear_blocks()
    for name in (TALKER, JAMMER, ATTACKER):
        town.air.cut(name)
    for node in town.stations:
        if node.radio is not None:
            node.radio.mend()


def _air(town: Town) -> SimAir:
    assert town.air is not None
    return town.air


def _station(town: Town) -> SimNode:
    return town.timeline.chance.choice(town.stations)


def _while_ms(town: Town) -> int:
    return town.timeline.chance.randint(500, LONG_MS)


def _carry(town: Town, name: str, length_ms: int) -> None:
    if not _air(town).is_keyed(name):
        _air(town).key(name, (), Mode.IL2P_1200, extra_ms=length_ms)


def _talk(town: Town) -> None:
    """Someone speaks on a handset."""
    _carry(town, TALKER, town.timeline.chance.randint(*TALK_MS))


def _jam(town: Town) -> None:
    """A carrier that stays, heard by all or by some."""
    chance, air = town.timeline.chance, _air(town)
    if chance.random() < 0.5:  # noqa: PLR2004 - either
        for node in town.stations:
            if chance.random() < 0.5:  # noqa: PLR2004 - either
                air.block(JAMMER, node.name)
    _carry(town, JAMMER, chance.randint(*JAM_MS))


def _noise(town: Town) -> None:
    chance = town.timeline.chance
    worst = chance.uniform(0.1, 1.0)
    weather = AirWeather({Mode.IL2P_1200: worst, Mode.FX25_1200: worst / 2, Mode.IL2P_300: worst / 10})
    weather.bit_errors = chance.choice((0.0, 0.0, 0.3))
    air = _air(town)
    air.weather = weather

    def mend() -> None:
        if air.weather is weather:
            air.weather = AirWeather()

    town.timeline.after(_while_ms(town), mend)


def _hide(town: Town) -> None:
    """Two stations cannot hear each other."""
    one, other = town.timeline.chance.sample(town.stations, 2)
    _air(town).block(one.name, other.name)
    town.timeline.note("air", f"{one.name} and {other.name} are hidden from each other")


def _break_radio(town: Town) -> None:
    radio = _station(town).radio
    assert radio is not None
    radio.fail()
    town.timeline.after(_while_ms(town), radio.mend)


def _kill_keyed(town: Town) -> None:
    """A power cut or SIGKILL, in the middle of an over if there is one."""
    air, chance = _air(town), town.timeline.chance
    keyed = [node for node in town.stations if air.is_keyed(node.name)]
    chance.choice(keyed or town.stations).crash(is_power_cut=chance.random() < 0.5)  # noqa: PLR2004 - either


def _cut_town(town: Town) -> None:
    """No premises has a network; the gateway has."""
    for node in town.nodes:
        town.broker.cut(node.id)

    def mend() -> None:
        for node in town.nodes:
            town.broker.mend(node.id)

    town.timeline.after(_while_ms(town), mend)


def _kill_gateway(town: Town) -> None:
    assert town.gateway is not None
    town.gateway.crash(is_power_cut=False, down_ms=_while_ms(town))


def _central_gone(town: Town) -> None:
    """No central and no broker, for a good while."""
    while_ms = _while_ms(town)
    town.central.crash(down_ms=while_ms)
    if town.broker.is_up:
        town.broker.kill(keeps_queues=False)
        town.timeline.after(while_ms, lambda: None if town.broker.is_up else town.broker.restart())


def _replay(town: Town) -> None:
    """Genuine frames are sent again, some of them many times."""
    chance = town.timeline.chance
    truths = [truth for _, truth in sorted(town.invariants.truth.items())]
    if chance.random() < 0.5:  # noqa: PLR2004 - either; fresh ones are still being relayed
        truths = sorted(truths, key=lambda truth: truth.stored_ms)[-FRESH:]
    known = [truth.signed.data for truth in truths]
    if chance.random() < 0.3:  # noqa: PLR2004 - now and then
        known = sorted(town.invariants.air.central_said)
    if known:
        chosen = [chance.choice(known) for _ in range(chance.choice((1, FLOOD, 2 * FLOOD)))]
        if chance.random() < 0.5:  # noqa: PLR2004 - either
            chosen = [chosen[0]] * len(chosen)
        _attack(town, chosen, "replays")


def _forge(town: Town) -> None:
    """Plausible frames that their senders never signed, and strangers' properly signed ones."""
    chance = town.timeline.chance
    victim, liar = _station(town).id, town.keys[STRANGER]
    counter, scheme = chance.randint(1, 60), chance.choice(SCHEMES).number
    target = FrameId(victim, counter)
    frames = (
        encode(Alert(STRANGER, counter, 0, AlertKind.ATTACK, counter, (scheme,)), liar),
        encode(Alert(victim, counter, 0, AlertKind.ATTACK, counter, (scheme,)), liar),
        encode(Cancel(victim, counter + 1, 0, counter, CancelReason.MISTAKE, (scheme,)), liar),
        encode(Receipt(CENTRAL, counter, 0, target), liar),
        encode(Receipt(victim, counter, 0, target), town.keys[victim]),
        encode(Acknowledgement(CENTRAL, counter, 0, target, Role.PCSO, AnswerState.ANSWERED, "Eve"), liar),
    )
    _attack(town, [chance.choice(frames) for _ in range(chance.choice((1, 3)))], "forges")


def _flood(town: Town) -> None:
    """Bursts of noise, and of frames that fail only at the signature, as fast as the channel takes them."""
    chance = town.timeline.chance
    liar = town.keys[STRANGER]
    burst = [
        chance.randbytes(chance.randint(0, 120))
        if chance.random() < 0.5  # noqa: PLR2004 - either
        else encode(Alert(_station(town).id, chance.randint(1, 9_999), 0, AlertKind.ASSIST, 1, (1,)), liar)
        for _ in range(FLOOD)
    ]
    _attack(town, burst, "floods")


def _attack(town: Town, frames: list[bytes], what: str) -> None:
    """One over after another, without listening first."""
    air = _air(town)
    town.timeline.note(ATTACKER, f"{what}: {len(frames)} bursts")
    left = [tuple(frames[at : at + 4]) for at in range(0, len(frames), 4)]

    def more(_: int = 0) -> None:
        if left and not air.is_keyed(ATTACKER):
            air.key(ATTACKER, left.pop(0), Mode.IL2P_1200, on_end=more)

    more()


def speak_as(town: Town, node: NodeId) -> None:
    """A node's thief transmits with its key after its revocation."""
    counter = 1_000 + town.timeline.chance.randint(0, 99)
    alert = Alert(node, counter, 0, AlertKind.ATTACK, counter, tuple(sorted(town.memberships[node])))
    data = encode(alert, town.keys[node])
    town.invariants.air.stolen[alert.id] = data
    _attack(town, [data], "is a thief")


_FAULTS: Final[tuple[Callable[[Town], None], ...]] = (
    _talk,
    _jam,
    _noise,
    _noise,
    _hide,
    _break_radio,
    _kill_keyed,
    _kill_keyed,
    _cut_town,
    _cut_town,
    _kill_gateway,
    _central_gone,
    _replay,
    _replay,
    _replay,
    _forge,
    _flood,
)
