from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

import wire
from tools.publish.golden import fields_of, message_types, vector_files
from wire.admission import admit, stands_for
from wire.directory import DelegateChanges, Directory, DirectoryDocument, open_directory
from wire.directory_succession import refusal
from wire.errors import DecodeError, DirectoryError, FrameDecodeError, MessageDecodeError, SnapshotError, TopicError
from wire.frames import decode
from wire.ids import node_text, parse_node
from wire.messages import decode_message
from wire.signing import PublicKey, SigningKey
from wire.snapshots import NAMES, Town, open_snapshot
from wire.topics import FrameTopic, parse_topic

VECTORS = Path(wire.__file__).parent / "vectors"


def committed(name: str) -> Any:  # noqa: ANN401 (JSON)
    """A vector file, as it rests in the repository."""
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


SIGNATURES = committed("signatures.json")
FRAMES = committed("frames.json")
DIRECTORY = committed("directory.json")
DELEGATION = committed("delegation.json")
SNAPSHOTS = committed("snapshots.json")
KINDS: dict[str, type[Any]] = {name: kind for kind, name in NAMES.items()}


def by_name(rows: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=[row.get("name", row.get("topic", ""))[:60] for row in rows])


def test_vectors_on_disk_are_what_the_code_makes() -> None:
    """`python -m tools.publish` writes them anew; a difference is a change of the contract."""
    made = vector_files()

    assert sorted(made) == sorted(path.name for path in VECTORS.iterdir())
    assert {} == {name: text for name, text in made.items() if (VECTORS / name).read_text(encoding="utf-8") != text}


@by_name(FRAMES["frames"])
def test_frame_vector_means_what_it_says(row: dict[str, Any]) -> None:
    signed = decode(bytes.fromhex(row["hex"]))
    signed.verify(PublicKey(bytes.fromhex(FRAMES["public_keys"][row["signed_by"]])))

    assert row["fields"] == fields_of(signed.frame)


def test_seeds_in_the_vectors_make_their_public_keys() -> None:
    assert FRAMES["public_keys"] == {
        name: SigningKey(bytes.fromhex(seed)).public.raw.hex() for name, seed in FRAMES["seeds"].items()
    }


def test_first_frame_vector_is_laid_out_as_the_table_says() -> None:
    """By hand, so that encoder and decoder cannot agree on a mistake."""
    data = bytes.fromhex(FRAMES["frames"][0]["hex"])

    assert "11 00000010 00000007 69acb755 01 00 00000007 0001".replace(" ", "") == data[:-64].hex()


@by_name(committed("frames-invalid.json"))
def test_invalid_frame_vector_is_refused_at_its_offset(row: dict[str, Any]) -> None:
    with pytest.raises(FrameDecodeError) as caught:
        decode(bytes.fromhex(row["hex"]))

    assert (row["reason"], row["offset"]) == (caught.value.reason, caught.value.offset)


@by_name(committed("messages.json"))
def test_message_vector_means_what_it_says(row: dict[str, Any]) -> None:
    message = decode_message(row["text"].encode(), message_types()[row["type"]])

    assert msgspec.convert(row["fields"], type(message)) == message


@by_name(committed("messages-invalid.json"))
def test_invalid_message_vector_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(MessageDecodeError) as caught:
        decode_message(row["text"].encode(), message_types()[row["type"]])

    assert row["reason"] == caught.value.reason


@by_name(committed("topics.json")["valid"])
def test_topic_vector_means_what_it_says(row: dict[str, Any]) -> None:
    topic = parse_topic(row["topic"])

    assert row["fields"] == fields_of(topic)
    assert row["topic"] == str(topic)


@by_name(committed("topics.json")["invalid"])
def test_invalid_topic_vector_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(TopicError) as caught:
        parse_topic(row["topic"])

    assert row["reason"] == caught.value.reason


@pytest.mark.parametrize("vector", [DIRECTORY, DIRECTORY["with office"]], ids=["without an office", "with one"])
def test_directory_vector_opens_to_its_document(vector: dict[str, Any]) -> None:
    directory = open_directory(vector["sealed"].encode(), PublicKey(bytes.fromhex(DIRECTORY["authority"])))
    document = msgspec.convert(vector["document"], DirectoryDocument)

    assert document.serial == directory.serial
    assert {entry.key for entry in document.senders} == {sender.key.raw for sender in directory.senders.values()}
    assert list(document.office_keys) == [key.raw for key in directory.office_keys]
    assert {entry.node: entry.office_premises for entry in document.senders} == {
        node_text(node): sender.office_premises for node, sender in directory.senders.items()
    }


