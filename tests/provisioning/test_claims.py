"""Claims: numbers reserved without keys, codes that are kept nowhere, and what the enrolment service is told."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from provisioning.claims import claim_again, reserve, waiting_claim, withdraw
from provisioning.cli import main
from provisioning.enrolment import open_enrolment
from provisioning.errors import FleetInputError
from provisioning.fleet import Fleet, NewNode
from provisioning.listing import as_table, list_fleet
from provisioning.office import change_keys
from provisioning.packing import packed_files
from provisioning.records import FIRST_CA, IssuerRecord
from tests.provisioning.conftest import Clock
from tests.support.fleet_office import Office
from wire.claim_code import claim_hash, read_claim_code
from wire.claims import OpenClaim, decode_claims
from wire.fleet_list import FleetList, UnitEntry
from wire.signing import SigningKey
from wire.snapshots import PremisesEntry

SHOP = NewNode("Corner Shop", "High St", ["hart"])
PUB = NewNode("The Anchor", "Quay", ["pubwatch", "hart"], "waveshare-sh1106-hat")


def open_claims(fleet: Fleet) -> tuple[OpenClaim, ...]:
    return decode_claims(fleet.layout.claims.read_bytes()).claims


def test_reserving_makes_no_key_and_no_sender(fleet: Fleet) -> None:
    serial = fleet.record.directory_serial
    before = {path for path in fleet.layout.town.rglob("*") if path.is_file()}

    reserve(fleet, [SHOP])

    assert {fleet.layout.claims} == {path for path in fleet.layout.town.rglob("*") if path.is_file()} - before
    assert () == fleet.nodes
    assert serial == fleet.record.directory_serial


def test_each_change_of_the_claims_has_a_higher_number(fleet: Fleet, clock: Clock) -> None:
    """By it an installation knows a list whose codes were taken back."""

    def number() -> int:
        return decode_claims(fleet.layout.claims.read_bytes()).number

    reserve(fleet, [SHOP])
    first = number()
    assert first == int(clock.at.timestamp()), "a fleet that was restored is above what it has forgotten"
    claim_again(fleet, "00000010")
    assert first + 1 == number()
    fleet.add("Bakery", "High St", ["hart"])
    assert first + 1 == number(), "nothing is taken back by that"
    withdraw(fleet, "00000010")
    assert first + 2 == number()


def test_enrolment_service_is_told_who_each_claim_is_for(fleet: Fleet, clock: Clock) -> None:
    shop, pub = reserve(fleet, [SHOP, PUB])

    ends_at = int((clock.at + timedelta(days=14)).timestamp())
    assert (
        OpenClaim(
            node="00000010",
            premises="Corner Shop",
            place="High St",
            schemes=(1,),
            profile="ssd1309-128x64",
            claim_hash=claim_hash(shop.code),
            ends_at=ends_at,
        ),
        OpenClaim(
            node="00000011",
            premises="The Anchor",
            place="Quay",
            schemes=(1, 2),
            profile="waveshare-sh1106-hat",
            claim_hash=claim_hash(pub.code),
            ends_at=ends_at,
        ),
    ) == open_claims(fleet)


def test_code_is_in_no_file(fleet: Fleet) -> None:
    """Whoever copies the folder, or its backup, must not be able to become a shop."""
    (made,) = reserve(fleet, [SHOP])

    files = [path.read_bytes() for path in fleet.layout.town.rglob("*") if path.is_file()]
    plain = made.code.replace("-", "")
    assert not any(text.encode() in data for text in (made.code, plain, made.code[:9]) for data in files)


def test_numbers_are_never_given_twice(fleet: Fleet) -> None:
    reserve(fleet, [SHOP])
    withdraw(fleet, "00000010")

    (again,) = reserve(fleet, [SHOP])
    node = fleet.add("Bakery", "", ["hart"])

    assert ("00000011", "00000012") == (again.claim.node, node.node)


def test_codes_differ(fleet: Fleet) -> None:
    made = reserve(fleet, [NewNode(f"Shop {number}", "", ["hart"]) for number in range(50)])

    assert 50 == len({one.code for one in made})
    assert all(read_claim_code(one.code) == one.code for one in made)


def test_premises_are_reserved_together_or_not_at_all(fleet: Fleet) -> None:
    before = fleet.layout.record.read_bytes()

    with pytest.raises(FleetInputError, match="No scheme 'tennis'"):
        reserve(fleet, [SHOP, NewNode("Club", "", ["tennis"])])

    assert before == fleet.layout.record.read_bytes()
    assert not fleet.layout.claims.exists()


def test_gateway_is_not_claimed(fleet: Fleet) -> None:
    """The delegate may add no gateway: nobody could answer such a claim."""
    with pytest.raises(FleetInputError, match="its keys are made here"):
        reserve(fleet, [NewNode("Radio room", "", ["hart"], kind="gateway")])


def test_new_code_ends_the_one_before(fleet: Fleet, clock: Clock) -> None:
    old, other = reserve(fleet, [SHOP, PUB])
    clock.pass_by(timedelta(days=3))

    new = claim_again(fleet, "00000010")

    assert [claim_hash(new.code), claim_hash(other.code)] == [one.claim_hash for one in open_claims(fleet)]
    assert claim_hash(old.code) not in fleet.layout.record.read_text()
    assert int((clock.at + timedelta(days=14)).timestamp()) == open_claims(fleet)[0].ends_at


def test_withdrawn_claim_is_no_longer_told(fleet: Fleet) -> None:
    reserve(fleet, [SHOP, PUB])

    withdraw(fleet, "00000010")

    assert ["00000011"] == [one.node for one in open_claims(fleet)]
    with pytest.raises(FleetInputError, match="No node 00000010"):
        waiting_claim(fleet.record, "00000010")


def test_next_change_repairs_the_list_of_claims(fleet: Fleet) -> None:
    reserve(fleet, [SHOP])
    fleet.layout.claims.write_text("torn")

    fleet.add("Bakery", "", ["hart"])

    assert ["00000010"] == [one.node for one in open_claims(fleet)]


def test_fleet_without_claims_has_no_list_of_them(fleet: Fleet) -> None:
    fleet.add("Bakery", "", ["hart"])

    assert not fleet.layout.claims.exists()
    assert "claims.json" not in [path.name for path in packed_files(fleet.layout)]


def test_pack_takes_the_claims_along(fleet: Fleet) -> None:
    reserve(fleet, [SHOP])

    assert fleet.layout.claims in packed_files(fleet.layout)


def test_premises_of_the_office_that_waits_for_its_claim_is_taken(
    fleet: Fleet, trusted: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = PremisesEntry(premises=5, name="Corner Shop", place="High St", schemes=(1,))
    snapshot = str(trusted.publish(3, entry))
    add = ["add", "--dir", str(fleet.layout.town), "--proposal", "5", "--snapshot", snapshot]

    assert 0 == main(add)
    assert 2 == main(add)

    assert "Premises 5 has a node already: 00000010 (Corner Shop) waits for its claim there." in capsys.readouterr().err
    assert [5] == [one.office_premises for one in open_claims(fleet)]
    assert 0 == main(["proposals", "--dir", str(fleet.layout.town), "--snapshot", snapshot])
    assert "0 of 1 premises have no node" in capsys.readouterr().out


def add(fleet: Fleet, *more: str) -> int:
    name = ["--premises", "Corner Shop", "--place", "High St", "--scheme", "hart"]
    return main(["add", "--dir", str(fleet.layout.town), *name, *more])


def test_add_prints_a_label_whose_code_claims_the_premises(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == add(fleet)

    lines = capsys.readouterr().out.splitlines()
    assert ["  Corner Shop, High St", "  Node        00000010"] == lines[:2]
    code = read_claim_code(lines[2].removeprefix("  Claim code  "))
    assert [claim_hash(code)] == [one.claim_hash for one in open_claims(fleet)]
    ends_at = Fleet.open(fleet.layout.town).record.claims[0].ends_at
    assert f"  Use by      {ends_at.day} {ends_at:%B %Y}, for one unit only" == lines[3]


def test_add_says_that_nobody_answers_claims_yet(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    add(fleet)

    assert "! No unit can claim anything, because this town has no delegate" in capsys.readouterr().out


def test_add_of_a_fleet_with_one_ca_makes_the_keys_as_before(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    """That CA signs for central too: it must never be where claims are answered."""
    ca = next(fleet.layout.authority.glob("nodes-*.pem"))
    for end in (".pem", ".key"):
        (fleet.layout.authority / f"{FIRST_CA}{end}").write_bytes(ca.with_suffix(end).read_bytes())
    old = msgspec.structs.replace(fleet.record, issuers=(IssuerRecord(name=FIRST_CA, organisation="", root=FIRST_CA),))
    fleet.folder.commit(old)

    assert 0 == add(fleet)

    assert "Carry" in capsys.readouterr().out
    assert ["00000010"] == [node.node for node in Fleet.open(fleet.layout.town).nodes]
    assert not fleet.layout.claims.exists()


@pytest.mark.parametrize("option", ["--with-keys", "--gateway"])
def test_add_makes_the_keys_of_whom_nobody_claims(fleet: Fleet, option: str) -> None:
    assert 0 == add(fleet, option)

    assert ["00000010"] == [node.node for node in Fleet.open(fleet.layout.town).nodes]


def test_add_brings_the_claims_to_the_enrolment_service(
    fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = tmp_path / "told"

    assert 0 == add(fleet, "--reload-command", f"cp {fleet.layout.claims} {told}")

    assert fleet.layout.claims.read_bytes() == told.read_bytes()
    assert "An enrolment service on another machine" not in capsys.readouterr().out


@pytest.mark.parametrize("where", ["beside central", "elsewhere"])
def test_service_of_another_machine_needs_the_files_however_central_gets_its_own(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    open_enrolment(fleet.folder, ["192.0.2.1"], is_beside_central=where == "beside central")
    fleet.layout.apply.write_text("#!/bin/sh\n")
    fleet.layout.apply.chmod(0o700)

    assert 0 == add(fleet)
    told = capsys.readouterr().out
    assert (where == "elsewhere") == (f"carry {fleet.layout.claims} and {fleet.layout.directory} there." in told)


def test_add_whose_claims_do_not_arrive_still_prints_the_label(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    """The number is reserved, and its code cannot be read again."""
    assert 1 == add(fleet, "--reload-command", "false")

    said = capsys.readouterr()
    assert "Claim code" in said.out
    assert "The claims are made, and their codes are good." in said.err


def test_second_premises_of_a_name_is_asked_about_before_it_is_claimed(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    add(fleet)

    assert 2 == add(fleet)
    assert "00000010 is Corner Shop, High St, already" in capsys.readouterr().err


def test_claim_prints_a_new_code(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    (old,) = reserve(fleet, [SHOP])

    assert 0 == main(["claim", "--dir", str(fleet.layout.town), "00000010"])

    said = capsys.readouterr().out
    assert "destroy its label" in said
    assert old.code not in said
    code = read_claim_code(said.splitlines()[2].removeprefix("  Claim code  "))
    assert [claim_hash(code)] == [one.claim_hash for one in open_claims(fleet)]


def test_claim_can_be_withdrawn(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    reserve(fleet, [SHOP])

    assert 0 == main(["claim", "--dir", str(fleet.layout.town), "00000010", "--withdraw", "--yes"])

    assert "The claim of 00000010 (Corner Shop) is withdrawn" in capsys.readouterr().out
    assert () == open_claims(fleet)


def test_claim_is_not_withdrawn_unasked(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    """A unit that has claimed it and was not collected yet is a shop whose alerts count."""
    reserve(fleet, [SHOP])

    assert 2 == main(["claim", "--dir", str(fleet.layout.town), "00000010", "--withdraw"])

    assert "that premises loses the network at once, for good." in capsys.readouterr().err
    assert 1 == len(open_claims(fleet))


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ("10", "is not a node's id"),
        ("000000ff", "No node 000000ff"),
        ("00000011", "has its keys already. For another unit there: 'watchlink fleet replace 00000011'."),
    ],
)
def test_claim_of_what_does_not_wait_is_told(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], node: str, words: str
) -> None:
    reserve(fleet, [SHOP])
    fleet.add("Bakery", "", ["hart"])

    assert 2 == main(["claim", "--dir", str(fleet.layout.town), node])
    assert words in capsys.readouterr().err


def test_list_shows_what_waits_and_until_when(fleet: Fleet, clock: Clock) -> None:
    reserve(fleet, [SHOP])
    fleet.add("Bakery", "", ["hart"])

    table = as_table(list_fleet(fleet)).splitlines()

    assert [
        "00000010  Corner Shop  High St  hart     waiting for its claim until 2027-03-15",
        "00000011  Bakery                hart     2027-05-30",
    ] == table[1:3]

    clock.pass_by(timedelta(days=14))
    ended = as_table(list_fleet(fleet))

    assert "00000010  Corner Shop  High St  hart     claim ended 2027-03-15" in ended
    assert "! The claim of Corner Shop has ended. If a unit has used it: 'watchlink fleet collect'." in ended
    assert "'watchlink fleet claim 00000010' makes a new code." in ended


def test_list_tells_which_claim_has_its_unit_already_as_central_knows(fleet: Fleet, clock: Clock) -> None:
    """It is armed: a new code would be of no use, and taking the claim back would cut it off."""
    reserve(fleet, [SHOP, PUB])
    clock.pass_by(timedelta(days=14))

    warnings = list_fleet(fleet, live=FleetList(at=clock(), units=(UnitEntry(node="00000010"),))).warnings

    assert "A unit has claimed 00000010 (Corner Shop): 'watchlink fleet collect'." in warnings
    assert ["The Anchor"] == [name for name in (SHOP.premises, PUB.premises) if f"The claim of {name}" in str(warnings)]


def test_list_as_json_tells_programs_what_waits(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    reserve(fleet, [SHOP])

    assert 0 == main(["list", "--dir", str(fleet.layout.town), "--json"])

    (waiting,) = json.loads(capsys.readouterr().out)["waiting"]
    assert ("00000010", "Corner Shop", ["hart"]) == (waiting["node"], waiting["premises"], waiting["schemes"])
    assert waiting["claim_ends_at"] == "2027-03-15T12:00:00Z"


def test_claims_survive_other_changes(fleet: Fleet) -> None:
    reserve(fleet, [SHOP])
    change_keys(fleet.folder, trust=SigningKey(b"o" * 32).public.raw)

    assert ["00000010"] == [one.node for one in Fleet.open(fleet.layout.town).record.claims]


def test_broker_knows_a_number_before_anybody_claims_it(fleet: Fleet) -> None:
    """So a node that was enrolled is heard at once, and the service that enrols it has no right over the broker."""
    reserve(fleet, [SHOP])
    acl = (fleet.layout.broker / "acl").read_text()

    block = acl.partition("user CN=00000010,O=node\n")[2].partition("user ")[0]
    assert "topic write watchlink/1/scheme/hart/frame/00000010\n" in block
    assert "user CN=gallery-00000010" not in acl


def test_broker_forgets_a_number_that_nobody_will_claim(fleet: Fleet) -> None:
    reserve(fleet, [SHOP])
    withdraw(fleet, "00000010")

    assert "00000010" not in (fleet.layout.broker / "acl").read_text()
