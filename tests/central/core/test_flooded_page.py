"""What a flood of one sender's does to the page: nothing that others would notice (C1)."""

from __future__ import annotations

import msgspec
import pytest

from tests.support.central_town import BAKERY, CORNER, Town
from wire.ids import node_text
from wire.kinds import AlertKind

pytestmark = pytest.mark.finding(13)


def test_flood_of_one_premises_is_one_card_and_others_keep_theirs(town: Town) -> None:
    town.press(7, AlertKind.ASSIST, node=BAKERY)
    for counter in range(100, 140):
        town.press(counter, AlertKind.ATTACK)
    small = len(msgspec.json.encode(town.board()))
    for counter in range(1_000, 1_400):
        town.press(counter, AlertKind.ATTACK)

    of_corner = [card for card in town.board().cards if card.node == node_text(CORNER)]
    assert ["00000010-1399"] == [card.incident for card in of_corner]
    assert 2 == len(town.board().cards)
    assert len(msgspec.json.encode(town.board())) < small + 1_000
