"""Reading the public key that another program of the town has made: a private or a mistaken one is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

from provisioning.errors import FleetInputError
from provisioning.folder import FleetFolder
from wire.errors import DecodeError
from wire.signing import KEY_BYTES, PublicKey, SigningKey

_KEY_FILE_BYTES_MAX: Final = 4_096
_FIELD_PRIME: Final = 2**255 - 19


class KeyOwner(Struct, frozen=True):
    """Whose key is wanted.

    Attributes:
        who: ``the office``.
        harm: what somebody with the private key can do.
        file: name of the file with the public key.
    """

    who: str
    harm: str
    file: str


def read_public_key(path: Path, folder: FleetFolder, owner: KeyOwner) -> bytes:
    """The public key, 32 raw bytes, from the file that its owner made.

    Raises:
        FleetInputError: not such a file: unreadable, a private key, or somebody else's in this fleet.
    """
    try:
        with path.open("rb") as source:
            data = source.read(_KEY_FILE_BYTES_MAX)
    except OSError as e:
        raise FleetInputError(f"{path} cannot be read: {e.strerror}.") from e
    if b"PRIVATE KEY" in data:
        raise _private(path, owner)
    try:
        raw = bytes.fromhex(data.decode("ascii").strip())
        named = PublicKey(raw) if len(raw) == KEY_BYTES else None
    except DecodeError as e:
        raise FleetInputError(
            f"{path} holds a key with which anybody could sign. Have {owner.who} make a new one."
        ) from e
    except ValueError:
        named = None
    if named is None:
        raise FleetInputError(f"{path} does not hold a key of 64 hexadecimal digits: give {owner.who}'s {owner.file}.")
    known = _others_keys(folder, owner)
    public_half = SigningKey(raw).public.raw
    if path.suffix == ".key" or public_half in known or public_half.hex() in _public_keys_beside(path):
        raise _private(path, owner)
    if raw in known:
        raise FleetInputError(f"{path} holds the key of {known[raw]}, not {owner.who}'s: give its {owner.file}.")
    if not _is_on_curve(raw):
        raise FleetInputError(
            f"{path} holds no public key. If it is a private one, delete this copy; give {owner.who}'s {owner.file}."
        )
    return raw


def _private(path: Path, owner: KeyOwner) -> FleetInputError:
    return FleetInputError(
        f"{path} holds a PRIVATE key. Nothing was changed. Delete this copy, it must not leave {owner.who}:"
        f" whoever has it can {owner.harm}. Give {owner.file} instead."
    )


def _others_keys(folder: FleetFolder, owner: KeyOwner) -> dict[bytes, str]:
    record = folder.record
    keys = {bytes.fromhex(node.key): f"node {node.node}" for node in record.nodes}
    keys |= {key.public.raw: "the office" for key in record.office.keys}
    if record.delegation is not None and record.delegation.key:
        keys[bytes.fromhex(record.delegation.key)] = "the delegate"
    keys[bytes.fromhex(record.central.key)] = "central"
    keys[folder.authority_public().raw] = "this fleet's authority"
    return {key: who for key, who in keys.items() if who != owner.who}


def _public_keys_beside(path: Path) -> set[str]:
    found = set()
    for file in path.parent.glob("*.pub"):
        try:
            found.add(file.read_text("ascii")[:_KEY_FILE_BYTES_MAX].strip().lower())
        except (OSError, UnicodeDecodeError):
            continue
    return found


def _is_on_curve(key: bytes) -> bool:
    """Whether the bytes are a point of Ed25519 (RFC 8032, section 5.1.3), as only half of all bytes are."""
    p = _FIELD_PRIME
    y = int.from_bytes(key, "little") & (1 << 255) - 1
    d = -121665 * pow(121666, -1, p) % p
    square = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
    return y < p and pow(square, (p - 1) // 2, p) in {0, 1}
