"""Broker, central, node and office under a real systemd as PID 1: ready, locked in, talking, and revived (F3)."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path
from typing import Final

import pikepdf
import pytest
from cryptography import x509

from installation import node_places, places
from office.papers import tags
from office.people.intake_terms import SENTENCES
from tests.support.booted_system import Proof
from tests.support.runbook import BACKUPS, RUNBOOK, blocks, is_run
from tests.systemd.conftest import WATCHDOG_MS, alerts_with
from wire.signing import PublicKey
from wire.snapshots import People, Town, open_snapshot
from wire.unit_files import VITALS_FILE, Vitals, read_unit_file

pytestmark = [pytest.mark.integration, pytest.mark.long]

UNKEYED_WITHIN_MS: Final = 1_000
PAGES, PUBLISHER = OFFICE = ("watchlink-office", "watchlink-office-publish")
PAPERS: Final = "watchlink-office-papers"
ENROL: Final = "watchlink-enrol"
UNITS: Final = ("mosquitto", "watchlink-central", ENROL, "watchlink-node", *OFFICE, PAPERS)
AGES: Final = ("aged", "renewed")
NO_PRIVILEGE: Final = {"CapEff": "0000000000000000", "NoNewPrivs": "1", "Seccomp": "2"}


@pytest.mark.parametrize("unit", UNITS)
def test_unit_reaches_ready(proof: Proof, unit: str) -> None:
    started = proof.properties(f"{unit}.started")

    assert (started["ActiveState"], started["SubState"], started["NRestarts"]) == ("active", "running", "0"), (
        proof.text("journal")
    )


@pytest.mark.parametrize("sender", ["CN=00000001,O=services", "CN=00000010,O=node"])
def test_locked_in_programs_reach_the_locked_in_broker(proof: Proof, sender: str) -> None:
    """Sockets, TLS, certificates and threads all work under the units' locks, on Debian's own Python."""
    assert f" as {sender} " in proof.text("broker-log")


def test_check_believes_the_running_unit_and_finds_its_files_broker_and_store_right(proof: Proof) -> None:
    steps = {step["step"]: step for step in map(json.loads, proof.text("check").splitlines())}
    names = (
        "configuration",
        "identity files",
        "certificate",
        "directory",
        "disk",
        "store",
        "buttons",
        "broker",
    )

    assert ["ok"] * len(names) == [steps[name]["outcome"] for name in names], steps
    assert "watchlink-node can read them" in steps["identity files"]["text"]
    assert "is active (running): armed, no faults; connected" in steps["unit"]["text"]
    assert "ok" == steps["unit"]["outcome"]
    assert "the running node is connected" == steps["link"]["text"]


def test_diagnosis_of_the_unit_is_complete_and_names_nobody(proof: Proof) -> None:
    (file,) = (proof.folder / "bundle").glob("*.tar.gz")
    with tarfile.open(file) as archive:
        parts = {member.name: (archive.extractfile(member) or io.BytesIO()).read() for member in archive}
    log = parts["watchlink-diagnosis/log.jsonl"].decode()

    assert 7 == len(parts), proof.text("diagnose")
    assert '"by": "systemd"' in log
    assert [] == [name for name, data in parts.items() if b"Corner" in data or b"High St" in data]


@pytest.mark.parametrize("unit", ["mosquitto", "watchlink-central"])
def test_every_thread_of_an_alerts_way_goes_before_ordinary_programs(proof: Proof, unit: str) -> None:
    assert [os.SCHED_RR] == [int(policy) for policy in proof.text(f"{unit}.policy").split()]


def test_node_runs_without_any_privilege(proof: Proof) -> None:
    assert NO_PRIVILEGE == proof.status("process")


@pytest.mark.parametrize("page", [RUNBOOK, BACKUPS], ids=["runbook", "backups"])
def test_every_command_of_the_page_was_run_to_the_letter(proof: Proof, page: Path) -> None:
    """In a bare Debian, by one person, from the first folder to a shop that is armed, renewed and revoked; and lost."""
    wanted = [one for block in blocks(page.read_text(encoding="utf-8")).values() for one in block if is_run(one)]
    done = [line.split(" ", 1) for line in proof.text(page.stem).splitlines()]

    assert sorted(wanted) == sorted(command for _, command in done)
    # The first look, when no delegate is named and no backup made yet.
    first_look = {"watchlink central check"} if page == RUNBOOK else set()
    assert first_look == {command for status, command in done if status != "0"}, proof.text("journal")


def test_central_reads_the_brokers_lists_and_nothing_secret_there(proof: Proof) -> None:
    """To tell on its page long before they end; and what the enrolment service keeps for central's backups."""
    assert "crl.pem\nregister.json\n" == proof.text("read-by-central")


