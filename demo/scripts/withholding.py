"""Withholds messages at the broker, records which, and checks that nobody was told good news."""

from __future__ import annotations

from typing import Final

from paho.mqtt.client import topic_matches_sub

from demo.liar import Liar, Said
from demo.lies import row_said
from demo.matrix import FLOOR, Row, row_of
from demo.scripts.liar_past import number_of
from demo.scripts.stage import Stage
from demo.shop import Premises
from wire.messages import SyncAnswer
from wire.topics import Down, DownTopic, FrameTopic

GOOD_NEWS: Final = frozenset({"received", "answered", "on-the-way", "closed", "nearby"})
"""Faces that tell a presser that someone has the alert."""


class Withholding:
    """Messages that the broker withholds, and for how long."""

    def __init__(self, liar: Liar) -> None:
        self._liar = liar
        self._since: dict[str, int] = {}

    def keep_back(self, topic: str, *readers: str) -> None:
        """Deliver nothing on this topic to these clients from now on."""
        self._since.setdefault(topic, len(self._liar.kept))
        self._liar.withhold(topic, *readers)

    def end(self) -> frozenset[Row]:
        """Let everything through; returns the rows of the table that were sent meanwhile and did not arrive."""
        said = {
            _row(said)
            for topic, since in self._since.items()
            for said in self._liar.kept[since:]
            if topic_matches_sub(topic, said.topic)
        }
        self._since.clear()
        self._liar.let_through()
        return frozenset(row for row in said if row is not None)


def _row(said: Said) -> Row | None:
    """The row of a message. An answer to a sync always has the counter floor, so withholding it withholds that too."""
    row = row_said(said)
    return row_of(row.channel.name, SyncAnswer, FLOOR) if row is not None and row.what is SyncAnswer else row


def count(stage: Stage, kept_back: frozenset[Row], wanted: frozenset[Row]) -> int:
    """Count the wanted rows that really were withheld; note the others as missing."""
    for row in sorted(wanted - kept_back, key=lambda row: row.name):
        stage.check(False, f"'{row.name}' was said while it was withheld")  # noqa: FBT003
    return len(wanted & kept_back)


def check_untold(stage: Stage, where: Premises, alert: str) -> None:
    """Check that nobody there was told that central, or anyone else, has the alert."""
    since_ms = stage.town.chronicle.began_ms + stage.stored(alert).at_ms
    told = {look.view.face for look in where.board.looks if look.at_ms > since_ms} & GOOD_NEWS
    stage.check_truth(not told, f"{where.name} read {sorted(told)} of {alert}, whose receipt was kept from it")
    receipt = stage.town.chronicle.find("receipt", node=where.node, alert=alert)
    stage.check_truth(receipt is None, f"a receipt for {alert} came, though it was kept from {where.name}")


def down(where: Premises, channel: Down) -> str:
    """Central's topic for this channel to this premises."""
    return str(DownTopic(number_of(where), channel))


def frames_of(where: Premises) -> tuple[str, ...]:
    """The topics of this premises' frames, one for each of its schemes."""
    return tuple(str(FrameTopic(scheme, number_of(where))) for scheme in where.address.schemes)
