"""Bundles are where they are handed out before a release names them, and what was not brought is brought again (F4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.enrolment import open_enrolment
from provisioning.fleet import Fleet
from tests.support.release_bundles import NEW, OLD, SUPPORT_ENDS, Maker
from tests.support.released_town import in_force, publish, release


@pytest.fixture
def carried(town: Fleet) -> Path:
    """What the scripts that 'fleet install' makes were asked, and what was signed at that moment."""
    open_enrolment(town.folder, ["enrol.town"])
    told = town.layout.town / "told"
    signed = f"$(cat {town.layout.release} 2>/dev/null | cksum)"
    for script, line in ((town.layout.carry, "carry $1 $2 $(wc -c)"), (town.layout.apply, "apply")):
        script.write_text(f'#!/bin/sh\n[ ! -e {town.layout.town}/refuse ] || exit 1\necho "{line} {signed}" >>{told}\n')
        script.chmod(0o700)
    told.touch()
    return told


def test_bundle_is_there_before_the_release_that_names_it(town: Fleet, maker: Maker, carried: Path) -> None:
    publish(town, maker.bundle())

    bundle = in_force(town).bundles[0]
    first, second = carried.read_text().splitlines()
    assert first.startswith(f"carry {bundle.sha256} {bundle.size_bytes} {bundle.size_bytes} 4294967295 0")
    assert second.startswith("apply ")
    assert not second.endswith(" 4294967295 0")


def test_release_is_not_signed_while_its_bundle_is_not_there(
    town: Fleet, maker: Maker, carried: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (town.layout.town / "refuse").touch()

    assert 1 == release(town, "publish", maker.bundle(), "--support-ends", SUPPORT_ENDS, "--percent", "100")
    said = capsys.readouterr().err
    assert "Nothing was signed: run this again" in said
    assert f"{town.layout.carry} ended with 1)" in said
    assert not town.layout.release.exists()
    assert "" == carried.read_text()


@pytest.mark.parametrize("data", [None, b"other"], ids=["missing", "damaged"])
def test_bundle_that_the_fleet_has_lost_is_asked_for(
    town: Fleet, maker: Maker, carried: Path, capsys: pytest.CaptureFixture[str], data: bytes | None
) -> None:
    """What central refuses would be sent again and again."""
    publish(town, maker.bundle(OLD))
    file = town.layout.releases / f"{in_force(town).bundles[0].sha256}.raucb"
    publish(town, maker.bundle(NEW))
    newest, good = in_force(town), file.read_bytes()
    file.unlink()
    if data is not None:
        file.write_bytes(data * (len(good) // len(data)) + bytes(len(good) % len(data)))
    carried.write_text("")

    assert 1 == release(town, "rollback")
    assert f"{file} is missing or damaged: copy the bundle for" in capsys.readouterr().err
    assert (newest, "") == (in_force(town), carried.read_text())

    file.write_bytes(good)
    assert 0 == release(town, "rollback")


def test_pause_goes_without_a_bundle(town: Fleet, maker: Maker, carried: Path) -> None:
    publish(town, maker.bundle())
    carried.write_text("")

    assert 0 == release(town, "pause")

    assert ["apply"] == [line.split()[0] for line in carried.read_text().splitlines()]


@pytest.mark.parametrize("act", ["publish", "widen", "pause", "resume", "rollback"])
def test_what_was_signed_and_not_brought_is_brought_by_the_same_command(
    town: Fleet, maker: Maker, carried: Path, capsys: pytest.CaptureFixture[str], act: str
) -> None:
    newest = maker.bundle(NEW)
    publish(town, maker.bundle(OLD))
    if act != "publish":
        publish(town, newest, percent=1)
    if act == "resume":
        assert 0 == release(town, "pause")
    words = {
        "publish": (newest, "--support-ends", SUPPORT_ENDS, "--percent", "1"),
        "widen": ("--percent", "100"),
    }.get(act, ())
    works = town.layout.apply.read_text()
    town.layout.apply.write_text("#!/bin/sh\nexit 3\n")
    capsys.readouterr()

    assert 1 == release(town, act, *words)
    said = capsys.readouterr().err
    signed = in_force(town)
    assert f"Number {signed.serial} is signed, but may not have reached central" in said
    assert f"{town.layout.apply} ended with 3." in said
    # As if the program had been ended between the record and the signed file.
    town.layout.release.unlink()
    town.layout.apply.write_text(works)
    carried.write_text("")

    assert 0 == release(town, act, *words)
    assert "Nothing to change, it is signed already" in capsys.readouterr().out
    assert signed == in_force(town)
    asked = [line.split()[0] for line in carried.read_text().splitlines()]
    assert (["apply"] if act == "pause" else ["carry", "apply"]) == asked


def test_bundles_that_cannot_be_deleted_hold_nothing_up(
    town: Fleet, maker: Maker, carried: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(town, maker.bundle())
    carried.write_text("")

    def refuse(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("runtime.bundle_folder.BundleFolder.clean", refuse)
    assert 0 == release(town, "pause")
    assert ["apply"] == [line.split()[0] for line in carried.read_text().splitlines()]
    assert "Bundles of older versions stay in" in capsys.readouterr().out


def test_town_of_before_is_told_to_install_again(
    town: Fleet, maker: Maker, carried: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert carried.exists()
    town.layout.carry.unlink()

    assert 2 == release(town, "publish", maker.bundle(), "--support-ends", SUPPORT_ENDS, "--percent", "100")
    assert "run 'watchlink fleet install' again" in capsys.readouterr().err
