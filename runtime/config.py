"""TOML → frozen, checked objects. A mistake names the file, the key and what is allowed."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import msgspec

C = TypeVar("C", bound="msgspec.Struct")


class ConfigError(ValueError):
    """The configuration cannot be used; the message says which key in which file, and what is allowed."""


def load_toml(path: Path, kind: type[C]) -> C:
    """Read ``path`` as a ``kind``; every key must be known and of its type.

    Raises:
        ConfigError: unreadable, not TOML, an unknown key, a missing key, a value out of bounds.
    """
    import msgspec  # noqa: PLC0415 - two fifths of the time of `watchlink node unkey`, which needs the error alone

    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise ConfigError(f"{path}: cannot be read: {e.strerror}") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path}: not TOML: {e}") from e
    _refuse_unknown(path, raw, kind, "")
    try:
        return msgspec.convert(raw, kind, strict=True)
    except msgspec.ValidationError as e:
        what, _, where = str(e).partition(" - at ")
        key = where.strip("`").removeprefix("$").removeprefix(".")
        raise ConfigError(f"{path}: {f'key {key}: ' if key else ''}{what}") from e


def _refuse_unknown(path: Path, raw: dict[str, Any], kind: type[msgspec.Struct], prefix: str) -> None:
    import msgspec  # noqa: PLC0415 - as above

    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for key, value in raw.items():
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"{path}: unknown key {prefix}{key}{hint} (allowed here: {', '.join(sorted(fields))})")
        nested = fields[key].type
        if isinstance(nested, type) and issubclass(nested, msgspec.Struct) and isinstance(value, dict):
            _refuse_unknown(path, value, nested, f"{prefix}{key}.")
