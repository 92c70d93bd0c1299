"""Snapshots: what the office publishes, numbered and signed, for central, the fleet and later the nodes.

A snapshot is a file ``NAME-NUMBER.json``, or the same bytes over HTTPS. Whoever uses one verifies it with a key that
the signed directory lists, keeps the last good one, and refuses a lower number: numbers never go back. What a snapshot
says replaces the one before as a whole.

It is bounded, then read in parts (:mod:`wire.entry_lists`). Entries hold nothing that refers back to them and are left
out of the collection of cycles (``gc=False``), which would look through all of them several times while they are made.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Struct

from wire.entry_lists import EntryList, no_rest
from wire.errors import EncodeError, SignatureInvalidError, SnapshotError, WireError
from wire.limits import DETAIL_CHARS_MAX, SCHEMES_PER_NODE_MAX, SNAPSHOT_BYTES_MAX, TEXT_CHARS_MAX
from wire.messages import Count, Message, Moment, Name, SchemeNumber, Slug, settle_moments
from wire.signing import SNAPSHOT_DOMAIN, PublicKey, SigningKey
from wire.text import display_text

SnapshotName = Literal["people", "premises", "rota"]
AccountId = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
"""Of a person's account at the office; never used again for somebody else."""
PremisesId = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
"""Of a premises at the office; never used again for another."""
SessionId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
"""Of a session at the office: 16 random bytes. It names the session and opens nothing."""
HexDigest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
"""SHA-256."""
Notes = Annotated[str, msgspec.Meta(max_length=2_000)]

RoleSlug = Literal[
    "co-ordinator", "cctv", "pcso", "duty-sergeant", "duty-officer", "police", "fleet-engineer", "members-contact"
]
"""What a person is in a scheme (C2). The first six are also those of :class:`wire.kinds.Role`, who may answer."""

AnsweringRole = Literal["co-ordinator", "cctv", "pcso", "duty-sergeant", "duty-officer", "police"]
"""Who can be on duty: a name of :class:`wire.kinds.Role`."""
Way = Literal["push", "sms", "email"]
"""How somebody is asked who has no page open: a message to their phone's installed page, a text message, an e-mail."""

ENDED_SESSIONS_MAX: Final = 64
"""Of one person. With more, the office raises the person's generation, which ends them all."""
PASSKEYS_MAX: Final = 16
PRINTED_CODES_MAX: Final = 10
SECOND_FACTORS_MAX: Final = 4
ENTRIES_MAX: Final = 20_000
SHIFTS_MAX: Final = 20_000
POLICIES_MAX: Final = 256
STEPS_MAX: Final = 8
WAYS_MAX: Final = 4
STEP_S_MIN: Final = 15
STEP_S_MAX: Final = 3_600
GONE_MAX: Final = 5_000
TOLD_MAX: Final = 16
"""Members' contacts of one premises."""

_FILE_NAME: Final = re.compile(r"(people|premises|rota)-([1-9][0-9]{0,15})\.json")


class AuditHead(Message, frozen=True):
    """The newest row of the office's audit, so that a cut tail shows: the head never goes back."""

    sequence: Count
    """Number of the row; 0 = there is none."""
    digest: HexDigest
    """Its hash; 64 zeros if there is none."""


class RoleEntry(Message, frozen=True, gc=False):
    """A role in schemes."""

    role: RoleSlug
    schemes: Annotated[tuple[SchemeNumber, ...], msgspec.Meta(min_length=1, max_length=SCHEMES_PER_NODE_MAX)]


class PasskeyEntry(Message, frozen=True, gc=False):
    """A passkey, enough to verify that a person has it."""

    credential: Annotated[bytes, msgspec.Meta(min_length=1, max_length=1_023)]
    """Credential id (WebAuthn Level 2, section 4)."""
    public_key: Annotated[bytes, msgspec.Meta(min_length=1, max_length=2_048)]
    """COSE_Key, as CBOR (RFC 9052, section 7)."""


class WayEntry(Message, frozen=True, gc=False):
    """How a person is reached who has no page open. Push is not listed: central's own page asks for it."""

    way: Literal["sms", "email"]
    to: Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
    """A telephone number as E.164, ``+441164960000``; or an address (RFC 5321, section 4.5.3.1.3)."""


