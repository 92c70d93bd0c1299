from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft7Validator

from tools.publish.__main__ import REPOSITORY, main, published_files
from tools.publish.asyncapi import message_names, schemas
from tools.publish.channels import CHANNELS, Channel
from tools.publish.examples import FRAMES, KEYS, MESSAGES
from tools.publish.golden import message_types
from tools.publish.layout import BODIES, bytes_max, taken_apart
from tools.publish.notes import notes
from wire.frames import Alert, Frame, encode
from wire.ids import FrameId, NodeId
from wire.kinds import (
    AlertKind,
    AnswerState,
    CancelReason,
    Capability,
    CentralCapability,
    FrameKind,
    LeftWhenAsked,
    MemberResponse,
    Numbered,
    RefusalReason,
)
from wire.limits import FRAME_BYTES_MAX
from wire.messages import CentralStatus, Message, Sync, SyncAnswer, decode_message, encode_message
from wire.topics import Down, DownTopic, Up, UpTopic, parse_topic

DOCUMENT = json.loads((REPOSITORY / "docs/asyncapi.json").read_text(encoding="utf-8"))
OFFICIAL = REPOSITORY / "tools/asyncapi"


def references(value: Any) -> Iterator[str]:  # noqa: ANN401 (any JSON)
    """Every ``$ref`` in it."""
    if isinstance(value, dict):
        if isinstance(found := value.get("$ref"), str):
            yield found
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def referred(reference: str) -> Any:  # noqa: ANN401 (any JSON)
    """What a reference within the document points at."""
    found: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def validator(name: str) -> Draft7Validator:
    """For a schema of the document, with the references it makes."""
    return Draft7Validator({"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]})


def test_published_files_are_what_the_code_makes() -> None:
    """`python -m tools.publish` writes them anew."""
    stale = [
        name for name, text in published_files().items() if (REPOSITORY / name).read_text(encoding="utf-8") != text
    ]

    assert [] == stale
    assert 0 == main(["--check"])


@pytest.mark.one_python
def test_check_says_what_is_out_of_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tools.publish.__main__.REPOSITORY", tmp_path)

    assert 1 == main(["--check"])
    assert "out of date: docs/wire.md" in capsys.readouterr().out
    assert [] == list(tmp_path.iterdir())
    assert 0 == main([])
    assert 0 == main(["--check"])
    (tmp_path / "docs/wire.md").write_text("changed")
    assert 1 == main(["--check"])


@pytest.mark.one_python
def test_asyncapi_document_satisfies_the_official_schema() -> None:
    subprocess.run([OFFICIAL / "install.sh"], check=True, capture_output=True, text=True)
    path = OFFICIAL / "node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json"
    official = Draft7Validator(json.loads(path.read_text(encoding="utf-8")))

    assert [] == [f"{error.json_path}: {error.message}" for error in official.iter_errors(DOCUMENT)]
    broken = DOCUMENT | {"operations": {"x": {"action": "shout", "channel": {"$ref": "#/channels/frame"}}}}
    assert not official.is_valid(broken)


def test_lock_of_the_official_schema_names_no_registry() -> None:
    lock = (OFFICIAL / "package-lock.json").read_text(encoding="utf-8")

    assert '"integrity"' in lock
    assert "http" not in lock
    assert '"resolved"' not in lock


def test_every_reference_in_the_document_leads_somewhere() -> None:
    """The schema does not look behind a reference; a reader of the document does."""
    found = list(references(DOCUMENT))

    assert len(found) > 30
    assert all(referred(reference) for reference in found)


def test_operations_use_only_messages_of_their_channel() -> None:
    for operation in DOCUMENT["operations"].values():
        prefix = operation["channel"]["$ref"] + "/messages/"
        assert all(message["$ref"].startswith(prefix) for message in operation["messages"])


def test_every_topic_of_the_code_is_a_channel_and_every_channel_a_topic() -> None:
    addresses = [channel["address"] for channel in DOCUMENT["channels"].values()]
    topics = {type(parse_topic(address.format(scheme="hart", node="00000010"))) for address in addresses}

    assert len(addresses) == len(set(addresses)) == len(Up) + len(Down) + 3
    assert 5 == len(topics)
    for channel in DOCUMENT["channels"].values():
        assert set(channel["parameters"]) == {p for p in ("scheme", "node") if f"{{{p}}}" in channel["address"]}


def test_every_frame_kind_and_message_type_travels_somewhere() -> None:
    carried = {name for channel in CHANNELS for name in message_names(channel)}

    assert carried == set(DOCUMENT["components"]["messages"])
    assert set(FrameKind) == {kind for c in CHANNELS if isinstance(c.payload, tuple) for kind in c.payload}
    assert set(message_types()) <= carried


TO_OR_FROM_ONE_NODE = [channel for channel in CHANNELS if isinstance(channel.topic, UpTopic | DownTopic)]


@pytest.mark.parametrize("channel", TO_OR_FROM_ONE_NODE, ids=[channel.name for channel in TO_OR_FROM_ONE_NODE])
def test_words_beside_a_channel_in_the_code_name_what_it_carries(channel: Channel) -> None:
    assert isinstance(channel.topic, UpTopic | DownTopic)
    said = notes(type(channel.topic.channel))[channel.topic.channel.name].lower()
    names = (
        [kind.slug for kind in channel.payload] if isinstance(channel.payload, tuple) else [channel.payload.__name__]
    )

    assert all(name.lower() in said for name in names)


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())
def test_example_message_satisfies_its_schema(message: Message) -> None:
    """Whole, and with every default spelled out."""
    check = validator(type(message).__name__)

    assert [] == list(check.iter_errors(json.loads(encode_message(message))))
    assert [] == list(check.iter_errors(json.loads(json.dumps(msgspec.to_builtins(message)))))


def test_every_example_in_the_document_satisfies_its_schema() -> None:
    count = 0
    for name, message in DOCUMENT["components"]["messages"].items():
        for example in message.get("examples", ()):
            assert [] == list(validator(name).iter_errors(example["payload"]))
            count += 1
        for text in message.get("x-examples-hex", {}).values():
            assert message["payload"]["minLength"] <= len(bytes.fromhex(text)) <= message["payload"]["maxLength"]
            count += 1

    assert count == len(MESSAGES) + 3 + len(FRAMES)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Sync, '{"boot_id":7}'),
        (Sync, "{}"),
        (Sync, '{"boot_id":"b","last_counter":4294967296}'),
        (SyncAnswer, '{"boot_id":"c","counter_floor":-1}'),
        (CentralStatus, '{"boot_id":"c","at":"2026-03-07T23:40:05Z"}'),
        (CentralStatus, '{"boot_id":"c","at":1,"expires_at":2}'),
    ],
)
def test_schema_refuses_what_the_decoder_refuses(kind: type[Message], text: str) -> None:
    with pytest.raises(ValueError, match="message field"):
        decode_message(text.encode(), kind)
    assert not validator(kind.__name__).is_valid(json.loads(text))


