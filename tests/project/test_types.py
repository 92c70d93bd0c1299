"""What the type checker refuses in a struct, and so does Python.

mypy reads this file, too, and complains of every ``type: ignore`` that ignores nothing: so these show that
``tools/struct_checks.py`` still does its work.
"""

from __future__ import annotations

import pytest
from msgspec import Struct
from msgspec.structs import replace

from central.core.undo import Record


class _Value(Struct, frozen=True):
    count: int = 0


class _Counter(Struct):
    count: int = 0

    def misspell(self) -> None:
        self.cuont = 1  # type: ignore[misc]


class _Counted(Record):
    count: int = 0

    def misspell(self) -> None:
        self.cuont = 1  # type: ignore[misc]


def test_replace_knows_the_fields_of_its_subject() -> None:
    assert "1" == replace(_Value(), count="1").count  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        replace(_Value(), cuont=1)  # type: ignore[call-arg]


@pytest.mark.parametrize("kind", [_Counter, _Counted])
def test_struct_has_no_field_that_is_not_declared(kind: type[_Counter | _Counted]) -> None:
    with pytest.raises(AttributeError):
        kind().misspell()


def test_record_takes_no_other_name_and_no_other_type() -> None:
    record = _Counted()
    record.count = "1"  # type: ignore[assignment]

    assert "1" == record.count
    with pytest.raises(AttributeError):
        record.total = 1  # type: ignore[attr-defined]
