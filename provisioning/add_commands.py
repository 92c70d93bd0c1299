"""``watchlink fleet add`` and ``claim``: new premises, and the codes by which their units claim them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Container, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from provisioning.claims import MadeClaim, claim_again, may_claim, reserve, waiting_claim, withdraw
from provisioning.collect_commands import ask_about_left_out
from provisioning.console import broker_options, confirm, knows_broker, pass_claims_on, reload_of, say, town_options
from provisioning.errors import FleetError, FleetInputError
from provisioning.fleet import Fleet, NewNode
from provisioning.labels import Label, as_text, label_of, set_contact, sheet_writer
from provisioning.layout import DEFAULT_PROFILE
from provisioning.office_commands import ask_about_second, new_nodes, proposals_of, snapshot_options
from provisioning.premises_file import FILE_BYTES_MAX, read_premises
from provisioning.records import ClaimRecord, NodeRecord

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name


def add_commands(commands: Commands) -> None:
    """Add them to the parser."""
    add = commands.add_parser(
        "add",
        parents=[town_options(), broker_options(), snapshot_options()],
        help="add a premises, and print the label with its claim code",
    )
    add.add_argument("--premises", metavar="NAME", help="its name, as screens and cards show it")
    add.add_argument("--place", metavar="NAME", help="street or area")
    add.add_argument(
        "--scheme", action="append", metavar="SLUG", help="short name of a scheme that it is in; repeat for more"
    )
    add.add_argument(
        "--proposal",
        action="append",
        type=int,
        metavar="N",
        help="number of a premises, from 'proposals': the office knows its name, place and schemes; repeat for more",
    )
    add.add_argument(
        "--from",
        type=Path,
        metavar="FILE",
        dest="file",
        help="add every premises in a CSV file with the headings premises, place, schemes and profile, or none if a"
        " line is wrong",
    )
    add.add_argument(
        "--profile", default=DEFAULT_PROFILE, metavar="NAME", help="hardware profile, see docs/hardware.md"
    )
    add.add_argument(
        "--gateway",
        action="store_const",
        const="gateway",
        default="premises",
        dest="kind",
        help="this node is central's own radio; its keys are made here",
    )
    add.add_argument(
        "--with-keys",
        action="store_true",
        help="make the unit's keys here, to be carried to it, instead of a claim code; it will have no gallery",
    )
    add.add_argument(
        "--yes", action="store_true", help="do not ask when a node of this name or at this premises exists"
    )
    add_label_option(add)
    add.set_defaults(run=_add)

    contact = commands.add_parser(
        "contact", parents=[town_options()], help="say on labels where people report a weakness of a unit"
    )
    contact.add_argument("contact", metavar="ADDRESS", help="an e-mail or web address, read by somebody")
    contact.set_defaults(run=_contact)
    claim = commands.add_parser(
        "claim",
        parents=[town_options(), broker_options()],
        help="make a new claim code for a premises that has no unit yet, or take its claim back",
    )
    claim.add_argument("node", metavar="NODE", help="its id, from 'list'")
    claim.add_argument("--withdraw", action="store_true", help="take the claim back: no unit will come")
    claim.add_argument("--yes", action="store_true", help="do not ask before taking it back")
    add_label_option(claim)
    claim.set_defaults(run=_claim)


def add_label_option(parser: argparse.ArgumentParser) -> None:
    """Of each command that makes a code."""
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="write the labels to a PDF, 14 on a sheet of A4, instead of here"
    )


def _add(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    wanted, snapshot_number = _wanted(fleet, options)
    seconds = {new.office_premises for new in wanted if options.yes or ask_about_second(fleet, new.office_premises)}
    for new in wanted:
        # Of a file's lines this was looked at with their places: chains have one name in many.
        if not options.yes and options.file is None and new.office_premises not in seconds:
            _ask_about_namesakes(fleet, new.premises)
    if options.with_keys or options.kind != "premises" or not may_claim(fleet.record):
        _add_with_keys(options, fleet, wanted, snapshot_number, seconds)
        return
    write = None if options.labels is None else sheet_writer(options.labels)
    made = reserve(fleet, wanted, snapshot_number=snapshot_number, seconds=seconds)
    hand_out(fleet, made, options, write)
    pass_claims_on(options, fleet)


def _add_with_keys(
    options: argparse.Namespace, fleet: Fleet, wanted: Sequence[NewNode], snapshot_number: int, seconds: Container[int]
) -> None:
    ask_about_left_out(fleet, is_agreed=options.yes)
    nodes = fleet.add_all(wanted, snapshot_number=snapshot_number, seconds=seconds)
    for node in nodes:
        what = f"{node.premises}, a gateway" if node.kind == "gateway" else node.premises
        say(f"{node.node} is {what}. Carry {fleet.node_folder(node.node)} to it, then delete it here:")
        say(f"it holds the only copy of its private keys. In one file: 'watchlink fleet pack {node.node} --to FILE'.")
    if any(node.kind == "premises" for node in nodes):
        say("A unit with keys from here has no gallery: for that it has to claim its place, by a card.")
    if knows_broker(options, fleet):
        fleet.enforce(reload_of(options, fleet), deadline_s=options.deadline)
        say("The running broker knows it." if len(nodes) == 1 else "The running broker knows them.")
    else:
        say("A broker that is already running does not know it yet. Run 'watchlink fleet renew-crl' to tell it.")


def _wanted(fleet: Fleet, options: argparse.Namespace) -> tuple[list[NewNode], int]:
    """The nodes to be added, and the number of the office's snapshot that they come from, or 0."""
    if options.file is not None:
        return _wanted_of_file(fleet, options), 0
    if options.proposal is None:
        if not options.premises or not options.scheme:
            raise FleetInputError(
                "Give --premises and --scheme, --proposal with the number of the office's premises, or --from with a"
                " file."
            )
        place = options.place or ""
        return [NewNode(options.premises, place, options.scheme, options.profile, kind=options.kind)], 0
    if options.premises is not None or options.place is not None or options.scheme or options.kind != "premises":
        raise FleetInputError(
            "With --proposal the office says name, place and schemes: leave out --premises, --place, --scheme and"
            " --gateway."
        )
    proposals = proposals_of(fleet, options.snapshot)
    return new_nodes(fleet, proposals, options.proposal, options.profile), proposals.number


