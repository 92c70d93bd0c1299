"""The commands that concern the office and the pages: whom to trust, which premises, which certificates."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from provisioning.collect_commands import ask_about_left_out
from provisioning.console import broker_options, confirm, pass_directory_on, say, town_options
from provisioning.errors import FleetInputError
from provisioning.fleet import OFFICE, Fleet, NewNode
from provisioning.office import change_keys, find_key, issue_office_certificate, read_office_key
from provisioning.pages import (
    AUTHORITY,
    PAGE,
    PAGE_ISSUER,
    issue_for_page,
    make_page_issuer,
    make_web_authority,
    not_excluded_yet,
)
from provisioning.proposals import Proposals, link, offer, others_there, read_proposals, refresh, unlink, without_node
from provisioning.web_authority import spaced
from wire.fingerprints import key_fingerprint

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name


def add_commands(commands: Commands) -> None:
    """Add them to the parser."""
    trust = commands.add_parser(
        "trust-office",
        parents=[town_options(), broker_options()],
        help="list the office's key in the directory, or strike one off",
    )
    trust.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the office's public key, its snapshot.pub")
    trust.add_argument(
        "--strike",
        default="",
        metavar="KEY",
        help="strike this key off: its fingerprint, from 'list'",
    )
    trust.add_argument("--yes", action="store_true", help="do not ask: the fingerprint was compared before")
    trust.set_defaults(run=_trust)

    certificate = commands.add_parser(
        "office-certificate", parents=[town_options()], help="let other machines fetch the office's snapshots"
    )
    certificate.add_argument("--host", default="", metavar="HOST", help="the office's address; default: as before")
    certificate.set_defaults(run=_office_certificate)

    proposals = commands.add_parser(
        "proposals",
        parents=[town_options(), snapshot_options()],
        help="list the office's premises that have no node yet",
    )
    proposals.add_argument("--json", action="store_true", help="JSON output")
    proposals.set_defaults(run=_proposals)

    joined = commands.add_parser(
        "link",
        parents=[town_options(), broker_options(), snapshot_options()],
        help="link a node to its premises in the office's records",
    )
    joined.add_argument("node", metavar="NODE", help="its id, from 'list'")
    how = joined.add_mutually_exclusive_group(required=True)
    how.add_argument("--proposal", type=int, metavar="N", help="number of the premises, from 'proposals'")
    how.add_argument("--refresh", action="store_true", help="take its name and place from the office")
    how.add_argument("--none", action="store_true", help="unlink it from the office's records")
    joined.add_argument("--yes", action="store_true", help="do not ask if the premises has a node already")
    joined.set_defaults(run=_link)

    authority = commands.add_parser(
        "web-ca", parents=[town_options()], help="make the CA for the pages, which browsers have to trust"
    )
    authority.add_argument("--domain", required=True, metavar="NAME", help="the town's domain, e.g. watch.town.gov.uk")
    authority.add_argument(
        "--replace", action="store_true", help="make a new one; every computer then has to trust that"
    )
    authority.set_defaults(run=_web_ca)

    page = commands.add_parser(
        "web-certificate", parents=[town_options()], help="make a certificate for the pages of central or the office"
    )
    page.add_argument("names", nargs="+", metavar="NAME", help="the machine's names and addresses, as people type them")
    page.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to write it to")
    page.set_defaults(run=_web_certificate)

    issuer = commands.add_parser(
        "page-issuer",
        parents=[town_options()],
        help="make what the office's machine port signs certificates of units' own pages with",
    )
    issuer.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to write it to")
    issuer.set_defaults(run=_page_issuer)


def snapshot_options() -> argparse.ArgumentParser:
    """Where the office's snapshots are."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--snapshot",
        type=Path,
        metavar="PATH",
        help="the office's premises snapshot, or a folder of them; default: TOWN/office/snapshots",
    )
    return options


def proposals_of(fleet: Fleet, snapshot: Path | None) -> Proposals:
    """The premises that the office proposes, from where the option says.

    Raises:
        FleetInputError: as :func:`~provisioning.proposals.read_proposals`.
    """
    return read_proposals(fleet.folder, snapshot or fleet.layout.snapshots)


def new_nodes(fleet: Fleet, proposals: Proposals, numbers: list[int], profile: str) -> list[NewNode]:
    """Nodes to be added for these premises of the office.

    Raises:
        FleetInputError: no such premises, or not one that the fleet can take over.
    """
    offers = [offer(fleet.record, proposals.entry(number)) for number in numbers]
    return [NewNode(one.name, one.place, one.schemes, profile, office_premises=one.premises) for one in offers]


def ask_about_second(fleet: Fleet, premises: int, *, besides: str = "") -> bool:
    """Ask before premises that have a node get another. ``False`` = they have none, so there was nothing to ask.

    Raises:
        FleetInputError: the answer is no, or there is no terminal.
    """
    known = others_there(fleet.record, premises, besides)
    if known:
        confirm(
            f"Premises {premises} has a node already: {known}.",
            "Is there a second one, at another counter?",
            unchanged="Nothing was changed.",
            way_out="For a second one, at another counter, give --yes.",
        )
    return bool(known)


PUBLISHER_FILES: Final = {"certificate_file": "server.pem", "key_file": "server.key", "clients_ca_file": "ca.pem"}
"""Keys of ``[publisher]`` in ``office.toml``, and the files that are made for them."""


class ProposalRow(Struct, frozen=True):
    """Premises without a node; ``--json`` prints a list of these."""

    premises: int
    name: str
    place: str
    schemes: tuple[int, ...]
    namesakes: tuple[str, ...]
    """Nodes in use of that name which are joined with no premises."""


