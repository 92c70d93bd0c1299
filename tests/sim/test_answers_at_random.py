"""What a shop reads of answers that the air loses, doubles and brings in any order (N3, N9): what central meant.

A real node and a real central, cut off from the network. Whoever reads ANSWERED, COMING or CLOSED was answered, or that
was closed, by somebody who knew every press that counts.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import NamedTuple

import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.incident import Incident
from central.core.said import acknowledgement
from central.core.view import Acknowledge, Action, Close, SetOnTheWay, UndoAcknowledge
from node.core.controls import Button
from node.core.events import FrameReceived
from node.core.table import UNSETTLED, Phase
from tests.support.central_town import CORNER, JONES, PATEL, Town
from tests.support.members import NOON
from tests.support.node_world import World
from wire.frames import Alert
from wire.kinds import PRIORITY, Path
from wire.messages import Health

STEPS = 100
PRESSES_MAX = 4
BECAUSE = {Phase.ANSWERED: {"answered", "on-the-way"}, Phase.ON_THE_WAY: {"on-the-way"}, Phase.CLOSED: {"closed"}}
"""What central must once have meant for the shop to read that."""


class Meant(NamedTuple):
    """What central meant of an incident at one moment, and the presses that were known to who answered or closed it."""

    incident: int
    state: str
    presses: frozenset[int]


class Pair:
    """A shop and central, whose clock is ``ahead_s`` ahead."""

    def __init__(self, seed: int, ahead_s: int, *, loses: bool = True) -> None:
        self.loses = loses
        self.random = random.Random(seed)
        self.world = World()
        self.world.start()
        self.town = Town(now_at=NOON + timedelta(seconds=ahead_s))
        self.town.handle(
            ev.HealthArrived(CORNER, Health(state="armed", boot_id="n1", speaks=("press",)), is_signed=True)
        )
        self.meant: list[Meant] = []
        self.on_the_way: list[FrameReceived] = []
        self.arrived: set[int] = set()
        self.heard = len(self.town.said)
        self.told: set[Phase] = set()

    def step(self) -> None:
        """One thing happens."""
        happens = (self.press, self.arrive, self.act, self.bring, self.lose, self.wait, self.restart)
        self.random.choices(happens, (3, 15, 20, 35, 2, 3, 1))[0]()
        self.listen()
        self.judge()

    def press(self) -> None:
        if len(self.world.stored) < PRESSES_MAX:
            began_ms = self.world.now_ms
            press = self.random.choice((self.world.hold, self.world.tap))
            press(Button.ATTACK if press == self.world.hold else Button.ASSIST)
            self.town.later((self.world.now_ms - began_ms) / 1_000)

    def arrive(self) -> None:
        """A press reaches central, perhaps once more."""
        if self.world.stored:
            counter = self.random.choice(tuple(self.world.stored))
            self.arrived.add(counter)
            self.town.hear(self.world.stored[counter][0].frame)

    def act(self) -> None:
        """Somebody at the desk does something."""
        cards = [incident for incident in self.incidents() if incident.is_open]
        if cards:
            incident = self.random.choice(cards).id.text
            acts: tuple[Action, ...] = (
                *(Acknowledge(incident),) * 3,
                SetOnTheWay(incident, who=PATEL),
                *(UndoAcknowledge(incident),) * 2,
                Close(incident, "done"),
            )
            self.town.act(self.random.choice(acts), self.random.choice((PATEL, JONES)))

    def bring(self) -> None:
        """The air brings any word; perhaps it comes again."""
        if self.on_the_way:
            word = self.on_the_way.pop(self.random.randrange(len(self.on_the_way)))
            if self.random.random() < 0.15:
                self.on_the_way.append(word)
            self.world.do(word)

    def lose(self) -> None:
        if self.loses and self.on_the_way:
            self.on_the_way.pop(self.random.randrange(len(self.on_the_way)))

    def wait(self) -> None:
        seconds = self.random.choice((1, 2, 5, 20, 50))
        self.town.later(seconds)
        self.world.after(1_000 * seconds)

    def restart(self) -> None:
        self.world.restart(wall=self.world.wall())

    def listen(self) -> None:
        """Put on the air what central has said, and note what it means now."""
        for order in self.town.said[self.heard :]:
            if isinstance(order, do.SendReceipt) and order.target.counter in self.world.stored:
                self.on_the_way.append(self.world.receipt(order.target.counter))
            elif isinstance(order, do.SendAcknowledgement):
                self.world.central_counter += 1
                at_s = int(self.town.now_at.timestamp())
                frame = acknowledgement(order, self.world.central_counter, at_s)
                self.on_the_way.append(FrameReceived(self.world.signed(frame).data, None, Path.RADIO))
        self.heard = len(self.town.said)
        for incident in self.incidents():
            arrived = self.arrived & set(self.alerts(incident.id.counter))
            known = {one for one in arrived if incident.state == "closed" or one <= incident.answered_press}
            self.meant.append(Meant(incident.id.counter, incident.state, frozenset(known)))

    def judge(self) -> None:
        """What the shop reads now was once true of all presses that count."""
        for key in self.world.state.recent:
            incident = self.world.state.incidents.get(key)
            alerts = self.alerts(key)
            if incident is None or not alerts or incident.phase in UNSETTLED:
                continue
            self.told.add(incident.phase)
            last = alerts[max(alerts)].kind
            counts = {one for one, alert in alerts.items() if PRIORITY[alert.kind] < PRIORITY[last]} | {max(alerts)}
            if incident.phase is Phase.RECEIVED:
                assert counts <= self.arrived
            elif incident.phase in BECAUSE:
                if incident.phase is Phase.ON_THE_WAY:  # Who set out for an earlier press still comes.
                    counts = set()
                because = BECAUSE[incident.phase]
                meant = [one for one in self.meant if one.incident == key and one.state in because]
                assert any(counts <= one.presses for one in meant), f"{incident.phase} of {sorted(counts)}"

    def hear_all(self) -> None:
        """All that is left to be heard is."""
        for counter, (signed, _) in self.world.stored.items():
            if counter not in self.arrived:
                self.arrived.add(counter)
                self.town.hear(signed.frame)
        self.listen()
        while self.on_the_way:
            self.world.do(self.on_the_way.pop(self.random.randrange(len(self.on_the_way))))
        self.judge()

    def incidents(self) -> tuple[Incident, ...]:
        return tuple(self.town.core._incidents.of(CORNER))

    def alerts(self, key: int) -> dict[int, Alert]:
        """The shop's alerts of that incident, by counter."""
        frames = (signed.frame for signed, _ in self.world.stored.values())
        return {frame.counter: frame for frame in frames if isinstance(frame, Alert) and frame.incident == key}


