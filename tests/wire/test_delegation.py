"""What a delegate may sign, one hostile directory for each rule."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest
from msgspec.structs import replace

from tools.publish.examples import (
    CHANGES,
    DELEGATING_DIRECTORY,
    DIRECTORY,
    HART,
    KEYS,
    OFFICE_DIRECTORY,
    PRESSED_AT,
    PUB,
    SHOP,
    STRUCK_OFF,
)
from wire.delegation import changes_signed, next_serial
from wire.directory import (
    DelegateChanges,
    Delegation,
    DirectoryDocument,
    SealedChanges,
    SealedDirectory,
    SenderEntry,
    open_directory,
    seal_changes,
    seal_directory,
)
from wire.errors import DirectoryError, EncodeError
from wire.ids import NodeId
from wire.limits import DIRECTORY_BYTES_MAX
from wire.signing import DELEGATE_DOMAIN, DIRECTORY_DOMAIN, SigningKey

AUTHORITY, DELEGATE = KEYS["authority"], KEYS["delegate"]
BASE = seal_directory(DELEGATING_DIRECTORY, AUTHORITY)
BAKERY = CHANGES.added[0]


def signed(
    document: object = CHANGES, *, base: bytes = BASE, key: SigningKey = DELEGATE, domain: bytes = DELEGATE_DOMAIN
) -> bytes:
    """Whatever a delegate's key can be made to sign beside the authority's directory."""
    sealed = msgspec.json.decode(base, type=SealedDirectory)
    inner = document if isinstance(document, bytes) else msgspec.json.encode(document)
    signature = key.sign(domain, changes_signed(sealed.signature, inner))
    return msgspec.json.encode(replace(sealed, changes=SealedChanges(document=inner, signature=signature)))


def refused(data: bytes) -> str:
    """Reason and detail."""
    with pytest.raises(DirectoryError) as caught:
        open_directory(data, AUTHORITY.public)
    return str(caught.value)


def test_delegates_changes_add_and_strike_and_leave_all_else() -> None:
    before = open_directory(BASE, AUTHORITY.public)
    after = open_directory(seal_changes(BASE, CHANGES, DELEGATE, AUTHORITY.public), AUTHORITY.public)

    assert (1_000_001, True, 1) == (after.serial, after.is_delegated, after.epoch)
    assert KEYS["baker"].public == after.senders[NodeId(0x14)].key
    assert {PUB, STRUCK_OFF} == {node for node, sender in after.senders.items() if sender.is_revoked}
    assert before.senders == {
        node: replace(sender, is_revoked=before.senders[node].is_revoked)
        for node, sender in after.senders.items()
        if node in before.senders
    }
    assert (before.schemes, before.office_keys, before.base) == (after.schemes, after.office_keys, after.base)


def test_directory_that_only_names_a_delegate_is_the_authoritys_own() -> None:
    directory = open_directory(BASE, AUTHORITY.public)

    assert (1_000_000, False, 1) == (directory.serial, directory.is_delegated, directory.epoch)
    assert 0 == open_directory(seal_directory(OFFICE_DIRECTORY, AUTHORITY), AUTHORITY.public).epoch


def test_changes_take_the_place_of_those_before() -> None:
    first = seal_changes(BASE, CHANGES, DELEGATE, AUTHORITY.public)
    second = seal_changes(first, replace(CHANGES, serial=1_000_002), DELEGATE, AUTHORITY.public)

    assert 1_000_002 == open_directory(second, AUTHORITY.public).serial
    assert len(first) == len(second)


def listed(node: str) -> SenderEntry:
    """A sender of the authority's directory."""
    return next(entry for entry in DELEGATING_DIRECTORY.senders if entry.node == node)


def adding(**fields: object) -> DelegateChanges:
    """Changes that add one sender, which is the bakery but for these fields."""
    return replace(CHANGES, added=(replace(BAKERY, **fields),))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Hostile:
    """Changes that no delegate may make, and why they are refused."""

    changes: DelegateChanges
    why: str