def test_seed_makes_a_unit_that_is_armed_by_the_runbooks_commands_alone(proof: Proof) -> None:
    said = proof.text("said.adding_a_shop_2").splitlines()

    for line in (
        "made /etc/systemd/system/watchlink-node.service",
        "made /opt/watchlink/libexec/watchlink-adopt",
        "enabled watchlink-node: it starts with the machine",
        "Everything is in place: 00000010 is being claimed.",
        "All right.",
    ):
        assert line in said
    assert proof.text("identity") == "watchlink-node 600 /var/lib/watchlink-node/signing.key\n"
    assert "00000010 (Corner Shop) has claimed its premises" in proof.text("said.adding_a_shop_3")


def test_revocation_lists_are_renewed_by_both_timers(proof: Proof) -> None:
    """Each where its keys are: the fleet's by way of 'central install', the nodes' at the broker itself."""
    assert "mosquitto has read its files again" in proof.text("watchlink-fleet-lists.log")
    assert "Finished" in proof.text("watchlink-fleet-lists.log")
    assert "The certificate of the broker is renewed." in proof.text("watchlink-fleet-lists.log")
    assert "ActiveState=active" in proof.text("mosquitto.settled"), "its unit put two halves right"
    assert "The revocation list of nodes is renewed and proven." in proof.text("watchlink-enrol-list.log")


def test_installing_the_node_again_changes_nothing(proof: Proof) -> None:
    again, before, after = proof.text("node-again").splitlines()

    assert "Nothing to do: everything is in place, 00000010 is here." == again
    assert before == after


def test_locked_in_node_says_how_it_is_for_root_alone(proof: Proof) -> None:
    said = read_unit_file(proof.text("vitals").encode(), Vitals)
    expected = [f"watchlink-node 700 {Path(VITALS_FILE).parent}", f"watchlink-node 600 {VITALS_FILE}"]

    assert expected == proof.text("vitals-files").splitlines()
    assert ("00000010", True, True) == (said.node, said.is_armed, said.is_linked)
    assert said.written_at_ms


def test_locked_in_node_reads_what_the_cards_own_program_says(proof: Proof) -> None:
    told = proof.text("card-told")

    assert told.startswith("armed, faults: "), proof.text("node-log")
    assert "card" in told.partition(";")[0].split()


def test_hung_node_is_killed_by_the_watchdog_and_started_again(proof: Proof) -> None:
    before, after = proof.properties("watchlink-node.started"), proof.properties("watchlink-node.restarted")

    assert "Watchdog timeout" in proof.text("node-log")
    assert (after["ActiveState"], after["NRestarts"]) == ("active", "1")
    assert after["MainPID"] != before["MainPID"]


@pytest.mark.parametrize("unit", UNITS)
def test_unit_stops_cleanly(proof: Proof, unit: str) -> None:
    stopped = proof.properties(f"{unit}.stopped")

    assert (stopped["ActiveState"], stopped["Result"]) == ("inactive", "success")


def test_transmit_key_is_off_before_the_node_starts(proof: Proof) -> None:
    """N10: whatever was left of the last run, and whether or not the node gets as far as its radio."""
    reports = proof.text("line-at-start").splitlines()

    assert " 00 00 04 04 00" == reports[0]
    assert {" 00 00 00 04 00"} == set(reports[1:])
    assert "transmit key off" in proof.text("node-log").split("armed")[0]


@pytest.mark.parametrize("end", ["killed", "stopped", "slain"])
def test_transmit_key_is_off_within_a_second_of_any_end(proof: Proof, end: str) -> None:
    """N10, F3: the node killed with -9 in the middle of an over; stopped; killed together with its guard."""
    assert min(map(int, proof.text(f"unkeyed.{end}").split())) <= UNKEYED_WITHIN_MS


def test_transmit_key_of_a_node_without_guard_is_put_off_by_the_stop_action(proof: Proof) -> None:
    assert "code=exited ; status=0" in proof.text("stop-action")


def test_transmit_key_of_a_hung_node_is_off_when_the_watchdog_bites(proof: Proof) -> None:
    """Long before its guard's own time is up, and before the hung process is gone."""
    assert min(map(int, proof.text("unkeyed.hung").split())) <= WATCHDOG_MS + UNKEYED_WITHIN_MS


def test_rules_for_devices_are_understood(proof: Proof) -> None:
    assert "Success: 2" in proof.text("udev")