class PersonEntry(Message, frozen=True, gc=False):
    """A person with an account. Whoever is not listed has none, and every session of theirs is over."""

    account: AccountId
    username: Name
    name: Name
    """For people: as it is recorded with what they do."""
    roles: Annotated[tuple[RoleEntry, ...], msgspec.Meta(max_length=16)] = ()
    generation: Count = 1
    """Of their sessions. It rises when all of them must end: a new password, a lost phone, "sign out everywhere". A
    session of an earlier generation is over, whatever any clock says."""
    ended_sessions: Annotated[tuple[SessionId, ...], msgspec.Meta(max_length=ENDED_SESSIONS_MAX)] = ()
    """Of this generation, ended one by one."""
    passkeys: Annotated[tuple[PasskeyEntry, ...], msgspec.Meta(max_length=PASSKEYS_MAX)] = ()
    printed_codes: Annotated[tuple[HexDigest, ...], msgspec.Meta(max_length=PRINTED_CODES_MAX)] = ()
    """Digests of one-time codes on paper (:mod:`wire.printed_codes`), for the day on which all else fails."""
    second_factors: Annotated[tuple[HexDigest, ...], msgspec.Meta(max_length=SECOND_FACTORS_MAX)] = ()
    """Digests of how the office keeps the person's authenticator app and recovery codes. For the office alone: restored
    from a backup, it sees which of them were removed, replaced or used since."""
    ways: Annotated[tuple[WayEntry, ...], msgspec.Meta(max_length=WAYS_MAX)] = ()
    """All are used at the same time. In the order in which the person entered them."""


class GoneEntry(Message, frozen=True, gc=False):
    """Something of the office's register that was erased or hidden. It says nothing of anybody."""

    kind: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    """``individual``, ``case``, ``photograph``, ``request``; ``hidden`` = a case that shops are not shown any more;
    ``shortened`` = a case."""
    row: Count
    """Its number in the office's database."""


class People(Message, frozen=True):
    """Snapshot ``people``."""

    number: Count
    made_at: Moment
    """By the office's clock: for people only, nothing is decided by it."""
    audit: AuditHead
    ticket_key: bytes
    """Ed25519 public key of the program that signs tickets (:mod:`wire.tickets`), 32 raw bytes."""
    people: Annotated[tuple[PersonEntry, ...], msgspec.Meta(max_length=ENTRIES_MAX)]
    gone: Annotated[tuple[GoneEntry, ...], msgspec.Meta(max_length=GONE_MAX)] = ()
    """In the last 400 days. For the office alone: restored from a backup, it erases and hides again."""

    def __post_init__(self) -> None:
        settle_moments(self, "made_at")
        if len({person.account for person in self.people}) != len(self.people):
            raise ValueError("an account is listed twice")
        if len({person.username for person in self.people}) != len(self.people):
            raise ValueError("a username is listed twice")


class ContactEntry(Message, frozen=True, gc=False):
    """A person to reach at a premises."""

    name: Name
    phone: Annotated[str, msgspec.Meta(max_length=32)] = ""
    is_key_holder: bool = False
    note: Annotated[str, msgspec.Meta(max_length=TEXT_CHARS_MAX)] = ""
    """How and when to reach them."""


class Place(Message, frozen=True, gc=False):
    """Where on the map, WGS 84."""

    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]


class PremisesEntry(Message, frozen=True, gc=False):
    """A premises of a member. Shown only to people of one of its schemes."""

    premises: PremisesId
    name: Name
    schemes: Annotated[tuple[SchemeNumber, ...], msgspec.Meta(min_length=1, max_length=SCHEMES_PER_NODE_MAX)]
    place: Name = ""
    """Street or area, as on screens."""
    address: Annotated[str, msgspec.Meta(max_length=TEXT_CHARS_MAX)] = ""
    position: Place | None = None
    opening_hours: Annotated[str, msgspec.Meta(max_length=TEXT_CHARS_MAX)] = ""
    staff_contact: Annotated[str, msgspec.Meta(max_length=TEXT_CHARS_MAX)] = ""
    """How staff may be reached during an alert."""
    when_going: Notes = ""
    """What to know when going there: back door, dog, step."""
    contacts: Annotated[tuple[ContactEntry, ...], msgspec.Meta(max_length=16)] = ()
    alerts_to: Annotated[tuple[AccountId, ...], msgspec.Meta(max_length=TOLD_MAX)] = ()
    """Members' contacts who chose to be told of alerts here. They are in ``people``, with their ways."""
    faults_to: Annotated[tuple[AccountId, ...], msgspec.Meta(max_length=TOLD_MAX)] = ()
    """Those who chose to be told of faults of its unit."""


