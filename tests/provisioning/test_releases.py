"""Releases: what may be published, for whom, and that nobody goes back by mistake."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from provisioning.cli import main
from provisioning.enrolment import open_enrolment
from provisioning.errors import FleetInputError
from provisioning.fleet import Fleet, NewNode
from provisioning.listing import list_fleet
from provisioning.packing import packed_files
from provisioning.releases import paused, sign
from tests.provisioning.conftest import Clock
from tests.support.release_bundles import NEW, NEWEST, OLD, PC, PI, SUPPORT_ENDS, Maker
from wire.fleet_list import FleetList, UnitEntry
from wire.release import Release, open_release


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    return Maker(tmp_path / "maker")


@pytest.fixture
def town(fleet: Fleet) -> Fleet:
    """With ten shops, the first 00000010."""
    fleet.add_all([NewNode(f"Shop {number}", "High St", ["hart"]) for number in range(10)])
    return fleet


def release(town: Fleet, *words: str | Path) -> int:
    """``watchlink fleet release …`` in that town, without questions."""
    act, *more = map(str, words)
    return main(["release", act, "--dir", str(town.layout.town), *more, *([] if act == "show" else ["--yes"])])


def publish(town: Fleet, *bundles: Path, percent: int = 100) -> None:
    assert 0 == release(town, "publish", *bundles, "--support-ends", SUPPORT_ENDS, "--percent", str(percent))


def in_force(town: Fleet) -> Release:
    """As the enrolment service and units read it."""
    return open_release(town.layout.release.read_bytes(), town.folder.authority_public())


def files(town: Fleet) -> set[str]:
    return {one.name for one in town.layout.releases.iterdir()}


def test_release_says_what_the_bundles_say_of_themselves(town: Fleet, maker: Maker) -> None:
    pi, pc = maker.bundle(OLD, PI), maker.bundle(OLD, PC)
    assert 0 == release(
        town, "publish", pi, pc, "--support-ends", SUPPORT_ENDS, "--canary", "00000010", "--percent", "10"
    )

    found = in_force(town)
    assert (OLD, "open", ("00000010",), 10) == (found.version, found.state, found.canaries, found.percent)
    assert not found.is_rollback
    assert int(found.made_at.timestamp()) == found.serial
    assert "2032-01-01T00:00:00+00:00" == found.support_ends_at.isoformat()
    for bundle, file in ((found.bundle_for(PI), pi), (found.bundle_for(PC), pc)):
        assert bundle is not None
        assert hashlib.sha256(file.read_bytes()).hexdigest() == bundle.sha256
        assert file.read_bytes() == (town.layout.releases / f"{bundle.sha256}.raucb").read_bytes()


def test_release_travels_in_the_pack_and_bundles_do_not(town: Fleet, maker: Maker) -> None:
    publish(town, maker.bundle())

    names = {path.name for path in packed_files(town.layout)}
    assert "release.json" in names
    assert set() == {name for name in names if name.endswith(".raucb")}


def test_serial_rises_also_if_the_clock_goes_back(town: Fleet, maker: Maker) -> None:
    publish(town, maker.bundle())
    record = Fleet.open(town.layout.town).record

    earlier = paused(record, in_force(town).made_at - timedelta(days=3))

    assert in_force(town).serial + 1 == earlier.serial


def test_ring_is_widened_and_never_narrowed(town: Fleet, maker: Maker, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == release(town, "publish", maker.bundle(), "--support-ends", SUPPORT_ENDS, "--canary", "00000010")
    assert 0 == release(town, "widen", "--percent", "10", "--canary", "00000011")
    assert (("00000010", "00000011"), 10) == (in_force(town).canaries, in_force(town).percent)

    assert 2 == release(town, "widen", "--percent", "5")
    assert "It is for 10 % already, and units may have it." in capsys.readouterr().err
    assert 2 == release(town, "widen", "--percent", "10")
    assert 0 == release(town, "widen", "--percent", "100")
    assert 100 == in_force(town).percent


def test_paused_release_is_for_nobody_until_it_is_resumed(town: Fleet, maker: Maker) -> None:
    publish(town, maker.bundle())

    assert 0 == release(town, "pause")
    assert not in_force(town).applies_to("00000010")
    assert 2 == release(town, "pause")
    assert 2 == release(town, "widen", "--percent", "100")
    assert 0 == release(town, "resume")
    assert in_force(town).applies_to("00000010")
    assert 2 == release(town, "resume")


def test_older_version_is_not_published(town: Fleet, maker: Maker, capsys: pytest.CaptureFixture[str]) -> None:
    publish(town, maker.bundle(NEW))
    before = in_force(town)

    assert 2 == release(town, "publish", maker.bundle(OLD), "--support-ends", SUPPORT_ENDS, "--percent", "100")
    assert f"{OLD} is older than {NEW}, which was published." in capsys.readouterr().err
    assert before == in_force(town)


def test_rollback_is_marked_and_names_the_bundles_of_before(town: Fleet, maker: Maker) -> None:
    publish(town, maker.bundle(OLD))
    before = in_force(town)
    publish(town, maker.bundle(NEW), percent=10)
    assert 0 == release(town, "pause")

    assert 0 == release(town, "rollback")

    found = in_force(town)
    assert (OLD, True, "open", 100) == (found.version, found.is_rollback, found.state, found.percent)
    assert before.bundles == found.bundles
    assert {f"{before.bundles[0].sha256}.raucb"} == files(town)
    assert 2 == release(town, "rollback")


def test_rollback_stays_one_through_pause_and_resume(town: Fleet, maker: Maker) -> None:
    """A unit that was switched off meanwhile would refuse the older version."""
    publish(town, maker.bundle(OLD))
    publish(town, maker.bundle(NEW))
    for act in ("rollback", "pause", "resume"):
        assert 0 == release(town, act)

    assert in_force(town).is_rollback


def test_rollback_reaches_all_who_may_have_the_newest(town: Fleet, maker: Maker) -> None:
    """The draw of ten in a hundred is another one for each version."""
    publish(town, maker.bundle(OLD), percent=50)
    old = in_force(town)
    publish(town, maker.bundle(NEW), percent=50)
    new = in_force(town)
    nodes = [node.node for node in Fleet.open(town.layout.town).record.nodes]
    assert [node for node in nodes if new.applies_to(node) and not old.applies_to(node)]

    assert 0 == release(town, "rollback")

    reached = {node for node in nodes if in_force(town).applies_to(node)}
    assert {node for node in nodes if new.applies_to(node) or old.applies_to(node)} == reached


def test_version_between_the_two_of_a_rollback_is_not_published(
    town: Fleet, maker: Maker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Units that were not reached by it run the newest still, and would refuse it for ever."""
    publish(town, maker.bundle(OLD))
    publish(town, maker.bundle(NEWEST))
    assert 0 == release(town, "rollback")

    assert 2 == release(town, "publish", maker.bundle(NEW), "--support-ends", SUPPORT_ENDS, "--percent", "100")
    assert f"older than {NEWEST}" in capsys.readouterr().err


