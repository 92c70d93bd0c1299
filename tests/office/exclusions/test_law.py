from __future__ import annotations

from datetime import date

import pytest

from office.exclusions.rules.law import DOCUMENT_KINDS, DOCUMENT_TITLES, DocumentKind, review_due, reviews_to_remind
from office.exclusions.rules.law import why_off as why_off_of

TODAY = date(2027, 3, 1)
ALL = dict.fromkeys(DOCUMENT_KINDS, date(2027, 1, 1))


def why_off(recorded: dict[DocumentKind, date], *, names_responsible: bool = True) -> str | None:
    return why_off_of(recorded, TODAY, names_responsible=names_responsible)


def test_register_is_on_once_everything_is_recorded_and_off_without_saying_who_is_responsible() -> None:
    assert why_off(ALL) is None
    assert "who is responsible" in str(why_off(ALL, names_responsible=False))


@pytest.mark.parametrize("kind", DOCUMENT_KINDS)
def test_register_is_off_without_any_one_document(kind: DocumentKind) -> None:
    without = {key: day for key, day in ALL.items() if key != kind}

    assert DOCUMENT_TITLES[kind] in str(why_off(without))
    assert DOCUMENT_TITLES[kind] in str(why_off(ALL | {kind: date(2027, 3, 2)}))
    assert why_off(ALL | {kind: TODAY}) is None


def test_late_review_reminds_and_does_not_switch_off() -> None:
    old = dict.fromkeys(DOCUMENT_KINDS, date(2025, 1, 1))

    assert why_off(old) is None
    assert reviews_to_remind({kind: review_due(day) for kind, day in old.items()}, TODAY) == list(DOCUMENT_KINDS)


def test_review_is_reminded_of_thirty_days_before_it_is_due() -> None:
    def reminds(due: date) -> bool:
        return bool(reviews_to_remind({"privacy-notice": due}, TODAY))

    assert review_due(date(2028, 2, 29)) == date(2029, 2, 28)
    assert (reminds(date(2027, 3, 31)), reminds(date(2027, 4, 1))) == (True, False)