@pytest.mark.parametrize("unit", [*OFFICE, PAPERS])
def test_office_runs_without_any_privilege(proof: Proof, unit: str) -> None:
    assert NO_PRIVILEGE == proof.status(f"{unit}.process")


def test_first_co_ordinator_joins_by_the_printed_link(proof: Proof) -> None:
    """Set up by the command of docs/office.md, and by nothing else."""
    assert ["sign-in page 200", "joined 200: Set up a second factor", "set up 200: Recovery codes"] == proof.text(
        "office-visit"
    ).splitlines()


def test_who_joined_is_signed_and_reaches_central(proof: Proof) -> None:
    """Between three users: the publisher reads the pages' database, central the publisher's files."""
    authority, key = (
        PublicKey(bytes.fromhex(path.read_text()))
        for path in (proof.folder.parent / "srv/town/central/authority.pub", proof.folder / "snapshot.pub")
    )
    kept = (proof.folder / "people.json").read_bytes()
    listed = open_snapshot(kept, People, Town(authority), (key,)).people

    assert ["cora"] == [person.username for person in listed]


def test_keys_and_folders_of_the_office_have_their_owners(proof: Proof) -> None:
    """Root made them; none of them is of use to anybody else."""
    own, others = f"{PAGES} {PAGES}", f"{PUBLISHER} {PUBLISHER}"

    assert [
        f"-rw-r----- root {PAGES} office.toml",
        f"-rw------- {own} keys/pages.key",
        f"-rw------- {own} keys/photographs.key",
        f"-rw------- {own} keys/ticket.key",
        f"-rw-r--r-- {own} keys/ticket.pub",
        f"-rw------- {others} publisher/snapshot.key",
        f"-rw-r--r-- {others} publisher/snapshot.pub",
        f"drwxrws--- {own} data",
        f"drwxr-s--- {PUBLISHER} watchlink-snapshots snapshots",
    ] == proof.text("office-files").splitlines()


@pytest.mark.parametrize("lock", ["by-user", "in-unit"])
def test_each_key_of_the_office_is_read_by_one_program_alone(proof: Proof, lock: str) -> None:
    """By the modes of the files; and by the unit, which hides them from root itself."""
    assert [
        f"{PAGES} keys/pages.key",
        f"{PAGES} keys/photographs.key",
        f"{PAGES} keys/ticket.key",
        f"{PAGES} keys/ticket.pub",
        f"{PUBLISHER} keys/ticket.pub",
        f"{PUBLISHER} publisher/snapshot.key",
    ] == proof.text(f"office-readable-{lock}").splitlines()


def test_pages_write_the_database_alone(proof: Proof) -> None:
    assert [
        f"{PAGES} data",
        *(f"{PUBLISHER} {folder}" for folder in ("data", "publisher", "snapshots")),
    ] == proof.text("office-writable-in-unit").splitlines()


@pytest.mark.parametrize("unit", [*OFFICE, PAPERS])
def test_killed_program_of_the_office_is_ready_again(proof: Proof, unit: str) -> None:
    """F3: ``kill -9``."""
    before, after = proof.properties(f"{unit}.started"), proof.properties(f"{unit}.restarted")

    assert ("active", "running", "1") == (after["ActiveState"], after["SubState"], after["NRestarts"])
    assert after["MainPID"] != before["MainPID"]


def test_pages_get_a_notice_that_can_be_read_by_everybody(proof: Proof) -> None:
    """Drawn behind the unit's locks, asked for over its socket; the same after ``kill -9``. No X11 font is unpacked."""
    notice, log = (proof.folder / "notice.pdf").read_bytes(), proof.text(f"{PAPERS}.log")
    assert notice.startswith(b"%PDF-"), log + proof.text("notice.pdf")
    assert "Fontconfig" not in log, "a font's index is out of date, and the program may not make a new one"
    assert notice == (proof.folder / "notice-again.pdf").read_bytes()
    with pikepdf.open(io.BytesIO(notice)) as pdf:
        assert [] == tags.faults(pdf, figures=1)


def test_nobody_but_the_pages_gets_a_notice(proof: Proof) -> None:
    assert "The program that makes PDFs does not answer.\n" == proof.text("notice-of-others")


@pytest.mark.parametrize("lock", ["by-user", "in-unit"])
def test_papers_read_neither_key_nor_database(proof: Proof, lock: str) -> None:
    """By the modes of the files; and by the unit, which also keeps them from central and from every network.

    That the unit hides the files from root itself is seen with those of the other two.
    """
    state = "/var/lib/watchlink-office"
    secrets = ["data/office.sqlite3"]
    secrets += [f"keys/{name}" for name in ("pages.key", "photographs.key", "ticket.key", "ticket.pub")]
    secrets += ["office.toml", "publisher/snapshot.key", "publisher/snapshot.pub"]
    refused = [f"EACCES {state}/{name}" for name in secrets]
    if lock == "in-unit":
        refused += ["EACCES /var/lib/watchlink-central/central/central.toml", "EAFNOSUPPORT :8090"]

    assert ["ok /order.json", *refused] == proof.text(f"papers-reach-{lock}").splitlines()


