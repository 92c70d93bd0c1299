"""``watchlink fleet seed`` and ``seed-card``: prepare a unit's card.

No code or password is an argument, which everybody sees.
"""

from __future__ import annotations

import argparse
import sys
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from provisioning.cards import Card, MountedCard, WholeCard
from provisioning.claims import MadeClaim, claim_again, waiting_claim
from provisioning.console import broker_options, pass_claims_on, say, town_options
from provisioning.errors import FleetInputError
from provisioning.fleet import Fleet
from provisioning.labels import label_of
from provisioning.records import ClaimRecord
from provisioning.seeds import (
    check_code,
    check_seed,
    enrolment_address,
    office_address,
    read_wifi,
    seed_for,
    write_seed,
)
from wire.claim_code import RANDOM_BYTES, claim_code
from wire.seed import WiFi

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name


def add_commands(commands: Commands) -> None:
    """Add them to the parser."""
    parents = [town_options(), broker_options(), _options()]
    mounted = commands.add_parser(
        "seed", parents=parents, help="write to a unit's card, which is mounted, what it needs to claim its premises"
    )
    mounted.add_argument("node", metavar="NODE", help="its id, from 'list' or the label")
    mounted.add_argument("--to", required=True, type=Path, metavar="FOLDER", help="where the card is mounted")
    mounted.set_defaults(run=lambda options: _seed(options, MountedCard(options.to)))
    whole = commands.add_parser(
        "seed-card",
        parents=parents,
        help="the same for a card that is not mounted, or for an image, which needs no root",
    )
    whole.add_argument("card", type=Path, metavar="CARD", help="the card's device, such as /dev/sdb, or an image")
    whole.add_argument("node", metavar="NODE", help="its id, from 'list' or the label")
    whole.set_defaults(run=lambda options: _seed(options, WholeCard(options.card)))


def _options() -> argparse.ArgumentParser:
    seed = argparse.ArgumentParser(add_help=False)
    code = seed.add_mutually_exclusive_group()
    code.add_argument(
        "--code-file", type=Path, metavar="FILE", help="read the label's code from this file; default: ask for it"
    )
    code.add_argument("--new-code", action="store_true", help="make a new code; the old label stops working")
    network = seed.add_mutually_exclusive_group()
    network.add_argument(
        "--wifi",
        action="store_true",
        help="ask for the premises' Wi-Fi, and write that too; units with the SD image read it",
    )
    network.add_argument(
        "--wifi-file", type=Path, metavar="FILE", help='read the Wi-Fi from this file: name = "…" and password = "…"'
    )
    seed.add_argument(
        "--enrolment",
        default="",
        metavar="HOST[:PORT]",
        help="where the enrolment service is; default: as TOWN/enrolment says",
    )
    seed.add_argument(
        "--office",
        default="",
        metavar="HOST[:PORT]",
        help="where the office answers galleries; default: where 'office-certificate' says, port 8444",
    )
    return seed


def _seed(options: argparse.Namespace, card: Card) -> None:
    fleet = Fleet.open(options.dir)
    claim = waiting_claim(fleet.record, options.node)
    address = enrolment_address(fleet.folder, options.enrolment)
    office = office_address(fleet.folder, options.office)
    wifi = _wifi(options)
    # Everything that can be wrong comes before a new code, which ends the one on the label.
    check_seed(seed_for(fleet.folder, MadeClaim(claim, claim_code(bytes(RANDOM_BYTES))), address, wifi, office), card)
    made = claim_again(fleet, claim.node) if options.new_code else MadeClaim(claim, _code(options, fleet, claim))
    if made.claim.ends_at <= fleet.now():
        raise FleetInputError(
            f"The claim of {claim.node} ({claim.premises}) ended on {claim.ends_at:%Y-%m-%d}: give --new-code."
        )
    write_seed(seed_for(fleet.folder, made, address, wifi, office), card)
    until = label_of(made).last_day
    say(f"{card}: the seed of {claim.node} ({claim.premises}) is written, good until {until}.")
    say("Whoever has this card can be that premises until its unit is armed, which deletes the seed.")
    if office is None:
        say("It names no office, so that unit will have no gallery: see 'watchlink fleet office-certificate'.")
    if wifi is not None:
        say(f"The password of the Wi-Fi {wifi.name} is in it too. A unit without the SD image does not read it:")
        say("set the Wi-Fi up there yourself.")
    if options.new_code:
        say("The code before this one opens nothing any more: destroy its label.")
        pass_claims_on(options, fleet)


def _code(options: argparse.Namespace, fleet: Fleet, claim: ClaimRecord) -> str:
    if options.code_file is not None:
        return check_code(fleet.record, claim, _read(options.code_file))
    if not sys.stdin.isatty():
        raise FleetInputError("There is no terminal to ask for the label's code: give --code-file, or --new-code.")
    return check_code(fleet.record, claim, input(f"Claim code on the label of {claim.premises}: "))


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise FleetInputError(f"{file} cannot be read: {getattr(e, 'strerror', None) or 'it is no text'}.") from e


def _wifi(options: argparse.Namespace) -> WiFi | None:
    if options.wifi_file is not None:
        return read_wifi(options.wifi_file)
    if not options.wifi:
        return None
    if not sys.stdin.isatty():
        raise FleetInputError("There is no terminal to ask for the Wi-Fi: give --wifi-file.")
    return WiFi(name=input("Name of the Wi-Fi: "), password=getpass("Its password (not shown): "))
