"""Certificates of central, broker, office and enrolment service are renewed when they are due, and not before."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from provisioning.cli import main
from provisioning.enrolment import open_enrolment, served
from provisioning.fleet import Fleet
from provisioning.listing import list_fleet
from provisioning.office import issue_office_certificate
from provisioning.service_renewal import Renewed, brought, due, renew_due
from runtime.key_pair import check_pair
from tests.provisioning.conftest import Clock
from tests.support.killed_steps import killed_at_each_step
from tests.support.proof_broker import ProofBroker
from wire.renewal import Life

BEGIN = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LIFE = Life(BEGIN, BEGIN + 90 * DAY)
ALL = ("central", "alerts", "broker", "office", "enrolment")
LATER = timedelta(days=55)
"""After the last moment of the spread."""


# -- the rule -----------------------------------------------------------------------------------------------------


def test_service_is_due_once_between_day_45_and_54_and_stays_so() -> None:
    moments = {}
    for who in ("broker", "office", "enrolment"):
        answers = [bool(due({who: LIFE}, BEGIN + day * DAY)) for day in range(120)]
        moments[who] = answers.index(True)
        assert answers == sorted(answers)

    assert [] == [who for who, day in moments.items() if not 45 <= day <= 54]
    assert 1 < len(set(moments.values())), "not all on one day"


def test_next_certificate_of_a_service_has_another_moment() -> None:
    """So nobody who knows one knows the day of all that follow."""
    ages = set()
    for number in range(6):
        begin = BEGIN + number * 50 * DAY
        life = Life(begin, begin + 90 * DAY)
        ages.add(next(hours for hours in range(90 * 24) if due({"broker": life}, begin + timedelta(hours=hours))))

    assert 3 < len(ages)


def test_both_connections_of_central_are_renewed_for_one_restart() -> None:
    days = [due({"central": LIFE, "alerts": LIFE, "broker": LIFE}, BEGIN + day * DAY) for day in range(60)]
    of_central = [{*who} & {"central", "alerts"} for who in days]

    assert [] == [who for who in of_central if len(who) == 1]
    assert {"central", "alerts"} == of_central[-1]


def test_what_is_no_pair_is_due_at_once() -> None:
    assert ("broker",) == due({"central": LIFE, "alerts": LIFE, "broker": None}, BEGIN)


def test_what_was_made_while_the_clock_was_ahead_is_due_once_that_is_right() -> None:
    assert ("broker",) == due({"broker": LIFE}, BEGIN - 2 * DAY)
    assert () == due({"broker": LIFE}, BEGIN - DAY / 2), "it is backdated, and good already"


# -- the folder ---------------------------------------------------------------------------------------------------


@pytest.fixture
def whole(fleet: Fleet) -> Fleet:
    """With a publisher that serves central's machine, where the enrolment service is too."""
    issue_office_certificate(fleet.folder)
    open_enrolment(fleet.folder, ["127.0.0.1", "localhost"])
    return fleet


def serials(fleet: Fleet) -> Mapping[str, int]:
    """Of those that lie there with their keys."""
    pairs = fleet.layout.service_pairs
    return {
        who: check_pair(pairs[who].certificate_file.read_bytes(), pairs[who].key_file.read_bytes())[0].serial_number
        for who in ALL
    }


def test_nothing_is_renewed_before_half_a_life(whole: Fleet, clock: Clock) -> None:
    before = serials(whole)
    clock.pass_by(timedelta(days=44))

    assert Renewed() == renew_due(whole)
    assert before == serials(whole)


def test_all_that_is_due_is_renewed_once(whole: Fleet, clock: Clock) -> None:
    before, hosts = serials(whole), served(whole.folder)
    clock.pass_by(LATER)

    assert ALL == renew_due(whole).services
    after = serials(whole)
    assert [] == [who for who in ALL if before[who] == after[who]]
    assert hosts == served(whole.folder)
    assert Renewed() == renew_due(whole)
    assert after == serials(whole)


def test_clock_from_before_the_town_renews_nothing_and_is_told(whole: Fleet, clock: Clock) -> None:
    """Its battery is empty: certificates of 1970 would have ended before anybody saw them."""
    before = serials(whole)
    clock.at = datetime(1970, 1, 2, tzinfo=UTC)

    renewed = renew_due(whole)

    assert ((), len(ALL)) == (renewed.services, len(renewed.troubles))
    assert all("the clock here says 1970-01-02" in trouble for trouble in renewed.troubles)
    assert before == serials(whole)


def test_what_nothing_brings_to_its_machine_is_left_to_people(fleet: Fleet, clock: Clock) -> None:
    issue_office_certificate(fleet.folder, "office.example.org")
    open_enrolment(fleet.folder, ["127.0.0.1"], is_beside_central=False)
    before = serials(fleet)
    clock.pass_by(LATER)

    assert ("central", "alerts", "broker") == brought(fleet.folder) == renew_due(fleet).services
    assert [before[who] for who in ("office", "enrolment")] == [serials(fleet)[who] for who in ("office", "enrolment")]
    clock.pass_by(timedelta(days=10))
    assert 2 == len([one for one in list_fleet(fleet).warnings if "office" in one or "enrolment" in one])


def test_record_without_its_files_counts_for_nothing(whole: Fleet, clock: Clock) -> None:
    """The power went between them."""
    kept = whole.layout.town.with_name("kept")
    shutil.copytree(whole.layout.broker, kept)
    clock.pass_by(LATER)
    renew_due(whole)
    for name in ("server.key", "server.pem"):
        shutil.copy(kept / name, whole.layout.broker)

    assert ("broker",) == renew_due(whole).services