def _trust(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    if options.file is None and not options.strike:
        raise FleetInputError("Give the file with the office's key, or --strike and the key that is to go.")
    key = None if options.file is None else read_office_key(options.file, fleet.folder)
    if key is not None and not options.yes:
        _ask_about_key(fleet, key)
    # A key that was stolen is struck at once.
    ask_about_left_out(fleet, is_agreed=options.yes or bool(options.strike))
    change_keys(fleet.folder, trust=key, strike=options.strike)
    if options.strike:
        struck = find_key(fleet.record, options.strike)
        say(f"The key {struck.fingerprint} is struck: nothing that is signed by it is believed from now on.")
    if key is not None:
        say(f"The office's key {key_fingerprint(key)} is trusted: its snapshots of people and premises count.")
    elif not fleet.record.office.trusted:
        say("No key of the office is left: people and premises stay as they are, until a new one is trusted.")
    pass_directory_on(options, fleet)


def _ask_about_key(fleet: Fleet, key: bytes) -> None:
    known = {one.key: one for one in fleet.record.office.keys}.get(key.hex())
    if known is not None and known.struck_at is None:
        return
    struck = "" if known is None or known.struck_at is None else f" It was STRUCK on {known.struck_at:%Y-%m-%d}."
    confirm(
        f"The key in this file has the fingerprint {key_fingerprint(key)}.{struck}",
        "Call the office: does it read out the same?",
        unchanged="Nothing was changed.",
        way_out="Compare it with the office by phone, then give --yes.",
    )


def _office_certificate(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    folder = issue_office_certificate(fleet.folder, options.host)
    say(
        f"New server.key and server.pem for {fleet.record.office.host} in {folder}. Carry this folder to the office and"
    )
    say(f"restart its publisher. To renew them: 'watchlink fleet renew {OFFICE}'. In office.toml:")
    say("  [publisher]")
    for name, file in PUBLISHER_FILES.items():
        say(f'  {name} = "{fleet.layout.publisher.name}/{file}"')


def _proposals(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    proposals = proposals_of(fleet, options.snapshot)
    rows = [
        ProposalRow(
            entry.premises,
            entry.name,
            entry.place,
            entry.schemes,
            tuple(node.node for node in fleet.namesakes(entry.name) if not node.office_premises),
        )
        for entry in without_node(fleet.record, proposals)
    ]
    if options.json:
        say(msgspec.json.format(msgspec.json.encode(rows)).decode())
        return
    names = {scheme.number: scheme.slug for scheme in fleet.record.schemes}
    for row in rows:
        schemes = " ".join(names.get(number, f"({number}?)") for number in row.schemes)
        say(f"{row.premises:>5}  {', '.join(filter(None, (row.name, row.place)))}  [{schemes}]")
        for node in row.namesakes:
            say(
                f"       Node {node} has this name: 'watchlink fleet link {node} --proposal {row.premises}' joins them."
            )
    say(f"{len(rows)} of {len(proposals.entries)} premises have no node (snapshot {proposals.number}).")


def _link(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    ask_about_left_out(fleet, is_agreed=options.yes)
    if options.none:
        node = unlink(fleet.folder, options.node)
        say(f"{node.node} ({node.premises}) is joined with no premises of the office.")
    elif options.refresh:
        node = refresh(fleet.folder, options.node, proposals_of(fleet, options.snapshot))
        say(f"{node.node} is {', '.join(filter(None, (node.premises, node.place)))}, for central and its neighbours.")
        say("Its own screen and voice follow once its node.toml has the same premises and place and it is restarted.")
    else:
        proposals = proposals_of(fleet, options.snapshot)
        is_second = options.yes or ask_about_second(
            fleet, options.proposal, besides=fleet.record.node(options.node).node
        )
        node = link(fleet.folder, options.node, proposals, options.proposal, is_second_allowed=is_second)
        entry = proposals.entry(options.proposal)
        say(f"{node.node} ({node.premises}) stands in premises {entry.premises} of the office, {entry.name}.")
    pass_directory_on(options, fleet)


def _web_ca(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    web = make_web_authority(fleet.folder, options.domain, is_replacement=options.replace)
    say(f"{fleet.layout.authority / AUTHORITY}.pem is the web CA for {web.domain}, until {web.expires_at:%Y-%m-%d}.")
    say("Install it on each PC and tablet as a root for web sites. There it must show the SHA-256 fingerprint")
    say(f"  {spaced(web.fingerprint)}")
    say("'watchlink fleet web-certificate NAME --out DIR' makes certificates for the pages.")


def _page_issuer(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    until = f"{make_page_issuer(fleet.folder, options.out).expires_at:%Y-%m-%d}"
    say(f"{PAGE_ISSUER}.pem and {PAGE_ISSUER}.key in {options.out} sign for units' pages until {until}.")
    say("Carry them and web-ca.pem to the office's machine, as 'Galleries for nodes' in docs/office.md says.")


def _web_certificate(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    before = fleet.record.web
    issued = issue_for_page(fleet.folder, options.names, options.out)
    until = f"{issued.certificate.expires_at:%Y-%m-%d}"
    say(f"{PAGE}.pem and {PAGE}.key in {options.out} are valid for {', '.join(issued.names)} until {until}.")
    say("Carry them to that machine, name them in its configuration as certificate_file and key_file, and restart it.")
    new = not_excluded_yet(before, issued)
    if new:
        say(f"The issuer of units' pages can still speak for {', '.join(new)}: a stolen unit could play this page.")
        say("Run 'watchlink fleet page-issuer --out DIR' again, and carry the new one to the office's machine.")