class Premises(Message, frozen=True):
    """Snapshot ``premises``: what the office proposes. Which node stands where, the signed directory says."""

    number: Count
    made_at: Moment
    audit: AuditHead
    premises: Annotated[tuple[PremisesEntry, ...], msgspec.Meta(max_length=ENTRIES_MAX)]

    def __post_init__(self) -> None:
        settle_moments(self, "made_at")
        if len({one.premises for one in self.premises}) != len(self.premises):
            raise ValueError("a premises is listed twice")


class ShiftEntry(Message, frozen=True, gc=False):
    """A person is to be on duty: what the rota, its overrides and swaps come to. ``[begins_at, ends_at)``."""

    role: AnsweringRole
    scheme: SchemeNumber
    account: AccountId
    begins_at: Moment
    ends_at: Moment

    def __post_init__(self) -> None:
        settle_moments(self, "begins_at", "ends_at")
        if self.ends_at <= self.begins_at:
            raise ValueError("a shift ends before it begins")


class StepEntry(Message, frozen=True, gc=False):
    """Who is asked, and for how long before the next."""

    role: AnsweringRole
    wait_s: Annotated[int, msgspec.Meta(ge=STEP_S_MIN, le=STEP_S_MAX)]
    ways: Annotated[tuple[Way, ...], msgspec.Meta(max_length=WAYS_MAX)] = ()
    """Beside open pages, which always show and sound it. They are used at the same time."""


class PolicyEntry(Message, frozen=True, gc=False):
    """Who is asked about alerts of a scheme until somebody answers: step by step, then from the first again (C3)."""

    scheme: SchemeNumber
    kinds: Annotated[tuple[Slug, ...], msgspec.Meta(min_length=1, max_length=16)]
    """Names of :class:`wire.kinds.AlertKind`; a newer office may know more. Each has at most one policy in a scheme."""
    version: Count
    """Rises with each change of it at the office."""
    steps: Annotated[tuple[StepEntry, ...], msgspec.Meta(min_length=1, max_length=STEPS_MAX)]


class Rota(Message, frozen=True):
    """Snapshot ``rota``: who is to be on duty when, and who is asked when nobody answers (C2, C3)."""

    number: Count
    made_at: Moment
    audit: AuditHead
    through: Moment
    """The shifts go so far. Later, nothing is known of who is to be on duty."""
    shifts: Annotated[tuple[ShiftEntry, ...], msgspec.Meta(max_length=SHIFTS_MAX)]
    """Those that had not ended a day before ``made_at``, by beginning."""
    policies: Annotated[tuple[PolicyEntry, ...], msgspec.Meta(max_length=POLICIES_MAX)] = ()

    def __post_init__(self) -> None:
        settle_moments(self, "made_at", "through")
        covered = [(policy.scheme, kind) for policy in self.policies for kind in policy.kinds]
        if len(covered) != len({*covered}):
            raise ValueError("a kind has two policies in one scheme")


Snapshot = People | Premises | Rota
S = TypeVar("S", bound=Snapshot)
M = TypeVar("M", bound=Message)
NAMES: Final[dict[type[Message], SnapshotName]] = {People: "people", Premises: "premises", Rota: "rota"}
_BY_TEXT: Final[dict[str, SnapshotName]] = {name: name for name in NAMES.values()}

_ENTRIES: Final[dict[type[Message], EntryList[Any]]] = {
    People: EntryList(People, "people", PersonEntry, ENTRIES_MAX),
    Premises: EntryList(Premises, "premises", PremisesEntry, ENTRIES_MAX),
    Rota: EntryList(Rota, "shifts", ShiftEntry, SHIFTS_MAX),
}


class _Sealed(Message, frozen=True):
    """The file: readable JSON, with a signature over the very bytes of ``snapshot``."""

    name: Annotated[str, msgspec.Meta(max_length=32)]
    town: HexDigest
    snapshot: msgspec.Raw
    signature: bytes
    """64 bytes (base64 here) by the office's key over the snapshot domain, name, town and ``snapshot``."""


class Town(Struct, frozen=True):
    """Which town: named by its authority's public key, so that one town's snapshots mean nothing in another."""

    authority: PublicKey

    @property
    def text(self) -> str:
        """64 hexadecimal digits."""
        return self.authority.raw.hex()