@pytest.mark.finding(6)
@pytest.mark.parametrize("ahead_s", [0, 40, -40])
def test_shop_reads_nothing_that_central_never_meant(ahead_s: int) -> None:
    told: set[Phase] = set()
    for seed in range(60):
        pair = Pair(seed, ahead_s)
        for _ in range(STEPS):
            pair.step()
        told |= pair.told

    assert set(BECAUSE) | {Phase.RECEIVED} <= told


@pytest.mark.finding(6)
@pytest.mark.parametrize("ahead_s", [0, 40, -40])
def test_shop_that_has_heard_all_reads_no_more_than_is_so(ahead_s: int) -> None:
    """In any order, and whatever it read before. It may read less: see ADR 0046."""
    read: set[tuple[Phase, str]] = set()
    for seed in range(60):
        pair = Pair(seed, ahead_s, loses=False)
        for _ in range(STEPS):
            pair.step()
        pair.hear_all()
        for incident in pair.incidents():
            own = pair.world.state.incidents.get(incident.id.counter)
            if own is not None and own.phase in BECAUSE:
                assert incident.state in BECAUSE[own.phase]
                read.add((own.phase, incident.state))

    assert {Phase.ANSWERED, Phase.ON_THE_WAY, Phase.CLOSED} <= {phase for phase, _ in read}
