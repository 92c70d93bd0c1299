"""The office in a booted Debian, and the commands of docs/office.md as a script."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from textwrap import dedent
from typing import Final

from tests.support.booted_system import REPOSITORY, UNITS, compiled, copied, installed, written

STATE: Final = "/var/lib/watchlink-office"
_PACKAGES: Final = ("office", "provisioning", "installation", "enrolment")
_LOCKED: Final = (
    "django",
    "allauth",
    "asgiref",
    "sqlparse",
    "a2wsgi",
    "argon2",
    "_argon2_cffi_bindings",
    "dateutil",
    "qrcode",
    # Papers. What is compiled of them, pikepdf and cffi, comes from Debian.
    "weasyprint",
    "pydyf",
    "pyphen",
    "tinyhtml5",
    "tinycss2",
    "cssselect2",
    "webencodings",
    "fontTools",
)
"""Libraries taken from the lock: Debian's Django is too old. One is compiled, for any Python from 3.9 on."""
_OURS: Final = {
    "FILE": f"{STATE}/office.toml",
    "KEYS": "/var/backups/watchlink-office/office-keys-*.age",
    "BACKUP": "/var/backups/watchlink-office/office-????????-*.age",
    "backup.key": "/office-backup.key",
    "keys.key": "/office-keys.key",
}
"""What stands in the page for a reader's own files, as :func:`office_mounts`'s caller puts them."""
_BLOCK: Final = re.compile(r"```(\w+)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def documented(folder: Path) -> dict[Path, str]:
    """``/documented.sh``, the commands of docs/office.md."""
    setting_up = _section("office.md", "Setting up")
    stop, restore = _blocks(_section("office.md", "Restoring"), "sh")
    script = f"install_office() {{\n{_command(setting_up, 'watchlink central install')}\n}}\n"
    script += _noting("stop_for_restore", stop) + _noting("restore", restore)
    return {
        written(folder / "documented.sh", script): "/documented.sh",
        # A child that Python starts finds our packages, as in an environment of its own.
        written(folder / "watchlink.pth", "/opt/watchlink/lib\n"): "/usr/lib/python3/dist-packages/watchlink.pth",
    }


def office_libraries(folder: Path) -> dict[Path, str]:
    """Copies, compiled as after any installation; writable, for where that cannot be root's first command does it.

    With allauth's own metadata, which it reads.
    """
    named = installed("allauth").with_name(f"django_allauth-{version('django-allauth')}.dist-info")
    packages = (*(REPOSITORY / name for name in _PACKAGES), *map(installed, _LOCKED), named)
    found = {copied(one, folder / "office-lib" / one.name): f"/opt/watchlink/lib/{one.name}" for one in packages}
    copied(UNITS, folder / "office-lib/installation/systemd")  # as the wheel has them
    compiled(folder / "office-lib")
    return found


def _section(page: str, title: str) -> str:
    text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def _blocks(text: str, kind: str) -> list[str]:
    return [dedent(body) for found, body in _BLOCK.findall(text) if found == kind]


def _command(text: str, beginning: str) -> str:
    """The documented command that begins so, with this boot's own town."""
    lines = [line for block in _blocks(text, "sh") for line in block.splitlines() if line.startswith(beginning)]
    return lines[0].replace("town.tar", "/town.tar")


def _noting(name: str, commands: str) -> str:
    """A function whose commands each add their status to a file, as a person sees them."""
    for placeholder, ours in _OURS.items():
        commands = re.sub(rf"(?<![\w.-]){re.escape(placeholder)}\b", ours, commands)
    lines = commands.splitlines()
    noted = "\n".join(f"{re.sub(' +#.*', '', line)}\necho $? >>/proof/restoring" for line in lines if line)
    return f"{name}() {{\n{noted}\n}}\n"