def test_halves_of_two_pairs_are_renewed_at_once(whole: Fleet, tmp_path: Path) -> None:
    shutil.copy(whole.layout.central / "client.key", whole.layout.broker / "server.key")

    assert ("broker",) == renew_due(whole).services
    assert serials(whole)["broker"]


def renew_late(town: Path) -> None:
    """Of a town of today."""
    renew_due(Fleet.open(town, clock=lambda: BEGIN + LATER))


@pytest.mark.one_python
def test_renewal_killed_at_each_step_leaves_a_whole_pair_and_the_next_finishes_it(fleet: Fleet, tmp_path: Path) -> None:
    """Of the broker alone, which is enough."""
    of_central = Fleet.open(fleet.layout.town, clock=lambda: BEGIN + 30 * DAY)
    of_central.renew("central")
    of_central.renew("alerts")
    folders = killed_at_each_step(renew_late, fleet.layout.town, tmp_path / "copies")
    ends = []
    for town in folders:
        late = Fleet.open(town, clock=lambda: BEGIN + LATER)
        late.layout.settle()
        pair = late.layout.service_pairs["broker"]
        ends.append(check_pair(pair.certificate_file.read_bytes(), pair.key_file.read_bytes())[0])
        renew_due(late)
        own = x509.load_pem_x509_certificate(pair.certificate_file.read_bytes())
        assert late.record.broker_certificates[-1].serial == f"{own.serial_number:x}"
        assert Renewed() == renew_due(late)

    assert 1 < len(set(ends)) < len(ends), "some the one of before, some the new one"


# -- the command --------------------------------------------------------------------------------------------------


def renewed(fleet: Fleet, *options: str) -> int:
    return main(["renew", "--dir", str(fleet.layout.town), "--due", *options])


@pytest.fixture
def late(obeyed: Fleet) -> Fleet:
    """A town whose broker got its certificate 60 days ago."""
    before = datetime.now(UTC) - 60 * DAY
    Fleet.open(obeyed.layout.town, clock=lambda: before).renew("broker")
    return Fleet.open(obeyed.layout.town)


def test_command_renews_what_is_due_with_the_lists_and_says_so(late: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == renewed(late, "--reload-command", "true")
    first = capsys.readouterr().out
    assert 0 == renewed(late, "--reload-command", "true")
    second = capsys.readouterr().out

    assert "The certificate of the broker is renewed." in first
    assert "central" not in first
    assert "The running broker obeys the new revocation list" in first
    assert "is renewed" not in second
    assert "The running broker obeys the new revocation list" in second


def test_broker_that_goes_on_with_its_old_certificate_is_told(
    late: Fleet, broker: ProofBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the lists and rules it was seen to obey the new ones."""
    shutil.copytree(late.layout.broker, tmp_path / "loaded")
    orders = broker.orders
    orders.folder = tmp_path / "loaded"

    assert 1 == renewed(late, "--reload-command", "true")
    assert "still shows an older certificate" in capsys.readouterr().err
    assert 1 == renewed(late, "--reload-command", "true"), "the next day, too"


def test_files_that_did_not_get_there_are_brought_by_the_next_run(
    late: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == renewed(late, "--reload-command", "false")
    said = capsys.readouterr()
    assert "The certificate of the broker is renewed." in said.out
    assert "NOT PROVEN" in said.err
    assert any("NOT PROVEN" in warning for warning in list_fleet(late).warnings)

    there = tmp_path / "there"
    there.mkdir()
    bring = f"cp {late.layout.broker}/server.pem {late.layout.broker}/server.key {there}"
    assert 0 == renewed(late, "--reload-command", bring)
    own = x509.load_pem_x509_certificate((there / "server.pem").read_bytes())
    assert Fleet.open(late.layout.town).record.broker_certificates[-1].serial == f"{own.serial_number:x}"


def test_lists_are_renewed_although_a_certificate_cannot_be(late: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    number = late.record.crl_number
    open_enrolment(late.folder, ["127.0.0.1"])
    (late.layout.enrolment / "server.pem").unlink()

    assert 1 == renewed(late, "--reload-command", "true")
    said = capsys.readouterr()
    assert "! The certificate of the enrolment service is due and was not renewed" in said.out
    assert "Not everything that is due was renewed" in said.err
    assert "The certificate of the broker is renewed." in said.out
    assert number < Fleet.open(late.layout.town).record.crl_number


def test_nothing_is_renewed_that_nothing_brings_away(late: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    before = late.record.broker_certificates

    assert 2 == renewed(late)
    assert "'watchlink fleet install'" in capsys.readouterr().err
    assert before == Fleet.open(late.layout.town).record.broker_certificates


@pytest.mark.parametrize("words", [["broker", "--due"], []])
def test_one_service_or_all_that_are_due_not_both(fleet: Fleet, words: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(["renew", "--dir", str(fleet.layout.town), *words])


# -- the warning --------------------------------------------------------------------------------------------------


def test_warning_in_the_last_month_names_the_timer_first(whole: Fleet, clock: Clock) -> None:
    by_hand = list_after(whole, clock, 61)
    whole.layout.apply.touch()
    daily = list_after(whole, clock, 0)

    for who in ("Central's", "The broker's", "The office's", "The enrolment service's"):
        (before,) = (one for one in by_hand if one.startswith(f"{who} certificate expires in 29 days"))
        (after,) = (one for one in daily if one.startswith(f"{who} certificate expires in 29 days"))
        assert "watchlink-fleet-lists" not in before
        assert "'journalctl -u watchlink-fleet-lists' says why it has not; by hand 'watchlink fleet " in after


def list_after(fleet: Fleet, clock: Clock, days: int) -> tuple[str, ...]:
    clock.pass_by(days * DAY)
    return list_fleet(fleet).warnings
