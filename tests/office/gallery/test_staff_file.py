"""The file of staff says what it was told, or is refused whole."""

from __future__ import annotations

import pytest

from office.gallery.staff_file import StaffFile, StaffFileError, decode_staff, encode_staff
from wire.gallery_staff import StaffEntry

ANN, ZOE = StaffEntry(person=4, name="Ann", code=7, code_check="ab" * 32), StaffEntry(person=5, name="Zoë")


def test_file_is_read_back_and_has_the_same_bytes_in_any_order() -> None:
    one = StaffFile(premises={1: (ANN, ZOE), 2: (ANN,)}, open_schemes=(2,))
    other = StaffFile(premises={2: (ANN,), 1: (ANN, ZOE)}, open_schemes=(2,))

    assert one == decode_staff(encode_staff(one))
    assert encode_staff(one) == encode_staff(other)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"[" * 10_000,
        b'{"premises":{"x":[]}}',
        b'{"premises":{"1":[{"person":0,"name":"Ann"}]}}',
        b'{"premises":{"1":[{"person":4,"name":"Ann"},{"person":4,"name":"Zoe"}]}}',
    ],
    ids=range(6),
)
def test_what_is_no_file_of_staff_is_refused(data: bytes) -> None:
    with pytest.raises(StaffFileError):
        decode_staff(data)
