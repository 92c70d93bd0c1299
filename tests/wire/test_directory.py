from __future__ import annotations

import base64
import json
from typing import Literal

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from tools.publish.examples import (
    CHANGES,
    DIRECTORY,
    HART,
    KEYS,
    OFFICE_DIRECTORY,
    PRESSED_AT,
    PUB,
    PUBWATCH,
    SHOP,
    STRUCK_OFF,
)
from wire.directory import (
    EMPTY_DIRECTORY,
    DirectoryDocument,
    SchemeEntry,
    SealedDirectory,
    SenderEntry,
    open_directory,
    seal_directory,
)
from wire.errors import DirectoryError, EncodeError
from wire.ids import NodeId, parse_node
from wire.limits import DIRECTORY_BYTES_MAX
from wire.messages import Message, Moment
from wire.signing import DIRECTORY_DOMAIN, FRAME_DOMAIN

AUTHORITY = KEYS["authority"]
SEALED = seal_directory(DIRECTORY, AUTHORITY)
REASONS = {"directory", "directory signature", "directory too large"}


def assert_the_same_or_refused(data: bytes) -> None:
    """A change that still opens (white space, base64 padding) says exactly what was signed."""
    try:
        directory = open_directory(data, AUTHORITY.public)
    except DirectoryError as e:
        refusal = e
    else:
        assert open_directory(SEALED, AUTHORITY.public) == directory
        return
    assert refusal.reason in REASONS


def sign(document: object) -> bytes:
    """Whatever the authority's key can be made to sign."""
    inner = document if isinstance(document, bytes) else msgspec.json.encode(document)
    return msgspec.json.encode(SealedDirectory(document=inner, signature=AUTHORITY.sign(DIRECTORY_DOMAIN, inner)))


@given(st.from_type(DirectoryDocument))
def test_directory_comes_back_as_it_went(document: DirectoryDocument) -> None:
    directory = open_directory(seal_directory(document, AUTHORITY), AUTHORITY.public)

    assert document.serial == directory.serial
    assert {entry.number: entry for entry in document.schemes} == directory.schemes
    assert {parse_node(entry.node) for entry in document.senders} == set(directory.senders)
    for entry in document.senders:
        sender = directory.senders[parse_node(entry.node)]
        assert (entry.key, entry.premises, entry.place) == (sender.key.raw, sender.premises, sender.place)
        assert set(entry.schemes) == sender.schemes
        assert (entry.kind == "central", entry.revoked_at is not None) == (sender.is_central, sender.is_revoked)
        assert (entry.kind == "gateway") == sender.is_gateway
        assert (entry.office_premises, entry.sealing_key) == (sender.office_premises, sender.sealing_key)
    assert list(document.office_keys) == [key.raw for key in directory.office_keys]


def test_directory_tells_members_central_and_the_struck_off_apart() -> None:
    directory = open_directory(SEALED, AUTHORITY.public)

    assert 12 == directory.serial
    assert [NodeId(1)] == [node for node, sender in directory.senders.items() if sender.is_central]
    assert [NodeId(0x13)] == [node for node, sender in directory.senders.items() if sender.is_gateway]
    assert [STRUCK_OFF] == [node for node, sender in directory.senders.items() if sender.is_revoked]
    assert {HART} == directory.senders[SHOP].schemes
    assert directory.schemes[PUBWATCH] == directory.scheme_by_slug("pubwatch")
    assert directory.scheme_by_slug("elsewhere") is None


def test_directory_says_which_office_counts_and_where_its_premises_have_their_nodes() -> None:
    directory = open_directory(seal_directory(OFFICE_DIRECTORY, AUTHORITY), AUTHORITY.public)

    assert (KEYS["office"].public, KEYS["next office"].public) == directory.office_keys
    assert {SHOP: 5, PUB: 8} == {
        node: sender.office_premises for node, sender in directory.senders.items() if sender.office_premises
    }
    assert () == open_directory(SEALED, AUTHORITY.public).office_keys


class OldSender(Message, frozen=True):
    """:class:`SenderEntry` as versions before the office have it: they verify the very bytes and skip the rest."""

    node: str
    key: bytes
    premises: str
    place: str = ""
    schemes: tuple[int, ...] = ()
    kind: Literal["premises", "gateway", "central"] = "premises"
    signs: bool = False
    revoked_at: Moment | None = None


class OldDocument(Message, frozen=True):
    """:class:`DirectoryDocument` likewise."""

    serial: int
    issued_at: Moment
    schemes: tuple[SchemeEntry, ...]
    senders: tuple[OldSender, ...]


