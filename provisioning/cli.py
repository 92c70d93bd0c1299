"""``watchlink fleet``: make a town, add premises, list, renew and revoke them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from provisioning.enforcement import PROOF_DEADLINE_S, Reload, reload_by_command, reload_by_pid_file
from provisioning.errors import FleetError, FleetInputError
from provisioning.fleet import BROKER, CENTRAL, Fleet
from provisioning.layout import ALERTS, DEFAULT_PROFILE
from provisioning.listing import as_table, list_fleet

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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="watchlink fleet", description="Add, list, renew and revoke nodes; keep the broker's files."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    town = argparse.ArgumentParser(add_help=False)
    town.add_argument("--dir", required=True, type=Path, metavar="TOWN", help="the fleet folder")
    broker = argparse.ArgumentParser(add_help=False)
    told = broker.add_mutually_exclusive_group()
    told.add_argument(
        "--broker-pid-file", type=Path, metavar="FILE", help="the broker's; default: TOWN/broker/mosquitto.pid"
    )
    told.add_argument("--reload-command", metavar="COMMAND", help='tells the broker, e.g. "systemctl reload mosquitto"')
    broker.add_argument(
        "--deadline", default=PROOF_DEADLINE_S, type=float, metavar="SECONDS", help="how long the broker has to obey"
    )

    init = commands.add_parser("init", parents=[town], help="make a new fleet in a new or empty folder")
    init.add_argument(
        "--scheme", required=True, action="append", metavar="SLUG=NAME", help='e.g. hart="HART"; repeat for more'
    )
    init.add_argument(
        "--broker-host", default="127.0.0.1", metavar="HOST", help="its address as nodes see it; default: %(default)s"
    )
    init.add_argument("--broker-port", default=8883, type=int, metavar="PORT", help="default: %(default)s")
    init.add_argument("--broker-bind", default="", metavar="ADDRESS", help="address it listens on; default: the host")
    init.add_argument(
        "--broker-folder", default="", metavar="DIR", help="its folder, if the broker runs on another machine"
    )
    init.add_argument("--broker-user", default="", metavar="USER", help="user that Mosquitto runs as; default: you")
    init.add_argument(
        "--web-port",
        default=8080,
        type=int,
        metavar="PORT",
        help="the control-room page, on loopback; default: %(default)s",
    )
    init.set_defaults(run=_init)

    add = commands.add_parser("add", parents=[town, broker], help="add a node for a premises")
    add.add_argument("--premises", required=True, metavar="NAME", help="as screens and cards show it")
    add.add_argument("--place", default="", metavar="NAME", help="street or area")
    add.add_argument("--scheme", required=True, action="append", metavar="SLUG", help="repeat for more than one")
    add.add_argument(
        "--profile", default=DEFAULT_PROFILE, metavar="NAME", help="hardware profile, see docs/hardware.md"
    )
    add.add_argument(
        "--gateway",
        action="store_const",
        const="gateway",
        default="premises",
        dest="kind",
        help="this node is central's own radio",
    )
    add.add_argument("--yes", action="store_true", help="do not ask if the name is already in use")
    add.set_defaults(run=_add)

    listing = commands.add_parser("list", parents=[town], help="list nodes and what expires soon")
    listing.add_argument("--json", action="store_true", help="JSON output")
    listing.set_defaults(run=_list)

    revoke = commands.add_parser("revoke", parents=[town, broker], help="revoke a node and prove that the broker obeys")
    revoke.add_argument("node", metavar="NODE", help="its id, from 'list'")
    revoke.set_defaults(run=_revoke)

    renew = commands.add_parser(
        "renew", parents=[town], help="make a new certificate for a node, central, its alerts connection or the broker"
    )
    renew.add_argument("who", metavar="WHO", help=f"a node's id, '{CENTRAL}', '{ALERTS}' or '{BROKER}'")
    renew.set_defaults(run=_renew)

    signing = commands.add_parser(
        "require-signatures",
        parents=[town],
        help="refuse unsigned JSON, once an older town's programs are upgraded",
    )
    signing.add_argument("who", nargs="*", metavar="WHO", help=f"node ids or '{CENTRAL}'; default: all")
    signing.set_defaults(run=_require_signatures)

    crl = commands.add_parser(
        "renew-crl", parents=[town, broker], help="make and prove a new revocation list; run it daily"
    )
    crl.set_defaults(run=_renew_crl)
    return parser


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
    _say(f"{fleet.layout.town} is ready. Anyone with {authority} can make nodes: keep a copy offline, locked away.")


def _scheme(text: str) -> tuple[str, str]:
    slug, separator, name = text.partition("=")
    if not separator:
        raise FleetInputError(f"--scheme {text!r}: write SLUG=NAME, e.g. hart=HART.")
    return slug, name


def _add(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    if not options.yes:
        _ask_about_namesakes(fleet, options.premises)
    node = fleet.add(options.premises, options.place, options.scheme, profile=options.profile, kind=options.kind)
    what = f"{node.premises}, a gateway" if node.kind == "gateway" else node.premises
    _say(f"{node.node} is {what}. Carry {fleet.node_folder(node.node)} to it, then delete it here:")
    _say("it holds the only copy of its private keys.")
    if options.broker_pid_file or options.reload_command or fleet.layout.pid_file.exists():
        fleet.enforce(_reload(options, fleet), deadline_s=options.deadline)
        _say("The running broker knows it.")
    else:
        _say("A broker that is already running does not know it yet. Run 'watchlink fleet renew-crl' to tell it.")


def _ask_about_namesakes(fleet: Fleet, premises: str) -> None:
    """Ask at the terminal before adding a second premises of the same name.

    Raises:
        FleetInputError: the answer is no, or there is no terminal.
    """
    namesakes = fleet.namesakes(premises)
    if not namesakes:
        return
    known = "; ".join(
        f"{one.node} is {', '.join(filter(None, (one.premises, one.place)))}, already" for one in namesakes
    )
    if not sys.stdin.isatty():
        raise FleetInputError(f"{known}. Nothing was added. To add a second one, give --yes.")
    if input(f"{known}. Add a second one? [y/N] ").strip().lower() not in ("y", "yes"):
        raise FleetInputError("Nothing was added.")


def _list(options: argparse.Namespace) -> None:
    listing = list_fleet(Fleet.open(options.dir))
    _say(msgspec.json.format(msgspec.json.encode(listing)).decode() if options.json else as_table(listing))


def _revoke(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    node = fleet.revoke(options.node, _reload(options, fleet), deadline_s=options.deadline)
    _say(f"{node.node} ({node.premises}) is revoked, and the running broker was seen to obey:")
    _say("  it refuses revoked certificates, lets valid ones in, and gives this node no rights, connected or not;")
    _say(f"  directory serial {fleet.record.directory_serial} strikes it, for central and every node.")


def _renew(options: argparse.Namespace) -> None:
    folder = Fleet.open(options.dir).renew(options.who)
    if options.who == BROKER:
        _say(f"New key and certificate in {folder}. Run 'watchlink fleet renew-crl' to make the broker use them.")
    elif options.who == ALERTS:
        _say(
            f"New alerts.key and alerts.pem in {folder}. Run 'watchlink fleet renew-crl', so that the broker knows this"
        )
        _say("connection; then carry them to central and restart it.")
    else:
        _say(
            f"New client.key and client.pem in {folder}. Carry them to the machine that uses them and restart it there."
        )


def _require_signatures(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    count = fleet.require_signatures(options.who)
    if not count:
        _say("All of them already have to sign.")
        return
    _say(f"{count} more must sign from directory serial {fleet.record.directory_serial} on. Central passes it on.")
    _say("A program that does not sign is no longer heard: check the control-room page for NO CONTACT.")


def _renew_crl(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    fleet.enforce(_reload(options, fleet), deadline_s=options.deadline)
    expires_at = fleet.crl_expires_at()
    _say(f"The running broker obeys the new revocation list, good until {expires_at:%Y-%m-%d}.")


def _reload(options: argparse.Namespace, fleet: Fleet) -> Reload:
    if options.reload_command:
        return reload_by_command(options.reload_command)
    return reload_by_pid_file(options.broker_pid_file or fleet.layout.pid_file)


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
