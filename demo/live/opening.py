"""The first day: central's machine is installed, premises are added, and the first unit claims its own."""

from __future__ import annotations

import shutil
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from central.core.view import Board
from demo.fitting import TownError
from demo.live.machine import has_rights
from demo.live.site import Site, code_in
from demo.live.unit import Unit
from demo.premises import Address
from demo.scripts.stage import PATIENCE_S, Stage
from demo.shop import Premises
from installation import places
from installation.pack import CLAIMS
from runtime.atomic import PRIVATE
from wire.claim_code import claim_hash
from wire.claims import decode_claims
from wire.directory import open_directory
from wire.ids import parse_node
from wire.seed import SEED_FILE

ARMED_WITHIN_MS: Final = 60_000
"""From network up (F2)."""
_FOLDERS: Final = {
    # Central goes through it to the revocation list.
    places.BROKER: ("mosquitto", 0o710),
    places.CENTRAL_STATE: ("watchlink-central", 0o700),
    # Central goes through it to the directory, and reads nothing else there.
    places.ENROLMENT: ("watchlink-enrol", 0o711),
}
"""Whose they are, and their modes."""
_UNITS: Final = (
    "watchlink-door",
    "watchlink-central",
    "watchlink-central-backup",
    places.ENROL,
    places.ENROL_LIST,
)


class Awaited(Struct, frozen=True):
    """A unit that may come, and the code on its label."""

    unit: Unit
    code: str


async def installed(stage: Stage, site: Site) -> None:
    """All is in place: whose it is, who may read it, and that a second run finds nothing to do."""
    first, second = await site.install()
    stage.check("Everything is in place." in first, f"'central install' put everything in place; it said:\n{first}")
    stage.check("Nothing to do" in second, f"a second 'central install' had nothing to do; it said:\n{second}")
    machine = site.machine
    wanted = [f"/etc/systemd/system/{unit}.service" for unit in _UNITS]
    wanted += [
        places.DIRECTORY,
        places.CENTRAL_TOML,
        places.ENROLMENT_TOML,
        places.LISTS,
        f"{places.BROKER}/mosquitto.conf",
    ]
    for path in wanted:
        stage.check(machine.path(path).is_file(), f"{path} was put in place")
    for folder, (owner, mode) in _FOLDERS.items():
        files = [machine.path(folder), *machine.path(folder).rglob("*")]
        secret = [one for one in files if one.suffix == ".key" or one.name == "acl"]
        stage.check(bool(secret), f"{folder} has its keys")
        stage.check(all(_mode(one) == PRIVATE for one in secret), f"nobody else reads the keys in {folder}")
        stage.check(_mode(files[0]) == mode, f"{folder} is closed to others")
        if has_rights():
            number = _number_of(machine.path("/etc/passwd"), owner)
            stage.check(all(one.stat().st_uid == number for one in files), f"all in {folder} is {owner}'s")
    stage.check(not list(site.root.rglob("authority.key")), "the town's own secret is not on central's machine")
    stage.say("installed", has_owners=has_rights())


async def added(stage: Stage, site: Site, addresses: Sequence[Address]) -> list[Awaited]:
    """Each premises has a number, and a label with a code that is kept nowhere. There is no key yet."""
    awaited = []
    for address in addresses:
        who = ["--premises", address.premises, "--place", address.place]
        schemes = [word for slug in address.schemes for word in ("--scheme", slug)]
        said = await site.manage_and_apply("add", *who, *schemes, "--profile", "fake")
        awaited.append(awaited_in(site, said, address))
    claims = decode_claims((site.enrolment.parent / CLAIMS).read_bytes()).claims
    told = {(claim.node, claim.premises, claim.claim_hash) for claim in claims}
    wanted = {(one.unit.node, one.unit.address.premises, claim_hash(one.code)) for one in awaited}
    stage.check(told == wanted, "the enrolment service knows the claims, and no others")
    fleet = site.fleet
    files = [one for one in site.town.folder.rglob("*") if one.is_file() and one.suffix != ".sqlite3"]
    codes = [one.code.encode() for one in awaited]
    stage.check(not any(code in one.read_bytes() for one in files for code in codes), "a code is kept nowhere")
    stage.check(not any(fleet.node_folder(one.unit.node).exists() for one in awaited), "no key was made")
    directory = open_directory(fleet.layout.directory.read_bytes(), fleet.folder.authority_public())
    stage.check(
        not any(parse_node(one.unit.node) in directory.senders for one in awaited),
        "nobody is a sender before the claim",
    )
    stage.say("added", count=len(awaited))
    return awaited


