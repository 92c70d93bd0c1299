"""Keys as files: 64 hexadecimal digits, read once at a program's start."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from runtime.config import ConfigError
from wire.signing import KEY_BYTES

_KEY_FILE_BYTES_MAX: Final = 1_024


def read_key(file: Path, what: str) -> bytes:
    """The 32 bytes of a key file.

    Args:
        file: with 64 hexadecimal digits.
        what: begins the sentence of an error: the configuration and its key.

    Raises:
        ConfigError: it cannot be read or does not hold 64 hexadecimal digits.
    """
    try:
        with file.open("rb") as source:
            raw = bytes.fromhex(source.read(_KEY_FILE_BYTES_MAX).decode("ascii").strip())
    except OSError as e:
        raise ConfigError(f"{what}: {file} cannot be read: {e.strerror}") from e
    except ValueError as e:
        raise ConfigError(f"{what}: {file} does not hold {2 * KEY_BYTES} hexadecimal digits") from e
    if len(raw) != KEY_BYTES:
        raise ConfigError(f"{what}: {file} does not hold {2 * KEY_BYTES} hexadecimal digits")
    return raw
