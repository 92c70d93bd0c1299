"""``watchlink appliance``: the card's own program, and what its units and RAUC call."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from appliance.errors import CardError
from appliance.image import load_image
from runtime.loading import loading
from wire.unit_files import CARD_FILE

NODE_FOLDER: Final = Path("/var/lib/watchlink-node")
OWN_FOLDER: Final = Path("/var/lib/watchlink-appliance")
STATUS_FAILED: Final = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done; 1 the card refuses, with one sentence that says why."""
    given = _parser().parse_args(arguments)
    try:
        given.run(given)
    except CardError as e:
        sys.stderr.write(f"watchlink appliance: {e}\n")
        return STATUS_FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="watchlink appliance", description="Look after this unit's card: its seed, its two systems, its updates."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    run = commands.add_parser("run", help="tell the node of the card, and update this unit")
    run.set_defaults(run=_run)
    seed = commands.add_parser(
        "take-seed", help="take the seed off the card's first partition; a unit runs it at the start"
    )
    seed.set_defaults(run=_take_seed)
    slots = commands.add_parser("slots", help="answer RAUC, which asks for the card's two systems")
    slots.add_argument("question", nargs="*", metavar="WORD", help="such as get-primary")
    slots.set_defaults(run=_slots)
    return parser


def _run(_: argparse.Namespace) -> None:
    with loading():
        from appliance.app import Appliance, Places  # noqa: PLC0415 - RAUC asks often, and needs none of it
        from appliance.slots.booted import COMMAND_LINE  # noqa: PLC0415
        from appliance.slots.handler import Slots  # noqa: PLC0415
        from runtime.boot_id import machine_boot_id  # noqa: PLC0415
        from runtime.logs import set_up_logging  # noqa: PLC0415
        from runtime.service import Service  # noqa: PLC0415
        from runtime.stop_request import stop_request  # noqa: PLC0415

    set_up_logging()
    image = load_image()
    service, should_stop = Service(), stop_request()

    def wait(seconds: float) -> bool:
        service.watchdog()
        return should_stop.wait(seconds)

    service.ready()
    places = Places(node=NODE_FOLDER, own=OWN_FOLDER)
    # systemd hands both over: this program sees nothing in /proc but itself.
    boot_id = os.environ.get("BOOT_ID") or machine_boot_id()
    command_line = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/proc")) / COMMAND_LINE.name
    Appliance(image, Slots(image, command_line), places, boot_id, wait).run()
    service.stopping()


def _take_seed(_: argparse.Namespace) -> None:
    from appliance.card.partition import opened  # noqa: PLC0415 - RAUC asks often, and needs none of it
    from appliance.card.seed import take_seed  # noqa: PLC0415

    try:
        with opened(Path(load_image().first_partition), is_written=True) as partition:
            said = take_seed(partition, NODE_FOLDER, OWN_FOLDER)
    except CardError as e:
        said = f"The seed is still on the card: {e}."
    if said:
        sys.stderr.write(f"{said}\n")
        told = Path(CARD_FILE)
        if not told.exists():  # What is wrong with the card itself is worse.
            told.write_text(f"{said}\n", encoding="utf-8")


def _slots(given: argparse.Namespace) -> None:
    from appliance.slots.handler import Slots, answer  # noqa: PLC0415 - the seed needs none of it

    said = answer(Slots(load_image()), given.question)
    if said:
        print(said)  # noqa: T201 - a command's answer
