"""A node's settings, signed for it by the authority: licence, transmit key, hardware profile and words (ADR 0032)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from provisioning.errors import FleetInputError
from provisioning.folder import FleetFolder
from provisioning.layout import PROFILES
from provisioning.records import NodeRecord
from runtime.config import ConfigError, load_toml
from wire.node_settings import NodeSettings, PttSetting, Words, objection

AS_INSTALLED: Final = "as in its own file"
_WAYS: Final = "gpio:12, serial-rts:/dev/ttyUSB0 or cm108:/dev/hidraw0:3"
_NAMES: Final = {"licence": "licence", "profile": "profile", "ptt": "transmit key", "words": "words"}


class Wish(Struct, frozen=True):
    """What is to be changed; ``None`` = stays as it is.

    Attributes:
        licence: empty = the node only listens.
        is_reset: first of all, everything is again as the node's own file says.
    """

    licence: str | None = None
    profile: str | None = None
    ptt: PttSetting | None = None
    words: Words | None = None
    is_reset: bool = False


def ptt_of(text: str) -> PttSetting:
    """The line that ``--ptt`` names.

    Raises:
        FleetInputError: it names none.
    """
    method, _, rest = text.partition(":")
    device, _, pin = rest.rpartition(":") if rest.count(":") else (rest, "", "")
    if method == "gpio" and rest.isdecimal():
        return PttSetting(method=method, gpio=int(rest))
    if method == "serial-rts" and rest:
        return PttSetting(method=method, serial=rest)
    if method == "cm108" and rest and (not pin or pin.isdecimal()):
        return PttSetting(method=method, hidraw=device, cm108_pin=int(pin or 3))
    raise FleetInputError(f"--ptt {text!r} names no transmit key: write {_WAYS}.")


def words_of(file: Path) -> Words:
    """The words in a TOML file; docs/configuration.md shows the keys.

    Raises:
        FleetInputError: it cannot be read, or says something else.
    """
    try:
        return load_toml(file, Words)
    except ConfigError as e:
        raise FleetInputError(f"{e}.") from e


def wished(node: NodeRecord, wish: Wish, now: datetime) -> NodeSettings:
    """The node's next settings.

    Raises:
        FleetInputError: the node is revoked, or no node could be so.
    """
    if node.revoked_at is not None:
        raise FleetInputError(f"{node.node} ({node.premises}) is revoked: it takes no settings.")
    if wish.profile is not None and wish.profile not in PROFILES:
        raise FleetInputError(f"No hardware profile {wish.profile!r}. Choose one of: {', '.join(PROFILES)}.")
    before = node.settings
    # By the clock, so that a fleet restored from an old copy does not repeat a serial that the node has seen.
    serial = max(int(now.timestamp()), before.serial + 1 if before is not None else 1)
    base = NodeSettings(node=node.node, serial=serial, made_at=now)
    if before is not None and not wish.is_reset:
        base = replace(before, serial=serial, made_at=now)
    set_anew = {name: value for name in _NAMES if (value := getattr(wish, name)) is not None}
    settings = replace(base, **set_anew)
    if problem := objection(settings):
        raise FleetInputError(f"{problem[:1].upper()}{problem[1:]}. Nothing was signed.")
    return settings


def differences(before: NodeSettings | None, after: NodeSettings) -> list[str]:
    """What changes, a line each, for the person who signs; empty = nothing."""
    lines = []
    for name, title in _NAMES.items():
        old, new = _shown(getattr(before, name, None)), _shown(getattr(after, name))
        if old != new:
            lines.append(f"{title}: {old} → {new}")
    return lines


def described(settings: NodeSettings) -> list[str]:
    """What is set, a line each."""
    return [f"{title}: {_shown(getattr(settings, name))}" for name, title in _NAMES.items()]


def _shown(value: str | PttSetting | Words | None) -> str:
    if isinstance(value, PttSetting):
        rest = {"gpio": value.gpio, "serial-rts": value.serial}.get(value.method, f"{value.hidraw}:{value.cm108_pin}")
        return f"{value.method}:{rest}"
    if isinstance(value, Words):
        said = {name: text for name, text in asdict(value).items() if text is not None}
        return ", ".join(f"{name} “{text}”" for name, text in said.items()) or "as usual"
    if value is None:
        return AS_INSTALLED
    return value or "none, so it only listens"


def sign(folder: FleetFolder, settings: NodeSettings) -> None:
    """Record and sign them, for central to pass on.

    Raises:
        FleetInputError: somebody else has changed the node meanwhile; nothing was signed.
        FleetDamagedError: the authority's key is missing or unusable.
    """
    with folder.changing():
        node = folder.record.node(settings.node)
        if node.revoked_at is not None or (node.settings is not None and node.settings.serial >= settings.serial):
            raise FleetInputError(f"{node.node} was changed meanwhile. Nothing was signed: look at it again.")
        folder.commit(folder.record.with_node(msgspec.structs.replace(node, settings=settings)))
        folder.publish()