def test_every_field_of_every_message_has_its_meaning() -> None:
    for kind, schema in schemas().items():
        assert notes(kind)[""], kind
        assert set(schema["properties"]) <= set(notes(kind)), kind


@pytest.mark.parametrize(
    "kind",
    [
        AlertKind,
        FrameKind,
        CancelReason,
        MemberResponse,
        AnswerState,
        RefusalReason,
        Capability,
        CentralCapability,
        LeftWhenAsked,
    ],
)
def test_every_word_of_the_vocabulary_has_its_meaning(kind: type[Numbered | Capability | CentralCapability]) -> None:
    assert {member.name for member in kind} <= set(notes(kind))


def pairs_of(raw: bytes) -> Iterator[tuple[FrameId, bool]]:
    """A batch's targets, read as the table's words say and not as the code does."""
    numbers, group_bits = [0], ""
    for byte in raw:
        group_bits = f"{byte & 127:07b}" + group_bits
        if byte < 128:
            numbers.append(int(group_bits, 2))
            group_bits = ""
    node = 0
    for delta, counter_and_late in zip(numbers[1::2], numbers[2::2], strict=True):
        node += delta
        yield FrameId(NodeId(node), counter_and_late // 2), counter_and_late % 2 == 1


def digested_of(raw: bytes) -> Iterator[tuple[FrameId, bool, bytes]]:
    """A batch's targets with their digests, read likewise: two numbers, then four bytes."""
    start = node = 0
    while start < len(raw):
        end = start
        for _ in range(2):
            end = next(i for i in range(end, len(raw)) if raw[i] < 128) + 1
        ((target, late),) = pairs_of(raw[start:end])
        node += target.node
        yield FrameId(NodeId(node), target.counter), late, raw[end : end + 4]
        start = end + 4


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES.keys())
def test_layout_table_finds_each_field_where_the_encoder_put_it(frame: Frame) -> None:
    """The table in the handbook was written apart from the encoder; here they meet."""
    data = encode(frame, KEYS["stranger"])
    rebuilt = b""
    for field, offset, raw in taken_apart(frame.KIND, data):
        assert offset == len(rebuilt)
        rebuilt += raw
        if not field.path:
            continue
        value: Any = frame
        for step in field.path.split("."):
            value = getattr(value, step)
        if frame.KIND is FrameKind.RECEIPT_BATCH and field.path == "targets":
            assert [(entry.target, entry.late) for entry in value] == list(pairs_of(raw))
        elif frame.KIND is FrameKind.DIGEST_RECEIPT_BATCH and field.path == "targets":
            assert [(entry.target, entry.late, entry.digest) for entry in value] == list(digested_of(raw))
        elif isinstance(value, bytes):
            assert value == raw
        elif isinstance(frame, Alert) and frame.about and field.path == "schemes":
            assert struct.pack(">HIB", *frame.schemes, frame.about, frame.left) == raw
        elif isinstance(value, tuple):
            assert list(value) == [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]
        elif isinstance(value, str):
            assert value == raw.decode()
        else:
            assert int(value) == int.from_bytes(raw, "big")
    assert data == rebuilt


