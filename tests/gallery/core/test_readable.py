"""What may be read now (G4, G6): rule by rule, and in the order in which they are asked."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from gallery.core import readable
from gallery.core.clock import Clock, Evidence
from gallery.core.holdings import Gallery, Line, Title, edges_s
from gallery.core.ledger import Lease
from gallery.core.readable import DESTROYS, RULES, WHOLE, Now, Why, doomed, why_not, why_off
from sim.gallery_office import DAY_S
from tests.support.gallery_world import CASE, NOW_S

LINE = Line(CASE, 3, NOW_S - DAY_S, NOW_S + DAY_S, ("small",))
GALLERY = Gallery(
    1,
    title=Title(3, 3, 14 * DAY_S),
    lines={CASE: LINE},
    edges_s=edges_s({CASE: LINE}),
    keys=frozenset({LINE.key}),
)
NOW = Now(
    Clock(NOW_S * 1000, NOW_S * 1000, Evidence.OFFICE), Lease(NOW_S, NOW_S + 14 * DAY_S), is_charged=True, now_ms=0
)

Spoil = Callable[[Now, Gallery], tuple[Now, Gallery]]


def title(**change: object) -> Spoil:
    return lambda now, gallery: (now, replace(gallery, title=Title(**{"number": 3, "lease_s": 14 * DAY_S, **change})))  # type: ignore[arg-type]


def lines(line: Line | None) -> Spoil:
    return lambda now, gallery: (now, replace(gallery, lines={} if line is None else {line.case: line}))


def at(clock: Clock) -> Spoil:
    return lambda now, gallery: (replace(now, clock=clock), gallery)


def set_to(gallery_change: Callable[[Gallery], Gallery]) -> Spoil:
    return lambda now, gallery: (now, gallery_change(gallery))


SPOILT: dict[Why, Spoil] = {
    Why.SCHEME_LEFT: title(is_allowed=False),
    Why.WITHDRAWN: lines(None),
    Why.OVER: at(Clock(LINE.not_after_s * 1000, LINE.not_after_s * 1000, Evidence.OFFICE)),
    Why.ELSEWHERE: set_to(lambda gallery: replace(gallery, elsewhere=frozenset({CASE}))),
    Why.STARTING: lambda now, gallery: (replace(now, is_charged=False), gallery),
    Why.CLOCK_BEHIND: at(Clock(NOW_S * 1000, NOW_S * 1000, Evidence.NONE, is_behind=True)),
    Why.CLOCK_UNKNOWN: at(Clock(NOW_S * 1000, NOW_S * 1000)),
    Why.NO_CONTACT: lambda now, gallery: (replace(now, lease=Lease()), gallery),
    Why.OVER_UNPROVEN: at(Clock(LINE.not_after_s * 1000, NOW_S * 1000, Evidence.BATTERY)),
    Why.NOT_YET: at(Clock((NOW_S - 2 * DAY_S) * 1000, 0, Evidence.BATTERY)),
    Why.UNOPENED: set_to(lambda gallery: replace(gallery, unopened=frozenset({CASE}))),
    Why.ON_ITS_WAY: set_to(lambda gallery: replace(gallery, keys=frozenset())),
}
"""One thing that is wrong, for each rule."""


def test_entry_with_nothing_wrong_may_be_read() -> None:
    assert why_not(NOW, GALLERY, LINE) is None


@pytest.mark.parametrize("why", Why)
def test_one_thing_wrong_is_what_is_said(why: Why) -> None:
    now, gallery = SPOILT[why](NOW, GALLERY)

    assert why is why_not(now, gallery, LINE)


@pytest.mark.parametrize("why", Why)
def test_whole_gallery_is_off_by_the_rules_about_it_and_no_other(why: Why) -> None:
    now, gallery = SPOILT[why](NOW, GALLERY)

    assert (why if why in WHOLE else None) is why_off(now, gallery)


@pytest.mark.parametrize("why", Why)
def test_key_is_doomed_by_what_destroys_and_by_being_elsewhere(why: Why) -> None:
    now, gallery = SPOILT[why](NOW, GALLERY)
    has_key = LINE.key in gallery.keys

    assert (has_key and why in DESTROYS | {Why.ELSEWHERE}) is (LINE.key in doomed(now, gallery))


@pytest.mark.parametrize("first", Why)
@pytest.mark.parametrize("second", Why)
def test_of_two_things_wrong_the_first_rule_says_why(first: Why, second: Why) -> None:
    """Where both can be so at once: what is set for one may undo the other."""
    now, gallery = SPOILT[second](*SPOILT[first](NOW, GALLERY))
    applying = [why for why, applies in RULES if applies(now, gallery, LINE)]

    assert applying[0] is why_not(now, gallery, LINE)
    assert sorted(applying, key=list(Why).index) == applying


def test_line_that_changed_is_withdrawn_as_it_was() -> None:
    newer = replace(LINE, since=4)
    gallery = replace(GALLERY, lines={CASE: newer})

    assert [Why.WITHDRAWN, Why.ON_ITS_WAY] == [why_not(NOW, gallery, LINE), why_not(NOW, gallery, newer)]


def test_key_that_is_being_destroyed_opens_nothing_more() -> None:
    assert Why.ON_ITS_WAY is why_not(NOW, replace(GALLERY, dying=GALLERY.keys), LINE)


def test_entry_is_over_at_the_very_second_of_its_end() -> None:
    last_ms = (LINE.not_after_s - 1) * 1000
    found = [
        why_not(replace(NOW, clock=Clock(at_ms, at_ms, Evidence.OFFICE)), GALLERY, LINE)
        for at_ms in (last_ms, last_ms + 999, last_ms + 1000)
    ]

    assert [None, None, Why.OVER] == found


@pytest.mark.parametrize("why", [Why.CLOCK_BEHIND, Why.CLOCK_UNKNOWN])
def test_scheme_may_show_without_proof(why: Why) -> None:
    now, gallery = SPOILT[why](NOW, GALLERY)
    unproven = replace(gallery, title=replace(gallery.title, shows_without_proof=True))

    assert why_not(now, unproven, LINE) is None


def test_rules_are_asked_in_the_order_of_their_names() -> None:
    assert list(Why) == [why for why, _ in RULES]


def test_table_of_the_module_tells_of_each_rule_what_it_does() -> None:
    rows = re.findall(r"^``([a-z-]+)`` +(destroyed|hidden) ", readable.__doc__ or "", re.MULTILINE)

    assert [(why.value, "destroyed" if why in DESTROYS else "hidden") for why in Why] == rows
