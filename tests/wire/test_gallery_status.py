"""What the gallery says of its contact is what the check reads."""

from __future__ import annotations

from wire.gallery_status import is_heard, status_line

GALLERIES = "HART: 3 shown"


def test_contact_is_read_from_the_line_that_tells_it() -> None:
    heard = status_line(GALLERIES, was_heard=True, is_heard=True)
    no_more = status_line(GALLERIES, was_heard=True, is_heard=False)
    never = status_line(GALLERIES, was_heard=False, is_heard=False)

    assert (GALLERIES, f"No contact with the office any more. {GALLERIES}") == (heard, no_more)
    assert f"No contact with the office yet. {GALLERIES}" == never
    assert [True, False, False] == [is_heard(line) for line in (heard, no_more, never)]
