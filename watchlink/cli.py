"""``watchlink node``, ``central``, ``office`` and so on: runs one and imports none of the others."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from types import ModuleType
from typing import Final

from runtime.loading import loading
from watchlink import __version__

COMMANDS: Final = {
    "node": ("node.cli", "run the unit in a shop or pub; install and check it"),
    "gallery": ("gallery.cli", "run the gallery beside the node: who is excluded here"),
    "central": ("central.cli", "run central: receipts and the control-room page; install and check its machine"),
    "office": ("office.cli", "run the office: people, members, premises"),
    "notifier": ("notifier.cli", "tell people on their phones that an alert waits, by order of central"),
    "enrol": ("enrolment.cli", "let new nodes claim their identity"),
    "appliance": ("appliance.cli", "look after a unit's card: its seed, its two systems, its updates"),
    "fleet": ("provisioning.cli", "add, list, renew and revoke nodes"),
}
OF_MACHINES: Final = {
    ("central", "install"): "installation.cli",
    ("central", "check"): "installation.cli",
    ("central", "take-bundle"): "installation.cli",
    ("node", "install"): "installation.node_cli",
    ("node", "reach"): "installation.node_cli",
    ("fleet", "install"): "installation.fleet_cli",
}
"""Commands about the machine that a program runs on: they need none of the program (ADR 0027)."""
CHECKOUT_COMMANDS: Final = {"demo": ("demo.cli", "a whole town on this machine")}
"""Not installed: offered in a checkout only."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; 2 = unknown command."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    demo = importlib.util.find_spec("demo")
    is_checkout = demo is not None and demo.origin is not None  # Not any folder that happens to be called so.
    commands = COMMANDS | (CHECKOUT_COMMANDS if is_checkout else {})
    match given:
        case [name, what, *_] if (name, what) in OF_MACHINES:
            done: int = _loaded(OF_MACHINES[name, what]).main(given[1:])
            return done
        case [name, *rest] if name in commands:
            status: int = _loaded(commands[name][0]).main(rest)
            return status
        case ["--version"]:
            print(f"watchlink {__version__}")  # noqa: T201 - a command's answer
            return 0
        case _:
            listing = "\n".join(f"  {name:9} {what}" for name, (_, what) in commands.items())
            usage = f"usage: watchlink COMMAND …\n\n{listing}\n\nFor more: watchlink COMMAND --help"
            if given[:1] in (["-h"], ["--help"]):
                print(usage)  # noqa: T201 - a command's answer
                return 0
            problem = _problem(given[0], commands) + "\n\n" if given else ""
            sys.stderr.write(f"{problem}{usage}\n")
            return 2


def _loaded(name: str) -> ModuleType:
    # By name, so that a node never loads central's libraries, nor the other way round.
    with loading():
        return importlib.import_module(name)


def _problem(name: str, commands: Iterable[str]) -> str:
    if name in CHECKOUT_COMMANDS:
        return f"watchlink: '{name}' is not installed. Run it in a checkout of the repository: make {name}"
    near = get_close_matches(name, commands, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"watchlink: there is no command '{name}'{hint}"


if __name__ == "__main__":
    raise SystemExit(main())
