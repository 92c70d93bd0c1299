"""The golden vectors: bytes and their meaning, for anyone who writes another reader or writer of the contract.

They are made from the code and committed, so a change in one shows in review as a change of the contract.
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from tools.publish import delegate_lists, gallery_lists, office_lists
from tools.publish.examples import (
    DIRECTORY,
    FRAMES,
    KEYS,
    MESSAGES,
    OFFICE_DIRECTORY,
    PUB,
    SEEDS,
    SHOP,
    SIGNING_DIRECTORY,
    STRUCK_OFF,
)
from wire.admission import admit, stands_for
from wire.directory import Directory, open_directory, seal_directory
from wire.errors import DecodeError
from wire.frames import VERSION, Alert, DigestReceipted, Frame, PathTest, Receipted, decode, encode
from wire.ids import CENTRAL, FrameId, NodeId, node_text
from wire.kinds import FrameKind, Numbered, Path
from wire.messages import Message, decode_message, encode_message
from wire.signing import SIGNATURE_BYTES, sign_message
from wire.topics import CentralTopic, Down, DownTopic, FrameTopic, IncidentTopic, Up, UpTopic, parse_topic

Json = dict[str, Any]

_NAMES: Final = {CENTRAL: "central", SHOP: "shop", PUB: "pub", STRUCK_OFF: "struck off"}


def fields_of(value: Any) -> Json:  # noqa: ANN401 (any frame or topic)
    """A frame's or topic's fields as JSON: ids as text, vocabulary by name, bytes in hex."""
    shown: Json = {"type": type(value).__name__}
    for field in msgspec.structs.fields(value):
        item = getattr(value, field.name)
        if field.name in {"sender", "node"}:
            item = node_text(item)
        elif isinstance(item, FrameId):
            item = item.text
        elif isinstance(item, Numbered):
            item = item.slug
        elif isinstance(item, bytes):
            item = item.hex()
        shown[field.name] = [_plain(part) for part in item] if isinstance(item, tuple) else item
    return shown


def _plain(part: Any) -> Any:  # noqa: ANN401 (any part of a list)
    match part:
        case Receipted():
            return {"target": part.target.text, "late": part.late}
        case DigestReceipted():
            return {"target": part.target.text, "digest": part.digest.hex(), "late": part.late}
    return part


def signer(frame: Frame) -> str:
    """Name of the example key that signs it."""
    return _NAMES.get(frame.sender, "stranger")


def _frames() -> Json:
    return {
        "seeds": {name: seed.hex() for name, seed in SEEDS.items()},
        "public_keys": {name: key.public.raw.hex() for name, key in KEYS.items()},
        "frames": [
            {
                "name": name,
                "signed_by": signer(frame),
                "fields": fields_of(frame),
                "hex": encode(frame, KEYS[signer(frame)]).hex(),
            }
            for name, frame in FRAMES.items()
        ],
    }


def _edit(name: str, edits: dict[int, bytes], cut: slice = slice(None), tail: bytes = b"") -> bytes:
    """An example with bytes replaced, then cut, then lengthened in front of a signature of zeros."""
    body = bytearray(encode(FRAMES[name], KEYS["stranger"])[:-SIGNATURE_BYTES])
    for offset, replacement in edits.items():
        body[offset : offset + len(replacement)] = replacement
    return bytes(body[cut]) + tail + bytes(SIGNATURE_BYTES)


def _invalid_frames() -> list[Json]:
    attack, cancel, receipt = "alert, attack", "cancel, mistake", "receipt"
    breach = "alert, breach by a person who did not leave"
    batch, digests = "receipt batch, one", "digest receipt batch, one"
    digest, refusal, automatic = "digest receipt", "refusal", "automatic acknowledgement"
    ack, test, response = "acknowledgement, answered", "path test, network", "response, seen"
    kinds_unused = [number for number in range(16) if number not in {kind.value for kind in FrameKind}]
    cases = {
        "empty": b"",
        "one byte": b"\x11",
        "shorter than a head and a signature": bytes(76),
        "longer than any frame": bytes(97),
        "version 0": _edit(attack, {0: b"\x01"}),
        "version 2": _edit(attack, {0: b"\x21"}),
        **{f"frame kind {number}": _edit(attack, {0: bytes([VERSION << 4 | number])}) for number in kinds_unused},
        "sender 0": _edit(attack, {1: bytes(4)}),
        "counter 0": _edit(attack, {5: bytes(4)}),
        "alert of kind 0": _edit(attack, {13: b"\x00"}),
        "alert of kind 12": _edit(attack, {13: b"\x0c"}),
        "alert with an unknown flag": _edit(attack, {14: b"\x08"}),
        "attack about a person": _edit(breach, {13: b"\x01"}),
        "silent breach about a person": _edit(breach, {14: b"\x05"}),
        "breach about person 0": _edit(breach, {21: bytes(4)}),
        "breach about a person, without the number": _edit(breach, {}, slice(0, 21)),
        "breach about half a person": _edit(breach, {}, slice(0, 23)),
        "breach about a person, without an answer": _edit(breach, {}, slice(0, 25)),
        "breach about a person of scheme 0": _edit(breach, {19: bytes(2)}),
        "breach about a person of two schemes": _edit(breach, {}, tail=b"\x00\x02"),
        "breach with an answer that nobody gives": _edit(breach, {25: b"\x03"}),
        "breach about nobody, with an answer": _edit(breach, {14: bytes(1)}),
        "sighting with an answer": _edit(breach, {13: b"\x04"}),
        "alert of incident 0": _edit(attack, {15: bytes(4)}),
        "alert of an incident to come": _edit(attack, {15: b"\x00\x00\x00\x08"}),
        "alert for no scheme": _edit(attack, {}, slice(0, 19)),
        "alert for scheme 0": _edit(attack, {19: bytes(2)}),
        "alert for half a scheme": _edit(attack, {}, slice(0, 20)),
        "alert for a scheme twice": _edit(attack, {}, tail=b"\x00\x01"),
        "alert for schemes that descend": _edit(attack, {19: b"\x00\x02"}, tail=b"\x00\x01"),
        "alert for five schemes": _edit(attack, {}, tail=b"\x00\x02\x00\x03\x00\x04\x00\x05"),
        "alert without a body": _edit(attack, {}, slice(0, 13)),
        "cancel of incident 0": _edit(cancel, {13: bytes(4)}),
        "cancel of itself": _edit(cancel, {13: b"\x00\x00\x00\x0a"}),
        "cancel for reason 3": _edit(cancel, {17: b"\x03"}),
        "receipt for node 0": _edit(receipt, {13: bytes(4)}),
        "receipt for counter 0": _edit(receipt, {17: bytes(4)}),
        "receipt with an unknown flag": _edit(receipt, {21: b"\x02"}),
        "receipt with a byte too many": _edit(receipt, {}, tail=b"\x00"),
        "receipt with a byte too few": _edit(receipt, {}, slice(0, 21)),
        "acknowledgement by role 0": _edit(ack, {21: b"\x00"}),
        "acknowledgement by role 7": _edit(ack, {21: b"\x07"}),
        "acknowledgement of state 5": _edit(ack, {22: b"\x05"}),
        "acknowledgement by a name that is not UTF-8": _edit(ack, {24: b"\xff"}),
        "acknowledgement by half a character": _edit(ack, {}, slice(0, 23), b"Jos\xc3"),
        "path test of path 0": _edit(test, {13: b"\x00"}),
        "path test of path 3": _edit(test, {13: b"\x03"}),
        "path test with a byte too many": _edit(test, {}, tail=b"\x01"),
        "receipt batch of nothing": _edit(batch, {}, slice(0, 13)),
        "receipt batch for node 0": _edit(batch, {}, slice(0, 13), b"\x00\x0e"),
        "receipt batch for counter 0": _edit(batch, {}, slice(0, 13), b"\x10\x01"),
        "receipt batch with a frame twice": _edit(batch, {}, tail=b"\x00\x0e"),
        "receipt batch that descends": _edit(batch, {}, tail=b"\x00\x0c"),
        "receipt batch with half a target": _edit(batch, {}, tail=b"\x00"),
        "receipt batch with a number longer than it need be": _edit(batch, {}, slice(0, 13), b"\x90\x00\x0e"),
        "receipt batch with a number that does not end": _edit(batch, {}, slice(0, 13), b"\xff" * 6),
        "receipt batch past the last node": _edit(batch, {}, tail=b"\xff\xff\xff\xff\x0f\x02"),
        "response of kind 3": _edit(response, {21: b"\x03"}),
        "response for no scheme": _edit(response, {}, slice(0, 22)),
        "digest receipt for node 0": _edit(digest, {13: bytes(4)}),
        "digest receipt with an unknown flag": _edit(digest, {21: b"\x02"}),
        "digest receipt with a digest too short": _edit(digest, {}, slice(0, 29)),
        "digest receipt with a byte too many": _edit(digest, {}, tail=b"\x00"),
        "digest receipt batch of nothing": _edit(digests, {}, slice(0, 13)),
        "digest receipt batch without a digest": _edit(digests, {}, slice(0, 15)),
        "digest receipt batch with half a digest": _edit(digests, {}, slice(0, 17)),
        "digest receipt batch with a frame twice": _edit(digests, {}, tail=b"\x00\x0e" + bytes(4)),
        "refusal for counter 0": _edit(refusal, {17: bytes(4)}),
        "refusal for reason 0": _edit(refusal, {21: b"\x00"}),
        "refusal for reason 3": _edit(refusal, {21: b"\x03"}),
        "refusal with a digest too short": _edit(refusal, {}, slice(0, 29)),
        "automatic acknowledgement of state 0": _edit(automatic, {21: b"\x00"}),
        "automatic acknowledgement with a name": _edit(automatic, {}, tail=b"A"),
    }
    return [{"name": name, "hex": data.hex(), **_refusal(lambda d=data: decode(d))} for name, data in cases.items()]


def _refusal(read: Any) -> Json:  # noqa: ANN401 (any reader)
    try:
        read()
    except DecodeError as e:
        return {"reason": e.reason, "offset": e.offset}
    raise AssertionError("an invalid vector was accepted")


def _messages() -> list[Json]:
    return [
        {
            "name": name,
            "type": type(message).__name__,
            "text": encode_message(message).decode(),
            "fields": msgspec.to_builtins(message),
        }
        for name, message in MESSAGES.items()
    ]


def _invalid_messages() -> list[Json]:
    incident = encode_message(MESSAGES["incident, least"]).decode()
    cases: list[tuple[str, str, str]] = [
        ("nothing", "sync", ""),
        ("half a message", "sync", '{"boot_id":"b'),
        ("a list", "sync", "[]"),
        ("a field is missing", "sync", "{}"),
        ("a field of another type", "sync", '{"boot_id":7}'),
        ("a text that is too long", "sync", json.dumps({"boot_id": "b" * 65})),
        ("a negative count", "sync", '{"boot_id":"b","last_counter":-1}'),
        ("a counter past 32 bits", "sync", '{"boot_id":"b","last_counter":4294967296}'),
        ("a pending counter of 0", "sync", '{"boot_id":"b","pending":[{"counter":0,"age_ms":1}]}'),
        ("a floor past 32 bits", "sync answer", '{"boot_id":"c","counter_floor":4294967296}'),
        ("an unknown state", "health", '{"boot_id":"b","state":"fine"}'),
        ("a time without a zone", "health", '{"boot_id":"b","state":"armed","at":"2026-03-07T23:40:05"}'),
        ("a time before 1970", "health", '{"boot_id":"b","state":"armed","at":"0001-01-01T00:00:00+14:00"}'),
        ("a node id with a newline", "incident", incident.replace('"node":"00000010"', '"node":"00000010\\n"')),
        ("a node id of zeros", "incident", incident.replace('"node":"00000010"', '"node":"00000000"')),
        ("an incident past 32 bits", "incident", incident.replace("00000010-9", "00000010-4294967296")),
        ("a slug in capitals", "incident", incident.replace('"scheme":"hart"', '"scheme":"HART"')),
        ("half a nonce", "sync", '{"boot_id":"b","nonce":"0123456789abcdef"}'),
        ("a nonce in capitals", "sync", json.dumps({"boot_id": "b", "nonce": "A" * 32})),
        ("a digest too short", "sync", '{"boot_id":"b","receipted":[{"counter":7,"digest":"0123"}]}'),
        ("part 0", "sync", '{"boot_id":"b","part":0}'),
        ("part 2 of 1", "sync", '{"boot_id":"b","part":2}'),
        ("part 3 of 2", "sync answer", '{"boot_id":"c","counter_floor":0,"part":3,"parts":2}'),
        ("a missing counter of 0", "sync answer", '{"boot_id":"c","counter_floor":0,"missing":[0]}'),
        ("a capability in capitals", "health", '{"boot_id":"b","state":"armed","speaks":["REFUSAL"]}'),
        ("a priority of 6", "incident", incident.replace('"priority":2', '"priority":6')),
    ]
    return [
        {
            "name": name,
            "type": type(MESSAGES[kind]).__name__,
            "text": text,
            "reason": _refusal(lambda t=text, k=kind: decode_message(t.encode(), type(MESSAGES[k])))["reason"],
        }
        for name, kind, text in cases
    ]


def _topics() -> Json:
    valid = (
        FrameTopic("hart", SHOP),
        IncidentTopic("hart"),
        CentralTopic("pub-watch-2"),
        *(UpTopic(SHOP, channel) for channel in Up),
        *(DownTopic(NodeId(0xFFFFFFFF), channel) for channel in Down),
    )
    invalid = (
        "",
        "watchlink/1",
        "watchlink/2/scheme/hart/incident",
        "/watchlink/1/scheme/hart/incident",
        "watchlink/1/scheme/HART/incident",
        "watchlink/1/scheme//incident",
        "watchlink/1/scheme/hart/incident/",
        "watchlink/1/scheme/hart\n/incident",
        "watchlink/1/scheme/hart\n/central",
        "watchlink/1/scheme/hart\n/frame/00000010",
        "watchlink/1/scheme/hart/frame/00000010\n",
        "watchlink/1/node/00000010\n/up/health",
        "watchlink/1/node/00000010/up/health\n",
        "watchlink/1/scheme/+/frame/+",
        "watchlink/1/scheme/hart/frame/00000000",
        "watchlink/1/scheme/hart/frame/0000001A",
        "watchlink/1/scheme/hart/frame/10",
        "watchlink/1/node/00000010/up/gallery",
        "watchlink/1/node/00000010/down/HEALTH",
        "watchlink/1/node/00000010/side/health",
        "watchlink/1/scheme/" + "h" * 128 + "/incident",
    )
    return {
        "valid": [{"topic": str(topic), "fields": fields_of(topic)} for topic in valid],
        "invalid": [{"topic": text, "reason": _refusal(lambda t=text: parse_topic(t))["reason"]} for text in invalid],
    }


def _directory() -> Json:
    authority = KEYS["authority"]
    sealed = seal_directory(DIRECTORY, authority)
    directory = open_directory(sealed, authority.public)
    attack, receipt = FRAMES["alert, attack"], FRAMES["receipt"]
    response, batch = FRAMES["response, seen"], FRAMES["receipt batch, one"]
    digest, refusal = FRAMES["digest receipt"], FRAMES["refusal"]
    assert isinstance(attack, Alert)
    cases: list[tuple[str, Frame, str, FrameTopic | None]] = [
        ("an attack", attack, "shop", FrameTopic("hart", SHOP)),
        ("an attack heard on the radio", attack, "shop", None),
        ("a receipt", receipt, "central", None),
        ("a response to one of two schemes", response, "pub", FrameTopic("hart", PUB)),
        ("a stranger", msgspec.structs.replace(attack, sender=NodeId(0x99)), "stranger", None),
        ("a node that was struck off", msgspec.structs.replace(attack, sender=STRUCK_OFF), "struck off", None),
        ("a neighbour's name", attack, "pub", None),
        ("another scheme", msgspec.structs.replace(attack, schemes=(2,)), "shop", None),
        ("another node's topic", attack, "shop", FrameTopic("hart", PUB)),
        ("another scheme's topic", response, "pub", FrameTopic("pubwatch", PUB)),
        ("a scheme nobody knows", attack, "shop", FrameTopic("elsewhere", SHOP)),
        ("a path test in a foreign scheme", PathTest(SHOP, 11, 0, Path.RADIO),
         "shop", FrameTopic("pubwatch", SHOP)),
        ("a receipt from a shop", msgspec.structs.replace(receipt, sender=SHOP), "shop", None),
        ("a batch of receipts", batch, "central", None),
        ("a batch of receipts from a shop", msgspec.structs.replace(batch, sender=SHOP), "shop", None),
        ("a receipt with a digest", digest, "central", None),
        ("a receipt with a digest from a shop", msgspec.structs.replace(digest, sender=SHOP), "shop", None),
        ("a refusal", refusal, "central", None),
        ("a refusal from a shop", msgspec.structs.replace(refusal, sender=SHOP), "shop", None),
    ]  # fmt: skip
    return {
        "authority": authority.public.raw.hex(),
        "sealed": sealed.decode(),
        "document": msgspec.to_builtins(DIRECTORY),
        "with office": {
            "sealed": seal_directory(OFFICE_DIRECTORY, authority).decode(),
            "document": msgspec.to_builtins(OFFICE_DIRECTORY),
        },
        "admissions": [
            {
                "name": name,
                "hex": (data := encode(frame, KEYS[key])).hex(),
                "topic": str(topic) if topic else None,
                "reason": _verdict(lambda d=data, t=topic: admit(d, directory, t)),
            }
            for name, frame, key, topic in cases
        ],
    }


def _signatures() -> Json:
    authority = KEYS["authority"]
    sealed = seal_directory(SIGNING_DIRECTORY, authority)
    directory = open_directory(sealed, authority.public)
    health, anchor = str(UpTopic(SHOP, Up.HEALTH)), str(UpTopic(PUB, Up.HEALTH))
    incident, heard = str(IncidentTopic("hart")), str(UpTopic(SHOP, Up.HEARD))
    of = {name: encode_message(MESSAGES[name]) for name in ("health", "health, last will", "incident")}
    relayed = encode(FRAMES["response, seen"], KEYS["pub"])
    cases: list[tuple[str, NodeId, str, bytes, str | None]] = [
        ("a state", CENTRAL, incident, of["incident"], _sign("central", incident, of["incident"])),
        ("a health", SHOP, health, of["health"], _sign("shop", health, of["health"])),
        ("a relayed frame", SHOP, heard, relayed, _sign("shop", heard, relayed)),
        ("a last will", SHOP, health, of["health, last will"], _sign("shop", health, of["health, last will"])),
        ("unsigned, by one that signs", CENTRAL, incident, of["incident"], None),
        ("unsigned, by one that does not", PUB, anchor, of["health"], None),
        ("signed, by one that need not", PUB, anchor, of["health"], _sign("pub", anchor, of["health"])),
        ("signed falsely, by one that need not", PUB, anchor, of["health"], _sign("shop", anchor, of["health"])),
        ("another signer", CENTRAL, incident, of["incident"], _sign("shop", incident, of["incident"])),
        ("another topic", CENTRAL, incident, of["incident"],
         _sign("central", str(IncidentTopic("pubwatch")), of["incident"])),
        ("a byte more", SHOP, health, of["health"] + b" ", _sign("shop", health, of["health"])),
        ("a node that was struck off", STRUCK_OFF, health, of["health"], _sign("struck off", health, of["health"])),
        ("a signature too short", SHOP, health, of["health"], _sign("shop", health, of["health"])[:84]),
        ("a signature that is no base64", SHOP, health, of["health"], "!" * 88),
        ("an empty signature", SHOP, health, of["health"], ""),
    ]  # fmt: skip
    return {
        "authority": authority.public.raw.hex(),
        "sealed": sealed.decode(),
        "messages": [
            {
                "name": name,
                "sender": node_text(sender),
                "topic": topic,
                "payload": payload.hex(),
                "signature": signature,
                **_standing(directory, sender, topic, payload, signature),
            }
            for name, sender, topic, payload, signature in cases
        ],
    }


def _sign(signer_name: str, topic: str, payload: bytes) -> str:
    return sign_message(KEYS[signer_name], topic, payload)


def _standing(directory: Directory, sender: NodeId, topic: str, payload: bytes, signature: str | None) -> Json:
    try:
        return {"signed": stands_for(directory.senders[sender], topic, payload, signature), "reason": None}
    except DecodeError as e:
        return {"signed": None, "reason": e.reason}


def _verdict(read: Any) -> str | None:  # noqa: ANN401 (any reader)
    try:
        read()
    except DecodeError as e:
        return e.reason
    return None


def vector_files() -> dict[str, str]:
    """Text of each file in ``wire/vectors``, by name."""
    contents: dict[str, Any] = {
        "frames.json": _frames(),
        "frames-invalid.json": _invalid_frames(),
        "messages.json": _messages(),
        "messages-invalid.json": _invalid_messages(),
        "topics.json": _topics(),
        "directory.json": _directory(),
        "delegation.json": delegate_lists.vectors(),
        "signatures.json": _signatures(),
        "snapshots.json": office_lists.vectors(),
        "gallery.json": gallery_lists.vectors(),
    }
    return {name: json.dumps(value, indent=1, ensure_ascii=True) + "\n" for name, value in contents.items()}


def message_types() -> dict[str, type[Message]]:
    """Type of each message, by its name in the vectors."""
    return {type(message).__name__: type(message) for message in MESSAGES.values()}