def _wanted_of_file(fleet: Fleet, options: argparse.Namespace) -> list[NewNode]:
    if options.premises is not None or options.place is not None or options.scheme or options.proposal:
        raise FleetInputError(
            "With --from the file says name, place and schemes: leave out --premises, --place, --scheme and --proposal."
        )
    if options.kind != "premises":
        raise FleetInputError("Add gateways one by one: leave out --gateway or --from.")
    try:
        with options.file.open("rb") as source:
            data = source.read(FILE_BYTES_MAX + 1)
    except OSError as e:
        raise FleetInputError(f"{options.file} cannot be read: {e.strerror}.") from e
    return read_premises(data, fleet.record, options.profile, are_seconds_allowed=options.yes)


def _ask_about_namesakes(fleet: Fleet, premises: str) -> None:
    """Ask at the terminal before adding a second premises of the same name.

    Raises:
        FleetInputError: the answer is no, or there is no terminal.
    """
    namesakes: tuple[NodeRecord | ClaimRecord, ...] = (*fleet.namesakes(premises), *fleet.awaited_namesakes(premises))
    if not namesakes:
        return
    known = "; ".join(
        f"{one.node} is {', '.join(filter(None, (one.premises, one.place)))}, already" for one in namesakes
    )
    confirm(
        f"{known}.",
        "Add a second one?",
        unchanged="Nothing was added.",
        way_out="To add a second one, give --yes.",
    )


def _contact(options: argparse.Namespace) -> None:
    set_contact(Fleet.open(options.dir).folder, options.contact)
    say(f"Labels say from now on: report a weakness to {options.contact.strip()}.")


def _claim(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    if options.withdraw:
        if not options.yes:
            _ask_about_withdrawal(fleet, options.node)
        claim = withdraw(fleet, options.node)
        say(f"The claim of {claim.node} ({claim.premises}) is withdrawn: its code opens nothing any more.")
    else:
        write = None if options.labels is None else sheet_writer(options.labels)
        hand_out(fleet, [claim_again(fleet, options.node)], options, write)
        say("The code before this one opens nothing any more: destroy its label.")
    pass_claims_on(options, fleet)


def _ask_about_withdrawal(fleet: Fleet, node: str) -> None:
    claim = waiting_claim(fleet.record, node)
    confirm(
        f"If a unit has claimed {claim.node} ({claim.premises}) since the last 'watchlink fleet collect', that premises"
        " loses the network at once, for good. If its unit was stolen, end it instead: 'watchlink fleet revoke"
        f" {claim.node}'.",
        "Take the claim back?",
        unchanged="Nothing was changed.",
        way_out="Collect first. If it still waits, give --yes.",
    )


def hand_out(
    fleet: Fleet,
    made: Sequence[MadeClaim],
    options: argparse.Namespace,
    write: Callable[[Sequence[Label]], None] | None,
) -> None:
    """Print the labels or write them.

    Raises:
        FleetError: the disk refused; they are printed then, because nobody can read the codes again.
    """
    labels = [label_of(one, fleet.record.contact) for one in made]
    if write is not None:
        try:
            write(labels)
        except FleetError as e:
            _show(labels)
            raise FleetError(f"{e} The labels are above, and their codes are good.") from e
        what = "the label" if len(labels) == 1 else f"{len(labels)} labels"
        say(f"{options.labels} holds {what}. Print it at its full size, then delete it: the codes are in it.")
    else:
        _show(labels)
    say("Codes are kept nowhere else. If one is lost: 'watchlink fleet claim NODE'.")
    if not fleet.record.contact:
        say("Labels do not say where to report a weakness, which the law wants to know of each unit:")
        say("'watchlink fleet contact ADDRESS', then labels made anew.")


def _show(labels: Sequence[Label]) -> None:
    for label in labels:
        say(f"{as_text(label)}\n")
