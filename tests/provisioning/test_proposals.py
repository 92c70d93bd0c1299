"""Premises of the office and the nodes that stand in them: what is taken over, and what is refused."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import pytest

from provisioning.errors import BrokerUnprovenError, FleetError, FleetInputError
from provisioning.fleet import Fleet, NewNode
from provisioning.listing import list_fleet
from provisioning.office import change_keys
from provisioning.proposals import differences, link, offer, read_proposals, refresh, unlink, without_node
from tests.support.fleet_office import Office
from wire.directory import Directory, open_directory
from wire.ids import NodeId
from wire.signing import SigningKey
from wire.snapshots import PremisesEntry, Town

SHOP = PremisesEntry(premises=5, name="Corner Shop", place="High St", schemes=(1,))
PUB = PremisesEntry(premises=8, name="The Anchor", place="Quay", schemes=(1, 2))


def directory_of(fleet: Fleet) -> Directory:
    return open_directory(fleet.layout.directory.read_bytes(), fleet.folder.authority_public())


def add_shop(fleet: Fleet, premises: int = 5, number: int = 0) -> str:
    new = NewNode("Corner Shop", "High St", ["hart"], office_premises=premises)
    return fleet.add_all([new], snapshot_number=number)[0].node


def test_folder_gives_its_newest_snapshot(fleet: Fleet, trusted: Office) -> None:
    trusted.publish(9, SHOP)
    trusted.publish(10, SHOP, PUB)
    (trusted.folder / ".premises-11.json.5f2a").write_bytes(b"half written")
    (trusted.folder / "people-12.json").write_bytes(b"another kind")

    proposals = read_proposals(fleet.folder, trusted.folder)

    assert (10, {5: SHOP, 8: PUB}) == (proposals.number, proposals.entries)


def test_newest_snapshot_is_never_passed_over_for_an_older_one(fleet: Fleet, trusted: Office) -> None:
    """Whoever damages the newest would bring back what the office has taken back."""
    trusted.publish(9, SHOP)
    trusted.publish(10, SHOP, PUB).write_bytes(b"{}")

    with pytest.raises(FleetInputError, match=r"premises-10\.json is not used"):
        read_proposals(fleet.folder, trusted.folder)


def test_snapshot_of_another_town_is_refused(fleet: Fleet, trusted: Office) -> None:
    path = trusted.publish(1, SHOP, town=Town(SigningKey(b"x" * 32).public))

    with pytest.raises(FleetInputError, match="of another town"):
        read_proposals(fleet.folder, path)


def test_snapshot_of_a_stranger_and_of_a_struck_key_is_refused(fleet: Fleet, trusted: Office) -> None:
    path = trusted.publish(1, SHOP)
    change_keys(fleet.folder, trust=SigningKey(b"n" * 32).public.raw, strike=trusted.key.public.raw.hex())

    with pytest.raises(FleetInputError, match="not signed by an office that this fleet trusts"):
        read_proposals(fleet.folder, path)


def test_fleet_that_trusts_no_office_reads_no_snapshot(fleet: Fleet, office: Office) -> None:
    with pytest.raises(FleetInputError, match="trust-office"):
        read_proposals(fleet.folder, office.publish(1, SHOP))


def test_snapshot_that_was_renamed_or_is_not_there_is_refused(fleet: Fleet, trusted: Office) -> None:
    renamed = trusted.publish(3, SHOP).rename(trusted.folder / "premises-30.json")

    with pytest.raises(FleetInputError, match=r"it holds premises-3\.json"):
        read_proposals(fleet.folder, renamed)
    with pytest.raises(FleetInputError, match="No such file"):
        read_proposals(fleet.folder, trusted.folder / "premises-4.json")
    renamed.unlink()
    with pytest.raises(FleetInputError, match="holds no premises snapshot"):
        read_proposals(fleet.folder, trusted.folder)


def test_older_snapshot_than_the_last_one_used_is_refused(fleet: Fleet, trusted: Office) -> None:
    older, used = trusted.publish(3, SHOP), trusted.publish(4, SHOP)
    add_shop(fleet, number=read_proposals(fleet.folder, used).number)
    before = fleet.layout.record.read_bytes()

    with pytest.raises(FleetInputError, match="number 3, but number 4 has been used"):
        read_proposals(fleet.folder, older)
    with pytest.raises(FleetInputError, match="number 3, but number 4 has been used"):
        add_shop(fleet, premises=8, number=3)

    assert before == fleet.layout.record.read_bytes()
    assert 4 == read_proposals(fleet.folder, used).number


def test_looking_at_a_snapshot_uses_no_number(fleet: Fleet, trusted: Office) -> None:
    read_proposals(fleet.folder, trusted.publish(9, SHOP))

    assert 3 == read_proposals(fleet.folder, trusted.publish(3, SHOP)).number


def test_office_that_was_founded_anew_counts_from_one_again(fleet: Fleet, trusted: Office) -> None:
    add_shop(fleet, number=40)
    old, trusted.key = trusted.key, SigningKey(b"n" * 32)
    change_keys(fleet.folder, strike=old.public.raw.hex())
    change_keys(fleet.folder, trust=trusted.key.public.raw)

    assert 1 == read_proposals(fleet.folder, trusted.publish(1, SHOP)).number


def test_second_key_of_the_same_office_does_not_turn_its_numbers_back(fleet: Fleet, trusted: Office) -> None:
    add_shop(fleet, number=40)
    change_keys(fleet.folder, trust=SigningKey(b"n" * 32).public.raw)

    with pytest.raises(FleetInputError, match="number 40 has been used"):
        read_proposals(fleet.folder, trusted.publish(39, SHOP))


def test_node_is_joined_with_its_premises_in_record_and_directory(fleet: Fleet, trusted: Office) -> None:
    node = add_shop(fleet)
    other = fleet.add("Bakery", "", ["hart"])
    senders = directory_of(fleet).senders

    assert [node] == [one.node for one in fleet.record.nodes_of_premises(5)]
    assert (5, 0) == (senders[NodeId(0x10)].office_premises, senders[NodeId(0x11)].office_premises)
    serial = directory_of(fleet).serial
    link(fleet.folder, other.node, read_proposals(fleet.folder, trusted.publish(1, PUB)), 8)

    assert 8 == directory_of(fleet).senders[NodeId(0x11)].office_premises
    assert serial + 1 == directory_of(fleet).serial
    unlink(fleet.folder, other.node)
    assert 0 == directory_of(fleet).senders[NodeId(0x11)].office_premises


def test_premises_with_a_node_in_use_gets_no_second_one_unasked(fleet: Fleet, trusted: Office) -> None:
    add_shop(fleet)
    other = fleet.add("Bakery", "", ["hart"])
    proposals = read_proposals(fleet.folder, trusted.publish(1, SHOP, PUB))
    before = fleet.layout.record.read_bytes()

    with pytest.raises(FleetInputError, match=r"00000010 \(Corner Shop\) stands there"):
        add_shop(fleet)
    with pytest.raises(FleetInputError, match=r"00000010 \(Corner Shop\) stands there"):
        link(fleet.folder, other.node, proposals, 5)

    assert before == fleet.layout.record.read_bytes()
    link(fleet.folder, "00000010", proposals, 5)  # it stands there itself
    link(fleet.folder, other.node, proposals, 5, is_second_allowed=True)
    assert ["00000010", other.node] == [node.node for node in fleet.record.nodes_of_premises(5)]


def test_premises_whose_node_was_revoked_gets_a_new_one(fleet: Fleet, trusted: Office) -> None:
    add_shop(fleet)
    with suppress(BrokerUnprovenError):
        fleet.revoke("00000010", lambda: None, deadline_s=0.1)
    proposals = read_proposals(fleet.folder, trusted.publish(1, SHOP))
    assert (SHOP,) == without_node(fleet.record, proposals)

    assert "00000011" == add_shop(fleet)
    assert 5 == directory_of(fleet).senders[NodeId(0x10)].office_premises, "what it was stays in the record"


def test_premises_named_twice_in_one_command_adds_nobody(fleet: Fleet) -> None:
    twice = [NewNode("Corner Shop", "", ["hart"], office_premises=5)] * 2

    with pytest.raises(FleetInputError, match="named twice"):
        fleet.add_all(twice)

    assert () == fleet.nodes
    assert 2 == len(fleet.add_all(twice, seconds={5}))


def test_two_commands_at_once_give_a_premises_one_node(fleet: Fleet, trusted: Office) -> None:
    refused: list[FleetInputError] = []

    def add() -> None:
        try:
            add_shop(Fleet.open(fleet.layout.town))
        except FleetInputError as e:
            refused.append(e)

    commands = [threading.Thread(target=add) for _ in range(4)]
    for command in commands:
        command.start()
    for command in commands:
        command.join()

    assert (1, 3) == (len(Fleet.open(fleet.layout.town).nodes), len(refused))


def test_full_disk_joins_nothing(fleet: Fleet, trusted: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    node = fleet.add("Corner Shop", "", ["hart"])
    proposals = read_proposals(fleet.folder, trusted.publish(1, SHOP))
    before = fleet.layout.record.read_bytes()
    monkeypatch.setattr("provisioning.folder.write_atomic", refuse)

    with pytest.raises(FleetError, match="No space left on device"):
        link(fleet.folder, node.node, proposals, 5)

    assert before == Fleet.open(fleet.layout.town).layout.record.read_bytes()


def test_gateway_and_revoked_node_are_joined_with_nothing(fleet: Fleet, trusted: Office) -> None:
    gateway = fleet.add("Town Hall", "", ["hart"], kind="gateway")
    gone = fleet.add("Corner Shop", "", ["hart"])
    with suppress(BrokerUnprovenError):
        fleet.revoke(gone.node, lambda: None, deadline_s=0.1)
    proposals = read_proposals(fleet.folder, trusted.publish(1, SHOP))

    with pytest.raises(FleetInputError, match="is a gateway"):
        link(fleet.folder, gateway.node, proposals, 5)
    with pytest.raises(FleetInputError, match="is revoked"):
        link(fleet.folder, gone.node, proposals, 5)
    with pytest.raises(FleetInputError, match="no premises 6"):
        proposals.entry(6)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (PremisesEntry(premises=5, name="Corner Shop", schemes=(1, 3)), r"scheme 3, which this fleet does not have"),
        (PremisesEntry(premises=5, name="", schemes=(1,)), "name of premises 5 is empty"),
        (PremisesEntry(premises=5, name="Corner\u202eShop", schemes=(1,)), "cannot be shown"),
        (PremisesEntry(premises=5, name="Corner Shop", place="High\nSt", schemes=(1,)), "cannot be shown"),
    ],
)
def test_premises_that_the_fleet_cannot_take_over_is_refused(fleet: Fleet, entry: PremisesEntry, words: str) -> None:
    with pytest.raises(FleetInputError, match=words):
        offer(fleet.record, entry)


def test_offer_names_schemes_as_the_fleet_does(fleet: Fleet) -> None:
    found = offer(fleet.record, PUB)

    assert ("The Anchor", "Quay", ("hart", "pubwatch")) == (found.name, found.place, found.schemes)


def test_premises_renamed_at_the_office_is_shown_and_taken_over_when_told(fleet: Fleet, trusted: Office) -> None:
    node = add_shop(fleet)
    renamed = PremisesEntry(premises=5, name="Patel's", place="High St", schemes=(1,))
    path = trusted.publish(2, renamed)
    proposals = read_proposals(fleet.folder, path)

    (told,) = list_fleet(fleet, path).differences
    assert "00000010 (Corner Shop) is Patel's, High St at the office" in told
    assert "--refresh" in told
    assert "Corner Shop" == directory_of(fleet).senders[NodeId(0x10)].premises
    serial = directory_of(fleet).serial

    refresh(fleet.folder, node, proposals)

    sender = directory_of(fleet).senders[NodeId(0x10)]
    assert ("Patel's", "High St", 5, serial + 1) == (
        sender.premises,
        sender.place,
        sender.office_premises,
        directory_of(fleet).serial,
    )
    assert () == list_fleet(fleet, path).differences


def test_premises_that_moved_to_another_scheme_or_left_is_shown(fleet: Fleet, trusted: Office) -> None:
    add_shop(fleet)
    fleet.add("Bakery", "", ["hart"])  # of which the office says nothing
    moved = PremisesEntry(premises=5, name="Corner Shop", place="High St", schemes=(1, 2))

    (told,) = differences(fleet.record, read_proposals(fleet.folder, trusted.publish(1, moved)))
    assert "is in HART and Pub Watch at the office, but its node in HART" in told
    (told,) = differences(fleet.record, read_proposals(fleet.folder, trusted.publish(2, PUB)))
    assert "the office no longer has premises 5" in told


def test_list_without_a_usable_snapshot_still_lists(fleet: Fleet, trusted: Office) -> None:
    """Whoever wants to know what expires must not be kept from it by the office."""
    add_shop(fleet)
    fleet.layout.snapshots.mkdir(parents=True)
    (fleet.layout.snapshots / "premises-7.json").write_bytes(b"{")

    listing = list_fleet(fleet)

    assert ((), 1) == (listing.differences, len(listing.nodes))
    assert ["premises-7.json is not used"] == [w.partition("snapshots/")[2][:27] for w in listing.warnings]
    with pytest.raises(FleetInputError):
        list_fleet(fleet, fleet.layout.snapshots)


def test_node_that_is_joined_with_nothing_has_nothing_to_take_over(fleet: Fleet, trusted: Office) -> None:
    node = fleet.add("Corner Shop", "", ["hart"])

    with pytest.raises(FleetInputError, match="joined with no premises"):
        refresh(fleet.folder, node.node, read_proposals(fleet.folder, trusted.publish(1, SHOP)))


def test_snapshot_larger_than_any_is_not_read_whole(fleet: Fleet, trusted: Office, tmp_path: Path) -> None:
    huge = tmp_path / "premises-1.json"
    with huge.open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(FleetInputError, match="over 32 MiB"):
        read_proposals(fleet.folder, huge)