def test_layout_table_names_every_field_of_a_frame() -> None:
    """But flags, path and version, which share a byte or have a number of their own, and what only flag 4 adds."""
    for name, frame in FRAMES.items():
        paths = {field.path.split(".")[0] for field, _, _ in taken_apart(frame.KIND, bytes(96))}
        own = {name for cls in type(frame).__mro__ for name in getattr(cls, "__annotations__", {})} - {"KIND"}
        in_one_byte = {"role", "urgency", "state"} if frame.KIND is FrameKind.PRESS_ACKNOWLEDGEMENT else set()
        assert own - paths <= {"silent", "drill", "path", "about", "left"} | in_one_byte, name


def test_layout_table_gives_the_length_of_the_greatest_example() -> None:
    greatest = {f.KIND: len(encode(f, KEYS["stranger"])) for name, f in FRAMES.items() if name.endswith("greatest")}

    assert greatest == {kind: bytes_max(kind) for kind in BODIES}
    assert FRAME_BYTES_MAX == max(greatest.values())


def test_handbook_shows_the_examples_ids_and_names_every_topic() -> None:
    text = (REPOSITORY / "docs/wire.md").read_text(encoding="utf-8")

    assert FrameId(FRAMES["alert, attack"].sender, 7).text in text
    assert all(channel.address in text for channel in CHANNELS)
    assert "`None`" not in text
    assert ":class:" not in text


def test_programs_do_not_load_what_is_only_for_publishing() -> None:
    """Importing the contract stays cheap on the node: neither the publisher nor anything that waits or talks."""
    code = (
        "import sys; before = set(sys.modules); import wire.admission, wire.text;"
        "print(*sorted(set(sys.modules) - before))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=REPOSITORY)

    loaded = set(found.stdout.split())
    assert {"wire.frames", "msgspec"} <= loaded
    assert not {name for name in loaded if name.startswith(("tools.publish", "asyncio", "socket"))}
