"""What only the service knows outlives its machine: whom it enrolled, and which certificates must stay revoked."""

from __future__ import annotations

import io
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from enrolment.cli import main
from enrolment.config import load_configuration
from enrolment.register import IssuedCertificate, Register, RegisterCopy, RegisterError
from enrolment.register_copy import keep_copy
from tests.enrolment.rules.test_claiming import ENROLLED
from wire.fleet_files import REGISTER_COPY
from wire.signing import SigningKey

CERTIFICATES = (
    IssuedCertificate("1a", "00000010", "00000010", "pem", 900),
    IssuedCertificate("1b", "00000010", "gallery-00000010", "pem", 901),
)


@pytest.fixture
def copied(tmp_path: Path) -> bytes:
    register = Register(tmp_path / "lost")
    register.spend(ENROLLED, CERTIFICATES)
    copy = register.copy()
    register.close()
    return copy


def test_register_is_as_it_was_after_its_machine_was_lost(tmp_path: Path, copied: bytes) -> None:
    register = Register(tmp_path / "new")
    register.put_back(copied)

    assert ((ENROLLED,), CERTIFICATES) == (register.enrolled(), register.certificates())
    assert {0x1A, 0x1B} == register.serials_of(["00000010"])
    assert copied == register.copy()
    assert None is register.spend(ENROLLED, ()), "its claim stays spent"
    register.close()


def test_register_in_which_units_have_claimed_is_not_overwritten(tmp_path: Path, copied: bytes) -> None:
    register = Register(tmp_path / "new")
    other = msgspec.structs.replace(ENROLLED, node="00000011", claim_hash="cd" * 32, signing_key=b"o" * 32)
    register.spend(other, ())

    with pytest.raises(RegisterError, match="nothing is overwritten"):
        register.put_back(copied)
    assert (1, 0) == (len(register.enrolled()), len(register.certificates()))
    register.close()


def test_unit_that_renews_on_the_new_machine_does_not_bar_the_registers_way_back(tmp_path: Path, copied: bytes) -> None:
    """From the installation on, units find the service there, and some of a large town are always due."""
    renewed = IssuedCertificate("1c", "00000010", "00000010", "pem", 902)
    register = Register(tmp_path / "new")
    register.remember(renewed)
    register.put_back(copied)

    assert ((ENROLLED,), (*CERTIFICATES, renewed)) == (register.enrolled(), register.certificates())
    with pytest.raises(RegisterError, match="nothing is overwritten"):
        register.put_back(copied)
    register.close()


def test_copy_that_contradicts_itself_or_is_none_changes_nothing(tmp_path: Path, copied: bytes) -> None:
    twice = msgspec.structs.replace(ENROLLED, change=2, claim_hash="cd" * 32)
    wrong = RegisterCopy(enrolled=(ENROLLED, twice), certificates=())
    register = Register(tmp_path / "new")

    for data in (b"", copied[:-9], b"{}", b'{"format":2,"enrolled":[],"certificates":[]}', msgspec.json.encode(wrong)):
        with pytest.raises(RegisterError):
            register.put_back(data)
        assert ((), ()) == (register.enrolled(), register.certificates())
    register.close()


def test_register_of_another_town_is_not_put_back(tmp_path: Path) -> None:
    """The machine was set up for a town that was founded again, and the old town's backup lies nearest."""
    own, other = (SigningKey(seed * 32).public for seed in (b"1", b"2"))
    with closing(Register(tmp_path / "lost", other)) as lost:
        lost.spend(ENROLLED, CERTIFICATES)
        copied = lost.copy()
    with closing(Register(tmp_path / "new", own)) as register:
        with pytest.raises(RegisterError, match=r"of another town, and nothing was put back: .*Take the copy"):
            register.put_back(copied)
        assert ((), ()) == (register.enrolled(), register.certificates())
    with closing(Register(tmp_path / "again", other)) as again:
        again.put_back(copied)

        assert (ENROLLED,) == again.enrolled()


class _Stream:
    """Standard input or output, as bytes."""

    def __init__(self, data: bytes = b"") -> None:
        self.buffer = io.BytesIO(data)


def test_commands_copy_and_restore(
    tmp_path: Path, copied: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "enrol.toml"
    config.write_text('[broker]\nhost = "192.0.2.10"\n')
    words = ["--config", str(config)]
    assert 1 == main([*words, "copy-register"])
    assert "the service was never set up here" in capsys.readouterr().err
    (tmp_path / "state").mkdir()
    assert 2 == main([*words, "copy-register"])
    assert "authority's key" in capsys.readouterr().err
    town = SigningKey(b"1" * 32).public
    (tmp_path / "authority.pub").write_text(town.raw.hex())
    (tmp_path / "changed").mkdir()
    keep_copy(load_configuration(config))
    assert [] == [*(tmp_path / "changed").iterdir()], "nobody was enrolled yet"
    with closing(Register(tmp_path / "of-this-town", town)) as register:
        register.put_back(copied)
        copied = register.copy()
    monkeypatch.setattr(sys, "stdin", _Stream(copied + b"\n"))

    assert 0 == main([*words, "restore-register"])
    assert "Put back: 1 enrolled, 2 certificates." in capsys.readouterr().out
    out = _Stream()
    with monkeypatch.context() as printed:
        printed.setattr(sys, "stdout", out)
        assert 0 == main([*words, "copy-register"])
    assert copied + b"\n" == out.buffer.getvalue()
    keep_copy(load_configuration(config))
    kept = tmp_path / "changed" / REGISTER_COPY
    assert (out.buffer.getvalue(), 0o640) == (kept.read_bytes(), kept.stat().st_mode & 0o777)
    assert 1 == main([*words, "restore-register"])
    assert 2 == main(["--config", str(tmp_path / "none.toml"), "copy-register"])
