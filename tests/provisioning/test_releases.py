"""Releases: what may be published, for whom, and that nobody goes back by mistake."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from provisioning.errors import FleetInputError
from provisioning.fleet import Fleet
from provisioning.listing import list_fleet
from provisioning.packing import packed_files
from provisioning.releases import paused, sign
from tests.provisioning.conftest import Clock
from tests.support.release_bundles import NEW, NEWEST, OLD, PC, PI, SUPPORT_ENDS, Maker
from tests.support.released_town import files, in_force, publish, release
from wire.fleet_list import FleetList, UnitEntry


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
    assert 0 == release(town, "widen", "--percent", "100")
    assert 100 == in_force(town).percent


def test_paused_release_is_for_nobody_until_it_is_resumed(town: Fleet, maker: Maker) -> None:
    publish(town, maker.bundle())
    before = in_force(town)

    assert 0 == release(town, "pause")
    assert not in_force(town).applies_to("00000010")
    assert 2 == release(town, "widen", "--percent", "100")
    assert 0 == release(town, "resume")
    assert in_force(town).applies_to("00000010")
    # Units that had refused it look at it again.
    assert in_force(town).serial > before.serial


def test_older_version_is_not_published(town: Fleet, maker: Maker, capsys: pytest.CaptureFixture[str]) -> None:
    publish(town, maker.bundle(NEW))
    before = in_force(town)

    assert 2 == release(town, "publish", maker.bundle(OLD), "--support-ends", SUPPORT_ENDS, "--percent", "100")
    assert f"{OLD} is not newer than {NEW}, which was published." in capsys.readouterr().err
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
    assert 0 == release(town, "rollback")
    assert found == in_force(town)
    assert 0 == release(town, "pause")
    assert 2 == release(town, "rollback")


@pytest.mark.parametrize("acts", [("pause",), ()])
def test_rollback_skips_what_was_paused_or_for_fewer(
    town: Fleet, maker: Maker, capsys: pytest.CaptureFixture[str], acts: tuple[str, ...]
) -> None:
    publish(town, maker.bundle(OLD))
    publish(town, maker.bundle(NEW), percent=100 if acts else 1)
    for act in acts:
        assert 0 == release(town, act)
    capsys.readouterr()
    publish(town, maker.bundle(NEWEST))
    assert f"'rollback' will go back to {OLD}" in capsys.readouterr().out

    assert 0 == release(town, "rollback")

    found = in_force(town)
    assert (OLD, "open", 100) == (found.version, found.state, found.percent)
    assert {f"{found.bundles[0].sha256}.raucb"} == files(town)


def test_first_version_that_was_paused_is_not_gone_back_to(town: Fleet, maker: Maker) -> None:
    publish(town, maker.bundle(OLD))
    assert 0 == release(town, "pause")
    publish(town, maker.bundle(NEW))

    assert 2 == release(town, "rollback")


def test_rollback_to_all_says_why(
    town: Fleet, maker: Maker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("provisioning.releases.CANARIES_MAX", 4)
    publish(town, maker.bundle(OLD), percent=10)
    publish(town, maker.bundle(NEW))
    capsys.readouterr()

    assert 0 == release(town, "rollback")

    assert f"{OLD} was for 10 % only, but more units than can be named" in capsys.readouterr().out
    assert 100 == in_force(town).percent


def test_version_that_was_taken_back_is_not_published_again(town: Fleet, maker: Maker, tmp_path: Path) -> None:
    publish(town, maker.bundle(OLD))
    publish(town, maker.bundle(NEW))
    assert 0 == release(town, "rollback")
    other = Maker(tmp_path / "other").bundle(NEW)

    assert 2 == release(town, "publish", other, "--support-ends", SUPPORT_ENDS, "--percent", "100")
    assert OLD == in_force(town).version


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
    assert f"not newer than {NEWEST}" in capsys.readouterr().err


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


@pytest.mark.parametrize("day", ["9999-12-31", "2200-01-01", "tomorrow"])
def test_end_of_support_is_a_day_that_can_come(
    town: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str], day: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        release(town, "publish", tmp_path / "any", "--support-ends", day, "--percent", "1")
    assert "is no day, such as 2031-12-31" in capsys.readouterr().err


def test_what_no_unit_would_accept_leaves_the_record_whole(town: Fleet, maker: Maker) -> None:
    publish(town, maker.bundle())
    good = in_force(town)
    many = msgspec.structs.replace(good, serial=good.serial + 1, bundles=good.bundles * 9)

    with pytest.raises(FleetInputError, match="No unit would accept it"):
        sign(Fleet.open(town.layout.town).folder, many, good)
    assert good == Fleet.open(town.layout.town).record.release


def test_version_or_number_of_bundles_beyond_a_release_is_refused(
    town: Fleet, maker: Maker, capsys: pytest.CaptureFixture[str]
) -> None:
    long = maker.bundle(".".join(["1" * 14] * 5))
    assert 2 == release(town, "publish", long, "--support-ends", SUPPORT_ENDS, "--percent", "1")
    assert "has no version that can be compared" in capsys.readouterr().err
    assert 2 == release(town, "publish", *[long] * 9, "--support-ends", SUPPORT_ENDS, "--percent", "1")
    assert "at most 8 bundles" in capsys.readouterr().err
    assert not town.layout.release.exists()


def test_support_may_end_today(town: Fleet, maker: Maker) -> None:
    today = f"{town.now():%Y-%m-%d}"
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
    ours = maker.bundle()
    publish(town, ours)
    (town.layout.releases / "makers.pem").unlink()
    (town.layout.releases / "makers.pem").symlink_to(tmp_path / "nowhere.pem")
    assert 2 == release(town, "publish", ours, "--support-ends", SUPPORT_ENDS, "--percent", "1")


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