class OldChanges(Message, frozen=True):
    """:class:`DelegateChanges` likewise."""

    serial: int
    added: tuple[OldSender, ...] = ()


def test_directory_with_an_office_is_read_by_nodes_that_know_none() -> None:
    """A town's nodes are updated one by one, its directory at once."""
    sealed = msgspec.json.decode(seal_directory(OFFICE_DIRECTORY, AUTHORITY), type=SealedDirectory)
    old = msgspec.json.decode(sealed.document, type=OldDocument)

    assert 14 == old.serial
    assert [entry.node for entry in OFFICE_DIRECTORY.senders] == [entry.node for entry in old.senders]


def test_directory_of_a_delegate_with_sealing_keys_is_read_by_versions_that_know_none() -> None:
    changes = msgspec.json.decode(msgspec.json.encode(CHANGES), type=OldChanges)

    assert CHANGES.added[0].sealing_key
    assert ["00000014"] == [entry.node for entry in changes.added]


@pytest.mark.parametrize("length", [1, 31, 33, 64])
def test_directory_with_a_sealing_key_of_another_length_is_refused(length: int) -> None:
    """Whoever seals to it must not find that out while a shop waits."""
    shop = msgspec.to_builtins(LISTED) | {"sealing_key": base64.b64encode(bytes(length)).decode()}
    document = msgspec.to_builtins(DIRECTORY) | {"senders": [shop]}

    with pytest.raises(DirectoryError, match="directory: "):
        open_directory(sign(json.dumps(document).encode()), AUTHORITY.public)


def test_empty_directory_knows_nobody() -> None:
    assert (0, {}, {}) == (EMPTY_DIRECTORY.serial, EMPTY_DIRECTORY.senders, EMPTY_DIRECTORY.schemes)
    assert () == EMPTY_DIRECTORY.office_keys


def test_directory_cannot_be_changed_in_place() -> None:
    with pytest.raises(TypeError):
        open_directory(SEALED, AUTHORITY.public).senders[NodeId(9)] = None  # type: ignore[index]


def test_directory_fed_byte_by_byte_is_refused_until_its_last_byte() -> None:
    for length in range(len(SEALED)):
        with pytest.raises(DirectoryError, match="directory"):
            open_directory(SEALED[:length], AUTHORITY.public)


@pytest.mark.one_python
def test_directory_with_any_single_bit_flipped_says_the_same_or_is_refused() -> None:
    number = int.from_bytes(SEALED, "big")

    for bit in range(8 * len(SEALED)):
        assert_the_same_or_refused((number ^ 1 << bit).to_bytes(len(SEALED), "big"))


@given(st.data())
def test_directory_with_bytes_cut_out_put_in_or_changed_says_the_same_or_is_refused(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(SEALED)))
    end = data.draw(st.integers(start, len(SEALED)))

    assert_the_same_or_refused(SEALED[:start] + data.draw(st.binary(max_size=60)) + SEALED[end:])


@given(st.binary(max_size=400))
def test_open_directory_of_any_bytes_gives_our_error(data: bytes) -> None:
    with pytest.raises(DirectoryError):
        open_directory(data, AUTHORITY.public)


@given(st.binary(max_size=400))
def test_open_directory_of_any_signed_bytes_gives_our_error(document: bytes) -> None:
    """Even the authority's own mistakes are refused in our terms."""
    with pytest.raises(DirectoryError):
        open_directory(sign(document), AUTHORITY.public)


@pytest.mark.parametrize("data", [b"[" * 500_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000])
def test_open_directory_refuses_deep_nesting(data: bytes) -> None:
    for hostile in (data, sign(data)):
        with pytest.raises(DirectoryError):
            open_directory(hostile, AUTHORITY.public)


def test_open_directory_refuses_too_many_bytes_by_their_number_alone() -> None:
    with pytest.raises(DirectoryError) as caught:
        open_directory(SEALED + b" " * DIRECTORY_BYTES_MAX, AUTHORITY.public)

    assert ("directory too large", DIRECTORY_BYTES_MAX) == (caught.value.reason, caught.value.offset)


def test_open_directory_refuses_another_authority_and_another_domain() -> None:
    inner = msgspec.json.encode(DIRECTORY)
    other_domain = SealedDirectory(document=inner, signature=AUTHORITY.sign(FRAME_DOMAIN, inner))
    for data, key in (
        (SEALED, KEYS["central"].public),
        (seal_directory(DIRECTORY, KEYS["shop"]), AUTHORITY.public),
        (msgspec.json.encode(other_domain), AUTHORITY.public),
    ):
        with pytest.raises(DirectoryError, match="directory signature"):
            open_directory(data, key)


