"""Network namespaces on one bridge: a hall with broker and central, and a house with an address for each member.

Needs root, ``ip`` (iproute2) and ``nft`` (nftables). :meth:`Streets.clear` removes everything it makes; the machine's
own network is not touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from demo.fitting import TownError

HALL_ADDRESS: Final = "10.77.0.1"
_NEEDED: Final = ("ip", "nft")


class Streets:
    """The namespaces of one run, named after this process."""

    def __init__(self) -> None:
        self._name = f"wl{os.getpid()}"
        self._houses: list[str] = []

    def build(self, count: int) -> None:
        """Make the hall and ``count`` houses.

        Raises:
            TownError: not root, or a tool is missing.
        """
        missing = [program for program in _NEEDED if shutil.which(program, path=_path()) is None]
        if os.geteuid() != 0 or missing:
            what = f"; not here: {', '.join(missing)}" if missing else ""
            raise TownError(f"flood needs root, iproute2 and nftables to make network namespaces{what}")
        self._add(self.hall)
        self._in_hall("link", "add", "street", "type", "bridge")
        self._in_hall("addr", "add", f"{HALL_ADDRESS}/24", "dev", "street")
        self._in_hall("link", "set", "street", "up")
        for number in range(count):
            house = f"{self._name}-{number}"
            self._add(house)
            self._houses.append(house)
            self._in_hall("link", "add", f"h{number}", "type", "veth", "peer", "name", "eth0", "netns", house)
            self._in_hall("link", "set", f"h{number}", "master", "street", "up")
            _run("ip", "-n", house, "addr", "add", f"10.77.0.{10 + number}/24", "dev", "eth0")
            _run("ip", "-n", house, "link", "set", "eth0", "up")

    @property
    def hall(self) -> str:
        """Address of the hall, with broker and central."""
        return f"{self._name}-hall"

    def close_door(self, rules: Path) -> None:
        """Load the broker's door rules."""
        _run("ip", "netns", "exec", self.hall, "nft", "--file", str(rules))

    def within_hall(self, command: list[str]) -> list[str]:
        """The command, run in the hall."""
        return ["ip", "netns", "exec", self.hall, *command]

    def within_house(self, number: int, command: list[str]) -> list[str]:
        """The command, run in that house."""
        return ["ip", "netns", "exec", self._houses[number], *command]

    def clear(self) -> None:
        """Remove everything; programs in it must have ended."""
        for name in (*self._houses, self.hall):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True, env=_env())

    def _add(self, name: str) -> None:
        _run("ip", "netns", "add", name)
        _run("ip", "-n", name, "link", "set", "lo", "up")

    def _in_hall(self, *arguments: str) -> None:
        _run("ip", "-n", self.hall, *arguments)


def _path() -> str:
    return os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))


def _env() -> dict[str, str]:
    return {**os.environ, "PATH": _path()}


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=_env())
    if done.returncode:
        raise TownError(f"'{' '.join(command)}' failed: {done.stderr.strip()}")
