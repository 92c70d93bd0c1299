"""``watchlink fleet``: make a town, add premises, list, renew and revoke them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from provisioning import (
    add_commands,
    collect_commands,
    configure_commands,
    delegate_commands,
    enrolment_commands,
    office_commands,
    release_commands,
    replace_commands,
    seed_commands,
)
from provisioning.console import (
    broker_options,
    knows_broker,
    pass_directory_on,
    reload_of,
    say,
    say_what_stays_unlisted,
    town_options,
)
from provisioning.errors import FleetError, FleetInputError
from provisioning.fetching import fetch
from provisioning.fleet import BROKER, CENTRAL, OFFICE, Fleet
from provisioning.issuer_commands import add_issuer_commands
from provisioning.layout import ALERTS
from provisioning.listing import as_table, list_fleet
from provisioning.live_list import read_live
from provisioning.office_commands import snapshot_options
from provisioning.packing import pack, pack_node
from provisioning.service_renewal import NAMES, check_shown, renew_due
from provisioning.uncollected import left_out_next, strike_unseen

FAILED: Final = 1
NOT_UNDERSTOOD: Final = 2


def main(arguments: Sequence[str]) -> int:
    """Run one command. Returns 0, 1 if it failed or could not be proven, 2 if the request is invalid."""
    options = _parser().parse_args(list(arguments))
    try:
        options.run(options)
    except FleetError as e:
        sys.stderr.write(f"watchlink fleet: {e}\n")
        return NOT_UNDERSTOOD if isinstance(e, FleetInputError) else FAILED
    return 0


@cache  # In one program it is always the same; tests run hundreds of commands.
def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="watchlink fleet",
        description="Keep a town's fleet: its nodes, their certificates, the directory and the broker's files.",
    )
    commands = parser.add_subparsers(required=True, title="commands", metavar="COMMAND")
    town, broker = town_options(), broker_options()

    init = commands.add_parser("init", parents=[town], help="make a new fleet in a new or empty folder")
    init.add_argument(
        "--scheme", required=True, action="append", metavar="SLUG=NAME", help='e.g. hart="HART"; repeat for more'
    )
    init.add_argument(
        "--broker-host",
        default="127.0.0.1",
        metavar="HOST",
        help="the broker's address as nodes see it; default: %(default)s",
    )
    init.add_argument("--broker-port", default=8883, type=int, metavar="PORT", help="its port; default: %(default)s")
    init.add_argument(
        "--broker-bind", default="", metavar="ADDRESS", help="the address that the broker listens on; default: HOST"
    )
    init.add_argument(
        "--broker-folder",
        default="",
        metavar="DIR",
        help="folder of its files, if it runs on another machine; default: TOWN/broker",
    )
    init.add_argument(
        "--broker-user", default="", metavar="USER", help="the user that the broker runs as; default: you"
    )
    init.add_argument(
        "--web-port",
        default=8080,
        type=int,
        metavar="PORT",
        help="port of central's page, on loopback; default: %(default)s",
    )
    init.set_defaults(run=_init)

    add_commands.add_commands(commands)
    listing = commands.add_parser(
        "list",
        parents=[town, snapshot_options()],
        help="list all nodes, what needs attention soon, and where the office's records differ",
    )
    listing.add_argument("--json", action="store_true", help="JSON output")
    listing.add_argument(
        "--from",
        type=Path,
        dest="live",
        metavar="FILE",
        help="also show what central knows of each node: a file that its fleet page has saved",
    )
    listing.set_defaults(run=_list)

    revoke = commands.add_parser(
        "revoke", parents=[town, broker], help="end a node for good, and prove that the broker refuses it"
    )
    revoke.add_argument("node", metavar="NODE", help="its id, from 'list'")
    collect_commands.add_file_option(revoke)
    revoke.set_defaults(run=_revoke)

    renew = commands.add_parser(
        "renew",
        parents=[town, broker],
        help="make a new certificate for a node, central, its alerts connection, the broker or the office",
    )
    whose = renew.add_mutually_exclusive_group(required=True)
    whose.add_argument(
        "who", nargs="?", metavar="WHO", help=f"a node's id, '{CENTRAL}', '{ALERTS}', '{BROKER}' or '{OFFICE}'"
    )
    whose.add_argument(
        "--due",
        action="store_true",
        help="those of central, the broker, the office on its machine and the enrolment service that have passed half"
        " their life; then bring them there with new revocation lists, as 'renew-crl' does. The timer runs it daily",
    )
    renew.set_defaults(run=_renew)

    signing = commands.add_parser(
        "require-signatures",
        parents=[town, broker],
        help="refuse unsigned messages, in an older town whose programs are all upgraded",
    )
    signing.add_argument("who", nargs="*", metavar="WHO", help=f"node ids or '{CENTRAL}'; default: all")
    signing.set_defaults(run=_require_signatures)

    crl = commands.add_parser(
        "renew-crl",
        parents=[town, broker],
        help="renew the revocation lists, and prove that the broker obeys them; 'renew --due', which runs daily, does"
        " so too",
    )
    crl.set_defaults(run=_renew_crl)
    carried = commands.add_parser(
        "pack",
        parents=[town],
        help="write the file for 'watchlink central install' or, with NODE, for 'watchlink node install'",
    )
    carried.add_argument("node", nargs="?", metavar="NODE", help="a node's id; default: for central's machine")
    carried.add_argument(
        "--to", required=True, type=Path, metavar="FILE", help="file to write; it will hold private keys"
    )
    carried.set_defaults(run=_pack)
    installing = commands.add_parser(
        "install",
        help="from now on, bring each change to central, and every day new revocation lists and certificates that are"
        " due",
    )
    installing.set_defaults(run=_install)
    add_issuer_commands(commands)
    office_commands.add_commands(commands)
    delegate_commands.add_commands(commands)
    enrolment_commands.add_commands(commands)
    seed_commands.add_commands(commands)
    collect_commands.add_commands(commands)
    configure_commands.add_commands(commands)
    replace_commands.add_commands(commands)
    release_commands.add_commands(commands)
    for listed in commands._choices_actions:  # noqa: SLF001 - only there argparse keeps what the list of commands says
        command, said = commands.choices[listed.dest], listed.help or ""
        # Whoever asks for a command's help reads what it does there, too.
        command.description = command.description or f"{said[:1].upper()}{said[1:]}."
    return parser


def _install(_options: argparse.Namespace) -> None:
    # Listed here; where it is the first word, the installation's own program does it.
    raise FleetInputError("Write 'watchlink fleet install', and its options after that.")


def _init(options: argparse.Namespace) -> None:
    fleet = Fleet.init(
        options.dir,
        schemes=dict(_scheme(text) for text in options.scheme),
        host=options.broker_host,
        port=options.broker_port,
        bind=options.broker_bind,
        web_port=options.web_port,
        broker_folder=options.broker_folder,
        broker_user=options.broker_user,
    )
    authority = fleet.layout.authority
    say(f"{fleet.layout.town} is ready. Anyone with {authority} can make nodes: keep a copy offline, locked away.")
    root = fleet.record.issuers[-1].root
    say(f"Then delete {root}.key there: it is needed only to replace an issuer, and no command here misses it.")


def _scheme(text: str) -> tuple[str, str]:
    slug, separator, name = text.partition("=")
    if not separator:
        raise FleetInputError(f"--scheme {text!r}: write SLUG=NAME, e.g. hart=HART.")
    return slug, name


def _list(options: argparse.Namespace) -> None:
    live = None if options.live is None else read_live(options.live)
    listing = list_fleet(Fleet.open(options.dir), options.snapshot, live)
    say(msgspec.json.format(msgspec.json.encode(listing)).decode() if options.json else as_table(listing))


def _revoke(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    # A unit that was stolen before it was collected: the fleet does not know its key yet. And others are not to be
    # silenced by the directory that strikes it.
    is_due = bool(left_out_next(fleet.record, fleet.now()))
    trouble = collect_commands.collect_first(fleet, options.node, options.file, is_due=is_due)
    unseen = strike_unseen(fleet, options.node)
    if trouble:
        say(f"! {trouble}")
    if unseen is not None:
        say(f"{unseen.node} ({unseen.premises}) was never collected. Whoever has claimed it is struck all the same,")
        say("  and its code opens nothing any more.")
    waiting = left_out_next(fleet.record, fleet.now())
    if trouble and waiting:
        say(f"! {collect_commands.may_be_left_out(waiting)}")
    node = fleet.revoke(options.node, reload_of(options, fleet), deadline_s=options.deadline)
    say(f"{node.node} ({node.premises}) is revoked, and the running broker was seen to obey:")
    say("  it refuses revoked certificates, lets valid ones in, and gives this node no rights, connected or not;")
    say(f"  directory serial {fleet.record.directory_serial} strikes it, for central and every node.")
    say_what_stays_unlisted(fleet, node.node)


def _renew(options: argparse.Namespace) -> None:
    if options.due:
        _renew_due(options)
        return
    folder = Fleet.open(options.dir).renew(options.who)
    if options.who == OFFICE:
        say(f"New server.key, server.pem and ca.pem in {folder}. Carry them to the office and restart its publisher.")
    elif options.who == BROKER:
        say(f"New key and certificate in {folder}. Run 'watchlink fleet renew-crl' to make the broker use them.")
    elif options.who == ALERTS:
        say(f"New alerts.key, alerts.pem and ca.pem in {folder}. Run 'watchlink fleet renew-crl', so that the broker")
        say("knows this connection, and bring them to central: 'watchlink central install'.")
    elif options.who == CENTRAL:
        say(f"New client.key, client.pem and ca.pem in {folder}. Run 'watchlink fleet renew-crl', and bring them to")
        say("central: 'watchlink central install'.")
    else:
        say(f"New client.key, client.pem and ca.pem in {folder}. Make one file of them and carry it to the node:")
        say(f"'watchlink fleet pack {options.who} --to FILE', there 'watchlink node install --from FILE'.")


def _renew_due(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    if not knows_broker(options, fleet):
        raise FleetInputError("Nothing brings new files to central's machine yet: run 'watchlink fleet install' first.")
    renewed = renew_due(fleet)
    for who in renewed.services:
        say(f"The certificate of {NAMES[who]} is renewed.")
    for trouble in renewed.troubles:
        say(f"! {trouble}")
    # Whatever was not renewed, or was renewed in vain: revocation lists are needed more.
    _renew_crl(options)
    check_shown(fleet)
    if renewed.troubles:
        raise FleetError("Not everything that is due was renewed: see above.")


def _pack(options: argparse.Namespace) -> None:
    folder = Fleet.open(options.dir).folder
    if options.node:
        carried = pack_node(folder, options.node, options.to)
        say(f"{options.to} holds the identity of that node. On its machine:")
        say(f"  watchlink node install --from {options.to.name}")
        say(f"Then delete it, and {carried}: whoever has its keys is that node.")
        return
    count = pack(folder, options.to)
    enrols = folder.layout.beside_central.exists()
    secrets = "of the town's own secrets the key of the nodes' issuer" if enrols else "none of the town's own secrets"
    say(f"{options.to} holds {count} files for central's machine, and {secrets}. There:")
    say(f"  watchlink central install --from {options.to.name}")
    say(
        "Then delete it: it holds the private keys of broker and central" + (", and can make nodes." if enrols else ".")
    )


def _require_signatures(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    collect_commands.ask_about_left_out(fleet, is_agreed=True)
    count = fleet.require_signatures(options.who)
    if not count:
        say("All of them already have to sign.")
        return
    say(f"{count} more must sign from directory serial {fleet.record.directory_serial} on.")
    say("A program that does not sign is no longer heard: check the control-room page for NO CONTACT.")
    pass_directory_on(options, fleet)


def _renew_crl(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    fleet.enforce(reload_of(options, fleet), deadline_s=options.deadline)
    expires_at = fleet.crl_expires_at()
    say(f"The running broker obeys the new revocation list, good until {expires_at:%Y-%m-%d}.")
    try:
        # Every day, so that 'list' tells who has claimed, and 'revoke' knows it while central's machine is down.
        fetch(fleet)
    except FleetError as e:
        say(f"! {e}")
