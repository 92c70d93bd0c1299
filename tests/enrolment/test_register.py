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
from wire.signing import SigningKey

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


def test_serials_of_struck_nodes_are_those_of_their_certificates(tmp_path: Path, begin: Open) -> None:
    register = begin(tmp_path / "r")
    register.spend(ENROLLED, CERTIFICATES)
    register.remember(
        IssuedCertificate("1b", "00000010", "gallery-00000010", "pem", 900),
        IssuedCertificate("1c", "00000011", "00000011", "pem", 900),
    )

    assert {0x1A, 0x1B} == register.serials_of(["00000010", "00000012"])
    assert 3 == len(register.certificates()), "and it goes on as before"


def test_register_is_one_towns(tmp_path: Path, begin: Open) -> None:
    """A town that was founded again must not take the units of the one before over: a thief may have their keys."""
    begin(tmp_path / "r").spend(ENROLLED, ())
    one, two = (SigningKey(seed * 32).public for seed in (b"1", b"2"))
    for _ in range(2):
        Register(tmp_path / "r", one).close()

    with pytest.raises(RegisterError, match="another town's"):
        Register(tmp_path / "r", two)


ENDLESS = """
DROP TABLE certificates;
CREATE VIEW certificates AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
SELECT 'a' serial, '00000010' node, 'x' common_name, 'p' pem, 1 expires_at_s FROM n WHERE i < 0;
"""
COMPUTED = """
DROP TABLE certificates;
CREATE TABLE certificates (
    serial TEXT AS (hex(zeroblob(400000000))), node TEXT, common_name TEXT, pem TEXT, expires_at_s INTEGER
);
INSERT INTO certificates (node) VALUES ('00000010');
"""
LONG = "INSERT INTO certificates VALUES (hex(zeroblob(9000)), '00000010', 'x', 'p', 1);"
JUNK = "INSERT INTO certificates VALUES ('no number', '00000010', 'x', 'p', 1);"
MANY = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
INSERT INTO certificates SELECT printf('%x', i), '00000010', 'x', 'p', 1 FROM n;
"""


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (ENDLESS, "not a table that this program has made"),
        (COMPUTED, "not a table that this program has made"),
        (LONG, "too big"),
        (JUNK, "no number"),
        (MANY, "more than 200 certificates"),
    ],
    ids=["endless", "computed", "long", "junk", "many"],
)
def test_register_that_an_enemy_has_prepared_is_refused_at_once(
    tmp_path: Path, begin: Open, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    """An installation reads it while a revocation waits."""
    monkeypatch.setattr("enrolment.register.SERIALS_MAX", 200)
    register = begin(tmp_path / "r")
    with contextlib.closing(sqlite3.connect(tmp_path / "r")) as other:
        other.executescript(script)

    with pytest.raises(RegisterError, match=words):
        register.serials_of(["00000010"])


def test_register_that_is_slow_to_read_is_read_no_longer_than_a_town_needs(
    tmp_path: Path, begin: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("enrolment.register.STEPS_MAX", 0)
    register = begin(tmp_path / "r")
    with contextlib.closing(sqlite3.connect(tmp_path / "r")) as other:
        other.executescript("DROP INDEX certificates_of_node;" + MANY.replace("300", "9000"))

    with pytest.raises(RegisterError, match="interrupted"):
        register.serials_of(["00000010"])


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