HOSTILE = {
    "strikes central": Hostile(replace(CHANGES, struck=("00000001",)), "delegate change: strikes a central"),
    "strikes a gateway": Hostile(replace(CHANGES, struck=("00000013",)), "delegate change: strikes a gateway"),
    "strikes a stranger": Hostile(
        replace(CHANGES, struck=("00000099",)), "delegate change: strikes a node that the authority does not list"
    ),
    "adds a gateway": Hostile(adding(kind="gateway"), "delegate change: adds a gateway"),
    "adds a second central": Hostile(adding(kind="central"), "delegate change: adds a central"),
    "puts itself in central's place": Hostile(
        adding(node="00000001"), "delegate change: adds a number that is no premises'"
    ),
    "takes a number below the premises'": Hostile(
        adding(node="0000000f"), "delegate change: adds a number that is no premises'"
    ),
    "changes a node's key": Hostile(
        replace(CHANGES, added=(replace(listed("00000010"), key=KEYS["stranger"].public.raw),)),
        "delegate change: changes a node that the authority lists",
    ),
    "un-strikes": Hostile(
        replace(CHANGES, added=(replace(listed("00000012"), revoked_at=None),)),
        "delegate change: changes a node that the authority lists",
    ),
    "invents a scheme": Hostile(adding(schemes=(HART, 9)), "directory: a sender is in a scheme that is not listed"),
    "adds a node twice": Hostile(replace(CHANGES, added=(BAKERY, BAKERY)), "directory: a sender is listed twice"),
    "keeps the authority's serial": Hostile(
        replace(CHANGES, serial=1_000_000), "delegate change: a serial that is the authority's"
    ),
    "goes back": Hostile(replace(CHANGES, serial=999_999), "delegate change: a serial that is the authority's"),
    "takes the authority's next serial": Hostile(
        replace(CHANGES, serial=2_000_000), "delegate change: a serial that is the authority's"
    ),
    "uses up all serials": Hostile(
        replace(CHANGES, serial=2**53), "delegate change: a serial that is the authority's"
    ),
    "adds a key for which anybody can sign": Hostile(adding(key=b"\x01" + bytes(31)), "directory: public key"),
}  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_more_than_a_delegate_may_is_neither_sealed_nor_opened(hostile: Hostile) -> None:
    assert refused(signed(hostile.changes)).startswith(hostile.why)
    with pytest.raises(EncodeError):
        seal_changes(BASE, hostile.changes, DELEGATE, AUTHORITY.public)


def test_delegates_document_has_no_field_for_more() -> None:
    """Central, the office's keys, schemes and the delegation itself are the authority's alone."""
    assert ("serial", "made_at", "added", "struck") == DelegateChanges.__struct_fields__
    hostile = msgspec.to_builtins(CHANGES) | {
        "office_keys": [KEYS["stranger"].public.raw],
        "schemes": [],
        "delegation": {"epoch": 9},
        "senders": [],
    }
    directory = open_directory(signed(hostile), AUTHORITY.public)

    honest = open_directory(BASE, AUTHORITY.public)
    assert (honest.office_keys, honest.schemes, honest.delegation) == (
        directory.office_keys,
        directory.schemes,
        directory.delegation,
    )


def test_delegate_cannot_sign_a_directory_of_its_own() -> None:
    inner = msgspec.json.encode(replace(DELEGATING_DIRECTORY, serial=1_000_005))
    for domain in (DIRECTORY_DOMAIN, DELEGATE_DOMAIN):
        sealed = SealedDirectory(document=inner, signature=DELEGATE.sign(domain, inner))
        assert "directory signature" == refused(msgspec.json.encode(sealed))


def test_changes_count_only_under_the_delegates_own_signature() -> None:
    """Nobody else's, for no other purpose, and not the authority's by mistake."""
    for data in (
        signed(key=KEYS["stranger"]),
        signed(key=AUTHORITY),
        signed(domain=DIRECTORY_DOMAIN),
    ):
        assert "delegate signature" == refused(data)


def test_changes_to_one_directory_fit_no_other() -> None:
    """Not the authority's next, and not one with the same serial from a restored fleet."""
    other = seal_directory(replace(DELEGATING_DIRECTORY, issued_at=PRESSED_AT.replace(day=9)), AUTHORITY)
    changes = msgspec.json.decode(signed(), type=SealedDirectory).changes

    moved = replace(msgspec.json.decode(other, type=SealedDirectory), changes=changes)

    assert "delegate signature" == refused(msgspec.json.encode(moved))


def delegating(delegation: Delegation | None) -> bytes:
    """The authority's directory with that delegation."""
    return seal_directory(replace(DELEGATING_DIRECTORY, delegation=delegation), AUTHORITY)


@pytest.mark.parametrize(
    "delegation",
    [None, Delegation(epoch=2, expires_at=PRESSED_AT)],
    ids=["none", "an ended one"],
)
def test_changes_to_a_directory_without_a_delegate_are_refused(delegation: Delegation | None) -> None:
    base = delegating(delegation)

    assert "delegate signature: the authority has no delegate" == refused(signed(base=base))
    assert 1_000_000 == open_directory(base, AUTHORITY.public).serial


