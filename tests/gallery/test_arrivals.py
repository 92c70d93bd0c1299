"""What came and is not on the disk yet: enough of it to be kept, and never more than two galleries of it."""

from __future__ import annotations

from gallery.arrivals import Arrivals, Parcel
from tests.support.gallery_card import HART, Published


def change(published: Published, *cases: int) -> Parcel:
    """As a change comes: rows of these cases alone."""
    parcel = published.parcel()
    return Parcel(parcel.head, parcel.lines, {key: row for key, row in parcel.rows.items() if key[0] in cases})


def test_rows_of_changes_that_the_disk_never_took_are_there_for_the_next() -> None:
    arrivals, published = Arrivals(), Published()
    for case in range(1, 8):
        arrivals.add(change(published.issue(case), case))
    arrivals.add(change(published.withdraw(3)))
    arrivals.add(change(published.issue(9), 9))
    keys = {(line.case, line.since) for line in published.lines.values()}

    assert keys == arrivals.rows(HART, keys).keys()
    assert {} == arrivals.rows(HART, {(3, 3)}), "nobody needs it"


def test_disk_that_takes_nothing_makes_no_more_wait_than_two() -> None:
    arrivals, published = Arrivals(), Published()
    for case in range(1, 8):
        arrivals.add(change(published.issue(case), case))

    assert [6, 7] == [number for number in range(9) if arrivals.lines(HART, number) is not None]


def test_what_the_disk_has_is_forgotten_and_what_came_meanwhile_is_not() -> None:
    arrivals, published = Arrivals(), Published()
    arrivals.add(change(published.issue(1), 1))
    arrivals.add(change(published.issue(2), 2))
    arrivals.forget(HART, 1)

    assert None is arrivals.lines(HART, 1)
    assert {1, 2} == set(arrivals.lines(HART, 2) or ())
    assert {(2, 2)} == arrivals.rows(HART, [(1, 1), (2, 2)]).keys()


def test_rows_of_the_same_number_that_came_while_it_was_kept_stay() -> None:
    """The core has ordered that they are kept next: without them it would be refused, again and again."""
    arrivals, published = Arrivals(), Published().issue(1).issue(2)
    arrivals.add(change(published, 1))
    kept = arrivals.rows(HART, [(1, 1)])
    arrivals.add(change(published, 2))
    arrivals.forget(HART, 2, kept)

    assert {(2, 2)} == arrivals.rows(HART, [(1, 1), (2, 2)]).keys()
    assert {1, 2} == set(arrivals.lines(HART, 2) or ())
    arrivals.forget(HART, 2, arrivals.rows(HART, [(2, 2)]))
    assert None is arrivals.lines(HART, 2)


def test_same_number_that_comes_whole_brings_its_rows_beside_those_that_came() -> None:
    arrivals, published = Arrivals(), Published().issue(1).issue(2)
    arrivals.add(change(published, 1))
    arrivals.add(change(published, 2))

    assert {(1, 1), (2, 2)} == arrivals.rows(HART, [(1, 1), (2, 2)]).keys()