def test_bundles_that_nobody_may_ask_for_are_deleted(
    town: Fleet, maker: Maker, capsys: pytest.CaptureFixture[str]
) -> None:
    (first, second, third) = (maker.bundle(one) for one in (OLD, NEW, NEWEST))
    for bundle in (first, second, third):
        publish(town, bundle)

    assert {f"{hashlib.sha256(one.read_bytes()).hexdigest()}.raucb" for one in (second, third)} == files(town)
    assert "1 bundle of older versions deleted" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--support-ends", "2026-02-28", "--percent", "1"), "--support-ends 2026-02-28 is over"),
        (("--support-ends", SUPPORT_ENDS), "Say for whom it is"),
        (("--support-ends", SUPPORT_ENDS, "--canary", "000000ff"), "No node 000000ff in this fleet"),
        (("--support-ends", SUPPORT_ENDS, "--percent", "1", "--version", NEW), f"has version {OLD}."),
    ],
)
def test_what_cannot_be_meant_is_refused(
    town: Fleet, maker: Maker, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], said: str
) -> None:
    assert 2 == release(town, "publish", maker.bundle(), *more)
    assert said in capsys.readouterr().err
    assert not town.layout.release.exists()


def test_support_may_end_today(town: Fleet, maker: Maker) -> None:
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert 0 == release(town, "publish", maker.bundle(), "--support-ends", today, "--percent", "100")