def test_delegation_of_another_towns_authority_is_refused() -> None:
    other = KEYS["stranger"]
    base = seal_directory(DELEGATING_DIRECTORY, other)

    assert "directory signature" == refused(signed(base=base))
    mixed = replace(
        msgspec.json.decode(signed(base=base), type=SealedDirectory),
        signature=msgspec.json.decode(BASE, type=SealedDirectory).signature,
    )
    assert "delegate signature" == refused(msgspec.json.encode(mixed))


@pytest.mark.parametrize("key", [bytes(31), b"\x01" + bytes(31)], ids=["31 bytes", "anybody can sign"])
def test_delegation_of_a_key_that_is_none_is_not_sealed(key: bytes) -> None:
    with pytest.raises(EncodeError, match="public key"):
        delegating(Delegation(epoch=1, key=key, expires_at=PRESSED_AT))


@pytest.mark.parametrize("document", [b"", b"{}", b"[" * 500_000, b"\xff"])
def test_signed_changes_of_any_bytes_give_our_error(document: bytes) -> None:
    assert refused(signed(document)).startswith("directory")


def test_changes_with_any_bit_flipped_say_the_same_or_are_refused() -> None:
    data = signed()
    good = open_directory(data, AUTHORITY.public)
    start = data.index(b'"changes"')
    for place in range(start, len(data)):
        for bit in (1, 8):
            flipped = data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]
            try:
                directory = open_directory(flipped, AUTHORITY.public)
            except DirectoryError:
                continue
            # A flipped name of the field hides the changes, as leaving them out does; nothing else may come of it.
            assert directory in (good, open_directory(BASE, AUTHORITY.public))


def test_next_serial_is_above_all_that_a_delegate_could_use() -> None:
    assert [1_000_000, 2_000_000, 2_000_000] == [next_serial(n) for n in (12, 1_000_000, 1_999_999)]


def test_directory_of_a_large_town_with_all_of_it_struck_and_replaced_fits_its_cap() -> None:
    """A stolen delegate's worst is no larger than a receiver takes, and 5,000 senders may be replaced in one night."""
    entries = tuple(
        SenderEntry(
            node=f"{0x100 + n:08x}",
            key=KEYS["shop"].public.raw,
            premises="Premises of usual length",
            place="High St",
            schemes=(HART,),
            signs=True,
            office_premises=1 + n,
            sealing_key=KEYS["pub"].public.raw,
        )
        for n in range(10_000)
    )
    base = seal_directory(replace(DELEGATING_DIRECTORY, senders=entries[:5_000]), AUTHORITY)
    changes = replace(CHANGES, added=entries[5_000:], struck=tuple(entry.node for entry in entries[:5_000]))
    data = seal_changes(base, changes, DELEGATE, AUTHORITY.public)

    assert len(data) < DIRECTORY_BYTES_MAX
    assert 10_000 == len(open_directory(data, AUTHORITY.public).senders)
    with pytest.raises(EncodeError):
        seal_changes(base, replace(changes, struck=(*changes.struck, "00000100")), DELEGATE, AUTHORITY.public)


class OldSealed(msgspec.Struct, frozen=True):
    """:class:`SealedDirectory` as versions before delegates have it."""

    document: bytes
    signature: bytes


class OldDocument(msgspec.Struct, frozen=True):
    """:class:`DirectoryDocument` likewise, as far as it matters here."""

    serial: int
    senders: tuple[SenderEntry, ...]
    office_keys: tuple[bytes, ...] = ()


def test_reader_that_knows_no_delegate_takes_the_authoritys_part() -> None:
    old = msgspec.json.decode(signed(), type=OldSealed)
    AUTHORITY.public.verify(DIRECTORY_DOMAIN, old.document, old.signature)
    document = msgspec.json.decode(old.document, type=OldDocument)

    assert (1_000_000, DELEGATING_DIRECTORY.senders) == (document.serial, document.senders)


def test_directory_of_a_town_without_a_delegate_is_the_bytes_it_always_was() -> None:
    sealed = msgspec.json.decode(seal_directory(DIRECTORY, AUTHORITY))

    assert {"document", "signature"} == sealed.keys()
    assert b"delegation" not in msgspec.json.encode(DIRECTORY)
    assert "delegation" in DirectoryDocument.__struct_fields__
    assert SHOP in open_directory(seal_directory(DIRECTORY, AUTHORITY), AUTHORITY.public).senders