def test_pages_read_photographs_in_a_cage(proof: Proof) -> None:
    """Behind the unit's locks: the child gives up what it has, and the kernel takes its own filter on top of theirs."""
    said = ["300 x 400", SENTENCES["too-large"], "filters of its own: 1"]

    assert said == proof.text("photographs").splitlines(), proof.text("probe.log")


def test_audit_of_the_office_is_in_order(proof: Proof) -> None:
    assert "The audit is in order." in proof.text("office-audit").splitlines()


def test_office_is_restored_from_a_backup_as_documented(proof: Proof) -> None:
    """By root, and both programs can still write what they must: central has the next list."""
    assert 2 == proof.text("office-backup-log").count("opened and proven"), proof.text("office-backup-log")
    # One of the state, one of the keys, and what tells the pages how it went.
    expected = ["watchlink-office-publish 600", "root 600", "watchlink-office-publish 640"]
    assert expected == proof.text("office-backup").splitlines()
    said = proof.text("office-restored")
    assert ["0"] * 4 == proof.text("restoring").split(), said
    assert "The office's keys are back." in said
    assert "joined since the copy was made, and has no account here. Invite them again." in said
    assert ["active", "active"] == [proof.properties(f"{unit}.restored")["ActiveState"] for unit in OFFICE]
    before, after = (int(line.split("people-")[1].split("-")[0]) for line in proof.text("office-at-central").split())
    assert before < after


def test_press_at_the_claimed_unit_has_centrals_receipt_on_its_panel(proof: Proof) -> None:
    """N1, N3: from the pin to central's journal and the page of who has signed in there by the office's pages."""
    panel, (alert,) = proof.json("press.first"), proof.json("journal.first")["alerts"]
    (card,) = proof.json("board.first")["cards"]

    assert ("received", "RECEIVED") == (panel["faces"][-1], panel["headline"])
    assert alert == alerts_with(proof, "receipt")[0]
    expected = (alert, "Corner Shop", "attack", "unanswered", "network", False)
    assert expected == tuple(card[key] for key in ("incident", "premises", "kind", "state", "path", "is_late"))


def test_units_timer_renews_its_certificate_and_its_session_goes_on(proof: Proof) -> None:
    """F2: eight weeks old. The node is neither stopped nor disconnected, and then connects with the new one."""
    old, new = (x509.load_pem_x509_certificate((proof.folder / f"{name}.pem").read_bytes()) for name in AGES)
    before, after = proof.text("session").split()[:2], proof.text("session").split()[2:]

    assert "00000010: renewed. The new certificate lasts until" in proof.text("renewed")
    assert old.not_valid_after_utc < new.not_valid_after_utc
    assert before == after
    assert "received" == proof.json("press.second")["faces"][-1]
    # Nothing else is left to connect with: the next press, after a restart.
    assert "received" == proof.json("press.lost")["faces"][-1]
    assert {f"watchlink-node 600 {node_places.STATE}/client.key"} == set(proof.text("renewed.key").splitlines())


def test_central_is_backed_up_by_its_unit_and_restored_on_a_bare_machine(proof: Proof) -> None:
    """Behind the unit's locks, by Debian's own Python; restored by root for central's user (C9)."""
    assert "opened and proven" in proof.text("said.setting_up_central_s_backups_2")
    assert "watchlink-central 600\n" == proof.text("backup")
    assert "Central's state is back." in proof.text("said.restoring_central_1")
    assert "watchlink-central 700\n" == proof.text("aside"), "or the nightly backup could never delete it"
    restored = proof.properties("watchlink-central.restored")
    assert ("active", "running", "0") == (restored["ActiveState"], restored["SubState"], restored["NRestarts"])


def test_restored_central_has_again_what_its_journal_lost_and_no_number_runs_backwards(proof: Proof) -> None:
    """C9: the press that is younger than the backup comes from the unit; the next one has its receipt."""
    lost, restored = proof.json("journal.lost"), proof.json("journal.restored")
    first, second, third = lost["alerts"]

    assert third in alerts_with(proof, "forgotten"), "a journal of the new machine has not had it"
    assert {first, second, third} < set(restored["alerts"])
    assert restored["counter"] > lost["counter"]
    assert restored["entry"] > lost["entry"]
    assert {first, second, third} == {card["incident"] for card in proof.json("board.restored")["cards"]}
    assert "received" == proof.json("press.restored")["faces"][-1]
    assert restored["alerts"][-1] == alerts_with(proof, "receipt")[-1]
    assert restored["alerts"][-1] not in lost["alerts"]


