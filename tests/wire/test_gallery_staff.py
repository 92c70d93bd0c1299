"""Start codes and the list's digest."""

from __future__ import annotations

from msgspec.structs import replace

from wire.gallery_staff import StaffEntry, staff_digest, start_code_check
from wire.printed_codes import code_text

CODE = code_text(b"0123456789")
ANN, ZOE = StaffEntry(person=4, name="Ann", code=7, code_check="ab" * 32), StaffEntry(person=5, name="Zoë")


def test_start_code_is_the_same_however_it_is_typed() -> None:
    check = start_code_check(CODE)

    assert check == start_code_check(f" {CODE.lower().replace('-', ' ')} ")
    assert check not in {start_code_check(code_text(b"012345678:")), None}
    assert None is start_code_check("123456")


def test_digest_differs_with_anything_of_anybody_and_not_with_the_order() -> None:
    others = [(), (ANN,), (ANN, replace(ZOE, person=6))]
    others += [(replace(ANN, **one), ZOE) for one in ({"name": "An"}, {"code": 8}, {"code_check": ""})]

    assert staff_digest((ANN, ZOE)) == staff_digest((ZOE, ANN))
    assert len({staff_digest(one) for one in (*others, (ANN, ZOE))}) == len(others) + 1