_read_sealed: Final = msgspec.json.Decoder(_Sealed).decode


def seal_snapshot(snapshot: Snapshot, town: Town, key: SigningKey) -> bytes:
    """Sign and wrap a snapshot: the bytes of its file.

    Raises:
        EncodeError: no reader would accept it: too large, a field out of bounds, or it contradicts itself.
    """
    kind = type(snapshot)
    return seal_named(NAMES[kind], snapshot, town, key, _ENTRIES[kind].read)


def open_snapshot(
    data: bytes, kind: type[S], town: Town, keys: tuple[PublicKey, ...], *, rest: Callable[[], None] = no_rest
) -> S:
    """Verify and read a snapshot. Whether its number is higher than the one held is the caller's question.

    Args:
        data: the file.
        kind: :class:`People`, :class:`Premises` or :class:`Rota`.
        town: ours.
        keys: of offices that the signed directory trusts; none = nothing is accepted.
        rest: called before every :data:`wire.entry_lists.ENTRIES_AT_ONCE` entries, to let other threads work.

    Raises:
        SnapshotError: too large, malformed, of another name or town, not signed by one of ``keys``, or contradicting
            itself.
    """
    entries: EntryList[S] = _ENTRIES[kind]
    return open_named(data, NAMES[kind], town, keys, lambda inner: entries.read(inner, rest))


def seal_named(
    name: str, content: Message, town: Town, key: SigningKey, read: Callable[[msgspec.Raw], Message]
) -> bytes:
    """Like :func:`seal_snapshot`, for whatever the office publishes under a name.

    Raises:
        EncodeError: as there.
    """
    try:
        inner = msgspec.json.encode(content)
        signature = key.sign(SNAPSHOT_DOMAIN, _signed(name, town.text, inner))
        sealed = _Sealed(name=name, town=town.text, snapshot=msgspec.Raw(inner), signature=signature)
        data = msgspec.json.encode(sealed)
        open_named(data, name, town, (key.public,), read)
    except (UnicodeEncodeError, SnapshotError) as e:
        raise EncodeError(f"snapshot {name}: {e}") from e
    return data


def open_named(data: bytes, name: str, town: Town, keys: tuple[PublicKey, ...], read: Callable[[msgspec.Raw], M]) -> M:
    """Like :func:`open_snapshot`, for whatever the office publishes under a name.

    Args:
        data: the file.
        name: under which it must be signed.
        town: ours.
        keys: of offices that the signed directory trusts.
        read: reads what was signed; may raise what msgspec raises.

    Raises:
        SnapshotError: as there.
    """
    if len(data) > SNAPSHOT_BYTES_MAX:
        raise SnapshotError("snapshot too large", SNAPSHOT_BYTES_MAX, f"{len(data)} bytes")
    try:
        sealed = _read_sealed(data)
        _check(sealed, name, town, keys)
        return read(sealed.snapshot)
    except SnapshotError:
        raise
    except (msgspec.MsgspecError, ValueError, RecursionError, WireError) as e:
        raise SnapshotError("snapshot", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e


def file_name(name: SnapshotName, number: int) -> str:
    """``("people", 42)`` → ``"people-42.json"``."""
    return f"{name}-{number}.json"


def parse_file_name(text: str) -> tuple[SnapshotName, int] | None:
    """``"people-42.json"`` → ``("people", 42)``; ``None`` if it is no snapshot's name."""
    match = _FILE_NAME.fullmatch(text)
    if match is None:
        return None
    return _BY_TEXT[match[1]], int(match[2])


def _signed(name: str, town: str, inner: bytes | memoryview) -> bytes:
    return f"{name}\n{town}\n".encode() + inner


def _check(sealed: _Sealed, name: str, town: Town, keys: tuple[PublicKey, ...]) -> None:
    if sealed.name != name:
        raise SnapshotError("snapshot name", detail=display_text(f"{sealed.name}, not {name}", DETAIL_CHARS_MAX))
    if sealed.town != town.text:
        raise SnapshotError("snapshot town")
    data = _signed(sealed.name, sealed.town, memoryview(sealed.snapshot))
    for key in keys:
        try:
            key.verify(SNAPSHOT_DOMAIN, data, sealed.signature)
        except SignatureInvalidError:
            continue
        return
    raise SnapshotError("snapshot signature")
