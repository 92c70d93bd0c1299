"""The panels' page says of the air what the air says, in words."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from demo.air.orders import SPEAKER, AirState, Recording, StationState
from demo.panel.air import air_line, radio_state
from demo.shop import Premises
from demo.town import Town

NAMES = {"00000010": "Corner Shop, High St", "00000011": "Penny Books, Mill Ln"}
SHOP = cast("Premises", SimpleNamespace(node="00000010"))
BOOKS = cast("Premises", SimpleNamespace(node="00000011"))


def town(state: AirState | None) -> Town:
    link = None if state is None else SimpleNamespace(state=state)
    return cast("Town", SimpleNamespace(air_link=link, name_of=lambda node: NAMES.get(node, node)))


def state(*, blocked: tuple[tuple[str, str], ...] = (), **stations: StationState) -> AirState:
    names = {"shop": "00000010", "books": "00000011", "speaker": SPEAKER}
    return AirState({names[key]: one for key, one in stations.items()}, blocked=blocked)


IDLE, KEYED = StationState(), StationState(is_keyed=True)


@pytest.mark.parametrize(
    ("air", "words"),
    [
        (state(), "not on the air"),
        (state(shop=IDLE, books=IDLE), "listening"),
        (state(shop=KEYED, books=IDLE), "ON AIR"),
        (state(shop=StationState(is_keyed=True, is_stuck=True)), "KEY STUCK"),
        (state(shop=IDLE, books=KEYED), "hears Penny Books, Mill Ln"),
        (state(shop=IDLE, books=KEYED, blocked=(("00000010", "00000011"),)), "listening"),
        (state(shop=IDLE, speaker=KEYED), "hears someone talking"),
    ],
)
def test_radio_is_told_in_words(air: AirState, words: str) -> None:
    told = radio_state(town(air), SHOP)

    assert told is not None
    assert words == told.words


def test_town_without_radio_shows_none() -> None:
    assert radio_state(town(None), SHOP) is None
    assert air_line(town(None)) is None


def test_air_strip_names_who_is_on_and_what_was_said() -> None:
    said = Recording(3, ("00000010", SPEAKER), 7.42, -3.0, "over-0003.wav", "over-0003.png")
    air = AirState(
        {"00000010": KEYED, "00000011": KEYED},
        level_dbfs=-45.0,
        blocked=(("00000010", "00000011"),),
        recordings=(said,),
    )

    line = air_line(town(air))

    assert line is not None
    assert "On the air: Corner Shop, High St, Penny Books, Mill Ln – more than one at once" == line.words
    assert 50 == line.level
    assert (("00000010", "00000011", "Corner Shop, High St and Penny Books, Mill Ln"),) == line.blocked
    assert ["Corner Shop, High St and someone talking"] == [over.who for over in line.overs]


def test_air_that_is_gone_is_said_to_be_gone() -> None:
    line = air_line(town(AirState()))

    assert line is not None
    assert "not running" in line.words
