"""To keep something back at the broker, to know afterwards what that was, and to see that nobody was told good news."""

from __future__ import annotations

from typing import Final

from paho.mqtt.client import topic_matches_sub

from demo.liar import Liar, Said
from demo.lies import row_said
from demo.matrix import FLOOR, Row, row_of
from demo.scripts.liar_past import number_of
from demo.scripts.stage import Stage
from demo.town import Premises
from wire.messages import SyncAnswer
from wire.topics import Down, DownTopic, FrameTopic

GOOD_NEWS: Final = frozenset({"received", "answered", "on-the-way", "closed", "nearby"})
"""Faces that tell a presser that somebody has the alert."""


class Withholding:
    """What the broker keeps back, from when until when."""

    def __init__(self, liar: Liar) -> None:
        self._liar = liar
        self._since: dict[str, int] = {}

    def keep_back(self, topic: str, *readers: str) -> None:
        """Deliver nothing on this topic to these clients from now on."""
        self._since.setdefault(topic, len(self._liar.kept))
        self._liar.withhold(topic, *readers)

    def end(self) -> frozenset[Row]:
        """Let everything through. Which rows of the table were said meanwhile, and did not arrive."""
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
    """An answer to a sync bears the counter floor, whatever else it says: withheld, all of it is."""
    row = row_said(said)
    return row_of(row.channel.name, SyncAnswer, FLOOR) if row is not None and row.what is SyncAnswer else row


def count(stage: Stage, kept_back: frozenset[Row], wanted: frozenset[Row]) -> int:
    """How many of the rows that were to be kept back really were; the others are missing."""
    for row in sorted(wanted - kept_back, key=lambda row: row.name):
        stage.check(False, f"'{row.name}' was said while it was withheld")  # noqa: FBT003
    return len(wanted & kept_back)


def check_untold(stage: Stage, where: Premises, alert: str) -> None:
    """Nobody there was told that central, or anybody else, has the alert."""
    since_ms = stage.town.chronicle.began_ms + stage.stored(alert).at_ms
    told = {look.view.face for look in where.board.looks if look.at_ms > since_ms} & GOOD_NEWS
    stage.check_truth(not told, f"{where.name} read {sorted(told)} of {alert}, whose receipt was kept from it")
    receipt = stage.town.chronicle.find("receipt", node=where.node, alert=alert)
    stage.check_truth(receipt is None, f"a receipt for {alert} came, though it was kept from {where.name}")


def down(where: Premises, channel: Down) -> str:
    """The topic on which central says that to this premises."""
    return str(DownTopic(number_of(where), channel))


def frames_of(where: Premises) -> tuple[str, ...]:
    """The topics on which this premises' frames go out, one for each of its schemes."""
    return tuple(str(FrameTopic(scheme, number_of(where))) for scheme in where.address.schemes)
