"""What was issued stays, and a claim is spent once."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from enrolment.register import IssuedCertificate, Register, RegisterError
from tests.enrolment.rules.test_claiming import ENROLLED, OTHER

Open = Callable[[Path], Register]
CERTIFICATES = (IssuedCertificate("1a", "00000010", "00000010", "pem", 900),)


@pytest.fixture
def begin() -> Iterator[Open]:
    """Opens registers, which are closed at the end."""
    with contextlib.ExitStack() as opened:

        def begin(path: Path) -> Register:
            return opened.enter_context(contextlib.closing(Register(path)))

        yield begin


def test_register_reads_back_what_was_issued(tmp_path: Path, begin: Open) -> None:
    first = begin(tmp_path / "r")
    assert ENROLLED == first.spend(ENROLLED, CERTIFICATES)
    first.close()
    again = begin(tmp_path / "r")

    assert ((ENROLLED,), CERTIFICATES) == (again.enrolled(), again.certificates())
    assert ENROLLED == again.spent_by(ENROLLED.claim_hash) == again.holder_of(ENROLLED.node)
    assert None is again.spent_by(OTHER.claim_hash)


@pytest.mark.parametrize("field", ["claim_hash", "node", "signing_key"])
def test_claim_number_and_key_are_used_once(tmp_path: Path, field: str, begin: Open) -> None:
    register = begin(tmp_path / "r")
    register.spend(ENROLLED, CERTIFICATES)
    other = msgspec.structs.replace(ENROLLED, node="00000011", claim_hash="cd" * 32, signing_key=b"o" * 32)
    same = msgspec.structs.replace(other, **{field: getattr(ENROLLED, field)})

    assert None is register.spend(same, ())
    assert (ENROLLED,) == register.enrolled()


def test_claim_is_not_spent_without_what_was_issued_for_it(tmp_path: Path, begin: Open) -> None:
    """The second certificate cannot be kept: so nothing is."""
    register = begin(tmp_path / "r")

    assert None is register.spend(ENROLLED, CERTIFICATES * 2)
    assert () == register.enrolled()


def test_power_cut_before_the_end_spends_nothing(tmp_path: Path, begin: Open) -> None:
    program = """
import os, signal, sys
from enrolment.register import Register
from tests.enrolment.test_register import CERTIFICATES, ENROLLED
register = Register(sys.argv[1])
register._remember = lambda _: os.kill(os.getpid(), signal.SIGKILL)
register.spend(ENROLLED, CERTIFICATES)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "r")],
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )

    assert -9 == done.returncode
    register = begin(tmp_path / "r")
    assert () == register.enrolled()
    assert ENROLLED == register.spend(ENROLLED, CERTIFICATES)


def test_numbers_of_changes_are_never_used_again(tmp_path: Path, begin: Open) -> None:
    path = tmp_path / "r"
    register = begin(path)
    register.spend(ENROLLED, ())
    with sqlite3.connect(path) as other:
        other.execute("DELETE FROM enrolled")
    other.close()
    found = register.spend(ENROLLED, ())

    assert found is not None
    assert 2 == found.change


@pytest.mark.parametrize("content", [b"no database at all, whatever it is", b""], ids=["damaged", "empty"])
def test_damaged_register_is_told_and_an_empty_one_is_new(tmp_path: Path, content: bytes, begin: Open) -> None:
    (tmp_path / "r").write_bytes(content * 100)
    if content:
        with pytest.raises(RegisterError, match="r: "):
            begin(tmp_path / "r")
    else:
        assert () == begin(tmp_path / "r").enrolled()


def test_register_of_a_later_version_is_refused(tmp_path: Path, begin: Open) -> None:
    with sqlite3.connect(tmp_path / "r") as other:
        other.execute("PRAGMA user_version = 9")
    other.close()

    with pytest.raises(RegisterError, match="version 9"):
        begin(tmp_path / "r")