LISTED = DIRECTORY.senders[1]
"""The shop of the example."""
OF_ANOTHER_KIND = msgspec.structs.replace(LISTED, kind="police")  # type: ignore[arg-type]  # as no document may say


def with_shop(shop: SenderEntry) -> DirectoryDocument:
    """The example with another one in its shop's place."""
    return msgspec.structs.replace(DIRECTORY, senders=(DIRECTORY.senders[0], shop))


CONTRADICTORY = {
    "a sender twice": msgspec.structs.replace(DIRECTORY, senders=DIRECTORY.senders + DIRECTORY.senders[1:2]),
    "a scheme number twice": msgspec.structs.replace(
        DIRECTORY, schemes=(*DIRECTORY.schemes, SchemeEntry(number=HART, slug="other", name="Other"))
    ),
    "a scheme slug twice": msgspec.structs.replace(
        DIRECTORY, schemes=(*DIRECTORY.schemes, SchemeEntry(number=9, slug="hart", name="Other"))
    ),
    "a scheme that is not listed": with_shop(msgspec.structs.replace(LISTED, schemes=(HART, 9))),
    "scheme 0": with_shop(msgspec.structs.replace(LISTED, schemes=(0,))),
    "five schemes": with_shop(msgspec.structs.replace(LISTED, schemes=(1, 1, 2, 2, 1))),
    "31 bytes of key": with_shop(msgspec.structs.replace(LISTED, key=bytes(31))),
    "a key for which anybody can sign": with_shop(msgspec.structs.replace(LISTED, key=b"\x01" + bytes(31))),
    "node 0": with_shop(msgspec.structs.replace(LISTED, node="00000000")),
    "a node that is a name": with_shop(msgspec.structs.replace(LISTED, node="corner")),
    "a node id with a newline": with_shop(msgspec.structs.replace(LISTED, node="00000010\n")),
    "half a surrogate pair": with_shop(msgspec.structs.replace(LISTED, premises="\ud800")),
    "a name too long": with_shop(msgspec.structs.replace(LISTED, premises="x" * 65)),
    "an unknown kind": with_shop(OF_ANOTHER_KIND),
    "premises -1": with_shop(msgspec.structs.replace(LISTED, office_premises=-1)),
    "31 bytes of an office's key": msgspec.structs.replace(DIRECTORY, office_keys=(bytes(31),)),
    "an office's key for which anybody can sign": msgspec.structs.replace(
        DIRECTORY, office_keys=(b"\x01" + bytes(31),)
    ),
    "five keys of the office": msgspec.structs.replace(DIRECTORY, office_keys=(KEYS["shop"].public.raw,) * 5),
}


@pytest.mark.parametrize("document", CONTRADICTORY.values(), ids=CONTRADICTORY.keys())
def test_directory_that_no_receiver_would_take_is_neither_sealed_nor_opened(document: DirectoryDocument) -> None:
    with pytest.raises(EncodeError):
        seal_directory(document, AUTHORITY)
    inner = json.dumps(msgspec.to_builtins(document)).encode()
    with pytest.raises(DirectoryError, match="directory"):
        open_directory(sign(inner), AUTHORITY.public)


def test_sender_struck_off_in_the_future_is_struck_off_now() -> None:
    """Revocation never waits for a clock that nobody has proven (F2)."""
    entry = SenderEntry(
        node="00000010", key=KEYS["shop"].public.raw, premises="x", revoked_at=PRESSED_AT.replace(year=2999)
    )
    document = msgspec.structs.replace(DIRECTORY, senders=(entry,))

    assert open_directory(seal_directory(document, AUTHORITY), AUTHORITY.public).senders[SHOP].is_revoked


def test_directory_of_a_large_town_fits_its_cap() -> None:
    senders = tuple(
        SenderEntry(
            node=f"{0x10 + n:08x}",
            key=KEYS["shop"].public.raw,
            premises="Premises of usual length",
            place="High St",
            schemes=(HART, PUBWATCH),
            office_premises=1 + n,
            sealing_key=KEYS["pub"].public.raw,
        )
        for n in range(10_000)
    )
    document = msgspec.structs.replace(OFFICE_DIRECTORY, senders=senders)
    sealed = msgspec.json.encode(SealedDirectory(document=msgspec.json.encode(document), signature=bytes(64)))

    assert len(sealed) <= DIRECTORY_BYTES_MAX
