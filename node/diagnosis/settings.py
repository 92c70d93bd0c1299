"""``node.toml`` as the engineer may see it: each known key, and of its value what cannot name anything."""

from __future__ import annotations

import ipaddress
import re
import tomllib
import typing
from pathlib import Path
from typing import Any, Final

import msgspec

from node.config import NodeFile
from node.hw.profiles import PROFILES

_SET: Final = "(set, left out)"
_NAMING: Final = re.compile(r"^\s*(?:premises|place|host|licence|neutral_phrase)\s*=\s*[\"'](.*?)[\"']", re.MULTILINE)
_NODE_ID: Final = re.compile(r"[0-9a-f]{8}")
_FILES: Final = frozenset(
    {"client.pem", "client.key", "ca.pem", "signing.key", "authority.pub", "directory.json", "board.sock"}
)
"""As the fleet names them."""
_VOICE: Final = re.compile(r"en(-[a-z]{2,10}){0,2}")


def settings(config_file: Path) -> dict[str, object]:
    """Every known key that is set, flat (``radio.sound.input``), and how many unknown ones there are.

    Raises:
        OSError: it cannot be read.
    """
    text = config_file.read_text(encoding="utf-8", errors="replace")
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        where = re.search(r"\(at line \d+, column \d+\)", str(e))
        return {"not TOML": where[0] if where else "(at the end)", "lines": text.count("\n")}
    found: dict[str, object] = {}
    unknown = _walk(raw, NodeFile, "", found)
    return {**found, "unknown keys": unknown}


def names_in(config_file: Path) -> list[str]:
    """What the file calls people's places, even one that is no TOML any more."""
    try:
        return _NAMING.findall(config_file.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return []


def _walk(raw: dict[str, Any], kind: type[msgspec.Struct], prefix: str, found: dict[str, object]) -> int:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    unknown = 0
    for key, value in raw.items():
        if key not in fields:
            unknown += 1
            continue
        nested = fields[key].type
        if isinstance(nested, type) and issubclass(nested, msgspec.Struct):
            unknown += _walk(value, nested, f"{prefix}{key}.", found) if isinstance(value, dict) else 1
        else:
            found[f"{prefix}{key}"] = _seen(f"{prefix}{key}", value, fields[key])
    return unknown


def _seen(key: str, value: object, field: Any) -> object:  # noqa: ANN401 - msgspec's FieldInfo
    if isinstance(value, bool | int | float):
        return value
    if key == "identity.schemes" and isinstance(value, list):
        return [number for number in value if isinstance(number, int)]
    if not isinstance(value, str):
        return _SET
    if value in {"", field.default} or value in typing.get_args(field.type) or _is_plain(key, value):
        return value
    return _host(value) if key == "mqtt.host" else _SET


def _is_plain(key: str, value: str) -> bool:
    """Values whose whole range is known."""
    match key:
        case "identity.node":
            return _NODE_ID.fullmatch(value) is not None
        case "hardware.profile":
            return value in PROFILES
        case "radio.speech.voice":
            return _VOICE.fullmatch(value) is not None
        case "radio.ptt.serial" | "radio.ptt.hidraw" | "radio.tnc.port":
            return re.fullmatch(r"/dev/(tty(USB|ACM|AMA|S)\d{1,2}|hidraw\d{1,2}|watchlink-ptt)", value) is not None
        case "hardware.fake_socket":
            return value in _FILES
        case _:
            return key.endswith("_file") and value in _FILES


def _host(value: str) -> str:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return "(a name, left out)"
    kind = "loopback" if address.is_loopback else "private" if address.is_private else "public"
    return f"(a {kind} IPv{address.version} address, left out)"
