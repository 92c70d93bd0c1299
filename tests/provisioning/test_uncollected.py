"""Units that have claimed their premises and were not collected: none is forgotten unasked, and each can be ended."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from central.directory_file import DirectoryFile
from provisioning.claims import withdraw
from provisioning.cli import main
from provisioning.fleet import Fleet
from provisioning.listing import as_table, list_fleet
from tests.enrolment.handlers.test_enrolling import Desk
from tests.support.enrolling_town import EnrollingTown, NewUnit
from wire.directory import Directory
from wire.ids import NodeId

WORKING, CLAIMED, WAITING = "00000010", "00000011", "00000012"
DELEGATION_OVER = timedelta(days=91)


UNIT = NewUnit(int(CLAIMED, 16))


class Site:
    """A shop that the fleet lists, one whose unit has claimed it, and one that waits; the service without a socket."""

    def __init__(self, folder: Path) -> None:
        fleet = Fleet.open(folder)
        self.town = EnrollingTown(fleet, fleet.layout.enrolment)
        self.desk = Desk(self.town)
        self.held = self.desk.directory()

    @property
    def folder(self) -> Path:
        return self.town.fleet.layout.town

    def run(self, command: str, *arguments: str) -> int:
        return main([command, "--dir", str(self.folder), *arguments])

    def central(self, at: datetime) -> Directory:
        """What central holds once it has read the files, beginning with what it held before."""
        self.desk.service.look()
        layout, authority = self.town.fleet.layout, self.town.fleet.folder.authority_public()
        file = DirectoryFile(layout.directory, authority, self.held, lambda: [at], self.town.changed)
        for _ in range(6):
            if (found := file.look()) and hasattr(found, "directory"):
                self.held = found.directory
        return self.held

    def is_struck(self) -> bool:
        return self.central(datetime.now(UTC)).senders[NodeId(int(CLAIMED, 16))].is_revoked

    def fleet(self) -> Fleet:
        return Fleet.open(self.folder)


@pytest.fixture(autouse=True)
def _obedient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that obeys; tests/integration has a real one."""
    monkeypatch.setattr("provisioning.fleet.enforce", lambda *_, **__: None)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A town that no test changes."""
    town = EnrollingTown.found(tmp_path_factory.mktemp("founded") / "town")
    town.fleet.add("Old shop", "", ["hart"])
    town.reserve(2)
    desk = Desk(town)
    assert 200 == desk.ask(UNIT.sealed())[0]
    desk.service.close()
    return town.fleet.layout.town


@pytest.fixture
def site(founded: Path, tmp_path: Path) -> Iterator[Site]:
    shutil.copytree(founded, tmp_path / "town")
    site = Site(tmp_path / "town")
    yield site
    site.desk.service.close()


@pytest.fixture
def late(site: Site, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """It is the day after the delegation's last."""
    assert site.held, "made before that day"
    at, open_now = datetime.now(UTC) + DELEGATION_OVER, Fleet.open
    monkeypatch.setattr(Fleet, "open", lambda town: open_now(town, clock=lambda: at))
    return at


