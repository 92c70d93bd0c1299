"""Another unit in place of a broken one: the old identity dead, the premises kept, each power cut mended."""

from __future__ import annotations

import msgspec
import pytest

from provisioning import replace_commands
from provisioning.claims import withdraw
from provisioning.cli import main
from provisioning.collecting import collect
from provisioning.configuring import Wish, sign, wished
from provisioning.delegate import DELEGATION, delegate_to, end_delegation
from provisioning.enrolment import open_enrolment
from provisioning.fleet import Fleet, NewNode
from provisioning.folder import FleetFolder
from provisioning.listing import as_table, list_fleet
from provisioning.records import FIRST_CA, IssuerRecord, NodeRecord
from provisioning.replacing import note_done
from tests.provisioning.conftest import Clock
from wire.claim_code import claim_hash
from wire.claims import OpenClaim, decode_claims
from wire.directory import DelegateChanges, Directory, SenderEntry, open_directory, seal_changes
from wire.ids import NodeId
from wire.node_settings import SettingsFile, open_settings
from wire.signing import SigningKey

OLD, NEW = "00000010", "00000011"
SHOP = NewNode("Corner Shop", "High St", ["hart", "pubwatch"], "waveshare-sh1106-hat", office_premises=5)
DELEGATE = SigningKey(b"d" * 32)


class PowerCutError(BaseException):
    """Not caught by anything."""


@pytest.fixture
def fleet(fleet: Fleet) -> Fleet:
    """With a delegate, and a shop whose settings came from afar."""
    delegate_to(fleet.folder, DELEGATE.public.raw)
    fleet.add_all([SHOP])
    sign(fleet.folder, wished(fleet.record.node(OLD), Wish(licence="LG 123456/1"), fleet.now()))
    return fleet


@pytest.fixture
def _obedient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that obeys; tests/integration has a real one."""
    monkeypatch.setattr("provisioning.fleet.enforce", lambda *_, **__: None)


def replace(fleet: Fleet, node: str = OLD) -> int:
    return main(["replace", "--dir", str(fleet.layout.town), node, "--yes"])


def code_in(said: str) -> str:
    return next(line.partition("Claim code")[2].strip() for line in said.splitlines() if "Claim code" in line)


def now_of(fleet: Fleet) -> Fleet:
    return Fleet.open(fleet.layout.town)


def open_claims(fleet: Fleet) -> tuple[OpenClaim, ...]:
    return decode_claims(fleet.layout.claims.read_bytes()).claims


def directory_of(fleet: Fleet) -> Directory:
    return open_directory(fleet.layout.directory.read_bytes(), fleet.folder.authority_public())


def collected(fleet: Fleet, node: str) -> None:
    """A unit has claimed that number, and the fleet knows."""
    base, key = fleet.layout.directory.read_bytes(), SigningKey(bytes([int(node, 16)] * 32))
    added = SenderEntry(node=node, key=key.public.raw, premises="Else", place="", schemes=(1,), signs=True)
    serial = now_of(fleet).record.directory_serial + 1
    changes = DelegateChanges(serial=serial, made_at=fleet.now(), added=(added,))
    file = fleet.layout.town.parent / "changed.json"
    file.write_bytes(seal_changes(base, changes, DELEGATE, fleet.folder.authority_public()))
    collect(now_of(fleet).folder, file)


def settings_of(fleet: Fleet) -> dict[str, str | None]:
    """Whose settings central passes on, and their licence."""
    file = msgspec.json.decode(fleet.layout.settings.read_bytes(), type=SettingsFile)
    opened = [open_settings(msgspec.json.encode(one), fleet.folder.authority_public()) for one in file.nodes]
    return {one.settings.node: one.settings.licence for one in opened if one.settings is not None}


@pytest.mark.usefixtures("_obedient")
def test_old_unit_is_struck_and_a_new_number_waits_at_the_same_premises(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == replace(fleet)

    said = capsys.readouterr().out
    assert directory_of(fleet).senders[NodeId(0x10)].is_revoked
    (claim,) = open_claims(fleet)
    assert (NEW, "Corner Shop", "High St", (1, 2), "waveshare-sh1106-hat", 5, claim_hash(code_in(said))) == (
        claim.node,
        claim.premises,
        claim.place,
        claim.schemes,
        claim.profile,
        claim.office_premises,
        claim.claim_hash,
    )
    assert NodeId(0x11) not in directory_of(fleet).senders, "the delegate adds it, once a unit has claimed it"
    assert f"watchlink fleet seed {NEW} --to FOLDER" in said


@pytest.mark.usefixtures("_obedient")
def test_settings_are_signed_for_the_new_unit_and_no_longer_sent_to_the_old_one(fleet: Fleet) -> None:
    replace(fleet)
    assert {NEW: "LG 123456/1"} == settings_of(fleet)

    collected(fleet, NEW)

    assert {NEW: "LG 123456/1"} == settings_of(fleet)
    assert "LG 123456/1" == getattr(now_of(fleet).record.node(NEW).settings, "licence", "")


@pytest.mark.usefixtures("_obedient")
def test_every_certificate_of_the_old_unit_is_to_be_revoked(fleet: Fleet) -> None:
    fleet.renew(OLD)
    issued = {int(one.serial, 16) for one in fleet.record.node(OLD).certificates}

    replace(fleet)

    assert 2 == len(issued)
    assert issued <= now_of(fleet).record.revoked_serials("nodes-1", fleet.now())


def cut_at_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replace_commands, "hand_out", _cut)


def cut_before_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FleetFolder, "publish", _cut)


def cut_before_noting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replace_commands, "note_done", _cut)


def cut_at_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.fleet.enforce", _cut)


def _cut(*_: object, **__: object) -> None:
    raise PowerCutError


@pytest.mark.usefixtures("_obedient")
@pytest.mark.parametrize("cut", [cut_before_files, cut_at_label, cut_before_noting, cut_at_proof])
def test_interrupted_replacement_is_finished_by_running_it_again(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], cut: object
) -> None:
    with pytest.MonkeyPatch.context() as power:
        assert callable(cut)
        cut(power)
        with pytest.raises(PowerCutError):
            replace(fleet)
    first = capsys.readouterr().out
    assert now_of(fleet).record.node(OLD).revoked_at is not None, "never a premises with two units that count"
    assert "is not finished" in as_table(list_fleet(now_of(fleet)))

    assert 0 == replace(fleet)

    second = capsys.readouterr().out
    assert directory_of(fleet).senders[NodeId(0x10)].is_revoked
    assert [NEW] == [claim.node for claim in open_claims(fleet)], "one number, not two"
    good = claim_hash(code_in(second if "Claim code" in second else first))
    assert [good] == [claim.claim_hash for claim in open_claims(fleet)]
    assert {NEW: "LG 123456/1"} == settings_of(fleet)
    assert "is not finished" not in as_table(list_fleet(now_of(fleet)))


@pytest.mark.usefixtures("_obedient")
def test_label_that_a_second_run_makes_worthless_is_told(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the label was shown and before that was noted: nobody can know which of the two is on the desk."""
    with monkeypatch.context() as power:
        cut_before_noting(power)
        with pytest.raises(PowerCutError):
            replace(fleet)
    assert "opens nothing any more" not in capsys.readouterr().out

    assert 0 == replace(fleet)
    assert "has shown a label: that one opens nothing any more. Destroy it." in capsys.readouterr().out


