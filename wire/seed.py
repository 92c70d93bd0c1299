"""The seed: what a new node needs to claim its identity, as a file on its card (``watchlink-seed.json``).

It holds the claim code, so it is a secret until the node is claimed, and the node deletes it then. People carry, copy
and correct it by hand, on any system: what is wrong is told in a sentence for them.

Nothing in it has to be believed later: the enrolment service is pinned by the root's fingerprint, and the directory by
the authority's key, so that whoever runs that service cannot make a node a member of another town.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Final, Literal

import msgspec

from wire.claim_code import ClaimCodeError, read_claim_code
from wire.errors import DecodeError
from wire.gallery_paths import MACHINE_PORT
from wire.messages import NodeText
from wire.signing import PublicKey

SEED_FILE: Final = "watchlink-seed.json"
SEED_BYTES_MAX: Final = 16_384
ENROLMENT_PORT: Final = 8443
"""Where the enrolment service listens, unless the fleet says otherwise."""
ROOTS_MAX: Final = 4
SSID_BYTES_MAX: Final = 32
"""IEEE 802.11, "SSID element"."""

_MISSING = re.compile(r"missing required field `(\w+)`")
_PATH = re.compile(r"at `\$\.([\w.]+)")
_HOST = re.compile(r"[A-Za-z0-9:]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?")
_PASSPHRASE = re.compile(r"[ -~]{8,63}|[0-9a-fA-F]{64}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_KEY = re.compile(r"[0-9a-f]{64}")


class SeedError(DecodeError):
    """A file that is no seed. Neither the code nor the Wi-Fi's password is in the text, which goes to logs.

    Attributes:
        sentence: for whoever made the seed.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(reason, detail=sentence)
        self.sentence = sentence


class SeedPart(msgspec.Struct, frozen=True, kw_only=True):
    """Base of a seed's parts. A field that a later version adds is skipped."""


class EnrolmentAddress(SeedPart, frozen=True, kw_only=True):
    """Where the enrolment service is."""

    host: str
    """A name or an address."""
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = ENROLMENT_PORT


class OfficeAddress(SeedPart, frozen=True, kw_only=True):
    """Where the office's machine port is, which the unit's gallery asks."""

    host: str
    """A name or an address."""
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = MACHINE_PORT


class WiFi(SeedPart, frozen=True, kw_only=True):
    """The premises' Wi-Fi, with WPA2 or WPA3."""

    name: str
    """1 to 32 bytes of UTF-8."""
    password: str
    """8 to 63 ASCII characters, or the key itself as 64 hexadecimal digits (IEEE 802.11, J.4)."""
    country: str = "GB"
    """ISO 3166: which channels may be used."""


class Seed(SeedPart, frozen=True, kw_only=True):
    """The whole of the seed."""

    format: Literal[1] = 1
    node: NodeText
    """The number that the claim is for."""
    claim: str
    """As :func:`wire.claim_code.claim_code` writes it; read however it was typed."""
    enrolment: EnrolmentAddress
    ca_sha256: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=ROOTS_MAX)]
    """SHA-256 of the DER certificates of the roots, 64 hexadecimal digits each: the service's chain ends in one."""
    authority: str
    """Ed25519 public key of the authority, 64 hexadecimal digits: who signs the directory."""
    wifi: WiFi | None = None
    office: OfficeAddress | None = None
    """Without it the unit has no gallery."""


def encode_seed(seed: Seed) -> bytes:
    """As JSON, readable by people.

    Raises:
        SeedError: ``seed``: it is not fit for a node.
    """
    return msgspec.json.format(msgspec.json.encode(_checked(seed)), indent=2) + b"\n"


def decode_seed(data: bytes) -> Seed:
    """Read a seed, with its claim as :func:`wire.claim_code.claim_code` writes it.

    Raises:
        SeedError: ``seed``: it is none; says what is wrong.
    """
    if len(data) > SEED_BYTES_MAX:
        raise SeedError("seed", "The seed is far too large: make it again.")
    try:
        # An editor of Windows begins the file with a mark.
        fields = json.loads(data.decode("utf-8-sig"))
    except json.JSONDecodeError as e:
        # Of json, because it says the line.
        raise SeedError(
            "seed", f"The seed cannot be read: look for a missing quote or comma in line {e.lineno}."
        ) from e
    except (ValueError, RecursionError) as e:
        raise SeedError("seed", "The seed is damaged: make it again.") from e
    try:
        return _checked(msgspec.convert(fields, Seed))
    except msgspec.ValidationError as e:
        raise SeedError("seed", _field_sentence(str(e))) from e


def _field_sentence(error: str) -> str:
    missing, path = _MISSING.search(error), _PATH.search(error)
    if missing:
        return f"The seed lacks {missing[1]}: make it again."
    return f"The seed has a mistake in {path[1]}: make it again." if path else "This is no seed."


def _checked(seed: Seed) -> Seed:
    """The same, with the claim as it is written.

    Raises:
        SeedError: ``seed``: a field cannot be used.
    """
    try:
        claim = read_claim_code(seed.claim)
    except ClaimCodeError as e:
        raise SeedError("seed", e.sentence) from e
    if not _HOST.fullmatch(seed.enrolment.host):
        raise SeedError("seed", "The enrolment service's host must be a name or an address.")
    if seed.office is not None and not _HOST.fullmatch(seed.office.host):
        raise SeedError("seed", "The office's host must be a name or an address.")
    if not all(_KEY.fullmatch(one) for one in seed.ca_sha256):
        raise SeedError("seed", "Each fingerprint of the CA must have 64 digits from 0 to 9 and a to f.")
    if not _KEY.fullmatch(seed.authority):
        raise SeedError("seed", "The authority's key must have 64 digits from 0 to 9 and a to f.")
    try:
        PublicKey(bytes.fromhex(seed.authority))
    except DecodeError as e:
        raise SeedError("seed", "The authority's key cannot be used: make the seed again.") from e
    if seed.wifi is not None:
        _check_wifi(seed.wifi)
    return msgspec.structs.replace(seed, claim=claim)


def _check_wifi(wifi: WiFi) -> None:
    if not 1 <= len(wifi.name.encode(errors="surrogatepass")) <= SSID_BYTES_MAX or not wifi.name.isprintable():
        raise SeedError("seed", f"The Wi-Fi's name must have 1 to {SSID_BYTES_MAX} bytes, without control characters.")
    if not _PASSPHRASE.fullmatch(wifi.password):
        raise SeedError("seed", "The Wi-Fi's password must have 8 to 63 letters, digits and signs, without accents.")
    if not _COUNTRY.fullmatch(wifi.country):
        raise SeedError("seed", "The Wi-Fi's country must be two capitals, such as GB.")
