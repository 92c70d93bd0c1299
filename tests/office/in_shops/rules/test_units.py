"""Which units need a person, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from office.in_shops.rules.units import GIVEN_S, GRAVE, SILENT_S, Gallery, Unit, needs, rank
from office.nodes.rules.standing import Holding

NOW_S = 1_800_000_000
LEASE_S = 7 * 86_400
LONG_AGO_S = NOW_S - 10 * LEASE_S


def gallery(number: int | None = 5, *, newest: int = 5, published_s: int = LONG_AGO_S, **more: Any) -> Gallery:  # noqa: ANN401
    held = None if number is None else Holding(number, more.pop("is_complete", True), LONG_AGO_S)
    return Gallery("HART", newest, published_s, LEASE_S, held, **more)


def unit(*galleries: Gallery, asked_s: int | None = NOW_S, **more: Any) -> Unit:  # noqa: ANN401
    return Unit(galleries or (gallery(),), asked_s, **more)


def kinds(one: Unit) -> list[str]:
    return [need.kind for need in needs(one, NOW_S)]


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (unit(copied_s=1), "copied"),
        (unit(gap=(3, 1)), "gap"),
        (unit(has_key=False), "no-key"),
        (unit(asked_s=None), "never-asked"),
        (unit(asked_s=NOW_S - SILENT_S - 1), "silent"),
        (unit(gallery(4)), "not-deleted"),
        (unit(gallery(4, must_delete=False)), "lacks-newest"),
        (unit(gallery(6)), "too-new"),
        (unit(gallery(None)), "nothing-held"),
        (unit(gallery(is_complete=False)), "lacks-photographs"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_fault_is_told(one: Unit, kind: str) -> None:
    assert [kind] == kinds(one)


@pytest.mark.parametrize(
    "one",
    [
        unit(),
        unit(gallery(0, newest=0)),
        unit(asked_s=NOW_S - SILENT_S),
        unit(gallery(4, published_s=NOW_S - GIVEN_S)),
        unit(gallery(None, published_s=NOW_S - GIVEN_S)),
    ],
    ids=["well", "nothing published", "a cable changed", "just published", "first just published"],
)
def test_unit_that_does_what_it_should_needs_nobody(one: Unit) -> None:
    assert [] == kinds(one)


def test_gallery_that_is_off_has_nothing_to_delete() -> None:
    """Its lease is over: it shows nobody, whatever it has."""
    silent, off = (unit(gallery(4), asked_s=NOW_S - ago_s) for ago_s in (LEASE_S - 1, LEASE_S))

    assert ["not-deleted", "silent"] == kinds(silent)
    assert [NOW_S + 1, None] == [need.until_s for need in needs(silent, NOW_S)]
    assert ["silent"] == kinds(off)
    assert "off" in needs(off, NOW_S)[0].says


def test_unit_without_contact_is_given_no_time() -> None:
    """Else each new gallery would hide for a while who has not deleted the one before."""
    silent = unit(gallery(4, published_s=NOW_S), asked_s=NOW_S - SILENT_S - 1)

    assert ["not-deleted", "silent"] == kinds(silent)


@pytest.mark.parametrize("why", ["struck", "left"])
def test_unit_that_is_gone_is_told_of_while_its_lease_lasts(why: str) -> None:
    gone, over = (unit(gallery(4), asked_s=NOW_S - ago_s, gone=why) for ago_s in (LEASE_S - 1, LEASE_S))

    assert [(why, NOW_S + 1)] == [(need.kind, need.until_s) for need in needs(gone, NOW_S)]
    assert "gallery 4 of HART" in needs(gone, NOW_S)[0].says
    assert [] == kinds(over) == kinds(unit(asked_s=None, gone=why))


def test_the_gravest_comes_first_and_is_told_apart() -> None:
    both = needs(unit(gallery(4), asked_s=NOW_S - SILENT_S - 1, gap=(1, 1), copied_s=1), NOW_S)

    assert ["copied", "not-deleted", "gap", "silent"] == [need.kind for need in both]
    assert 0 == rank(both)
    assert rank(needs(unit(gap=(1, 1)), NOW_S)) < GRAVE <= rank(needs(unit(has_key=False), NOW_S)) < rank(())


def test_of_two_schemes_the_one_that_is_behind_is_named() -> None:
    (need,) = needs(unit(gallery(), Gallery("Pub Watch", 9, LONG_AGO_S, LEASE_S, Holding(8, True, 1))), NOW_S)  # noqa: FBT003

    assert need.says.startswith("Pub Watch: HAS NOT DELETED YET")
