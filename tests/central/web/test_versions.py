"""Which version units run: the one that was booted, never the one that was meant (F4)."""

from __future__ import annotations

import pytest

from central.core.rights import Scope
from central.core.unit_lines import UnitFacts
from central.core.view import NodeLine
from central.web.fleet import Asked, brief_of, chosen, facts_of, fleet_list, units_of
from central.web.versions import booted_version, update_words, versions_in_use
from tests.support.fleet_lines import facts, unit
from tests.support.fleet_page import ask, board_of, names, told
from wire.messages import UpdateReport

OLD, NEW = "0.1.0.202611280725", "0.1.1.202612200900"


def update(state: str, reason: str = "") -> UpdateReport:
    return UpdateReport(serial=7, version=NEW, state=state, reason=reason)


def booted(number: int, image: str = OLD, slot: str | None = "a", said: UpdateReport | None = None) -> NodeLine:
    return unit(number, f"Shop {number:03}", facts=facts(image=image, slot=slot, update=said))


@pytest.mark.parametrize("state", ["fetching", "waiting", "trying", "taken", "returned", "refused", "newer-word"])
def test_version_is_the_booted_one_whatever_became_of_the_newest(state: str) -> None:
    line = booted(0x10, said=update(state))
    shown = {label: words for _, label, words in facts_of(line)}
    brief = {label: words for _, label, words in brief_of(line)}
    (entry,) = fleet_list(board_of(line).board(Scope())).units

    assert (OLD, OLD, OLD, OLD) == (booted_version(line), shown["Version"], brief["Version"], entry.image)
    assert ("slot A", "0.1.0") == (shown["Booted from"], shown["Program"])
    assert ("a", "0.1.0") == (entry.slot, entry.version)
    assert entry.update == shown["Update"]


@pytest.mark.parametrize("slot", [None, "unknown"])
def test_slot_that_is_not_known_is_not_told(slot: str | None) -> None:
    assert ("slot", "Booted from", "not told") in facts_of(booted(0x10, slot=slot))


@pytest.mark.parametrize("known", [None, UnitFacts(version="0.1.0")])
def test_unit_without_an_image_says_its_programs_version_and_nothing_of_slots(known: UnitFacts | None) -> None:
    line = unit(0x10, facts=known)

    assert "0.1.0" == booted_version(line)
    assert not {"Booted from", "Program", "Update"} & {label for _, label, _ in facts_of(line)}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (None, "none yet"),
        (update("fetching"), f"Fetching {NEW}"),
        (update("waiting", "The unit is in use."), f"Waiting with {NEW}. The unit is in use"),
        (update("trying"), f"Trying {NEW}"),
        (update("taken"), f"{NEW} taken"),
        (update("returned", "buttons did not work."), f"Tried {NEW}, went back to {OLD}. Buttons did not work"),
        (update("refused", "the signature is wrong"), f"Refused {NEW}. The signature is wrong"),
        (update("newer-word"), f"newer-word {NEW}"),
    ],
)
def test_update_is_told_in_words(said: UpdateReport | None, words: str) -> None:
    assert words == update_words(facts(image=OLD, update=said))


def test_page_says_at_the_top_how_many_units_run_which_version() -> None:
    lines = [
        *(booted(number, NEW, "b") for number in range(1, 8)),
        booted(0x20, said=update("trying")),
        booted(0x21, said=update("waiting")),
        booted(0x22, said=update("waiting")),
        unit(0x30, version="0.0.9", facts=None),
        unit(0x31, state="revoked"),
        unit(0x32, version="", facts=None, state="never-seen"),
    ]

    words = f"7 units on {NEW}, 3 on {OLD}, 1 on 0.0.9. Updates: 2 waiting to restart, 1 trying."
    assert words == versions_in_use(lines)
    assert words in told(ask("/fleet", lines).text)
    assert f"1 unit on {OLD}. Updates: 1 trying." in told(ask("/fleet?q=020", lines).text)


def test_many_versions_are_told_by_the_newest_and_none_by_nothing() -> None:
    lines = [booted(number, f"0.1.0.{number}") for number in range(1, 10)]

    assert "1 unit on 0.1.0.9, 1 on 0.1.0.8, 1 on 0.1.0.7, 1 on 0.1.0.6, 5 on older ones." == versions_in_use(lines)
    assert "" == versions_in_use([unit(0x32, version="", facts=None)])


def test_units_are_found_and_sorted_by_the_booted_version() -> None:
    lines = [booted(1, "0.1.0.10"), booted(2, "0.1.0.9", said=update("waiting")), booted(3, "0.1.0.10", "b")]
    board = board_of(*lines).board(Scope())

    assert ["Shop 001", "Shop 003"] == names(lines, Asked(query="0.1.0.10"))
    assert [] == names(lines, Asked(query=NEW)), "it is only meant"
    assert ["0.1.0.9", "0.1.0.10", "0.1.0.10"] == [
        booted_version(each.line) for each in chosen(units_of(board), Asked(sort="version"))
    ]


def test_units_whose_update_was_not_taken_are_shown_alone() -> None:
    lines = [booted(1), booted(2, said=update("returned", "no contact with central")), booted(3, said=update("taken"))]
    page = told(ask("/fleet?wrong=update", lines).text)

    assert ["Shop 002"] == names(lines, Asked(wrong="update"))
    assert f"Tried {NEW}, went back to {OLD}. No contact with central. Call the fleet engineer." in page
    assert "Shop 003" not in page
