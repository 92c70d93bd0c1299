"""A demo's town of any size: invented, the same each time, and as the fleet and the screens want it (19)."""

from __future__ import annotations

from itertools import permutations

import pytest

from demo.premises import ADDRESSES, GATEWAY, MARKET, PREMISES_MAX, SCHEMES, addresses
from demo.scripts.registry import SCRIPTS
from node.core.panel.words import where


@pytest.mark.finding(19)
@pytest.mark.parametrize("count", [4, 5, 12, 13, PREMISES_MAX])
def test_town_has_as_many_premises_as_were_asked_for_each_with_a_name_of_its_own(count: int) -> None:
    made = addresses(count)

    assert count == len(made) == len({one.key for one in made}) == len({one.premises for one in made})
    assert made == addresses(count)


@pytest.mark.finding(19)
def test_small_towns_are_part_of_larger_ones() -> None:
    """Whoever knows the corner shop finds it in every town."""
    assert addresses(4) == ADDRESSES
    assert addresses(12) == MARKET
    assert addresses(PREMISES_MAX)[: len(MARKET)] == MARKET


@pytest.mark.finding(19)
def test_invented_premises_fit_a_panel_and_are_in_some_scheme() -> None:
    longest = max(len(one.premises) + len(one.place) for one in MARKET)
    made = addresses(PREMISES_MAX)

    assert max(len(one.premises) + len(one.place) for one in made) <= longest
    assert all(one.schemes and set(one.schemes) <= set(SCHEMES) for one in made)
    assert {("hart",), ("pub-watch",), ("hart", "pub-watch")} <= {one.schemes for one in made}


@pytest.mark.parametrize("before", ["", "LATE "])
def test_premises_is_named_in_its_panels_words_however_they_are_cut(before: str) -> None:
    """Else a script that looks whether an alert is gone from a panel finds it gone always."""
    lines = {one: where(one.premises, one.place, before) for one in (*MARKET, GATEWAY)}

    assert set(lines) == {one for one in lines if one.is_named_in(lines[one])}
    assert [] == [(one.key, other.key) for one, other in permutations(lines, 2) if one.is_named_in(lines[other])]


def test_scripts_keep_their_own_towns() -> None:
    """Whatever size a person asks for; the four that everybody knows come first. One begins with none."""
    towns = {name: script.plan.addresses for name, script in SCRIPTS.items()}

    assert {0, 1, 4, 8, 12} == {len(town) for town in towns.values()}
    assert [] == [name for name, town in towns.items() if town[:4] != ADDRESSES[: len(town)]]


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_is_found_when_it_is_to_be_played(name: str) -> None:
    assert callable(SCRIPTS[name].load())
