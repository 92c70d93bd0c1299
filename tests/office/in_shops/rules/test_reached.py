"""In how many shops somebody is shown, or gone."""

from __future__ import annotations

from office.in_shops.rules import reached
from office.in_shops.rules.reached import Counter, deleted, shown

ASKED_S = 2_000


def test_shop_counts_once_all_its_units_show_the_person() -> None:
    both = [Counter("A", ASKED_S, 5, is_complete=True), Counter("A", ASKED_S, 4, is_complete=True)]

    assert (0, 1) == (shown(5, ["A"], both).done, shown(5, ["A"], both).of)
    assert (("A", reached.ON_ITS_WAY),) == shown(5, ["A"], both).missing
    assert 1 == shown(4, ["A"], both).done
    assert (1, 2, (("B", reached.NO_UNIT),)) == _told(shown(4, ["B", "A"], both))


def test_unit_that_is_struck_shows_nobody_and_one_without_a_key_neither() -> None:
    struck = Counter("A", ASKED_S, 5, is_complete=True, is_struck=True)
    keyless = Counter("B", None, None, has_key=False)

    assert (("A", reached.NO_UNIT), ("B", reached.NO_KEY)) == shown(5, ["A", "B"], [struck, keyless]).missing


def test_person_is_gone_where_a_unit_says_so_and_nowhere_else() -> None:
    counters = [
        Counter("gone", ASKED_S, 5),
        Counter("later", ASKED_S, 9),
        Counter("behind", ASKED_S, 4),
        Counter("holds none since", ASKED_S, None),
        Counter("held none before", 1_000, None),
        Counter("never", None, None),
        Counter("struck", ASKED_S, 4, is_struck=True),
        Counter("struck and empty", ASKED_S, None, is_struck=True),
        Counter("keyless", ASKED_S, None, has_key=False),
        Counter("two", ASKED_S, 5),
        Counter("two", ASKED_S, 4),
    ]

    assert (
        3,
        8,
        (
            ("behind", reached.NOT_DELETED),
            ("held none before", reached.NOT_DELETED),
            ("never", reached.NEVER),
            ("struck", reached.STRUCK),
            ("two", reached.NOT_DELETED),
        ),
    ) == _told(deleted(5, 1_500, counters))


def _told(found: reached.Reached) -> tuple[int, int, tuple[tuple[str, str], ...]]:
    return found.done, found.of, found.missing