def test_operator_signs_in_again_at_the_restored_central(proof: Proof) -> None:
    assert "refused 401\n" == proof.text("board.signed-out")
    assert ["entered 200 http://localhost:8080/"] * 2 == proof.text("entered").splitlines()
    assert [] == [line for line in proof.text("closed").splitlines() if ": 200 " not in line]


def test_restored_enrolment_service_knows_its_units_renews_and_takes_new_claims(proof: Proof) -> None:
    """Whom the fleet had not collected, whom it had, and who comes now: all as if nothing had happened (F2)."""
    assert "(Butcher) has claimed its premises" in proof.text("said.the_enrolment_service_2")
    for name in ("renewed-meanwhile", "renewed-again"):
        assert "00000010: renewed. The new certificate lasts until" in proof.text(name)
    assert "This unit is armed for Florist." == proof.text("claimed.florist").splitlines()[-1]
    assert "received" == proof.json("press.florist")["faces"][-1], proof.text("florist.facts")
    assert {("Corner Shop", "attack"), ("Florist", "assist")} == {
        (card["premises"], card["kind"]) for card in proof.json("board.last")["cards"] if card["state"] == "unanswered"
    }


def test_installed_machine_is_in_order(proof: Proof) -> None:
    """By the commands of docs/runbook.md and docs/office.md alone: broker, central, office, firewall."""
    *lines, status = proof.text("check.whole").splitlines()

    assert "status 0" == status, (proof.text("said.first_town_2"), proof.text("check.whole"))
    assert [] == [line for line in lines if not line.startswith("ok ")]
    assert "ok   firewall: the door's rules are loaded." in lines


def test_installing_again_changes_nothing(proof: Proof) -> None:
    pids = proof.text("pids").splitlines()

    assert ["Nothing to do: everything is in place.", "status 0"] == proof.text("install.again").splitlines()
    assert pids[: len(pids) // 2] == pids[len(pids) // 2 :]


def test_check_names_everything_that_is_wrong_and_nothing_else(proof: Proof) -> None:
    findings = [one for one in json.loads(proof.text("check.broken")) if one["state"] != "ok"]

    assert [
        ("bad", "owners and modes", "chmod 600 /var/lib/watchlink-central/central/signing.key"),
        ("bad", "watchlink-central", "systemctl enable watchlink-central"),
        ("bad", PAPERS, f"systemctl restart {PAPERS}"),
        ("bad", "firewall", "systemctl restart watchlink-door"),
        ("soon", "central's certificate", "journalctl -u watchlink-fleet-lists"),
        ("bad", "revocation list", "watchlink fleet renew-crl"),
    ] == [(one["state"], one["about"], one["to_do"].split("'")[1]) for one in findings]
    texts = {one["about"]: one["text"] for one in findings}
    assert "client.pem expires in 3 days" == texts["central's certificate"]
    assert "does not run (inactive)" == texts[PAPERS]
    assert texts["revocation list"].endswith("the broker refuses everybody")


def test_install_mends_and_says_what_somebody_had_changed(proof: Proof) -> None:
    said = proof.text("install.mended").splitlines()

    for path in (f"{places.BROKER}/crl.pem", f"{places.CENTRAL}/client.pem"):
        assert f"replaced {path}, which somebody had changed here: it is the fleet's" in said
    for act in ("mosquitto has read its files again", "restarted watchlink-central", f"started {PAPERS}"):
        assert act in said
    assert "status 0" == proof.text("check.mended").splitlines()[-1], proof.text("check.mended")


def test_fleets_lists_are_joined_by_the_service_without_roots_rights(proof: Proof) -> None:
    """The broker obeys the file: the fleet's proof would else have failed."""
    said = proof.text("said.a_stolen_node_1").splitlines()

    assert f"updated {places.LISTS}" in said
    assert [] == [line for line in said if "STAYS AS IT WAS" in line]


def test_change_of_the_fleet_reaches_the_running_broker_by_install(proof: Proof) -> None:
    """As the command that tells the broker; the fleet then sees the broker obey."""
    applied = proof.text("said.the_office_1").splitlines()

    assert f"updated {places.OFFICE_DIRECTORY}" in applied
    assert "mosquitto has read its files again" in applied
