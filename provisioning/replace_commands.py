"""``watchlink fleet replace``: another unit in place of a broken one, at the same premises."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from provisioning.add_commands import add_label_option, hand_out
from provisioning.collect_commands import add_file_option, collect_first
from provisioning.console import (
    broker_options,
    confirm,
    reload_of,
    say,
    say_what_stays_unlisted,
    town_options,
    warn_without_service,
)
from provisioning.fleet import Fleet
from provisioning.labels import sheet_writer
from provisioning.records import NodeRecord
from provisioning.replacing import Replaced, note_done, replace_node, replaceable

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name


def add_commands(commands: Commands) -> None:
    """Add it to the parser."""
    replace = commands.add_parser(
        "replace",
        parents=[town_options(), broker_options()],
        help="end a broken unit for good, and print the label for the unit that replaces it",
        description="End a broken unit for good, as 'revoke' does, and reserve a new number at the same premises, with"
        " place, schemes, profile and settings. The new unit claims it like a new shop's. If it was interrupted, or the"
        " broker did not obey, run it again.",
    )
    replace.add_argument("node", metavar="NODE", help="the broken unit's id, from 'list'")
    replace.add_argument("--yes", action="store_true", help="do not ask")
    add_label_option(replace)
    add_file_option(replace)
    replace.set_defaults(run=_replace)


def _replace(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    if trouble := collect_first(fleet, options.node, options.file):
        say(f"! {trouble}")
    old = replaceable(fleet.record, options.node, fleet.now())
    if not options.yes and old.replacement is None:
        _ask(old)
    write = None if options.labels is None else sheet_writer(options.labels)
    done = replace_node(fleet, options.node)
    if done.made is not None:
        hand_out(fleet, [done.made], options, write)
    if done.is_made_again:
        say("If this was begun before and has shown a label: that one opens nothing any more. Destroy it.")
    if done.replacement.to_do == "label":
        note_done(fleet, done.old, "label")
    warn_without_service(options, fleet)
    # It repeats what was done, and proves it: the old unit is dead before somebody hears that it is.
    fleet.revoke(done.old.node, reload_of(options, fleet), deadline_s=options.deadline)
    note_done(fleet, done.old, "proof")
    _warn_of_another_label(fleet, done)
    _say_what_to_do(fleet, done)


def _ask(old: NodeRecord) -> None:
    where = ", ".join(filter(None, (old.premises, old.place)))
    confirm(
        f"{old.node} ({where}) will be heard nowhere any more, for good, whether it is broken or not.",
        "Replace it?",
        unchanged="Nothing was changed.",
        way_out="To replace it, give --yes.",
    )


def _warn_of_another_label(fleet: Fleet, done: Replaced) -> None:
    claims = {claim.node: claim.claim_hash for claim in fleet.record.claims}
    if done.made is not None and done.made.claim.claim_hash != claims.get(done.made.claim.node):
        say("! Somebody else has made another label for it meanwhile, or taken it back: destroy this one.")


def _say_what_to_do(fleet: Fleet, done: Replaced) -> None:
    old, new = done.old, done.replacement.node
    say(f"{old.node} ({old.premises}) is dead, and the running broker was seen to obey: directory serial")
    say(f"  {fleet.record.directory_serial} strikes it. Destroy its card, or wipe it.")
    say_what_stays_unlisted(fleet, old.node)
    say(f"{new} takes its place. Write the new unit's card, and put it in at the premises:")
    say(f"  watchlink fleet seed {new} --to FOLDER")
    if old.settings is not None:
        say("What was set for the old one from here is signed for the new one, which gets it once it is armed.")
    say("Once its screen says READY, press test and see it at central; then run 'watchlink fleet collect'.")
    say(f"Alerts of {old.node} that are still open at central: close one with the reason, and all of them close.")
