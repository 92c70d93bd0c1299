"""Whether the office can answer nodes: what its machine port cannot be without."""

from __future__ import annotations

import stat
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Final

from installation import places
from installation.expiring import CARRY, certificate
from installation.findings import Finding, bad, good, why
from installation.machine import Machine
from installation.places import Parts

_ABOUT: Final = "machine port"
_CERTIFICATE: Final = "machine port's certificate"
_ISSUER: Final = "issuer of units' pages"
_ISSUERS: Final = "Run 'watchlink fleet page-issuer' where the fleet is, and carry it here: see docs/office.md."
_REPORTED: Final = f"{places.OFFICE}/nodes/state/nodes.sqlite3"
_CREDENTIALS: Final = "/run/credentials/watchlink-office-nodes.service/"
_GIVEN_FROM: Final = f"{places.OFFICE}/publisher"
"""Where systemd takes the credentials from that are certificates."""
_TO_DO: Final = "See 'Galleries for nodes' in docs/office.md, then run 'watchlink central install' again."
_OFFICES: Final = f"Run 'watchlink fleet office-certificate' {CARRY}"


def machine_port(machine: Machine, parts: Parts, now: datetime) -> list[Finding]:
    """Its configuration and its certificate. That it runs is told with the other units."""
    if not parts.office:
        return []
    if machine.path(places.OFFICE_NODES_TOML).exists():
        return _configured(machine, now)
    if machine.path(_REPORTED).exists():
        text = f"{places.OFFICE_NODES_TOML} is missing: no unit is answered, and galleries go off in shops"
        return [bad(_ABOUT, text, f"Write it again. {_TO_DO}")]
    return [good(_ABOUT, "off: no shop has a gallery")]


def _configured(machine: Machine, now: datetime) -> list[Finding]:
    file = machine.path(places.OFFICE_NODES_TOML)
    if not file.stat().st_mode & stat.S_IROTH:
        text = f"{places.OFFICE_NODES_TOML} has no secrets, and pages and publisher may not read it"
        return [bad(_ABOUT, text, f"Run 'chmod 644 {places.OFFICE_NODES_TOML}'.")]
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        return [bad(_ABOUT, f"{places.OFFICE_NODES_TOML} cannot be read: {why(e)}", _TO_DO)]
    return [_own(machine, file, tables.get("web", {}), now), *_page_issuer(file, tables.get("pages", {}), now)]


def _own(machine: Machine, file: Path, web: object, now: datetime) -> Finding:
    named = web.get("certificate_file", "server.pem") if isinstance(web, dict) else ""
    if not isinstance(named, str) or not named:
        return bad(_ABOUT, f"{places.OFFICE_NODES_TOML}: key web.certificate_file is no file", _TO_DO)
    given = named.removeprefix(_CREDENTIALS)
    path = machine.path(f"{_GIVEN_FROM}/{given}") if given != named else file.parent / named
    if not path.exists():
        return bad(_CERTIFICATE, f"{path.name} is missing: no unit can ask", _OFFICES)
    return certificate(_CERTIFICATE, path, now, _OFFICES)


def _page_issuer(file: Path, pages: object, now: datetime) -> list[Finding]:
    """What signs certificates of units' pages in shops: the fleet gives it to this machine."""
    named = pages.get("certificate_file", "") if isinstance(pages, dict) else ""
    if not isinstance(named, str) or not named:
        text = f"{places.OFFICE_NODES_TOML} names none under [pages]: no tablet can open its unit's page"
        return [bad(_ISSUER, text, _ISSUERS)]
    path = file.parent / named
    if not path.exists():
        return [bad(_ISSUER, f"{path.name} is missing: the machine port does not start", _ISSUERS)]
    return [certificate(_ISSUER, path, now, _ISSUERS)]
