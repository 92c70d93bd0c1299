"""The commands of the town's programs, and what the demo adds to their configuration files."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from demo.air.orders import AIR_SOCKET
from demo.ports import LOOPBACK
from demo.premises import GATEWAY, Address, TownPlan
from installation import places
from provisioning.fleet import NewNode

_MOSQUITTO_PLACES: Final = ("/usr/sbin", "/usr/local/sbin")
GALLERY_SOCKET: Final = "gallery.sock"
"""Of a node, in its folder."""
_LICENCE: Final = "DEMO, no aerial"


class TownError(Exception):
    """The town cannot be started; the message is for the person at the terminal."""


def new_node(address: Address) -> NewNode:
    """The fleet's order for a node at ``address``."""
    kind: Literal["premises", "gateway"] = "gateway" if address is GATEWAY else "premises"
    return NewNode(address.premises, address.place, address.schemes, profile="fake", kind=kind)


def machine_of(town: Path) -> Path:
    """In a bare town: the folder that stands for the disk of central's machine."""
    return town / "machine"


def mosquitto_conf(town: Path, plan: TownPlan) -> Path:
    """The broker's configuration."""
    return (machine_of(town) if plan.is_bare else town / "broker") / "mosquitto.conf"


def central_toml(town: Path, plan: TownPlan) -> Path:
    """Central's configuration, where it runs."""
    installed = machine_of(town) / places.CENTRAL_TOML.lstrip("/")
    return installed if plan.is_bare else town / "central" / "central.toml"


async def run(command: Sequence[str], data: bytes = b"") -> str:
    """Run a command to its end, and return what it says.

    Raises:
        TownError: it failed.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate(data)
    if process.returncode:
        raise TownError(f"{' '.join(command[2:])} ended with status {process.returncode}:\n{err.decode()[-800:]}")
    return out.decode()


def complete(toml: Path, plan: TownPlan, air_folder: Path) -> None:
    """Append the demo's clock and radio settings to a node's TOML file."""
    # One machine, one clock: the nodes may trust it as far as central does, NTP or not.
    lines = ["", "[clock]", 'proof = "machine"']
    if plan.has_galleries:
        lines += ["[gallery]", f'socket = "{GALLERY_SOCKET}"']
    if plan.has_radio:
        air_socket = os.path.relpath(air_folder / AIR_SOCKET, toml.parent)
        lines += ["[radio]", 'driver = "fake"', f'licence = "{_LICENCE}"']
        lines += ["[radio.fake]", f'air_socket = "{air_socket}"']
        lines += ["[radio.times]", f"path_test_first_ms = {plan.path_test_first_ms}"]
        if plan.attack_wait_max_ms is not None:
            lines.append(f"attack_wait_max_ms = {plan.attack_wait_max_ms}")
    with toml.open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def watchlink(command: str, config: Path) -> list[str]:
    """The command line of a program of Watchlink's."""
    return [sys.executable, "-m", "watchlink.cli", command, "--config", str(config)]


def mosquitto() -> str:
    """Where Mosquitto is.

    Raises:
        TownError: not installed.
    """
    path = os.pathsep.join((os.environ.get("PATH", ""), *_MOSQUITTO_PLACES))
    found = shutil.which("mosquitto", path=path)
    if found is None:
        raise TownError("mosquitto is not installed: run 'make demo', or 'apt-get install mosquitto'")
    return found


def route(toml: Path, broker_port: int, cable_port: int, host: str = LOOPBACK) -> None:
    """Let the program connect to its cable instead of to the broker.

    Raises:
        TownError: the file is not as the fleet makes it.
    """
    text = toml.read_text(encoding="utf-8")
    here, there = f"\nport = {broker_port}\n", f"\nport = {cable_port}\n"
    if text.count(here) != 1:
        raise TownError(f"{toml} does not name the broker's port {broker_port} once")
    text = text.replace(here, there).replace(f'\nhost = "{host}"\n', f'\nhost = "{LOOPBACK}"\n')
    toml.write_text(text, encoding="utf-8")


def join_central(toml: Path, office_url: str, snapshots: Path | None = None) -> None:
    """Tell central where its office is, and its lists if they are not beside central."""
    where = "" if snapshots is None else f"snapshots = {json.dumps(str(snapshots))}\n"
    with toml.open("a", encoding="utf-8") as file:
        file.write(f'\n[office]\nurl = "{office_url}"\n{where}')


def join_notifier(toml: Path, socket: Path) -> None:
    """Tell central where it orders the notifier."""
    with toml.open("a", encoding="utf-8") as file:
        file.write(f"\n[notifier]\nsocket = {json.dumps(os.path.relpath(socket, toml.parent))}\n")


def fake_socket(toml: Path) -> str:
    """The fake board's socket, relative to the node's folder."""
    return str(tomllib.loads(toml.read_text(encoding="utf-8"))["hardware"]["fake_socket"])


def new_folder(keep: Path | None) -> Path:
    """The run's: ``keep``, or one that goes with it.

    Raises:
        TownError: ``keep`` is in use.
    """
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="watchlink-"))
    folder = keep.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TownError(f"{folder} is not empty: give --keep a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