def test_delegation_vector_names_what_to_seal_to() -> None:
    added = msgspec.convert(DELEGATION["changes"], DelegateChanges).added
    senders = opened(DELEGATION["sealed"]).senders

    assert {entry.node: entry.sealing_key for entry in added} == {
        entry.node: senders[parse_node(entry.node)].sealing_key for entry in added
    }
    assert all(entry.sealing_key for entry in added)


def opened(sealed: str) -> Directory:
    """By the key of the file."""
    return open_directory(sealed.encode(), PublicKey(bytes.fromhex(DELEGATION["authority"])))


def test_delegates_vector_opens_to_the_authoritys_document_with_its_changes() -> None:
    directory = opened(DELEGATION["sealed"])
    document = msgspec.convert(DELEGATION["document"], DirectoryDocument)
    changes = msgspec.convert(DELEGATION["changes"], DelegateChanges)

    assert changes.serial == directory.serial
    assert {entry.key for entry in (*document.senders, *changes.added)} == {
        sender.key.raw for sender in directory.senders.values()
    }
    struck = {entry.node for entry in document.senders if entry.revoked_at} | set(changes.struck)
    assert struck == {node_text(node) for node, sender in directory.senders.items() if sender.is_revoked}


@by_name(DELEGATION["refused"])
def test_vector_of_changes_that_no_delegate_may_make_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(DirectoryError) as caught:
        opened(row["sealed"])

    assert row["reason"] == caught.value.reason


@by_name(DELEGATION["successions"])
def test_vector_of_a_succession_is_judged_as_it_says(row: dict[str, Any]) -> None:
    assert row["reason"] == refusal(opened(row["newer"]), opened(row["held"]), row["times_s"])


@by_name(SNAPSHOTS["valid"])
def test_snapshot_vector_opens_to_what_it_says(row: dict[str, Any]) -> None:
    town, keys = snapshot_readers()
    kind = KINDS[row["name"]]

    assert msgspec.convert(row["snapshot"], kind) == open_snapshot(row["sealed"].encode(), kind, town, keys)


@by_name(SNAPSHOTS["invalid"])
def test_invalid_snapshot_vector_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(SnapshotError) as caught:
        open_snapshot(row["sealed"].encode(), KINDS[row["kind"]], *snapshot_readers())

    assert row["reason"] == caught.value.reason


def snapshot_readers() -> tuple[Town, tuple[PublicKey, ...]]:
    """Which town, and whose signature counts."""
    town, office = (PublicKey(bytes.fromhex(SNAPSHOTS[name])) for name in ("town", "office"))
    return Town(town), (office,)


@by_name(DIRECTORY["admissions"])
def test_admission_vector_gets_its_verdict(row: dict[str, Any]) -> None:
    directory = open_directory(DIRECTORY["sealed"].encode(), PublicKey(bytes.fromhex(DIRECTORY["authority"])))
    topic = parse_topic(row["topic"]) if row["topic"] else None
    assert topic is None or isinstance(topic, FrameTopic)
    try:
        admit(bytes.fromhex(row["hex"]), directory, topic)
        verdict = None
    except DecodeError as e:
        verdict = e.reason

    assert row["reason"] == verdict


@by_name(SIGNATURES["messages"])
def test_signature_vector_gets_its_verdict(row: dict[str, Any]) -> None:
    directory = open_directory(SIGNATURES["sealed"].encode(), PublicKey(bytes.fromhex(SIGNATURES["authority"])))
    sender = directory.senders[parse_node(row["sender"])]
    verdict: dict[str, Any]
    try:
        signed = stands_for(sender, row["topic"], bytes.fromhex(row["payload"]), row["signature"])
        verdict = {"signed": signed, "reason": None}
    except DecodeError as e:
        verdict = {"signed": None, "reason": e.reason}

    assert {"signed": row["signed"], "reason": row["reason"]} == verdict