def awaited_in(site: Site, said: str, address: Address) -> Awaited:
    """Who is to come, by the label that was printed."""
    code = code_in(said)
    waiting = next((one for one in site.fleet.record.claims if one.claim_hash == claim_hash(code)), None)
    if waiting is None:
        raise TownError(f"the code on the label of {address.premises} opens nothing")
    return Awaited(Unit(waiting.node, address, site.town.folder / "units" / waiting.node), code)


async def armed_shop(stage: Stage, site: Site, awaited: Awaited) -> Premises:
    """A unit is switched on, with a network: it claims its premises, and is armed."""
    unit, address = awaited.unit, awaited.unit.address
    await unit.prepare(site, awaited.code)
    shutil.copytree(unit.card, unit.folder.with_name("copied card"))
    up_s = time.monotonic()
    status, said = await unit.claim()
    claimed_s = time.monotonic()
    stage.check(status == 0, f"the unit claimed {address.premises}; it said:\n{said}")
    stage.check(f"This unit is armed for {address.premises}." in said, "it said for which premises")
    stage.check(not (unit.card / SEED_FILE).exists(), "the seed was deleted")
    stage.check(site.said("enrolled", node=unit.node) is not None, "the service has told of it")
    keys = {one.name for one in unit.folder.iterdir() if one.suffix == ".key"}
    stage.check({"client.key", "signing.key"} <= keys, "its keys are on the unit")
    town = stage.town
    town.chronicle.say(town.now_ms(), "claimed", unit.node, premises=address.premises)
    shop = await unit.start(site, address.key)
    await until_well(stage, shop)
    armed_s = time.monotonic()
    took_ms = (armed_s - up_s) * 1000
    stage.measure("network up → armed, as central's page shows", took_ms, ARMED_WITHIN_MS, shop)
    stage.measure("claimed → armed, as central's page shows", (armed_s - claimed_s) * 1000, ARMED_WITHIN_MS, shop)
    stage.check(took_ms <= ARMED_WITHIN_MS, f"armed within {ARMED_WITHIN_MS // 1000} s of the network")
    armed = town.chronicle.find("armed", node=unit.node)
    stage.check(armed is not None, "the node itself said that it is armed")
    stage.say("armed", shop, seen_by="central")
    return shop


async def claimed_twice(stage: Stage, awaited: Awaited) -> None:
    """Somebody has copied the card: the code opens nothing any more."""
    unit = awaited.unit
    copy = Unit(unit.node, unit.address, unit.folder.with_name("copy"))
    copy.folder.mkdir()
    shutil.move(unit.folder.with_name("copied card"), copy.card)
    status, said = await copy.claim(is_once=True)
    stage.check(status != 0, "a second unit with the same code is refused")
    stage.check("Another unit has used the claim code" in said, f"it is told why; it said:\n{said}")
    stage.check(not (copy.folder / "node.toml").exists(), "it has no identity")


async def until_well(stage: Stage, *premises: Premises) -> None:
    """Wait until central's page shows these as well as they can be."""
    nodes = {one.node for one in premises}

    def is_well(board: Board) -> bool:
        return nodes <= {line.node for line in board.nodes if line.state == "ok"}

    names = ", ".join(one.name for one in premises)
    await stage.town.watch_room.board_when(f"central saw {names} well", is_well, PATIENCE_S)


async def until_state(stage: Stage, premises: Premises, state: str) -> None:
    """Wait until central's page says that of its unit."""

    def is_so(board: Board) -> bool:
        return any(line.node == premises.node and line.state == state for line in board.nodes)

    await stage.town.watch_room.board_when(f"central showed {premises.name} as {state}", is_so, PATIENCE_S)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _number_of(passwd: Path, name: str) -> int:
    found = [line.split(":") for line in passwd.read_text("utf-8").splitlines() if line.startswith(f"{name}:")]
    if not found:
        raise TownError(f"the installation made no user {name}")
    return int(found[0][2])
