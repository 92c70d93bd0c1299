"""``watchlink fleet configure``: sign a node's settings, or show them."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from provisioning.configuring import Wish, described, differences, ptt_of, sign, wished, words_of
from provisioning.console import bring, confirm, say, town_options
from provisioning.ended import ended
from provisioning.enforcement import reload_by_command
from provisioning.errors import FleetInputError
from provisioning.fleet import Fleet
from provisioning.node_word import ask_node, in_words
from provisioning.records import NodeRecord

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name

SHOW_WITHIN_S = 15.0
"""A node reports every ten seconds."""


def add_commands(commands: Commands) -> None:
    """Add it to the parser."""
    configure = commands.add_parser(
        "configure",
        parents=[town_options()],
        help="set a node's licence, transmit key, profile or words from afar, or show what is set",
        description="Sign settings for a node, which central passes on. The node tries them when no alert is open"
        " there. If it does not work with them as before, it takes the last good ones again.",
    )
    configure.add_argument("node", metavar="NODE", help="its id, from 'list'")
    configure.add_argument("--licence", metavar="TEXT", help="licence reference; '' = the node only listens")
    configure.add_argument("--ptt", metavar="LINE", help="transmit key: gpio:12, serial-rts:DEVICE or cm108:DEVICE:3")
    configure.add_argument("--profile", metavar="NAME", help="hardware profile, see docs/hardware.md")
    configure.add_argument(
        "--phrases", type=Path, metavar="FILE", help="words for the radio, TOML; they replace those set before"
    )
    configure.add_argument(
        "--as-installed", action="store_true", help="drop what was set: use only the node's own file"
    )
    configure.add_argument(
        "--show", action="store_true", help="change nothing; show what is set and what the node says"
    )
    configure.add_argument("--yes", action="store_true", help="do not ask")
    configure.add_argument(
        "--reload-command",
        metavar="COMMAND",
        help="brings the fleet's files to central; default: TOWN/apply, once 'watchlink fleet install' has made it",
    )
    configure.set_defaults(run=_configure)


def _configure(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    node = fleet.record.node(options.node)
    wish = Wish(
        options.licence,
        options.profile,
        None if options.ptt is None else ptt_of(options.ptt),
        None if options.phrases is None else words_of(options.phrases),
        is_reset=options.as_installed,
    )
    if options.show:
        if wish != Wish():
            raise FleetInputError("--show changes nothing: leave out the other options.")
        _show(fleet, node)
        return
    if wish == Wish():
        raise FleetInputError("Say what to set: --licence, --ptt, --profile, --phrases or --as-installed. Or --show.")
    if node.revoked_at is not None:
        raise FleetInputError(ended(fleet.record, node, "configure"))
    settings = wished(node, wish, fleet.now())
    lines = differences(node.settings, settings)
    if not lines:
        say(f"{node.node} ({node.premises}) has these settings already. To send them again, change one first.")
        return
    facts = f"{node.node} ({node.premises}):\n" + "".join(f"  {line}\n" for line in lines)
    if not options.yes:
        confirm(facts, "Sign this?", unchanged="Nothing was signed.", way_out="To sign it, give --yes.")
    else:
        say(facts.rstrip())
    sign(fleet.folder, settings)
    say(f"Signed, number {settings.serial}. The node tries them once it has them and no alert is open there.")
    if options.reload_command:
        bring(fleet, reload_by_command(options.reload_command))
    elif fleet.layout.apply.exists():
        bring(fleet, reload_by_command(shlex.quote(str(fleet.layout.apply))))
    elif fleet.record.broker.folder:
        say("Bring them to central: 'watchlink fleet pack', then 'watchlink central install' there.")
    say(f"What became of them: 'watchlink fleet configure {node.node} --show'.")


def _show(fleet: Fleet, node: NodeRecord) -> None:
    settings = node.settings
    if settings is None:
        say(f"{node.node} ({node.premises}): nothing was ever set from here.")
        return
    say(f"{node.node} ({node.premises}), signed {settings.made_at:%Y-%m-%d %H:%M}, number {settings.serial}:")
    for line in described(settings):
        say(f"  {line}")
    say(in_words(ask_node(fleet.folder, node, SHOW_WITHIN_S), settings.serial))