def test_two_bundles_for_one_hardware_or_of_two_versions_are_refused(
    town: Fleet, maker: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pi, newer = maker.bundle(OLD, PI), maker.bundle(NEW, PC)
    twin = tmp_path / "twin.raucb"
    twin.write_bytes(pi.read_bytes())

    assert 2 == release(town, "publish", pi, twin, "--support-ends", SUPPORT_ENDS, "--percent", "1")
    assert f"are both for {PI}" in capsys.readouterr().err
    assert 2 == release(town, "publish", pi, newer, "--support-ends", SUPPORT_ENDS, "--percent", "1")
    assert f"has version {OLD}, {newer} {NEW}" in capsys.readouterr().err


def test_what_is_no_bundle_is_refused(town: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    junk = tmp_path / "junk.raucb"
    junk.write_bytes(bytes(5000))

    assert 2 == release(town, "publish", junk, "--support-ends", SUPPORT_ENDS, "--percent", "1")
    assert f"{junk} is no bundle of RAUC" in capsys.readouterr().err


def test_bundle_of_a_stranger_is_refused_once_the_makers_are_known(
    town: Fleet, maker: Maker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = Maker(tmp_path / "stranger")
    town.layout.releases.mkdir()
    (town.layout.releases / "makers.pem").write_bytes(maker.certificate.read_bytes())

    assert 2 == release(town, "publish", stranger.bundle(), "--support-ends", SUPPORT_ENDS, "--percent", "1")
    assert "or none of" in capsys.readouterr().err
    publish(town, maker.bundle())


def test_full_disk_publishes_nothing(
    town: Fleet, maker: Maker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("runtime.bundle_folder.FREE_BYTES_KEPT", 2**60)

    assert 1 == release(town, "publish", maker.bundle(), "--support-ends", SUPPORT_ENDS, "--percent", "1")
    assert "must stay free" in capsys.readouterr().err
    assert not town.layout.release.exists()
    assert set() == files(town)


def test_two_who_publish_at_once_do_not_undo_each_other(town: Fleet, maker: Maker, clock: Clock) -> None:
    publish(town, maker.bundle())
    mine = Fleet.open(town.layout.town, clock=clock)
    before = mine.record.release
    assert 0 == release(town, "pause")

    with pytest.raises(FleetInputError, match="Somebody else has changed the release meanwhile"):
        sign(mine.folder, paused(mine.record, clock()), before)


def test_list_warns_of_the_end_of_support_and_of_a_lost_bundle(town: Fleet, maker: Maker, clock: Clock) -> None:
    publish(town, maker.bundle())
    town = Fleet.open(town.layout.town, clock=clock)
    assert [] == [one for one in list_fleet(town).warnings if OLD in one]

    for file in town.layout.releases.iterdir():
        file.unlink()
    clock.at = in_force(town).support_ends_at - timedelta(days=60)
    support, lost = [one for one in list_fleet(town).warnings if OLD in one]
    assert f"Support of {OLD} ends on {SUPPORT_ENDS}: publish a newer version" in support
    assert f"The bundle of {OLD} for {PI} is not in {town.layout.releases}" in lost


def test_show_names_what_was_booted_and_never_what_is_intended(
    town: Fleet, maker: Maker, tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == release(town, "show")
    publish(town, maker.bundle(NEW))
    units = (
        UnitEntry(node="00000010", premises="Shop 0", image=OLD, update="returned: no broker"),
        UnitEntry(node="00000011", premises="Shop 1"),
    )
    saved = tmp_path / "fleet.json"
    saved.write_bytes(msgspec.json.encode(FleetList(at=clock.at, units=units)))
    capsys.readouterr()

    assert 0 == release(town, "show", "--from", saved)

    said = capsys.readouterr().out
    assert f"{NEW}: for all units; supported until {SUPPORT_ENDS}." in said
    assert [
        "00000010  Shop 0    0.1.0.202611010000  yes        returned: no broker",
        "00000011  Shop 1    not told            yes        not told",
    ] == said.splitlines()[-2:]


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
    assert "Nothing was signed: run this again" in capsys.readouterr().err
    assert not town.layout.release.exists()
    assert "" == carried.read_text()


def test_pause_goes_without_a_bundle(town: Fleet, maker: Maker, carried: Path) -> None:
    publish(town, maker.bundle())
    carried.write_text("")

    assert 0 == release(town, "pause")

    assert ["apply"] == [line.split()[0] for line in carried.read_text().splitlines()]


def test_town_of_before_is_told_to_install_again(
    town: Fleet, maker: Maker, carried: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert carried.exists()
    town.layout.carry.unlink()

    assert 2 == release(town, "publish", maker.bundle(), "--support-ends", SUPPORT_ENDS, "--percent", "100")
    assert "run 'watchlink fleet install' again" in capsys.readouterr().err