@pytest.mark.usefixtures("_obedient")
def test_label_that_a_second_hand_makes_worthless_is_told_to_the_first_one(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def after_another(own: Fleet, old: NodeRecord, what: str) -> None:
        monkeypatch.setattr(replace_commands, "note_done", note_done)
        replace(fleet)
        note_done(own, old, what)

    monkeypatch.setattr(replace_commands, "note_done", after_another)

    assert 0 == replace(fleet)
    said = capsys.readouterr().out
    assert 1 == said.count("! Somebody else has made another label for it meanwhile")
    assert said.index("! Somebody else") > said.rindex("Claim code"), "by the first one, which ends last"


def test_broker_that_does_not_obey_leaves_the_label_good(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing runs here: what is in force is said, and a second run only proves."""
    assert 1 == replace(fleet)
    first = capsys.readouterr()

    assert "NOT PROVEN" in first.err
    assert 1 == replace(fleet)
    assert "Claim code" not in capsys.readouterr().out
    assert [claim_hash(code_in(first.out))] == [claim.claim_hash for claim in open_claims(fleet)]


@pytest.mark.parametrize("where", ["none", "beside central", "elsewhere"])
@pytest.mark.usefixtures("_obedient")
def test_certificates_that_no_list_names_are_told(fleet: Fleet, capsys: pytest.CaptureFixture[str], where: str) -> None:
    """A service on a machine of its own made them: the canary proves the fleet's list, and that lacks them."""
    if where != "none":
        open_enrolment(fleet.folder, ["192.0.2.1"], is_beside_central=where == "beside central")
    told = f"certificates that it has made for {OLD} are on no\n"
    assert 0 == main(["revoke", "--dir", str(fleet.layout.town), OLD])
    revoked = capsys.readouterr().out
    second = fleet.add("Pub", "High St", ["hart"]).node
    replace(fleet, second)
    replaced = capsys.readouterr().out

    assert (where == "elsewhere") == (told in revoked)
    assert (where == "elsewhere") == (told.replace(OLD, second) in replaced)
    assert (where == "elsewhere") == (f"Carry {fleet.layout.directory} there now" in revoked)


@pytest.mark.usefixtures("_obedient")
def test_second_replacement_is_refused_with_the_way_out(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    replace(fleet)
    before = fleet.layout.record.read_bytes()

    assert 2 == replace(fleet)
    assert f"was replaced already, by {NEW}, which waits for its unit" in capsys.readouterr().err
    assert before == fleet.layout.record.read_bytes()
    collected(fleet, NEW)
    assert 2 == replace(fleet)
    assert f"If you mean that one: 'watchlink fleet replace {NEW}'" in capsys.readouterr().err


@pytest.mark.usefixtures("_obedient")
def test_successor_can_be_replaced_too(fleet: Fleet) -> None:
    replace(fleet)
    collected(fleet, NEW)

    assert 0 == replace(fleet, NEW)

    assert ["00000012"] == [claim.node for claim in open_claims(fleet)]
    assert {"00000012": "LG 123456/1"} == settings_of(fleet)


@pytest.mark.usefixtures("_obedient")
def test_replacement_whose_claim_was_taken_back_is_not_made_anew(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(fleet)
    withdraw(now_of(fleet), NEW)

    assert 2 == replace(fleet)
    assert "whose claim was taken back: add the premises again" in capsys.readouterr().err


@pytest.fixture
def _revoked(fleet: Fleet, _obedient: None) -> None:
    fleet.revoke(OLD, lambda: None)


@pytest.mark.usefixtures("_revoked")
def test_revoked_unit_is_not_replaced(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    """It was stolen, perhaps: whoever asks for another unit there says so."""
    assert 2 == replace(fleet)
    assert f"{OLD} (Corner Shop) is revoked: add the premises again" in capsys.readouterr().err


@pytest.mark.parametrize("node", ["000000ff", "Corner Shop", "00000001"])
def test_unknown_unit_is_not_replaced(fleet: Fleet, capsys: pytest.CaptureFixture[str], node: str) -> None:
    before = fleet.layout.record.read_bytes()

    assert 2 == replace(fleet, node)
    assert before == fleet.layout.record.read_bytes()
    assert "Traceback" not in capsys.readouterr().err


def test_gateway_is_not_replaced_because_nobody_can_claim_it(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    fleet.add("Radio room", "", ["hart"], kind="gateway")

    assert 2 == replace(fleet, NEW)
    said = capsys.readouterr().err
    assert "a gateway, so the keys of its successor are made here" in said
    assert "'watchlink fleet add --gateway' again" in said
    assert not fleet.layout.claims.exists()


def test_town_with_one_ca_has_no_claims(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    first = msgspec.structs.replace(
        fleet.record, issuers=(IssuerRecord(name=FIRST_CA, organisation="", root=FIRST_CA),)
    )
    fleet.folder.commit(first)

    assert 2 == replace(fleet)
    assert "in a town with one CA" in capsys.readouterr().err


def test_nothing_is_replaced_without_a_yes(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error would end a shop that works."""
    before = fleet.layout.record.read_bytes()

    assert 2 == main(["replace", "--dir", str(fleet.layout.town), OLD])
    assert f"{OLD} (Corner Shop, High St) will be heard nowhere any more" in capsys.readouterr().err
    assert before == fleet.layout.record.read_bytes()


@pytest.mark.usefixtures("_obedient")
@pytest.mark.parametrize(
    "command", [["renew", OLD], ["link", OLD, "--none"], ["configure", OLD, "--licence", "LG 2"]], ids=lambda c: c[0]
)
def test_command_for_a_replaced_unit_names_its_successor(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """Not: 'add the premises again', which would make a third one."""
    replace(fleet)
    town = ["--dir", str(fleet.layout.town)]

    assert 2 == main([command[0], *town, *command[1:]])
    assert f"was replaced already, by {NEW}, which waits for its unit" in capsys.readouterr().err
    collected(fleet, NEW)
    assert 2 == main([command[0], *town, *command[1:]])
    assert f"If you mean that one: 'watchlink fleet {command[0]} {NEW}'" in capsys.readouterr().err


@pytest.mark.usefixtures("_obedient")
@pytest.mark.parametrize("command", [["claim"], ["seed", "--to", "/nowhere"]], ids=lambda c: c[0])
def test_card_for_a_replaced_unit_is_made_for_its_successor(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """Not: 'fleet replace', which refuses."""
    replace(fleet)

    assert 2 == main([command[0], "--dir", str(fleet.layout.town), OLD, *command[1:]])
    assert f"Another label: 'watchlink fleet claim {NEW}'" in capsys.readouterr().err


@pytest.mark.parametrize(("has_delegate", "words"), [(False, "has no delegate"), (True, "the delegation ended on")])
def test_unit_is_not_ended_while_no_other_could_take_its_place(
    fleet: Fleet, clock: Clock, capsys: pytest.CaptureFixture[str], *, has_delegate: bool, words: str
) -> None:
    if has_delegate:
        clock.pass_by(DELEGATION)
    else:
        end_delegation(fleet.folder)
    before = fleet.layout.record.read_bytes()

    assert 2 == replace(fleet)

    said = capsys.readouterr().err
    assert words in said
    assert "'watchlink fleet delegate' first" in said
    assert f"If it was stolen: 'watchlink fleet revoke {OLD}'" in said
    assert before == fleet.layout.record.read_bytes()


@pytest.mark.usefixtures("_obedient")
def test_list_names_the_successor(fleet: Fleet) -> None:
    replace(fleet)

    listing = list_fleet(now_of(fleet))
    assert [NEW] == [row.replaced_by for row in listing.nodes]
    assert f"replaced by {NEW}" in as_table(listing)
