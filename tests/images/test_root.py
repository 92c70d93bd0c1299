"""What a root must be before it becomes a squashfs, in which all files have one time."""

from __future__ import annotations

import py_compile
from pathlib import Path

import pytest

from images.errors import BuildError
from images.root import check_compiled


def compiled(root: Path, how: py_compile.PycInvalidationMode) -> Path:
    source = root / "usr/lib/python3.13/ssl.py"
    source.parent.mkdir(parents=True)
    source.write_text("x = 1\n")
    py_compile.compile(str(source), invalidation_mode=how)
    return root


@pytest.mark.parametrize(
    "how", [py_compile.PycInvalidationMode.UNCHECKED_HASH, py_compile.PycInvalidationMode.CHECKED_HASH], ids=str
)
def test_what_was_compiled_by_its_contents_stays(tmp_path: Path, how: py_compile.PycInvalidationMode) -> None:
    check_compiled(compiled(tmp_path, how))


def test_what_would_be_compiled_at_each_start_ends_the_build(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"ssl\S*\.pyc is compiled for a source of another time"):
        check_compiled(compiled(tmp_path, py_compile.PycInvalidationMode.TIMESTAMP))