def test_unit_that_waits_to_be_collected_is_heard_after_another_was_revoked(
    site: Site, late: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    """The delegation is over, so the next directory would leave it out; and a stolen unit may wait for nobody."""
    assert 0 == site.run("revoke", WORKING)

    assert f"{CLAIMED} (Shop 0) has claimed its premises" in capsys.readouterr().out
    held = site.central(late)
    assert held.senders[NodeId(int(WORKING, 16))].is_revoked
    assert UNIT.signing.public == held.senders[NodeId(int(CLAIMED, 16))].key


@pytest.mark.parametrize(
    "command",
    [
        ["link", WORKING, "--none"],
        ["add", "--with-keys", "--premises", "New", "--scheme", "hart"],
    ],
    ids=["link", "add"],
)
def test_directory_that_can_wait_is_not_made_unasked_if_it_silences_a_unit(
    site: Site, late: datetime, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    before = site.fleet().record

    assert 2 == site.run(*command)

    said = capsys.readouterr().err
    assert f"nobody hears these numbers, which have claimed their premises, and were not collected: {CLAIMED}" in said
    assert WAITING not in said, "nobody can have claimed it"
    assert "Collect first: 'watchlink fleet collect'" in said
    assert before == site.fleet().record
    assert 0 == site.run("collect")
    assert 0 == site.run(*command), "now nobody is left out"
    assert NodeId(int(CLAIMED, 16)) in site.central(late).senders


@pytest.mark.usefixtures("late")
def test_revoking_waits_for_nobody_and_says_whom_it_may_silence(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    from_central_that_is_down(site, site.folder)

    assert 0 == site.run("revoke", WORKING)

    said = capsys.readouterr().out
    assert "! The enrolment service's file could not be fetched from central's machine" in said
    assert f"may have been claimed: {CLAIMED} (Shop 0), {WAITING} (Shop 1). Collect first" in said
    assert site.fleet().record.node(WORKING).revoked_at is not None


@pytest.mark.usefixtures("late")
def test_what_is_agreed_to_is_said_all_the_same(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.town.changed.unlink()

    assert 0 == site.run("link", WORKING, "--none", "--yes")

    said = capsys.readouterr().out
    assert f"which wait here, and may have been claimed: {CLAIMED} (Shop 0), {WAITING} (Shop 1)." in said


@pytest.mark.usefixtures("late")
def test_working_unit_is_not_ended_while_no_other_can_take_its_place(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == site.run("replace", WORKING, "--yes")

    assert "because the delegation ended on" in (said := capsys.readouterr().err)
    assert "'watchlink fleet delegate' first" in said
    assert site.fleet().record.node(WORKING).revoked_at is None


def from_town(site: Site, _: Path) -> list[str]:
    del site
    return []


def from_file(site: Site, folder: Path) -> list[str]:
    shutil.move(site.town.changed, folder / "fetched.json")
    return ["--from", str(folder / "fetched.json")]


def from_central(site: Site, folder: Path) -> list[str]:
    from_file(site, folder)
    fetch_by(site, f"cat {folder}/fetched.json")
    return []


def from_nowhere(site: Site, _: Path) -> list[str]:
    site.town.changed.unlink()
    return []


def from_central_that_is_down(site: Site, _: Path) -> list[str]:
    site.town.changed.unlink()
    fetch_by(site, "exit 255")
    return []


def fetch_by(site: Site, line: str) -> None:
    fetch = site.town.fleet.layout.fetch
    fetch.write_text(f"#!/bin/sh\n{line}\n")
    fetch.chmod(0o700)


@pytest.mark.parametrize(
    ("source", "is_known"),
    [
        (from_town, True),
        (from_file, True),
        (from_central, True),
        (from_nowhere, False),
        (from_central_that_is_down, False),
    ],
)
def test_unit_stolen_before_it_was_collected_is_struck_by_one_command(
    site: Site,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    source: Callable[[Site, Path], list[str]],
    is_known: bool,  # noqa: FBT001
) -> None:
    """Also if nobody can say which key it has made: the number is struck, whoever claims it."""
    options = source(site, tmp_path)

    assert 0 == site.run("revoke", CLAIMED, *options)

    assert ("was never collected" in capsys.readouterr().out) is not is_known
    assert site.is_struck()
    assert (UNIT.signing.public == site.held.senders[NodeId(int(CLAIMED, 16))].key) is is_known
    assert CLAIMED not in [claim.node for claim in site.town.claims()]
    assert frozenset({CLAIMED}) == site.desk.service._publishing.struck(), "its certificates go onto the list of nodes"
    assert f"user CN={CLAIMED},O=node\ntopic deny #\n" in (site.town.fleet.layout.broker / "acl").read_text()


def test_number_that_nobody_has_claimed_is_ended_with_its_code(site: Site) -> None:
    """Its card was stolen: whoever comes with it between the two looks is struck too."""
    assert 0 == site.run("revoke", WAITING)

    assert WAITING not in [claim.node for claim in site.town.claims()]
    assert site.central(datetime.now(UTC)).senders[NodeId(int(WAITING, 16))].is_revoked
    assert "unknown claim" == site.desk.problem(NewUnit(int(WAITING, 16)).sealed())


def test_unit_whose_claim_was_taken_back_is_struck_and_no_other_one(site: Site) -> None:
    site.desk.ask(NewUnit(int(WAITING, 16)).sealed())
    for node in (CLAIMED, WAITING):
        withdraw(site.fleet(), node)
    assert NodeId(int(CLAIMED, 16)) in site.central(datetime.now(UTC)).senders

    assert 0 == site.run("revoke", CLAIMED)

    assert site.is_struck()
    assert not site.held.senders[NodeId(int(WAITING, 16))].is_revoked


def test_broken_unit_is_replaced_before_anybody_collected_it(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == site.run("replace", CLAIMED, "--yes")

    assert "00000013 takes its place" in capsys.readouterr().out
    assert site.is_struck()


def test_number_without_a_unit_is_not_replaced(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == site.run("replace", WAITING, "--yes")

    assert f"'watchlink fleet claim {WAITING}'" in capsys.readouterr().err


def test_file_that_cannot_be_used_is_told_and_strikes_nobody(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "no.json").write_text("{}")
    before = site.fleet().record

    assert 2 == site.run("revoke", CLAIMED, "--from", str(tmp_path / "no.json"))
    assert "is not used" in capsys.readouterr().err
    assert before == site.fleet().record


def test_collecting_from_a_central_that_is_down_is_told(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    fetch_by(site, "exit 255")

    assert 1 == site.run("collect")
    assert "could not be fetched from central's machine" in capsys.readouterr().err


def test_central_that_sends_without_end_is_not_listened_to(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    fetch_by(site, "exec cat /dev/zero")

    assert 1 == site.run("collect")
    assert "over 4 MiB" in capsys.readouterr().err


def test_central_that_says_nothing_is_given_up(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.fetching.FETCH_WITHIN_S", 0.0)
    fetch_by(site, "exec sleep 600")

    assert 1 == site.run("collect")
    assert "could not be fetched" in capsys.readouterr().err


def test_what_another_town_hands_out_takes_the_place_of_no_copy(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Fleet.init(tmp_path / "other", schemes={"hart": "HART"})
    fetch_by(site, f"cat {other.layout.directory}")
    before = site.town.changed.read_bytes()

    assert 1 == site.run("collect")
    assert "not signed by the authority" in capsys.readouterr().err
    assert before == site.town.changed.read_bytes()


def test_list_tells_claimed_from_waiting(site: Site) -> None:
    table = as_table(list_fleet(site.fleet()))

    assert f"{CLAIMED}  Shop 0    High St  hart     claimed, to be collected" in table
    assert f"{WAITING}  Shop 1    High St  hart     waiting for its claim until" in table
    assert f"! A unit has claimed {CLAIMED} (Shop 0): 'watchlink fleet collect'." in table
    assert "no enrolment service" not in table


def test_who_has_claimed_is_fetched_with_the_daily_lists(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Central's machine may be down on the day on which a unit is stolen."""
    from_central(site, tmp_path)
    assert "to be collected" not in as_table(list_fleet(site.fleet()))

    assert 0 == site.run("renew-crl")
    assert "to be collected" in as_table(list_fleet(site.fleet()))
    fetch_by(site, "exit 255")
    assert 0 == site.run("renew-crl"), "the lists are renewed all the same"
    assert "! The enrolment service's file could not be fetched" in capsys.readouterr().out
    assert 0 == site.run("revoke", CLAIMED)
    assert UNIT.signing.public == site.central(datetime.now(UTC)).senders[NodeId(int(CLAIMED, 16))].key


def test_service_on_a_machine_of_its_own_is_not_looked_for_at_central(site: Site) -> None:
    fetch_by(site, "exit 255")
    site.town.fleet.layout.beside_central.unlink()

    assert 0 == site.run("collect")


def test_list_says_that_nobody_answers_the_claims(site: Site) -> None:
    site.run("delegate", "--end")
    shutil.rmtree(site.town.folder)

    warnings = list_fleet(site.fleet()).warnings
    assert (
        "No unit can claim anything, because this town has no delegate: 'watchlink fleet delegate' first." in warnings
    )
    assert any("there is no enrolment service yet" in one for one in warnings)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["configure", WAITING, "--licence", "LG 1"], "Once a unit has claimed it: 'watchlink fleet collect', then"),
        (["link", WAITING, "--none"], "Once a unit has claimed it: 'watchlink fleet collect', then"),
        (["renew", WAITING], "Once a unit has claimed it: 'watchlink fleet collect', then"),
        (["pack", WAITING, "--to", "node.tar"], f"the card that 'watchlink fleet seed {WAITING}' writes"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_waits_is_told_with_what_fits_the_command(
    site: Site, capsys: pytest.CaptureFixture[str], command: list[str], words: str
) -> None:
    """Whoever wants to set a licence is not told how to cut a shop off."""
    assert 2 == site.run(*command)

    assert words in (said := capsys.readouterr().err)
    assert "withdraw" not in said
