"""The commands of docs/runbook.md and docs/backups.md, for a booted Debian: as written, with this boot's names in them.

A block is ``PAGE_SECTION_NUMBER`` in ``/runbook.sh``. Each of its commands is run as a person runs it: at a terminal,
where a question is answered with yes, and the code on a label is typed when it is asked for. What it said goes to
``/proof/said.SECTION_NUMBER``, its status and the command as written to ``/proof/PAGE``.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

from tests.support.booted_system import REPOSITORY, written

RUNBOOK: Final = REPOSITORY / "docs/runbook.md"
BACKUPS: Final = REPOSITORY / "docs/backups.md"
NOT_RUN: Final = {
    "apt install": "the root is built with these packages, and has our programs where the package puts them",
}
"""How a command begins that the boot leaves out, and why."""
NAMES: Final = {
    r"\bTOWN\b": "/srv/town",
    r"\b192\.0\.2\.10\b": "127.0.0.1",
    # One machine is both: the folder's and central's.
    r" --to root@\S+": "",
    r"(?<!\S)town\.tar\b": "/town.tar",
    r"(?<!\S)delegate\.pub\b": "/var/lib/watchlink-enrol/enrolment/delegate.pub",
    r"(?<!\S)snapshot\.pub\b": "/var/lib/watchlink-office/publisher/snapshot.pub",
    # A backup that was fetched to another place, and the key that opens it.
    r"\bFILE\b": "/media/*.age",
    r"(?<!\S)backup\.key\b": "/media/backup.key",
    # Once it is told where that is.
    r"< REGISTER\b": '< "$(echo /var/lib/watchlink-central/central/register.json.of-*)"',
    # A person does not read so soon that the last line is still on its way.
    r"&& journalctl\b": "&& journalctl --sync && journalctl",
    # The root has no panel.
    r'(--premises "Corner Shop".*)': r"\1 --profile fake",
}
"""What stands in the page for a reader's own, as a pattern."""
IDS: Final = {"configure": "00000011", "replace": "00000012", "revoke": "00000011"}
"""Of the node that a command is about, by what it does; of any other: the first."""
FIRST: Final = "00000010"
_BLOCK: Final = re.compile(r"```sh\n(.*?)```", re.DOTALL)
_RUN: Final = r"""
documented() { # page block command-as-written command
    case $4 in "watchlink node check"*) attempt node_is_connected ;; esac # a person waits for ARMED
    case $4 in
        *" seed "*) grep -oE '[0-9A-Z]{4}(-[0-9A-Z]{4}){6}' /proof/said.adding_a_shop_1 | head -n 1 ;;
        *) echo y ;;
    esac | script --quiet --return --command "$4" /dev/null >>"/proof/said.$2" 2>&1
    echo "$? $3" >>"/proof/$1"
}
"""


def blocks(page: str) -> dict[str, list[str]]:
    """Name of each block of a shell → its commands, as written, on one line each and without comments."""
    found = {}
    for section in page.split("\n## ")[1:]:
        slug = re.sub(r"\W+", "_", section.partition("\n")[0].lower())
        for number, body in enumerate(_BLOCK.findall(section), start=1):
            lines = re.sub(r"\\\n\s*", "", body).splitlines()
            found[f"{slug}_{number}"] = [re.sub(r" +#.*", "", line) for line in lines if line]
    return found


def is_run(command: str) -> bool:
    """Whether the boot runs it."""
    return not command.startswith(tuple(NOT_RUN))


def here(command: str) -> str:
    """The command with this boot's names."""
    what = command.split()[2] if command.startswith("watchlink fleet") else ""
    for pattern, ours in {**NAMES, r"\bID\b": IDS.get(what, FIRST)}.items():
        command = re.sub(pattern, ours, command)
    return command


def runbook(folder: Path) -> dict[Path, str]:
    """``/runbook.sh``."""
    script = _RUN
    for page in (RUNBOOK, BACKUPS):
        for name, commands in blocks(page.read_text(encoding="utf-8")).items():
            lines = [
                f"    documented {page.stem} {name} {shlex.quote(one)} {shlex.quote(here(one))}"
                for one in commands
                if is_run(one)
            ]
            script += f"{page.stem}_{name}() {{\n" + "\n".join(lines or ["    :"]) + "\n}\n"
    return {written(folder / "runbook.sh", script): "/runbook.sh"}
