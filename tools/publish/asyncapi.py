"""The AsyncAPI 3.0 document of the contract, from central's side: what it receives and what it sends."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

import msgspec

from tools.publish.channels import CHANNELS, Channel
from tools.publish.examples import DIRECTORY, FRAMES, KEYS, MESSAGES, SETTINGS
from tools.publish.golden import signer
from tools.publish.layout import bytes_max, fields
from tools.publish.notes import notes, plain
from wire.directory import DelegateChanges, DirectoryDocument, SealedDirectory, seal_directory
from wire.directory_parts import DirectoryPart
from wire.frames import VERSION, encode
from wire.kinds import FrameKind
from wire.messages import Message, NodeText, Slug, encode_message
from wire.node_settings import NodeSettings, SealedSettings, seal_settings
from wire.signing import SIGNATURE_TEXT_CHARS

Json = dict[str, Any]

FRAME_CONTENT_TYPE: Final = "application/vnd.watchlink.frame"
_BYTES_MIN: Final = {
    kind: min(len(encode(frame, KEYS["stranger"])) for frame in FRAMES.values() if frame.KIND is kind)
    for kind in FrameKind
}


_SIGNATURE_HEADER: Final[Json] = {
    "type": "object",
    "properties": {
        "signature": {
            "type": "string",
            "minLength": SIGNATURE_TEXT_CHARS,
            "maxLength": SIGNATURE_TEXT_CHARS,
            "description": (
                "MQTT 5 user property: base64 of the writer's Ed25519 signature over topic and payload (docs/wire.md). "
                "Due once the directory says that this sender signs."
            ),
        }
    },
}


def asyncapi_document() -> str:
    """The document as JSON text."""
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Watchlink",
            "version": str(VERSION),
            "description": (
                "What premises' nodes and central say to each other over MQTT 5. Made from the code by "
                "`python -m tools.publish`; docs/wire.md says the same for people, with every byte of a frame. "
                "Nothing depends on retained messages, shared subscriptions or expiry at the broker."
            ),
        },
        "defaultContentType": "application/json",
        "servers": {"broker": _broker()},
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {channel.operation: _operation(channel) for channel in CHANNELS},
        "components": {
            "messages": _messages(),
            "schemas": _schemas(),
            "parameters": {
                "scheme": {"description": "A scheme's slug, as in the directory.", "examples": ["hart", "pubwatch"]},
                "node": {
                    "description": "A node's id, which is in its certificate's subject; the broker holds it to that.",
                    "examples": ["00000010"],
                },
            },
            "securitySchemes": {
                "clientCertificate": {
                    "type": "X509",
                    "description": "TLS 1.3, a client certificate of the fleet's own authority.",
                }
            },
        },
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _broker() -> Json:
    return {
        "host": "{host}:{port}",
        "protocol": "mqtts",
        "protocolVersion": "5",
        "description": "Any MQTT 5 broker with an ACL bound to the client certificate; Mosquitto by default.",
        "variables": {
            "host": {"description": "The broker of the town.", "default": "127.0.0.1"},
            "port": {"description": "TLS only.", "default": "8883"},
        },
        "security": [{"$ref": "#/components/securitySchemes/clientCertificate"}],
        "bindings": {
            "mqtt": {
                "cleanSession": False,
                "lastWill": {
                    "topic": "watchlink/1/node/{node}/up/health",
                    "qos": 1,
                    "message": encode_message(MESSAGES["health, last will"]).decode(),
                    "retain": False,
                },
                "bindingVersion": "0.2.0",
            }
        },
    }


def message_names(channel: Channel) -> list[str]:
    """Names under ``components`` of the messages on a channel."""
    if isinstance(channel.payload, tuple):
        return [_frame_name(kind) for kind in channel.payload]
    return [kind.__name__ for kind in channel.messages]


def _frame_name(kind: FrameKind) -> str:
    return "".join(word.capitalize() for word in kind.slug.split("-")) + "Frame"


def _channel(channel: Channel) -> Json:
    return {
        "address": channel.address,
        "summary": channel.summary,
        "description": f"Written by {channel.writer}; read by {channel.readers}.",
        "parameters": {
            name: {"$ref": f"#/components/parameters/{name}"}
            for name in ("scheme", "node")
            if f"{{{name}}}" in channel.address
        },
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in message_names(channel)},
    }


def _operation(channel: Channel) -> Json:
    return {
        "action": "send" if channel.is_from_central else "receive",
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "summary": channel.summary,
        "messages": [{"$ref": f"#/channels/{channel.name}/messages/{name}"} for name in message_names(channel)],
        "bindings": {"mqtt": {"qos": channel.qos, "retain": False, "bindingVersion": "0.2.0"}},
    }


def _messages() -> Json:
    found: Json = {_frame_name(kind): _frame_message(kind) for kind in FrameKind}
    for channel in CHANNELS:
        found |= {kind.__name__: _json_message(channel, kind) for kind in channel.messages}
    return found


def _frame_message(kind: FrameKind) -> Json:
    layout = ", ".join(f"{field.path or field.type} {field.width or '…'}" for field in fields(kind))
    return {
        "name": kind.slug,
        "title": f"Frame: {kind.slug}",
        "summary": notes(FrameKind)[kind.name],
        "description": f"Signed binary, big-endian; fields and their bytes: {layout}. See docs/wire.md.",
        "contentType": FRAME_CONTENT_TYPE,
        "payload": {
            "type": "string",
            "format": "binary",
            "minLength": _BYTES_MIN[kind],
            "maxLength": bytes_max(kind),
        },
        "x-examples-hex": {
            name: encode(frame, KEYS[signer(frame)]).hex() for name, frame in FRAMES.items() if frame.KIND is kind
        },
    }


def _json_message(channel: Channel, kind: type[Message]) -> Json:
    return {
        "name": kind.__name__,
        "title": kind.__name__,
        "summary": notes(kind)[""],
        "description": f"At most {channel.payload_bytes_max} bytes. Fields that are not listed are ignored.",
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        **({"headers": _SIGNATURE_HEADER} if channel.is_signed else {}),
        "examples": [{"name": name, "payload": payload} for name, payload in _examples(kind).items()],
    }


def _examples(kind: type[Message]) -> Json:
    sealed = seal_directory(DIRECTORY, KEYS["authority"])
    if kind is SealedDirectory:
        return {"directory": json.loads(sealed)}
    if kind is DirectoryPart:
        part = DirectoryPart(digest=hashlib.sha256(sealed).hexdigest()[:16], part=2, parts=2, data=sealed[-16:])
        return {"the last part of a directory": msgspec.to_builtins(part)}
    if kind is SealedSettings:
        return {"settings": json.loads(seal_settings(SETTINGS, KEYS["authority"]))}
    return {name: json.loads(encode_message(message)) for name, message in MESSAGES.items() if type(message) is kind}


def schemas() -> dict[type[Message], Json]:
    """JSON Schema of each message and of the types in it, each field described by its docstring."""
    kinds = [kind for channel in CHANNELS for kind in channel.messages]
    _, found = msgspec.json.schema_components(
        [*kinds, DirectoryDocument, DelegateChanges, NodeSettings], ref_template="#/components/schemas/{name}"
    )
    classes = {cls.__name__: cls for cls in _all_messages()}
    for name, schema in found.items():
        said = notes(classes[name])
        schema["description"] = plain(said[""])
        for field, part in schema["properties"].items():
            part["description"] = said[field]
    return {classes[name]: schema for name, schema in found.items()}


def _all_messages() -> list[type[Message]]:
    return Message.__subclasses__()


def _schemas() -> Json:
    names: Json = {
        "NodeId": {"description": "A node's id.", **msgspec.json.schema(NodeText)},
        "SchemeSlug": {"description": "A scheme's slug.", **msgspec.json.schema(Slug)},
    }
    return names | {cls.__name__: schema for cls, schema in sorted(schemas().items(), key=lambda i: i[0].__name__)}
