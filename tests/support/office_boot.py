"""The office in a booted Debian: its programs, and docs/office.md as a script that does what a reader would do."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from textwrap import dedent
from typing import Final

from tests.support.booted_system import REPOSITORY, SYSTEM, UNITS, copied, installed, written

STATE: Final = "/var/lib/watchlink-office"
CENTRAL_TOML: Final = f'\n[office]\nurl = "http://localhost:8090/"\nsnapshots = "{STATE}/snapshots"\n'
"""What step 7 has written into ``central.toml``."""
_PACKAGES: Final = ("office", "provisioning")
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
_IN_LINE: Final = re.compile(r"`((?:systemd-|systemctl |watchlink )[^`]+)`")
_BLOCK: Final = re.compile(r"```(\w+)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def office_mounts(folder: Path) -> dict[Path, str]:
    """Units, users, folders, ``/office.toml`` and ``/documented.sh``, as docs/office.md has them."""
    setting_up, restoring = _section("Setting up"), _section("Restoring")
    (toml,) = _blocks(setting_up, "toml")
    users, found, owners, start = _IN_LINE.findall(setting_up)
    stop, restore = _blocks(restoring, "sh")
    (papers,) = _blocks(setting_up, "sh")
    steps = {
        "make_users": users,
        "found_office": found,
        "give_owners": owners,
        "start_office": start,
        "start_papers": papers,
    }
    script = "".join(f"{name}() {{\n{text}\n}}\n" for name, text in steps.items())
    script += _noting("stop_for_restore", stop) + _noting("restore", restore)
    return {
        written(folder / "office.toml", toml): "/office.toml",
        written(folder / "documented.sh", script): "/documented.sh",
        # A child that Python starts finds our packages, as in an environment of its own.
        written(folder / "watchlink.pth", "/opt/watchlink/lib\n"): "/usr/lib/python3/dist-packages/watchlink.pth",
        **{
            UNITS / f"watchlink-{unit}.service": f"{SYSTEM}/watchlink-{unit}.service"
            for unit in ("office", "office-publish", "office-papers")
        },
        **{
            UNITS / f"{kind}.d/watchlink-office.conf": f"/etc/{kind}.d/watchlink-office.conf"
            for kind in ("sysusers", "tmpfiles")
        },
    }


def office_libraries(folder: Path) -> dict[Path, str]:
    """Copies that may be written to: root's first command leaves its bytecode there, as after any installation.

    With allauth's own metadata, which it reads.
    """
    named = installed("allauth").with_name(f"django_allauth-{version('django-allauth')}.dist-info")
    packages = (*(REPOSITORY / name for name in _PACKAGES), *map(installed, _LOCKED), named)
    return {copied(one, folder / "office-lib" / one.name): f"/opt/watchlink/lib/{one.name}" for one in packages}


def _section(title: str) -> str:
    text = (REPOSITORY / "docs/office.md").read_text(encoding="utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def _blocks(text: str, kind: str) -> list[str]:
    return [dedent(body) for found, body in _BLOCK.findall(text) if found == kind]


def _noting(name: str, commands: str) -> str:
    """A function whose commands each add their status to a file, as a person sees them."""
    lines = commands.replace("FILE", f"{STATE}/office.toml").splitlines()
    noted = "\n".join(f"{re.sub(' +#.*', '', line)}\necho $? >>/proof/restoring" for line in lines if line)
    return f"{name}() {{\n{noted}\n}}\n"
